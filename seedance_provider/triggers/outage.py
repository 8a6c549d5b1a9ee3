"""
An account whose API does not answer: polled by one at a time, however many wait.

Decisions only, apart from the queue that polls.
"""

from __future__ import annotations

from seedance_provider.api.errors import (
    ApiError,
    ConcurrencyLimitError,
    InternalServerError,
    RateLimitedError,
    SeedanceError,
    TransportError,
    UnexpectedResponseError,
    Verdict,
)
from seedance_provider.waiting.video_wait import backoff

__all__ = ["Outage", "is_outage"]

_INTERVAL = 5.0
#: Seconds. Shorter than any tolerance that makes sense: nobody shall give up on an API that is back.
_LONGEST_PAUSE = 15.0
#: A probe is over by then, whatever the API does.
_PROBE_SECONDS = 35.0
#: However long the API wants to be left alone: it may be wrong.
_LONGEST_WISH = 300.0


def is_outage(error: SeedanceError) -> bool:
    """
    Return whether an error concerns all who ask this API, and not one video task or the key.

    :param error: what a poll met.
    """
    if error.read_verdict is not Verdict.TRANSIENT or isinstance(error, ConcurrencyLimitError):
        return False
    if isinstance(error, TransportError | InternalServerError | RateLimitedError):
        return True
    return isinstance(error, UnexpectedResponseError) and (error.status >= 300 or error.looks_like_html)


class Outage:
    """
    Whether the API is away, and who may ask whether it is back.

    One poll at a time probes, with growing pauses; all others get the error that the latest probe met, without a
    request. Each wait counts for itself how long it tolerates that. Times are seconds of a clock that only goes up.
    """

    def __init__(self) -> None:
        self._error: SeedanceError | None = None
        self._failures = 0
        self._next_probe = 0.0
        self._next_count = 0.0

    def error_for(self, now: float) -> SeedanceError | None:
        """Return what a poll gets instead of a request, or ``None`` if it may send one."""
        if self._error is None:
            return None
        if now >= self._next_probe:
            self._next_probe = now + _PROBE_SECONDS
            return None
        # One error for all, which must not collect their tracebacks.
        return self._error.with_traceback(None)

    def failed(self, error: SeedanceError, now: float) -> None:
        """Note what a request has met."""
        if not is_outage(error):
            self.answered()
            return
        self._error = error
        # Requests that were on their way together count once.
        if now >= self._next_count:
            self._failures += 1
            self._next_count = now + _INTERVAL
        asked = error.retry_after if isinstance(error, ApiError) else None
        pause = min(backoff(self._failures, _INTERVAL), _LONGEST_PAUSE)
        self._next_probe = now + max(pause, min(asked or 0.0, _LONGEST_WISH))

    def answered(self) -> None:
        """Note that a request was answered."""
        self._error, self._failures, self._next_probe, self._next_count = None, 0, 0.0, 0.0
