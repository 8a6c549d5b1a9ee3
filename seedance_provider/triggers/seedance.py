"""Waiting without a worker. Triggers only read: they can be run twice, so they must never cost anything."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from seedance_provider.api import SAMPLE_TASK
from seedance_provider.api.errors import SeedanceError
from seedance_provider.reporting.kill_notice import NOTHING_SUBMITTED, goes_on
from seedance_provider.triggers.account import Account
from seedance_provider.triggers.outage import is_outage
from seedance_provider.waiting.poll_settings import PollSettings
from seedance_provider.waiting.result import Outcome, WaitResult
from seedance_provider.waiting.video_wait import PollAgain, VideoWait, backoff

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

__all__ = ["OutageTrigger", "SlotTrigger", "VideoTrigger"]

#: Airflow fails a task that resumes before its scheduler has heard that the task has deferred.
_SETTLE_SECONDS = 2.0
#: How long after the deadline the last poll may come, if the API hangs or the limit on polls keeps it waiting. Less
#: than the backstop of Airflow, which would not say what becomes of the video.
_LAST_POLL_SECONDS = 60.0


class VideoTrigger(BaseTrigger):
    """
    Fires once, when a video task has ended or the wait for it has: a
    :class:`~seedance_provider.waiting.result.WaitResult` as plain values. Asking costs nothing. It holds no key.

    :param video_task_id: the video task. (``task_id`` is taken: Airflow puts the id of its own task there.)
    :param seedance_conn_id: the Airflow connection.
    :param started: when the wait began, in seconds since the epoch.
    :param deadline: when to give up, in seconds since the epoch.
    :param poll_interval: seconds between two polls, from the first one on.
    :param error_tolerance: how long, in seconds, to tolerate failing polls.
    :param was_seen: whether the API has shown the video task to this account, or created it for it. Then a key that is
        refused, and a video task that is not shown, are tolerated for as long as an API that can't be reached.
    :param estimated_credits: what the video is expected to cost, for a person who ends the task.
    :param settles: whether its credits may change within seconds after success; then they are read until they have, or
        for 15 seconds. ``None`` if the model that the API names decides.
    :param typical_seconds: how long such videos take, the fastest and the slowest, in seconds. The first poll comes
        at 0.8 x the fastest, and polls become rarer after 3 x the slowest. ``None`` if the model that the API names
        decides.
    :param submitted_at: when the video was asked for, in seconds since the epoch. ``None`` if that is not known: then
        the first poll comes after one interval, and its answer tells.
    """

    def __init__(
        self,
        video_task_id: str,
        seedance_conn_id: str,
        started: float,
        deadline: float,
        poll_interval: float,
        error_tolerance: float,
        was_seen: bool = False,
        estimated_credits: float | None = None,
        settles: bool | None = None,
        typical_seconds: Sequence[float] | None = None,
        submitted_at: float | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.video_task_id = video_task_id.strip()
        self.seedance_conn_id = seedance_conn_id
        self.started = started
        self.deadline = deadline
        self.poll_interval = poll_interval
        self.error_tolerance = error_tolerance
        self.was_seen = was_seen
        self.estimated_credits = estimated_credits
        self.settles = settles
        self.typical_seconds = typical_seconds
        self.submitted_at = submitted_at

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what it takes to run this trigger again, elsewhere."""
        return (
            "seedance_provider.triggers.seedance.VideoTrigger",
            {
                "video_task_id": self.video_task_id,
                "seedance_conn_id": self.seedance_conn_id,
                "started": self.started,
                "deadline": self.deadline,
                "poll_interval": self.poll_interval,
                "error_tolerance": self.error_tolerance,
                "was_seen": self.was_seen,
                "estimated_credits": self.estimated_credits,
                "settles": self.settles,
                "typical_seconds": self.typical_seconds,
                "submitted_at": self.submitted_at,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait for the video task."""
        account, has_ended = Account.join(self.seedance_conn_id), False
        account.slots.watch(self.video_task_id)
        try:
            result = await self._wait(account)
            has_ended = result.outcome is Outcome.FINISHED
        finally:
            account.slots.unwatch(self.video_task_id, has_ended=has_ended)
            await account.leave()
        yield TriggerEvent(result.to_event())

    async def on_kill(self) -> None:
        """Say what becomes of the video: the API can't cancel, and a cleared task re-attaches to the very same one."""
        self.log.warning(goes_on(self.video_task_id, self.estimated_credits))

    async def _wait(self, account: Account) -> WaitResult:
        wait = VideoWait(
            self.video_task_id,
            self.started,
            self.deadline,
            PollSettings(self.poll_interval, self.error_tolerance),
            was_seen=self.was_seen,
            settles=self.settles,
            typical_seconds=self.typical_seconds,
            submitted_at=self.submitted_at,
        )
        after = self._first_pause(wait, time.time())
        try:
            async with asyncio.timeout(max(self.deadline - time.time(), 0.0) + _LAST_POLL_SECONDS):
                while isinstance(step := await self._poll(account, wait, after), PollAgain):
                    # The logger of the class, because one for each of thousands of triggers is a kilobyte.
                    step.tell(self.logger())
                    after = step.after
        except TimeoutError:
            return wait.timed_out(time.time())
        return step

    def _first_pause(self, wait: VideoWait, now: float) -> float:
        pause, least = wait.pause(now), min(_SETTLE_SECONDS, self.poll_interval)
        if wait.is_early(now):
            return max(pause, least)
        # After a restart of the triggerer all its triggers begin at the same moment.
        return random.uniform(min(pause, least), pause)  # noqa: S311 - not for secrets

    async def _poll(self, account: Account, wait: VideoWait, after: float) -> PollAgain | WaitResult:
        try:
            task = await account.poll(self.video_task_id, after)
        except SeedanceError as error:
            return wait.on_error(error, time.time())
        return wait.on_task(task, time.time())


class OutageTrigger(BaseTrigger):
    """
    Fires once, when the API answers again, or when the time is up: ``{"answers": true}`` or ``{"answers": false}``. It
    creates nothing, and asks for one of the vendor's sample tasks, which costs nothing.

    :param seedance_conn_id: the Airflow connection.
    :param not_before: when to ask first, in seconds since the epoch.
    :param give_up: when the time is up, in seconds since the epoch.
    :param poll_interval: seconds until the second time; the pauses grow.
    """

    def __init__(self, seedance_conn_id: str, not_before: float, give_up: float, poll_interval: float) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.seedance_conn_id = seedance_conn_id
        self.not_before = not_before
        self.give_up = give_up
        self.poll_interval = poll_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what it takes to run this trigger again, elsewhere."""
        return (
            "seedance_provider.triggers.seedance.OutageTrigger",
            {
                "seedance_conn_id": self.seedance_conn_id,
                "not_before": self.not_before,
                "give_up": self.give_up,
                "poll_interval": self.poll_interval,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait for an answer."""
        earliest = time.time() + min(_SETTLE_SECONDS, self.poll_interval)
        account = Account.join(self.seedance_conn_id)
        try:
            async with asyncio.timeout(max(self.give_up - time.time(), 0.0)):
                await self._wait(account)
            answers = True
        except TimeoutError:
            answers = False
        finally:
            await account.leave()
        # Not at once: Airflow fails a task that resumes before its scheduler has heard that the task has deferred.
        await asyncio.sleep(max(0.0, earliest - time.time()))
        yield TriggerEvent({"answers": answers})

    async def on_kill(self) -> None:
        """Say that there is nothing to lose yet."""
        self.log.warning("%s It was waiting for the API to answer.", NOTHING_SUBMITTED)

    async def _wait(self, account: Account) -> None:
        failures = 0
        after = max(self.not_before - time.time(), 0.0)
        while True:
            try:
                # Whether it is shown or refused, an answer is an answer.
                await account.poll(SAMPLE_TASK, after)
            except SeedanceError as error:
                if not is_outage(error):
                    return
                failures += 1
                after = backoff(failures, self.poll_interval)
            else:
                return


class SlotTrigger(BaseTrigger):
    """
    Fires once, when it is worth asking for a video again after the API's concurrency limit refused one:
    ``{"free": true}``, or ``{"free": false}`` when the time is up. It creates nothing itself.

    :param seedance_conn_id: the Airflow connection.
    :param deadline: when to give up, in seconds since the epoch.
    :param probe_interval: seconds after which the first task in the queue probes for a free slot.
    :param since: when the task first wanted a slot, in seconds since the epoch: the one that has waited for longest
        comes first. Default: when the trigger begins.
    :param refused_at: when the API refused it, in seconds since the epoch.
    :param limit: how many slots the account has, if the API said so.
    """

    def __init__(
        self,
        seedance_conn_id: str,
        deadline: float,
        probe_interval: float,
        since: float | None = None,
        refused_at: float | None = None,
        limit: int | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.seedance_conn_id = seedance_conn_id
        self.deadline = deadline
        self.probe_interval = probe_interval
        self.since = since
        self.refused_at = refused_at
        self.limit = limit

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what it takes to run this trigger again, elsewhere."""
        return (
            "seedance_provider.triggers.seedance.SlotTrigger",
            {
                "seedance_conn_id": self.seedance_conn_id,
                "deadline": self.deadline,
                "probe_interval": self.probe_interval,
                "since": self.since,
                "refused_at": self.refused_at,
                "limit": self.limit,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait for a slot."""
        earliest = time.time() + min(_SETTLE_SECONDS, self.probe_interval)
        account = Account.join(self.seedance_conn_id)
        try:
            free = await account.slots.wait(
                self.deadline - time.time(),
                self.probe_interval,
                since=self.since,
                refused_at=self.refused_at,
                limit=self.limit,
            )
        finally:
            await account.leave()
        # Not at once, for the sake of Airflow's scheduler, as above.
        await asyncio.sleep(max(0.0, earliest - time.time()))
        yield TriggerEvent({"free": free})

    async def on_kill(self) -> None:
        """Say that there is nothing to lose yet."""
        self.log.warning("%s It was waiting for a slot of the account.", NOTHING_SUBMITTED)
