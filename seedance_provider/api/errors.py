"""
Everything that can go wrong with the API, and what may be done about it.

::

    SeedanceError
    ├── InvalidRequestError              refused here, before anything was sent
    ├── TransportError
    │   ├── ConnectionNotEstablishedError    nothing was sent
    │   └── ConnectionLostError              sent, but no answer came back
    ├── ApiError                         the API answered, but not with what was asked for
    │   ├── BadRequestError              400
    │   ├── AuthenticationError          401
    │   ├── InsufficientCreditsError     402
    │   ├── ApiAccessDisabledError       403  the account may not use the API at all
    │   ├── TaskAccessDeniedError        403  the video task belongs to another account
    │   ├── TaskNotFoundError            404
    │   ├── RateLimitedError             429  too many requests
    │   │   └── ConcurrencyLimitError    429  too many videos in progress
    │   ├── InternalServerError          500  with the API's own JSON message
    │   └── UnexpectedResponseError      everything that is not documented
    └── VideoTaskFailedError             the video task ended with status ``fail``

What may be done differs between creating (which costs money) and reading (which does not), so every class has a
verdict for each.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar

__all__ = [
    "ApiAccessDisabledError",
    "ApiError",
    "AuthenticationError",
    "BadRequestError",
    "ConcurrencyLimitError",
    "ConnectionLostError",
    "ConnectionNotEstablishedError",
    "InsufficientCreditsError",
    "InternalServerError",
    "InvalidRequestError",
    "RateLimitedError",
    "SeedanceError",
    "TaskAccessDeniedError",
    "TaskNotFoundError",
    "TransportError",
    "UnexpectedResponseError",
    "Verdict",
    "VideoTaskFailedError",
]


class Verdict(StrEnum):
    """What may be done after an error."""

    #: The same call would fail again: a person has to change something.
    PERMANENT = "permanent"
    #: Nothing happened at the API: the same call may be sent again.
    TRANSIENT = "transient"
    #: The API may or may not have accepted the call: sending it again could pay twice.
    UNKNOWN_OUTCOME = "unknown outcome"
    #: Refused because too many videos are in progress: try again when one has ended.
    WAIT_FOR_SLOT = "wait for a slot"


class SeedanceError(Exception):
    """
    Base of all errors of this package. All of them survive pickling, as Airflow sends them between processes.

    :param message: what happened, for a person.
    :param details: further facts, available as attributes.
    """

    on_create: ClassVar[Verdict] = Verdict.PERMANENT
    on_read: ClassVar[Verdict] = Verdict.PERMANENT
    #: What a person can do about it.
    advice: ClassVar[str] = ""

    def __init__(self, message: str = "", **details: Any) -> None:
        super().__init__(message)
        self.message = message
        # Pickling calls the class with ``args`` and then restores ``__dict__``, so facts beyond the message
        # belong there and not into ``args``.
        self.__dict__.update(details)


class InvalidRequestError(SeedanceError, ValueError):
    """The request can't be right; it was not sent, and nothing was charged."""


class TransportError(SeedanceError):
    """No answer of the API."""

    on_read = Verdict.TRANSIENT


class ConnectionNotEstablishedError(TransportError):
    """The API could not be reached: certainly nothing was sent, so sending again is safe."""

    on_create = Verdict.TRANSIENT


class ConnectionLostError(TransportError):
    """The request was (or may have been) sent, and no complete answer came back."""

    on_create = Verdict.UNKNOWN_OUTCOME


class ApiError(SeedanceError):
    """
    The API answered with an error.

    :param message: the API's own text.
    :param status: HTTP status.
    :param retry_after: seconds the server asked to wait, if it did.
    """

    status: int
    retry_after: float | None

    def __init__(self, message: str = "", *, status: int = 0, retry_after: float | None = None, **details: Any) -> None:
        super().__init__(message, status=status, retry_after=retry_after, **details)

    def __str__(self) -> str:
        return f"HTTP {self.status}: {self.message}" if self.status else self.message


class BadRequestError(ApiError):
    """400: unknown model, or inputs that the model does not take. Nothing was charged."""

    advice = "Change the inputs in the DAG, then clear the Airflow task."


class AuthenticationError(ApiError):
    """401: the key is missing, unknown, inactive or expired."""

    advice = "Put a valid key into the password of the connection, then clear the Airflow task."


class InsufficientCreditsError(ApiError):
    """402: the balance is too low; ``required`` and ``available`` hold the API's figures. Nothing was charged."""

    advice = (
        "Add credits in the vendor's web account, then clear the Airflow task. (The vendor's demo key never has any.)"
    )
    required: float | None
    available: float | None

    def __str__(self) -> str:
        figures = getattr(self, "required", None), getattr(self, "available", None)
        if not all(isinstance(figure, int | float) for figure in figures):
            return super().__str__()
        return f"{super().__str__()} ({figures[0]:g} needed, {figures[1]:g} available)"


class ApiAccessDisabledError(ApiError):
    """403: the account has no API access."""

    advice = "Ask the vendor for API access, or use the key of another account, then clear the Airflow task."


class TaskAccessDeniedError(ApiError):
    """403: the video task belongs to another account."""


class TaskNotFoundError(ApiError):
    """404, or 400 for an id that can't exist: there is no such video task."""


class RateLimitedError(ApiError):
    """429: too many requests. Nothing was charged."""

    on_create = Verdict.TRANSIENT
    on_read = Verdict.TRANSIENT


class ConcurrencyLimitError(RateLimitedError):
    """429: ``limit`` videos of the account are already in progress. Not queued by the API and not charged."""

    on_create = Verdict.WAIT_FOR_SLOT

    limit: int | None
    current: int | None


class InternalServerError(ApiError):
    """500 with the API's own JSON ``message``, which the vendor documents as safe to retry."""

    on_create = Verdict.TRANSIENT
    on_read = Verdict.TRANSIENT


class UnexpectedResponseError(ApiError):
    """An answer that is documented nowhere: another status, an HTML page, an empty body, broken JSON."""

    on_create = Verdict.UNKNOWN_OUTCOME
    on_read = Verdict.TRANSIENT

    looks_like_html: bool


class VideoTaskFailedError(SeedanceError):
    """
    The video task ended with status ``fail``. The vendor refunds failed video tasks in full.

    :param message: the API's text, and what to do.
    :param task_id: the video task.
    :param reason: short name of the reason, see :mod:`seedance_provider.api.task_failures`.
    :param retryable: whether submitting the same request again can succeed.
    """

    task_id: str
    reason: str
    retryable: bool
