"""Waiting for a slot of an account."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from seedance_provider.triggers.slot_queue import SlotQueue


@pytest.fixture
async def queue():
    return SlotQueue()


async def lined_up(queue: SlotQueue, names: str, woken: list[str]) -> list[asyncio.Task]:
    async def wait(name: str) -> None:
        if await queue.wait(60, probe_interval=60):
            woken.append(name)

    tasks = [asyncio.create_task(wait(name)) for name in names]
    await asyncio.sleep(0)
    return tasks


async def test_a_video_that_ends_wakes_exactly_the_first(queue):
    woken: list[str] = []
    tasks = await lined_up(queue, "abc", woken)
    for expected in ("a", "ab", "abc"):
        queue.video_ended()
        await asyncio.wait(tasks, timeout=0.02)
        assert "".join(woken) == expected


async def test_a_video_that_ends_without_waiters_is_no_error(queue):
    queue.video_ended()


async def test_only_the_first_probes_and_one_at_a_time(queue):
    loop = asyncio.get_running_loop()
    moments: list[float] = []

    async def wait() -> None:
        assert await queue.wait(60, probe_interval=0.05)
        moments.append(loop.time())

    started = loop.time()
    await asyncio.gather(wait(), wait(), wait())
    assert moments[0] - started >= 0.05
    assert all(later - earlier >= 0.05 for earlier, later in itertools.pairwise(moments))


async def test_one_that_is_cancelled_when_woken_passes_it_on(queue):
    woken: list[str] = []
    first, second = await lined_up(queue, "ab", woken)
    queue.video_ended()
    first.cancel()
    await asyncio.wait([second], timeout=5)
    assert woken == ["b"]


async def test_one_that_leaves_makes_room(queue):
    woken: list[str] = []
    first, second = await lined_up(queue, "ab", woken)
    first.cancel()
    await asyncio.wait([first])
    queue.video_ended()
    await asyncio.wait([second], timeout=5)
    assert woken == ["b"]


async def test_the_time_can_be_up(queue):
    assert await queue.wait(0.02, probe_interval=60) is False
    assert await queue.wait(-1, probe_interval=60) is False
