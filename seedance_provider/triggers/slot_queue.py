"""The queue for the concurrency slots of one account."""

from __future__ import annotations

import asyncio
from collections import deque

__all__ = ["SlotQueue"]


class SlotQueue:
    """
    Tasks of one account that wait for a slot, in the order of their arrival.

    They are woken one at a time: each wake-up of a deferred task costs the start of a worker.
    """

    def __init__(self) -> None:
        self._places: deque[asyncio.Future[None]] = deque()
        self._last_woken = 0.0

    async def wait(self, seconds: float, probe_interval: float) -> bool:
        """
        Wait until a slot may be free: when a video of this account has ended in this process, or, for the first in
        the queue, after a while, because videos end elsewhere too.

        :param seconds: how long to wait at most.
        :param probe_interval: how long the first in the queue waits before it tries its luck.
        :return: whether to try again; ``False`` if the time is up.
        """
        loop = asyncio.get_running_loop()
        give_up = loop.time() + seconds
        if not self._places:
            self._last_woken = loop.time()
        place: asyncio.Future[None] = loop.create_future()
        self._places.append(place)
        try:
            while not place.done():
                pause = min(self._until_probe(place, probe_interval), give_up - loop.time())
                if pause <= 0:
                    break
                await asyncio.wait([place], timeout=pause)
        except asyncio.CancelledError:
            if place.done():
                self.video_ended()
            raise
        finally:
            if place in self._places:
                self._places.remove(place)
        if loop.time() >= give_up and not place.done():
            return False
        self._last_woken = loop.time()
        return True

    def video_ended(self) -> None:
        """Wake the first in the queue: a slot of the account has become free."""
        if self._places:
            self._places.popleft().set_result(None)

    def _until_probe(self, place: asyncio.Future[None], probe_interval: float) -> float:
        """Only the first in the queue probes, and only if nobody was woken lately."""
        if self._places[0] is not place:
            return probe_interval
        return self._last_woken + probe_interval - asyncio.get_running_loop().time()
