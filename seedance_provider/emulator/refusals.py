"""The error answers of the API, in its own words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedance_provider.emulator.numbers import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = [
    "REFUSALS",
    "RefusedError",
    "concurrency_limit_reached",
    "insufficient_credits",
    "invalid_inputs",
    "invalid_request",
]


class RefusedError(Exception):
    """
    A request that is refused.

    :param status: HTTP status.
    :param message: the API's text.
    :param details: what the answer has beside the text.
    """

    def __init__(self, status: int, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{status} {message}")
        self.status = status
        self.body: dict[str, Any] = {"message": message, **(details or {})}


def invalid_request() -> RefusedError:
    """Return the refusal of a body that is malformed as a whole."""
    return RefusedError(400, "Invalid request parameters")


def invalid_inputs(problems: Sequence[Mapping[str, Any]]) -> RefusedError:
    """Return the refusal of values in ``inputs``, which names each of them."""
    return RefusedError(400, "Invalid inputs for model", {"errors": list(problems)})


def insufficient_credits(required: float, available: float) -> RefusedError:
    """Return the refusal of a video that costs more than the account has."""
    return RefusedError(402, "Insufficient credits", {"required": plain(required), "available": plain(available)})


def concurrency_limit_reached(limit: int, current: int) -> RefusedError:
    """Return the refusal of one more task than may be unfinished at a time."""
    # The documentation breaks the text off after the second sentence.
    message = (
        f"Concurrency limit reached ({limit}). You have {current} tasks in progress. "
        "Please wait for one of them to finish."
    )
    return RefusedError(429, message, {"limit": limit, "current": current})


def _plainly(status: int, message: str) -> Callable[[], RefusedError]:
    return lambda: RefusedError(status, message)


def _unlisted(status: int) -> Callable[[], RefusedError]:
    return _plainly(status, "The emulator has thought of something new.")


#: Every refusal of the documentation, for those who ask for one (see :mod:`seedance_provider.emulator.faults`), and for
#: every status one whose text nobody has documented.
REFUSALS: Mapping[str, Callable[[], RefusedError]] = {
    "invalid_parameters": invalid_request,
    "invalid_inputs": lambda: invalid_inputs(
        [{"code": "custom", "message": "Duration must be between 4 and 15 seconds", "path": ["duration"]}]
    ),
    "unknown_model": _plainly(400, "Unknown model"),
    "missing_task_id": _plainly(400, "Missing taskId parameter"),
    "invalid_task_id": _plainly(400, "Invalid taskId"),
    "missing_key": _plainly(401, "Missing Authorization header"),
    "invalid_key": _plainly(401, "Invalid API Key"),
    "inactive_key": _plainly(401, "API Key is inactive"),
    "expired_key": _plainly(401, "API Key has expired"),
    "insufficient_credits": lambda: insufficient_credits(200, 12.5),
    "no_api_access": _plainly(403, "API access not enabled for this account"),
    "access_denied": _plainly(403, "Access denied"),
    "task_not_found": _plainly(404, "Task not found"),
    "concurrency_limit": lambda: concurrency_limit_reached(1, 1),
    "rate_limited": _plainly(429, "Too many requests"),
    "internal_error": _plainly(500, "Internal server error"),
    **{f"unlisted_{status}": _unlisted(status) for status in (400, 401, 402, 403, 404)},
}
