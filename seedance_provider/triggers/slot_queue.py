"""The queue for the concurrency slots of one account."""

from __future__ import annotations

import asyncio
import time
from bisect import insort
from collections import Counter, deque
from itertools import count
from typing import NamedTuple

__all__ = ["SlotQueue"]

#: A probe can't help while all slots are taken by videos whose end is going to be seen here, unless the account's limit
#: was raised. So it comes by so much later.
_RARER = 10
#: More slots than any account has.
_MOST_FREE = 100


class _Place(NamedTuple):
    """Compared by the first two: the task that has wanted a slot for longest is first, however often it was woken."""

    since: float
    number: int
    woken: asyncio.Future[None]


class SlotQueue:
    """
    Tasks of one account that wait for a slot, in the order in which they first wanted one.

    They are woken one at a time, because each wake-up of a deferred task costs the start of a worker: one for every
    video that ends in this process, and one now and then, since videos end elsewhere, too.
    """

    def __init__(self) -> None:
        self._places: list[_Place] = []
        self._numbers = count()
        self._last_woken = 0.0
        self._limit: int | None = None
        #: The videos of the account whose end will be seen here, and by how many triggers.
        self._watched: Counter[str] = Counter()
        #: When slots became free that nobody waited for, in seconds since the epoch, unless they are taken again.
        self._free: deque[float] = deque(maxlen=_MOST_FREE)

    async def wait(
        self,
        seconds: float,
        probe_interval: float,
        *,
        since: float | None = None,
        refused_at: float | None = None,
        limit: int | None = None,
    ) -> bool:
        """
        Wait until a slot may be free.

        :param seconds: how long to wait at most.
        :param probe_interval: how long the first task in the queue waits before it probes for a free slot.
        :param since: when it first wanted a slot, in seconds since the epoch. Default: now.
        :param refused_at: when the API refused it, in seconds since the epoch; a slot may have become free since then.
        :param limit: how many slots the account has, as the refusal said.
        :return: whether to submit again; ``False`` if the time is up.
        """
        if seconds <= 0:
            return False
        self._limit = limit or self._limit
        if refused_at is not None and self._was_free_after(refused_at):
            return True
        place = self._enter(time.time() if since is None else since)
        try:
            return await self._turn(place, seconds, probe_interval)
        except asyncio.CancelledError:
            if place.woken.done():
                self._slot_became_free()
            raise
        finally:
            if place in self._places:
                self._places.remove(place)

    def watch(self, video_task_id: str) -> None:
        """
        Expect the end of a video, which has one of the account's slots until then.

        :param video_task_id: the video task.
        """
        if video_task_id not in self._watched and self._free:
            self._free.popleft()
        self._watched[video_task_id] += 1

    def unwatch(self, video_task_id: str, *, has_ended: bool) -> None:
        """
        Expect it no longer.

        :param video_task_id: the video task.
        :param has_ended: whether its slot is free now; it counts once, however many have waited for the video.
        """
        others = self._watched.pop(video_task_id, 0) - 1
        if has_ended and others >= 0:
            self._slot_became_free()
        elif others > 0:
            self._watched[video_task_id] = others

    def _was_free_after(self, refused_at: float) -> bool:
        """Take a slot that became free after the refusal, which proves that there was none before."""
        while self._free and self._free[0] <= refused_at:
            self._free.popleft()
        if not self._free:
            return False
        self._free.popleft()
        return True

    def _enter(self, since: float) -> _Place:
        loop = asyncio.get_running_loop()
        if not self._places:
            self._last_woken = loop.time()
        place = _Place(since, next(self._numbers), loop.create_future())
        insort(self._places, place)
        return place

    async def _turn(self, place: _Place, seconds: float, probe_interval: float) -> bool:
        loop = asyncio.get_running_loop()
        give_up = loop.time() + seconds
        while not place.woken.done():
            if (left := give_up - loop.time()) <= 0:
                return False
            if (pause := self._until_probe(place, probe_interval)) <= 0:
                break
            await asyncio.wait([place.woken], timeout=min(pause, left))
        self._last_woken = loop.time()
        return True

    def _until_probe(self, place: _Place, probe_interval: float) -> float:
        """Only the first in the queue probes, and only if nobody was woken lately."""
        if self._places[0] is not place:
            return probe_interval
        all_watched = self._limit is not None and len(self._watched) >= self._limit
        patience = probe_interval * (_RARER if all_watched else 1)
        return min(self._last_woken + patience - asyncio.get_running_loop().time(), probe_interval)

    def _slot_became_free(self) -> None:
        if self._places:
            self._places.pop(0).woken.set_result(None)
        else:
            self._free.append(time.time())
