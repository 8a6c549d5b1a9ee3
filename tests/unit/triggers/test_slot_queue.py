"""Waiting for a slot of an account."""

from __future__ import annotations

import asyncio
import itertools
import time

import pytest

from seedance_provider.triggers import slot_queue
from seedance_provider.triggers.slot_queue import SlotQueue

#: Nobody probes within a test.
NEVER = 3600


@pytest.fixture
async def queue():
    return SlotQueue()


class Waiters:
    """Tasks that wait, and the names of those that were woken, in order."""

    def __init__(self, queue: SlotQueue) -> None:
        self._queue = queue
        self.woken: list[str] = []
        self.tasks: dict[str, asyncio.Task] = {}

    async def enter(self, name: str, **arguments) -> None:
        async def wait() -> None:
            if await self._queue.wait(60, **{"probe_interval": NEVER} | arguments):
                self.woken.append(name)

        self.tasks[name] = asyncio.create_task(wait())
        await asyncio.sleep(0)

    async def woken_after(self, number: int) -> str:
        """Wait until as many are done, and a moment longer for one too many."""
        async with asyncio.timeout(5):
            while len(self.woken) < number:
                await asyncio.wait(self.tasks.values(), return_when=asyncio.FIRST_COMPLETED, timeout=0.02)
        await asyncio.wait(self.tasks.values(), timeout=0.02)
        return "".join(self.woken)


@pytest.fixture
async def waiters(queue):
    return Waiters(queue)


def ends(queue: SlotQueue, video_task_id: str = "task_a") -> None:
    queue.watch(video_task_id)
    queue.unwatch(video_task_id, has_ended=True)


class TestOrder:
    async def test_a_video_that_ends_wakes_exactly_the_first(self, queue, waiters):
        for name in "abc":
            await waiters.enter(name)
        for number, expected in enumerate(("a", "ab", "abc"), start=1):
            ends(queue)
            assert await waiters.woken_after(number) == expected

    async def test_who_has_wanted_one_for_longest_comes_first_whoever_arrives_first(self, queue, waiters):
        await waiters.enter("late", since=300)
        await waiters.enter("early", since=100)
        ends(queue)
        assert await waiters.woken_after(1) == "early"

    @pytest.mark.parametrize("leaves", ["before", "when woken"])
    async def test_one_that_leaves_passes_it_on(self, queue, waiters, leaves):
        await waiters.enter("a")
        await waiters.enter("b")
        if leaves == "when woken":
            ends(queue)
        waiters.tasks["a"].cancel()
        if leaves == "before":
            await asyncio.wait([waiters.tasks["a"]])
            ends(queue)
        assert await waiters.woken_after(1) == "b"

    async def test_the_time_can_be_up(self, queue):
        assert await queue.wait(0.02, NEVER) is False
        assert await queue.wait(-1, NEVER) is False


@pytest.mark.parametrize(
    ("ends", "woken"),
    [
        pytest.param([True, True], "a", id="two wait for it, and it frees one slot"),
        pytest.param([False], "", id="only not waited for any more"),
        pytest.param([False, True], "a", id="another still waits for it"),
    ],
)
async def test_a_video_frees_a_slot_when_it_ends(queue, waiters, ends, woken):
    for name in "ab":
        await waiters.enter(name)
    for _ in ends:
        queue.watch("task_a")
    for has_ended in ends:
        queue.unwatch("task_a", has_ended=has_ended)
    assert await waiters.woken_after(len(woken)) == woken


class TestOnTheWay:
    """Seconds pass between a refusal and the arrival of the one that was refused."""

    async def test_a_slot_that_became_free_meanwhile_is_taken_at_once(self, queue, waiters):
        refused_at = time.time()
        ends(queue)
        await waiters.enter("a", refused_at=refused_at)
        await waiters.enter("b", refused_at=refused_at)
        assert await waiters.woken_after(1) == "a"

    async def test_one_that_was_free_before_the_refusal_is_taken_by_somebody_else(self, queue, waiters):
        ends(queue)
        await waiters.enter("a", refused_at=time.time() + 1)
        assert await waiters.woken_after(0) == ""

    async def test_one_that_a_new_video_has_taken_is_not_free(self, queue, waiters):
        refused_at = time.time()
        ends(queue)
        queue.watch("task_b")
        await waiters.enter("a", refused_at=refused_at)
        assert await waiters.woken_after(0) == ""


class TestProbing:
    async def test_only_the_first_probes_and_one_at_a_time(self, queue):
        loop = asyncio.get_running_loop()
        moments: list[float] = []

        async def wait() -> None:
            assert await queue.wait(60, probe_interval=0.05)
            moments.append(loop.time())

        started = loop.time()
        await asyncio.gather(wait(), wait(), wait())
        assert moments[0] - started >= 0.05
        assert all(later - earlier >= 0.05 for earlier, later in itertools.pairwise(moments))

    async def test_nobody_probes_while_the_end_of_every_slot_will_be_seen(self, queue, waiters):
        for video in ("task_a", "task_b"):
            queue.watch(video)
        await waiters.enter("a", probe_interval=0.02, limit=2)
        assert await waiters.woken_after(0) == ""
        queue.unwatch("task_a", has_ended=True)
        assert await waiters.woken_after(1) == "a"

    async def test_in_the_end_somebody_does_because_the_limit_may_have_been_raised(self, queue, waiters, monkeypatch):
        monkeypatch.setattr(slot_queue, "_RARER", 3)
        queue.watch("task_a")
        started = time.monotonic()
        await waiters.enter("a", probe_interval=0.05, limit=1)
        assert await waiters.woken_after(1) == "a"
        assert time.monotonic() - started >= 0.15

    async def test_a_slot_that_is_taken_elsewhere_is_probed_for(self, queue, waiters):
        queue.watch("task_a")
        await waiters.enter("a", probe_interval=0.02, limit=2)
        assert await waiters.woken_after(1) == "a"
