"""The polls of one account, in the order in which they are due, and never more in a second than the account allows."""

from __future__ import annotations

import asyncio
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from seedance_provider.api.video_task import VideoTask

__all__ = ["PollQueue"]

#: Polls that are due within so many seconds are made together, in the middle: a wake-up costs more than a poll.
_GRAIN = 0.2
#: So many readers begin at a time, and after a grain so many more if they can't keep up: what is on its way is memory.
_NEW_READERS = 4
#: More would open more connections than are of use.
_READERS = 32


class _Poll(NamedTuple):
    """Compared by the first two, so that of polls that are due at the same time the one that came first is first."""

    due: float
    number: int
    video_task_id: str
    answer: asyncio.Future[VideoTask]


class PollQueue:
    """
    Polls video tasks when they are due. Make it on the event loop that uses it.

    Thousands of waits cost one timer, and few readers with a connection each. Where the limit binds, polls come later,
    and all by as much: a video task that has been polled queues behind those that are due already.

    :param read: asks the API for one video task.
    :param max_polls_per_second: how many polls begin in a second, at most.
    """

    def __init__(self, read: Callable[[str], Awaitable[VideoTask]], max_polls_per_second: float) -> None:
        self.max_polls_per_second = max_polls_per_second
        self._read = read
        self._loop = asyncio.get_running_loop()
        self._polls: list[_Poll] = []
        self._numbers = count()
        self._next_turn = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._readers: set[asyncio.Task[None]] = set()

    def poll(self, video_task_id: str, after: float) -> asyncio.Future[VideoTask]:
        """
        Return what is going to be the video task, or the error that the poll met.

        :param video_task_id: the video task.
        :param after: seconds from now, give or take a tenth; more where the limit binds.
        """
        poll = _Poll(
            self._loop.time() + after - _GRAIN / 2, next(self._numbers), video_task_id, self._loop.create_future()
        )
        heappush(self._polls, poll)
        if self._polls[0] is poll:
            self._set_timer()
        return poll.answer

    async def close(self) -> None:
        """Poll no more."""
        self._polls.clear()
        self._set_timer()
        for reader in self._readers:
            reader.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)

    def _set_timer(self, earliest: float = 0.0) -> None:
        """For the first poll of all. While all readers are busy there is none: the next one to be free polls."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._polls and len(self._readers) < _READERS:
            at = max(self._polls[0].due + _GRAIN, self._next_turn, earliest)
            self._timer = self._loop.call_at(at, self._start_readers)

    def _start_readers(self) -> None:
        for _ in range(min(_NEW_READERS, _READERS - len(self._readers))):
            if (poll := self._take()) is None:
                self._set_timer()
                return
            self._readers.add(self._loop.create_task(self._read_on(poll)))
        self._set_timer(self._loop.time() + _GRAIN)

    def _take(self) -> _Poll | None:
        """Return the next poll, if it is due and its turn has come."""
        now = self._loop.time()
        while self._polls and self._polls[0].due <= now:
            if self._polls[0].answer.done():
                heappop(self._polls)
                continue
            if self._next_turn > now:
                break
            # A turn that was not used is lost: nobody may save up for a burst.
            self._next_turn = max(self._next_turn, now) + 1 / self.max_polls_per_second
            return heappop(self._polls)
        return None

    async def _read_on(self, first: _Poll) -> None:
        poll: _Poll | None = first
        try:
            while poll is not None:
                await self._answer(poll)
                poll = self._take()
        finally:
            self._readers.discard(asyncio.current_task())
            self._set_timer()

    async def _answer(self, poll: _Poll) -> None:
        try:
            task = await self._read(poll.video_task_id)
        except Exception as error:
            # Whatever it is, it is for the one who waits, who may have left meanwhile.
            if not poll.answer.done():
                poll.answer.set_exception(error)
        else:
            if not poll.answer.done():
                poll.answer.set_result(task)
