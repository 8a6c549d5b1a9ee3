"""
What the triggers of one connection share in one triggerer process: one HTTP session, and one queue for the account's
concurrency slots.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from seedance_provider.api.async_client import AsyncSeedanceClient

__all__ = ["Account"]

# By event loop, because a session works on the loop that made it only.
_accounts: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Account]] = WeakKeyDictionary()


class Account:
    """One connection's account, while at least one trigger uses it. Get one from :meth:`joined`."""

    def __init__(self, seedance_conn_id: str) -> None:
        self._seedance_conn_id = seedance_conn_id
        self._users = 0
        self._opening = asyncio.Lock()
        self._client: AsyncSeedanceClient | None = None
        self._slot_waiters: deque[asyncio.Future[None]] = deque()
        self._last_woken = 0.0

    @classmethod
    @asynccontextmanager
    async def joined(cls, seedance_conn_id: str) -> AsyncIterator[Account]:
        """
        Take part in the account. The first one makes it, the last one closes it.

        :param seedance_conn_id: the Airflow connection.
        """
        accounts = _accounts.setdefault(asyncio.get_running_loop(), {})
        account = accounts.setdefault(seedance_conn_id, cls(seedance_conn_id))
        account._users += 1
        try:
            yield account
        finally:
            account._users -= 1
            if account._users == 0:
                del accounts[seedance_conn_id]
                await account._close()

    async def client(self) -> AsyncSeedanceClient:
        """Return the shared client; the connection is looked up once, however many triggers ask at a time."""
        # Every look comes through here, so only those that come before there is a client queue for it.
        return self._client or await self._opened()

    async def wait_for_slot(self, seconds: float, probe_interval: float) -> bool:
        """
        Wait in the order of arrival until a slot may be free: when a video of this account has ended in this
        process, or, for the first in the queue, after a while, because videos end elsewhere too.

        Waiters are woken one at a time: each wake-up of a deferred task costs the start of a worker.

        :param seconds: how long to wait at most.
        :param probe_interval: how long the first in the queue waits before it tries its luck.
        :return: whether to try again; ``False`` if the time is up.
        """
        loop = asyncio.get_running_loop()
        give_up = loop.time() + seconds
        if not self._slot_waiters:
            self._last_woken = loop.time()
        place: asyncio.Future[None] = loop.create_future()
        self._slot_waiters.append(place)
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
            if place in self._slot_waiters:
                self._slot_waiters.remove(place)
        if loop.time() >= give_up and not place.done():
            return False
        self._last_woken = loop.time()
        return True

    def video_ended(self) -> None:
        """Wake the first in the queue: a slot of the account has become free."""
        if self._slot_waiters:
            self._slot_waiters.popleft().set_result(None)

    def _until_probe(self, place: asyncio.Future[None], probe_interval: float) -> float:
        """Only the first in the queue probes, and only if nobody was woken lately."""
        if self._slot_waiters[0] is not place:
            return probe_interval
        return self._last_woken + probe_interval - asyncio.get_running_loop().time()

    async def _opened(self) -> AsyncSeedanceClient:
        from seedance_provider.hooks.seedance import SeedanceHook

        async with self._opening:
            if self._client is None:
                self._client = await SeedanceHook(self._seedance_conn_id).aget_conn()
            return self._client

    async def _close(self) -> None:
        if self._client is not None:
            await self._client.close()
