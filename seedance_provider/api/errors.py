"""
Everything that can go wrong with the API, and what may be done about it.

::

    SeedanceError
    ├── InvalidRequestError              refused here, before anything was sent
    ├── FileUnavailableError             a file that has to be uploaded could not be read
    ├── TransportError
    │   ├── ConnectionNotEstablishedError    nothing was sent
    │   └── ConnectionLostError              sent, but no answer came back
    ├── ApiError                         the API answered, but not with what was asked for
    │   ├── BadRequestError              400
    │   ├── AuthenticationError          401
    │   ├── InsufficientCreditsError     402
    │   ├── ForbiddenError               403
    │   │   ├── ApiAccessDisabledError       the account may not use the API at all
    │   │   └── TaskAccessDeniedError        the video task belongs to another account
    │   ├── TaskNotFoundError            404
    │   ├── RateLimitedError             429  too many requests
    │   │   └── ConcurrencyLimitError    429  too many videos in progress
    │   ├── InternalServerError          500  with the API's own JSON message
    │   └── UnexpectedResponseError      everything that is not documented
    │       └── UndocumentedRefusalError     any other 3xx or 4xx: certainly nothing was accepted
    └── VideoTaskFailedError             the video task ended with status ``fail``
        ├── GenerationFailedError            the service failed: submitting the same again can help
        │   └── ExtensionFailedError             the same, but once only
        ├── ModerationError                  the review refused something
        │   ├── InputModerationError             what was sent
        │   └── OutputModerationError            what was made of it
        ├── ReferenceMediaError              an image, video or sound could not be used
        ├── InvalidVideoInputError           inputs that were accepted, and then were not
        └── UnexplainedFailureError          the text says nothing, or is not documented

What may be done differs between creating (which costs money) and reading (which does not), so every class has a
verdict for each. Which class an answer of the API becomes is said by two tables:
:mod:`seedance_provider.api.http_errors` and :mod:`seedance_provider.api.task_failures`.
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
    "ExtensionFailedError",
    "FileUnavailableError",
    "ForbiddenError",
    "GenerationFailedError",
    "InputModerationError",
    "InsufficientCreditsError",
    "InternalServerError",
    "InvalidRequestError",
    "InvalidVideoInputError",
    "ModerationError",
    "OutputModerationError",
    "RateLimitedError",
    "ReferenceMediaError",
    "SeedanceError",
    "TaskAccessDeniedError",
    "TaskNotFoundError",
    "TransportError",
    "UndocumentedRefusalError",
    "UnexpectedResponseError",
    "UnexplainedFailureError",
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
    #: Refused because too many videos are in progress: submit again when one has ended.
    WAIT_FOR_SLOT = "wait for a slot"


class SeedanceError(Exception):
    """
    Base of all errors of this package. All of them survive pickling, as Airflow sends them between processes.

    :param message: what happened, for a person.
    :param details: further facts, available as attributes.
    """

    create_verdict: ClassVar[Verdict] = Verdict.PERMANENT
    read_verdict: ClassVar[Verdict] = Verdict.PERMANENT
    #: Short name of the reason, for logs, metrics and conditions. Never empty.
    reason: str = "seedance_error"
    #: What a person can do about it.
    advice: str = ""
    #: Whether the vendor's pages, or a public client of the service, show this text.
    is_listed: bool = True
    #: Whether it comes from a call that only reads, which costs nothing. Both clients note that.
    was_reading: bool = False

    def __init__(self, message: str = "", **details: Any) -> None:
        super().__init__(message)
        self.message = message
        # Pickling calls the class with ``args`` and then restores ``__dict__``, so facts beyond the message
        # belong there and not into ``args``.
        self.__dict__.update(details)

    @property
    def verdict(self) -> Verdict:
        """What may be done after it: the stricter of the two verdicts unless it is known to come from a poll."""
        return self.read_verdict if self.was_reading else self.create_verdict

    @property
    def retryable(self) -> bool:
        """Whether doing the same again is safe, and can succeed."""
        return self.verdict in (Verdict.TRANSIENT, Verdict.WAIT_FOR_SLOT)

    def summary(self) -> dict[str, Any]:
        """Return the small JSON object that a branch after the failed Airflow task can go by."""
        return {
            "video_task_id": getattr(self, "video_task_id", None),
            "reason": self.reason,
            "message": getattr(self, "api_message", None) or str(self),
            "advice": self.advice,
            "retryable": self.retryable,
        }


class InvalidRequestError(SeedanceError, ValueError):
    """The request can't be right; it was not sent, and nothing was charged."""

    reason = "invalid_request"
    advice = "Change the inputs in the DAG, or the connection, then clear the Airflow task."


class FileUnavailableError(SeedanceError):
    """A file that stands for a URL could not be read; a later try may succeed. Nothing was sent or charged."""

    create_verdict = Verdict.TRANSIENT
    read_verdict = Verdict.TRANSIENT
    reason = "file_unavailable"
    advice = (
        "No action needed if the error is transient. If it stays: may the worker read the file, and is the storage's "
        "connection right?"
    )


class TransportError(SeedanceError):
    """No answer of the API."""

    reason = "no_answer"
    read_verdict = Verdict.TRANSIENT


class ConnectionNotEstablishedError(TransportError):
    """The API could not be reached: certainly nothing was sent, so sending again is safe."""

    create_verdict = Verdict.TRANSIENT
    reason = "not_connected"
    advice = (
        "No action needed if the error is transient. If it stays: is the host of the connection right, and can the "
        "worker reach it?"
    )


class ConnectionLostError(TransportError):
    """The request was (or may have been) sent, and no complete answer came back."""

    create_verdict = Verdict.UNKNOWN_OUTCOME
    reason = "connection_lost"
    advice = "Look into the vendor's web account whether the video is there, before you ask for it again."


class ApiError(SeedanceError):
    """
    The API answered with an error.

    :param message: the API's own text.
    :param status: HTTP status.
    :param retry_after: seconds the server asked to wait, if it did.
    :param details: ``reason``, ``advice`` and ``is_listed`` of :mod:`seedance_provider.api.http_errors`, and what the
        subclasses have.
    """

    status: int
    retry_after: float | None
    reason = "api_error"

    def __init__(self, message: str = "", *, status: int = 0, retry_after: float | None = None, **details: Any) -> None:
        super().__init__(message, status=status, retry_after=retry_after, **details)

    def __str__(self) -> str:
        said = f"HTTP {self.status}: {self.message}" if self.status else self.message
        return said if self.is_listed else f"{said.rstrip('. ')} (undocumented error)"


class BadRequestError(ApiError):
    """400: unknown model, or inputs that the model does not take. Nothing was charged."""


class AuthenticationError(ApiError):
    """401: the key is missing, unknown, inactive or expired."""


class InsufficientCreditsError(ApiError):
    """402: the balance is too low; ``required`` and ``available`` hold the API's figures. Nothing was charged."""

    required: float | None
    available: float | None

    def __str__(self) -> str:
        figures = getattr(self, "required", None), getattr(self, "available", None)
        if not all(isinstance(figure, int | float) for figure in figures):
            return super().__str__()
        return f"{super().__str__()} ({figures[0]:g} needed, {figures[1]:g} available)"


class ForbiddenError(ApiError):
    """403: the account may not do this."""


class ApiAccessDisabledError(ForbiddenError):
    """403: the account has no API access."""


class TaskAccessDeniedError(ForbiddenError):
    """403: the video task belongs to another account."""


class TaskNotFoundError(ApiError):
    """404, or 400 for an id that can't exist: there is no such video task."""


class RateLimitedError(ApiError):
    """429: too many requests. Nothing was charged."""

    create_verdict = Verdict.TRANSIENT
    read_verdict = Verdict.TRANSIENT


class ConcurrencyLimitError(RateLimitedError):
    """429: ``limit`` videos of the account are already in progress. Not queued by the API and not charged."""

    create_verdict = Verdict.WAIT_FOR_SLOT

    limit: int | None
    current: int | None


class InternalServerError(ApiError):
    """500 with the API's own JSON ``message``, which the vendor documents as safe to retry."""

    create_verdict = Verdict.TRANSIENT
    read_verdict = Verdict.TRANSIENT


class UnexpectedResponseError(ApiError):
    """An undocumented answer: another status, an HTML page, an empty body, broken JSON."""

    create_verdict = Verdict.UNKNOWN_OUTCOME
    read_verdict = Verdict.TRANSIENT
    reason = "undocumented_answer"
    advice = "Look into the vendor's web account whether the video is there, before you ask for it again."

    looks_like_html: bool = False


class UndocumentedRefusalError(UnexpectedResponseError):
    """
    A redirect, or any 4xx but 408 that is not the API's own: a firewall's page, a 405 or 413 of a gateway. The status
    alone says that nothing was accepted. A poll can be repeated: gateways answer so while something behind them
    restarts.
    """

    create_verdict = Verdict.PERMANENT
    reason = "undocumented_refusal"
    advice = "Look at what the answer says, and change the inputs or the connection; then clear the Airflow task."


class VideoTaskFailedError(SeedanceError):
    """
    The video task ended with status ``fail``. The vendor refunds failed video tasks in full.

    :param message: the API's text, and what to do.
    :param happened: what failed and why, without what to do.
    :param video_task_id: the video task.
    :param reason: short name of the reason, see :mod:`seedance_provider.api.task_failures`.
    :param advice: what a person can do.
    :param is_listed: whether the text is documented.
    :param api_message: the API's text alone.
    :param api_code: the API's code; one and the same stands for many reasons, and some generations send none.
    """

    happened: str
    video_task_id: str
    api_message: str
    api_code: str | None
    reason = "video_task_failed"
    #: How often it helps to submit the same again; ``None`` is no limit.
    resubmissions: ClassVar[int | None] = 0

    @property
    def retryable(self) -> bool:
        """Whether submitting the same request again can succeed, wherever the failure was read."""
        return self.create_verdict is Verdict.TRANSIENT


class GenerationFailedError(VideoTaskFailedError):
    """The service failed. Nothing was charged, and the same request can succeed."""

    create_verdict = Verdict.TRANSIENT
    resubmissions: ClassVar[int | None] = None


class ExtensionFailedError(GenerationFailedError):
    """A video could not be continued. The vendor says to try the same once more."""

    resubmissions = 1


class ModerationError(VideoTaskFailedError):
    """The vendor's review refused something."""


class InputModerationError(ModerationError):
    """The vendor's review refused the prompt, an image, a video or a sound."""


class OutputModerationError(ModerationError):
    """The vendor's review refused the video that was made."""


class ReferenceMediaError(VideoTaskFailedError):
    """An image, a video or a sound could not be fetched or used."""


class InvalidVideoInputError(VideoTaskFailedError):
    """Inputs that were accepted at first, and refused when the video was to be made."""


class UnexplainedFailureError(VideoTaskFailedError):
    """Nothing says why. Another try might be pointless, so a person decides."""
