"""
Waiting for a video task: when to poll next, and when to stop. Decisions only, so that the worker, the sensor and the
trigger, which all drive this, can't drift apart.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from seedance_provider.api import DEFAULT_MODEL
from seedance_provider.api.errors import ApiError, SeedanceError
from seedance_provider.api.models import MODELS
from seedance_provider.api.video_task import TaskStatus, VideoTask
from seedance_provider.waiting.poll_settings import PollSettings
from seedance_provider.waiting.poll_times import JITTER, is_early, seconds_to_poll
from seedance_provider.waiting.result import Outcome, WaitResult, result_of_error, sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "PollAgain",
    "VideoWait",
    "backoff",
    "backstop",
    "clock",
    "effective_timeout",
    "jittered",
    "poll",
    "poll_until_done",
]

_LONGEST_BACKOFF = 60.0
#: "A few seconds", says the vendor.
_SETTLING_SECONDS = 15.0
_SETTLING_INTERVAL = 2.0
_BACKSTOP_SECONDS = 300


class _Reader(Protocol):
    """The part of :class:`~seedance_provider.api.client.SeedanceClient` that is used here."""

    def get_task(self, video_task_id: str) -> VideoTask: ...


@dataclass(frozen=True)
class PollAgain:
    """
    Poll again.

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
    :param jitter: a new number in 0..1 at each call; mapped tasks must not poll in step.
    :param settles: whether the credits may change within seconds after success, as where the seconds of a reference
        video are paid for, too; then they are read until they have, or for 15 seconds. ``None`` if the model in the
        answer decides.
    :param typical_seconds: how long such videos take, from the fastest to the slowest. ``None`` if the model in the
        answer decides.
    :param submitted_at: when the video was asked for, in seconds since the epoch: before the wait began, if a later
        try resumes it, or later, if there was no slot at first. ``None`` if it is not known; an answer may tell.
    :param was_seen: whether the API has shown the video task to this account, or this try has created it. Then a key
        that is refused (it may have been rotated, and the connection is fixed while the video is made) and a video task
        that is not shown (gateways and replicas answer 404 for a while) are tolerated like an API that can't be
        reached. Otherwise they end the wait at once.
    """

    video_task_id: str
    started: float
    deadline: float
    settings: PollSettings = field(default_factory=PollSettings)
    jitter: Callable[[], float] = random.random
    was_seen: bool = False
    settles: bool | None = None
    typical_seconds: Sequence[float] | None = None
    submitted_at: float | None = None
    #: The model that the API names, once it has.
    model: str | None = field(default=None, init=False)
    _last_task: VideoTask | None = None
    _last_word: str | None = None
    _failing_since: float | None = None
    _failing_as: Outcome | None = None
    _failures: int = 0
    _succeeded_at: float | None = None
    _first_credits: float | None = None

    def on_task(self, task: VideoTask, now: float) -> PollAgain | WaitResult:
        """
        Decide after an answer.

        :param task: the answer.
        :param now: seconds since the epoch.
        """
        failed_since, self._failing_since, self._failing_as, self._failures = self._failing_since, None, None, 0
        self.was_seen = True
        self._last_task = task
        self.model = task.model
        if task.created_at is not None:
            # The earlier one counts, since the clock of the API may be ahead.
            known = self.started if self.submitted_at is None else self.submitted_at
            self.submitted_at = min(known, task.created_at.timestamp())
        if task.status is TaskStatus.FAIL or (task.status is TaskStatus.SUCCESS and task.video_url):
            if now < self.deadline and self._is_settling(task, now):
                settling = f"{self.video_task_id} succeeded; its credits are about to settle."
                is_first = self._succeeded_at == now
                return PollAgain(self._until(_SETTLING_INTERVAL, now), settling if is_first else None)
            return WaitResult(Outcome.FINISHED, task=task, video_task_id=self.video_task_id)
        if now >= self.deadline:
            return self.timed_out(now)
        note, is_warning = self._note(task, now)
        if failed_since is not None:
            answers = f"The API answers again, after {now - failed_since:.0f} s."
            note = f"{answers} {note or f'{self.video_task_id} is {task.raw_status}.'}"
        return PollAgain(self.pause(now), note, is_warning)

    def pause(self, now: float) -> float:
        """
        Return the seconds until the next poll, if all is well.

        :param now: seconds since the epoch.
        """
        age = None if self.submitted_at is None else now - self.submitted_at
        return self._until(seconds_to_poll(age, self.expected_seconds, self.settings.poll_interval), now)

    def is_early(self, now: float) -> bool:
        """
        Return whether the video is known to be too young for the first poll.

        :param now: seconds since the epoch.
        """
        return self.submitted_at is not None and is_early(now - self.submitted_at, self.expected_seconds[0])

    @property
    def expected_seconds(self) -> Sequence[float]:
        """How long the video may take, from the fastest to the slowest."""
        if self.typical_seconds is not None:
            return self.typical_seconds
        # The API does not say the resolution of an unfinished video.
        model = MODELS.get(self.model or "", MODELS[DEFAULT_MODEL])
        return model.expected_seconds("unknown", with_video=False)

    def on_error(self, error: SeedanceError, now: float) -> PollAgain | WaitResult:
        """
        Decide after a poll that failed. It never leads to a new submission.

        :param error: what went wrong.
        :param now: seconds since the epoch.
        """
        final = result_of_error(error, self.video_task_id)
        if final.outcome is not Outcome.UNREACHABLE and not self.was_seen:
            return final
        if self._failing_since is None:
            self._failing_since = now
        self._failures += 1
        if now >= self.deadline:
            return self.timed_out(now) if final.outcome is Outcome.UNREACHABLE else final
        if now - self._failing_since >= self.settings.error_tolerance:
            since = f"{final.message.rstrip('. ')}. Polls have failed since {clock(self._failing_since)}."
            return replace(final, message=since)
        # Once, and not for every poll: thousands of waits meet the same outage.
        note = self._trouble(final, error) if final.outcome is not self._failing_as else None
        self._failing_as = final.outcome
        asked = error.retry_after if isinstance(error, ApiError) else None
        at_least = min(asked or 0.0, self.settings.error_tolerance)
        pause = backoff(self._failures, self.settings.poll_interval)
        return PollAgain(self._until(pause, now, at_least), note, is_warning=True)

    def timed_out(self, now: float) -> WaitResult:
        """
        Return how the wait ends when it has taken too long.

        :param now: seconds since the epoch.
        """
        waited = f"Video task {self.video_task_id} had not ended after {now - self.started:.0f} s"
        return WaitResult(
            Outcome.TIMED_OUT, f"{waited}{self._as_last_seen()}.", self._last_task, video_task_id=self.video_task_id
        )

    def _as_last_seen(self) -> str:
        """Say what is odd about it: what a person has to know who waited for its end."""
        if self._failing_since is not None:
            return f": the API has not been reachable since {clock(self._failing_since)}"
        task = self._last_task
        if task is None:
            return ""
        if task.status is TaskStatus.SUCCESS:
            return ": it succeeded, but the record names no video"
        if task.status is not TaskStatus.UNKNOWN:
            return f": it is {task.raw_status}"
        held = [f"the video {task.video_url}"] if task.video_url else []
        held += [f"the error {task.error_message!r}"] if task.error_message else []
        record = f", and the record holds {' and '.join(held)}" if held else ""
        return f": its status is {task.raw_status!r}, which is undocumented{record}"

    def _trouble(self, final: WaitResult, error: SeedanceError) -> str:
        """Describe an outage as it begins."""
        until = f"Polling continues for up to {self.settings.error_tolerance:g} s."
        if final.outcome is Outcome.UNREACHABLE:
            return f"API unreachable since {clock(self._failing_since or self.started)}: {sentence(error)} {until}"
        said = f"{self.video_task_id} can't be polled: {sentence(error)} {until}"
        return f"{said} Fix the connection: it is read again." if final.outcome is Outcome.REFUSED else said

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

    def _note(self, task: VideoTask, now: float) -> tuple[str | None, bool]:
        word = task.raw_status or "without a status"
        if word == self._last_word:
            return None, False
        self._last_word = word
        elapsed = f"{max(0.0, now - self.started):.0f} s"
        if task.status is TaskStatus.SUCCESS:
            return f"{self.video_task_id} succeeded but names no video yet; waiting on ({elapsed}).", True
        if task.status is TaskStatus.UNKNOWN:
            return f"{self.video_task_id} has the undocumented status {word!r}; waiting on ({elapsed}).", True
        return f"{self.video_task_id} is {word} ({elapsed}).", False

    def _until(self, seconds: float, now: float, at_least: float = 0.0) -> float:
        """End a pause at the deadline, for one last poll."""
        return max(0.0, min(max(jittered(seconds, self.jitter), at_least), self.deadline - now))


def backoff(failures: int, interval: float) -> float:
    """
    Return the pause after some failures in a row: twice as long each time, up to a minute, and never shorter than when
    all is well.

    :param failures: how many, from 1.
    :param interval: seconds between two polls when all is well.
    """
    return min(interval * 2.0 ** min(failures - 1, 10), max(interval, _LONGEST_BACKOFF))


def clock(moment: float) -> str:
    """
    Return a moment as people read it in a log.

    :param moment: in seconds since the epoch.
    """
    return f"{datetime.fromtimestamp(moment, UTC):%H:%M:%S} UTC"


def effective_timeout(timeout: float, execution_timeout: timedelta | None) -> float:
    """
    Return for how many seconds a try may wait. Airflow does not enforce ``execution_timeout`` on deferred tasks.

    :param timeout: the operator's own, in seconds.
    :param execution_timeout: Airflow's, if there is one.
    """
    return timeout if execution_timeout is None else min(timeout, execution_timeout.total_seconds())


def jittered(seconds: float, jitter: Callable[[], float] = random.random) -> float:
    """
    Return a pause of 90 to 110 %: mapped tasks must not poll in step.

    :param seconds: the pause.
    :param jitter: a new number in 0..1 at each call.
    """
    return seconds * (1 - JITTER + 2 * JITTER * jitter())


def backstop(deadline: float) -> timedelta:
    """
    Return the ``timeout`` of ``defer()``: later than the trigger's own deadline, because it skips our decisions.

    :param deadline: the trigger's, in seconds since the epoch.
    """
    return timedelta(seconds=max(0.0, deadline - time.time()) + _BACKSTOP_SECONDS)


def poll(client: _Reader, wait: VideoWait) -> PollAgain | WaitResult:
    """
    Poll the video task once, from a worker.

    :param client: for the account that it belongs to.
    :param wait: the wait that the answer is for.
    """
    try:
        task = client.get_task(wait.video_task_id)
    except SeedanceError as error:
        return wait.on_error(error, time.time())
    return wait.on_task(task, time.time())


def poll_until_done(client: _Reader, wait: VideoWait, log: Any, first: PollAgain) -> WaitResult:
    """
    Poll the video task until the wait is over, from a worker.

    :param client: for the account that it belongs to.
    :param wait: the wait.
    :param log: where to tell what changes.
    :param first: when to begin.
    """
    step: PollAgain | WaitResult = first
    while isinstance(step, PollAgain):
        step.tell(log)
        time.sleep(step.after)
        step = poll(client, wait)
    return step
