"""The order and the number of polls."""

from __future__ import annotations

import asyncio

import pytest

from seedance_provider.api.errors import TransportError
from seedance_provider.api.video_task import VideoTask
from seedance_provider.triggers import poll_queue
from seedance_provider.triggers.poll_queue import PollQueue

#: As good as none.
NO_LIMIT = 1e6


class Api:
    """Notes what was polled, when, and how many at a time."""

    def __init__(self) -> None:
        self.polls: list[tuple[str, float]] = []
        self.at_a_time = 0
        self.most_at_a_time = 0
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self.was_asked = asyncio.Condition()

    async def asked_by(self, number: int) -> None:
        """Wait until so many ask at a time."""
        async with self.was_asked:
            await self.was_asked.wait_for(lambda: self.at_a_time == number)

    async def read(self, video_task_id: str) -> VideoTask:
        self.polls.append((video_task_id, asyncio.get_running_loop().time()))
        self.at_a_time += 1
        self.most_at_a_time = max(self.at_a_time, self.most_at_a_time)
        async with self.was_asked:
            self.was_asked.notify_all()
        try:
            await asyncio.sleep(0)  # an answer takes at least one turn of the loop
            await self.goes_on.wait()
        finally:
            self.at_a_time -= 1
        if video_task_id == "broken":
            raise TransportError("no answer")
        return VideoTask(video_task_id)

    @property
    def polled_at(self) -> str:
        return "".join(name for name, _ in self.polls)


@pytest.fixture
async def api():
    return Api()


def queue_of(api: Api, max_polls_per_second: float = NO_LIMIT) -> PollQueue:
    return PollQueue(api.read, max_polls_per_second)


async def test_looks_are_made_when_they_are_due_whoever_came_first(api):
    queue, started = queue_of(api), asyncio.get_running_loop().time()
    await asyncio.gather(queue.poll("late", 0.9), queue.poll("early", 0.3))
    assert [name for name, _ in api.polls] == ["early", "late"]
    early, late = (moment - started for _, moment in api.polls)
    assert abs(early - 0.3) < poll_queue._GRAIN
    assert abs(late - 0.9) < poll_queue._GRAIN


async def test_those_that_are_due_at_nearly_the_same_time_are_made_together(api):
    queue = queue_of(api)
    await asyncio.gather(*(queue.poll("a", 0.3 + number / 100) for number in range(10)))
    assert api.polls[-1][1] - api.polls[0][1] < 0.05


async def test_never_more_in_a_second_than_allowed(api):
    queue, started = queue_of(api, max_polls_per_second=50), asyncio.get_running_loop().time()
    await asyncio.gather(*(queue.poll("a", 0) for _ in range(11)))
    assert 10 / 50 <= asyncio.get_running_loop().time() - started < 1


async def test_idle_time_is_not_saved_up_for_a_burst(api):
    queue = queue_of(api, max_polls_per_second=10)
    await queue.poll("a", 0)
    await asyncio.sleep(0.5)
    await asyncio.gather(*(queue.poll("a", 0) for _ in range(4)))
    assert api.polls[-1][1] - api.polls[1][1] >= 0.25


async def test_where_the_limit_binds_nobody_is_looked_at_twice_before_all_were_once(api):
    queue = queue_of(api, max_polls_per_second=200)

    async def poll_again_and_again(name: str) -> None:
        for _ in range(5):
            await queue.poll(name, 0)

    await asyncio.gather(*(poll_again_and_again(name) for name in "abcd"))
    assert api.polled_at == "abcd" * 5


async def test_an_answer_or_an_error_is_for_the_one_whose_look_it_was(api):
    queue = queue_of(api)
    looks = [queue.poll(name, 0) for name in ("broken", "a", "b")]
    broken, *whole = await asyncio.gather(*looks, return_exceptions=True)
    assert isinstance(broken, TransportError)
    assert [task.video_task_id for task in whole] == ["a", "b"]


async def test_who_has_left_is_not_looked_for_and_costs_no_turn(api):
    queue = queue_of(api, max_polls_per_second=2)
    gone = [queue.poll("gone", 0) for _ in range(20)]
    for answer in gone:
        answer.cancel()
    async with asyncio.timeout(5):
        await queue.poll("a", 0)
    assert api.polled_at == "a"


async def test_who_leaves_in_the_middle_of_a_look_stops_nobody(api):
    queue = queue_of(api)
    api.goes_on.clear()
    left, stayed = queue.poll("broken", 0), queue.poll("a", 0)
    await api.asked_by(2)
    left.cancel()
    api.goes_on.set()
    assert (await stayed).video_task_id == "a"


async def test_more_ask_at_a_time_only_while_looks_are_late(api):
    queue = queue_of(api)
    await asyncio.gather(*(queue.poll("a", 0) for _ in range(100)))
    assert api.most_at_a_time == poll_queue._NEW_READERS


async def test_an_api_that_hangs_is_asked_by_few_at_a_time_and_all_are_answered_in_the_end(api):
    queue = queue_of(api)
    api.goes_on.clear()
    answers = [queue.poll("a", 0) for _ in range(200)]
    async with asyncio.timeout(10):
        await api.asked_by(poll_queue._READERS)
    api.goes_on.set()
    async with asyncio.timeout(5):
        await asyncio.gather(*answers)
    assert api.most_at_a_time == poll_queue._READERS


async def test_nothing_is_left_after_the_end(api):
    queue = queue_of(api)
    api.goes_on.clear()
    queue.poll("a", 0)
    queue.poll("b", 3600)
    await api.asked_by(1)
    await queue.close()
    assert api.at_a_time == 0
    assert queue._timer is None
    assert queue._readers == set()
