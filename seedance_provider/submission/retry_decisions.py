"""The policy that :func:`~seedance_provider.retry_policy.seedance_retry_policy` makes. It needs Airflow 3.3."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk.definitions.retry_policy import RetryDecision, RetryPolicy

from seedance_provider.api.errors import ApiError, SeedanceError, Verdict, VideoTaskFailedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.sdk import Context

__all__ = ["SeedanceRetryPolicy"]


@dataclass(frozen=True)
class SeedanceRetryPolicy(RetryPolicy):
    """
    Airflow's decision after an error, by what this package knows of it. All parameters are seconds.

    :param delay: before the second try.
    :param slot_delay: the same after too many videos were in progress.
    :param longest_delay: beyond which the pause does not grow.
    :param longest_wait: beyond which the API's wish is not heard.
    """

    delay: float
    slot_delay: float
    longest_delay: float
    longest_wait: float

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,
        max_tries: int,  # noqa: ARG002  # Airflow's, which enforces it
        context: Context | None = None,  # noqa: ARG002
    ) -> RetryDecision:
        """
        Decide after an error.

        :param exception: what ended the try.
        :param try_number: of that try, from 1.
        :param max_tries: not needed: Airflow tries no more often than that, whatever is decided here.
        :param context: not needed.
        """
        error = next((cause for cause in _with_causes(exception) if isinstance(cause, SeedanceError)), None)
        if error is None:
            return RetryDecision.default()
        reason = error.reason or type(error).__name__
        if error.verdict not in (Verdict.TRANSIENT, Verdict.WAIT_FOR_SLOT):
            return RetryDecision.fail(f"Seedance: {reason} ({error.verdict})")
        if isinstance(error, VideoTaskFailedError) and _was_tried_enough(error, try_number):
            return RetryDecision.fail(f"Seedance: {reason}, which it does not help to try so often")
        pause = self._pause(error, try_number)
        return RetryDecision.retry(timedelta(seconds=pause), f"Seedance: {reason} ({error.verdict})")

    def serialize(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> SeedanceRetryPolicy:
        """Read what :meth:`serialize` wrote."""
        return cls(**data)

    def _pause(self, error: SeedanceError, try_number: int) -> float:
        first = self.slot_delay if error.verdict is Verdict.WAIT_FOR_SLOT else self.delay
        # Beyond the tenth doubling every pause is the longest one, and beyond the thousandth it is no number.
        grown = min(first * 2.0 ** min(max(try_number, 1) - 1, 10), max(first, self.longest_delay))
        asked = error.retry_after if isinstance(error, ApiError) else None
        return max(grown, min(asked or 0.0, self.longest_wait))


def _was_tried_enough(error: VideoTaskFailedError, try_number: int) -> bool:
    return error.resubmissions is not None and try_number > error.resubmissions


def _with_causes(exception: BaseException) -> Iterator[BaseException]:
    """An error, and what it was raised ``from``; not what happened to be handled meanwhile."""
    seen: set[int] = set()
    cause: BaseException | None = exception
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__
