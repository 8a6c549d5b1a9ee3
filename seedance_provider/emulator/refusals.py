"""The error answers of the API, in its own words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedance_provider.emulator.numbers import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
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
