"""
Waiting for a video task: when to ask next, and when to stop. Decisions only, so that the worker, the sensor and the
trigger, which all drive this, can't drift apart.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from seedance_provider.api.errors import (
    ApiError,
    InvalidRequestError,
    SeedanceError,
    TaskAccessDeniedError,
    TaskNotFoundError,
    Verdict,
)
from seedance_provider.api.models import MODELS
from seedance_provider.api.video_task import TaskStatus, VideoTask
from seedance_provider.poll_settings import PollSettings
from seedance_provider.schedule import FixedSchedule, Schedule

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "Outcome",
    "PollAgain",
    "VideoWait",
    "WaitResult",
    "backstop",
    "look",
    "look_on",
    "patience",
    "result_of_error",
    "spread",
]

_LONGEST_BACKOFF = 60.0
#: "A few seconds", says the vendor.
_SETTLING_SECONDS = 15.0
_SETTLING_INTERVAL = 2.0
_BACKSTOP_SECONDS = 300


class _Reader(Protocol):
    """The part of :class:`~seedance_provider.api.client.SeedanceClient` that is used here."""

    def get_task(self, task_id: str) -> VideoTask: ...


class Outcome(StrEnum):
    """How a wait can end."""

    #: The video task ended, well or badly.
    FINISHED = "finished"
    #: The deadline passed; the video task goes on.
    TIMED_OUT = "timed_out"
    #: The API could not be asked for too long; the video task goes on.
    UNREACHABLE = "unreachable"
    #: The account can't see such a video task.
    GONE = "gone"
    #: The API refuses to talk to this account; the video task goes on.
    REFUSED = "refused"


@dataclass(frozen=True)
class WaitResult:
    """
    How a wait ended, in plain values that survive a trigger event.

    :param outcome: how it ended.
    :param message: what happened, for a person; empty when the video task ended.
    :param task: the video task as it was last seen.
    :param error: what the last look met; it does not survive an event.
    """

    outcome: Outcome
    message: str = ""
    task: VideoTask | None = None
    error: SeedanceError | None = field(default=None, compare=False)

    def to_event(self) -> dict[str, Any]:
        """Return the payload of a trigger event."""
        return {
            "outcome": str(self.outcome),
            "message": self.message,
            "task": self.task.to_json() if self.task else None,
        }

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> WaitResult:
        """Read the payload of a trigger event."""
        task = event.get("task")
        return cls(
            outcome=Outcome(event["outcome"]),
            message=event.get("message") or "",
            task=VideoTask.from_json(task) if task else None,
        )


@dataclass(frozen=True)
class PollAgain:
    """
    Ask again.

    :param after: seconds from now.
    :param note: what changed, worth a line in the log; ``None`` if nothing did.
    :param is_warning: whether the note is about something that should not be.
    """

    after: float
    note: str | None = None
    is_warning: bool = False

    def tell(self, log: Any) -> None:
        """Write the note, if there is one, to a logger of Airflow or of the standard library."""
        if self.note is not None:
            (log.warning if self.is_warning else log.info)(self.note)


@dataclass(slots=True)
class VideoWait:
    """
    One wait for one video task. Feed it every answer and every error; it says what to do next.

    :param video_task_id: the video task, for messages.
    :param started: when the wait began, in seconds since the epoch. Wall-clock time, because a trigger can be
        moved to another machine.
    :param deadline: when to give up, in seconds since the epoch.
    :param settings: how to wait.
    :param jitter: a number in 0..1 anew at each call; mapped tasks must not ask in step.
    :param settles: whether the credits may change within seconds after success, as where the seconds of a reference
        video are paid for, too; then they are read until they have, or for 15 seconds. ``None`` if the model in the
        answer decides.
    :param schedule: when to look while all is well; ``None`` is at the interval of the settings.
    :param submitted_at: when the video was asked for, in seconds since the epoch: before the wait began, if it was
        taken up again, or later, if there was no slot at first. ``None`` if it is not known; an answer may tell.
    :param tolerates_refusal: whether a refused key is put up with like an API that can't be reached, because it has
        worked before: it may have been rotated, and the connection is mended while the video goes on. An answer of
        the API proves that, too. A key that never worked is refused at once.
    """

    video_task_id: str
    started: float
    deadline: float
    settings: PollSettings = field(default_factory=PollSettings)
    jitter: Callable[[], float] = random.random
    tolerates_refusal: bool = False
    settles: bool | None = None
    schedule: Schedule | None = None
    submitted_at: float | None = None
    #: The model that the API names, once it has.
    model: str | None = field(default=None, init=False)
    _last_word: str | None = None
    _failing_since: float | None = None
    _failures: int = 0
    _succeeded_at: float | None = None
    _first_credits: float | None = None

    def on_task(self, task: VideoTask, now: float) -> PollAgain | WaitResult:
        """
        Decide after an answer.

        :param task: the answer.
        :param now: seconds since the epoch.
        """
        self._failing_since, self._failures = None, 0
        self.tolerates_refusal = True
        self.model = task.model
        if task.created_at is not None:
            # The earlier one counts, since the clock of the API may be ahead.
            self.submitted_at = min(self._began, task.created_at.timestamp())
        if task.status is TaskStatus.FAIL or (task.status is TaskStatus.SUCCESS and task.video_url):
            if now < self.deadline and self._is_settling(task, now):
                settling = f"{self.video_task_id} succeeded; its credits are about to settle."
                is_first = self._succeeded_at == now
                return PollAgain(self._until(_SETTLING_INTERVAL, now), settling if is_first else None)
            return WaitResult(Outcome.FINISHED, task=task)
        if now >= self.deadline:
            return self.timed_out(now, task)
        note, is_warning = self._note(task, now)
        return PollAgain(self.pause(now), note, is_warning)

    def pause(self, now: float) -> float:
        """
        Return the seconds until the next look, if all is well.

        :param now: seconds since the epoch.
        """
        schedule = self.schedule or FixedSchedule(self.settings.poll_interval)
        return self._until(schedule.pause(now - self._began), now)

    @property
    def _began(self) -> float:
        return self.started if self.submitted_at is None else self.submitted_at

    def on_error(self, error: SeedanceError, now: float) -> PollAgain | WaitResult:
        """
        Decide after a look that failed. It never leads to a new submission.

        :param error: what went wrong.
        :param now: seconds since the epoch.
        """
        final = result_of_error(error, self.video_task_id)
        if not self._tolerates(final.outcome):
            return final
        if self._failing_since is None:
            self._failing_since = now
        self._failures += 1
        if now >= self.deadline:
            return final if final.outcome is Outcome.REFUSED else self.timed_out(now)
        if now - self._failing_since >= self.settings.error_tolerance:
            return final
        note = f"Could not look at {self.video_task_id}, and will try again: {error}"
        if final.outcome is Outcome.REFUSED:
            note = f"{note.rstrip('. ')}. Mend the connection: it is looked up again."
        asked = error.retry_after if isinstance(error, ApiError) else None
        at_least = min(asked or 0.0, self.settings.error_tolerance)
        return PollAgain(self._until(self._backoff(), now, at_least), note, is_warning=True)

    def timed_out(self, now: float, task: VideoTask | None = None) -> WaitResult:
        """
        Return how the wait ends when it has taken too long.

        :param now: seconds since the epoch.
        :param task: the last answer, if there is one.
        """
        return WaitResult(
            Outcome.TIMED_OUT,
            f"Video task {self.video_task_id} had not ended after {now - self.started:.0f} s. "
            "It is still running and paid for",
            task,
        )

    def _is_settling(self, task: VideoTask, now: float) -> bool:
        model = MODELS.get(task.model or "")
        settles = self.settles if self.settles is not None else model is not None and model.bills_source_seconds
        if not settles or task.status is not TaskStatus.SUCCESS:
            return False
        if self._succeeded_at is None:
            self._succeeded_at, self._first_credits = now, task.credits_used
        # Nothing in the answer says that they have settled: they change, or the time is over.
        long_ago = task.completed_at is not None and now - task.completed_at.timestamp() >= _SETTLING_SECONDS
        has_changed = task.credits_used != self._first_credits
        return not (has_changed or long_ago or now - self._succeeded_at >= _SETTLING_SECONDS)

    def _tolerates(self, outcome: Outcome) -> bool:
        return outcome is Outcome.UNREACHABLE or (outcome is Outcome.REFUSED and self.tolerates_refusal)

    def _note(self, task: VideoTask, now: float) -> tuple[str | None, bool]:
        word = task.raw_status or "no status"
        if word == self._last_word:
            return None, False
        self._last_word = word
        elapsed = f"{max(0.0, now - self.started):.0f} s"
        if task.status is TaskStatus.SUCCESS:
            return f"{self.video_task_id} succeeded but names no video yet; waiting on ({elapsed}).", True
        if task.status is TaskStatus.UNKNOWN:
            return f"{self.video_task_id} has the undocumented status {word!r}; waiting on ({elapsed}).", True
        return f"{self.video_task_id} is {word} ({elapsed}).", False

    def _backoff(self) -> float:
        """Twice as long after every failure, up to a limit, and never shorter than when all is well."""
        interval = self.settings.poll_interval
        return min(interval * 2.0 ** min(self._failures - 1, 10), max(interval, _LONGEST_BACKOFF))

    def _until(self, seconds: float, now: float, at_least: float = 0.0) -> float:
        """End a pause at the deadline, for one last look."""
        return max(0.0, min(max(spread(seconds, self.jitter), at_least), self.deadline - now))


def result_of_error(error: SeedanceError, video_task_id: str) -> WaitResult:
    """Return what a failed look at a video task means for who waits for it."""
    if isinstance(error, TaskNotFoundError | TaskAccessDeniedError):
        return WaitResult(
            Outcome.GONE,
            f"The API does not show video task {video_task_id} to this account ({error}). Does the connection hold "
            "the key of another account than the one that created it? Or is it older than the 60 days for which the "
            "vendor keeps task logs?",
            error=error,
        )
    if error.on_read is Verdict.TRANSIENT:
        said = f"The API could not be asked about {video_task_id}: {error}"
        return WaitResult(Outcome.UNREACHABLE, said, error=error)
    if isinstance(error, InvalidRequestError):
        # Nothing was asked: the connection can't work as it is.
        return WaitResult(
            Outcome.REFUSED,
            f"Video task {video_task_id} can't be looked at: {error} The video task itself goes on.",
            error=error,
        )
    return WaitResult(
        Outcome.REFUSED,
        f"The API refuses this account, so video task {video_task_id} can't be looked at: {error}. "
        "The video task itself goes on.",
        error=error,
    )


def patience(timeout: float, execution_timeout: timedelta | None) -> float:
    """
    Return for how many seconds a try may wait. Airflow does not enforce ``execution_timeout`` on deferred tasks.

    :param timeout: the operator's own, in seconds.
    :param execution_timeout: Airflow's, if there is one.
    """
    return timeout if execution_timeout is None else min(timeout, execution_timeout.total_seconds())


def spread(seconds: float, jitter: Callable[[], float] = random.random) -> float:
    """
    Return a pause of 90 to 110 %: mapped tasks must not ask in step.

    :param seconds: the pause.
    :param jitter: a number in 0..1 anew at each call.
    """
    return seconds * (0.9 + 0.2 * jitter())


def backstop(deadline: float) -> timedelta:
    """
    Return the ``timeout`` of ``defer()``: later than the trigger's own deadline, because it skips our decisions.

    :param deadline: the trigger's, in seconds since the epoch.
    """
    return timedelta(seconds=max(0.0, deadline - time.time()) + _BACKSTOP_SECONDS)


def look(client: _Reader, wait: VideoWait) -> PollAgain | WaitResult:
    """
    Look at the video task once, from a worker.

    :param client: for the account that it belongs to.
    :param wait: the wait that the answer is for.
    """
    try:
        task = client.get_task(wait.video_task_id)
    except SeedanceError as error:
        return wait.on_error(error, time.time())
    return wait.on_task(task, time.time())


def look_on(client: _Reader, wait: VideoWait, log: Any) -> WaitResult:
    """
    Look at the video task until the wait is over, from a worker.

    :param client: for the account that it belongs to.
    :param wait: the wait.
    :param log: where to tell what changes.
    """
    while isinstance(step := look(client, wait), PollAgain):
        step.tell(log)
        time.sleep(step.after)
    return step
