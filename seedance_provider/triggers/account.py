"""
What the triggers of one connection share in one triggerer process: one look-up of the connection, one HTTP session, one
queue of polls, and one for the account's concurrency slots.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from seedance_provider.api.errors import SeedanceError, TransportError
from seedance_provider.hooks.connection_settings import DEFAULT_MAX_POLLS_PER_SECOND
from seedance_provider.hooks.reader import KEY_REFUSALS
from seedance_provider.triggers.outage import Outage
from seedance_provider.triggers.poll_queue import PollQueue
from seedance_provider.triggers.slot_queue import SlotQueue

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from seedance_provider.api.async_client import AsyncSeedanceClient
    from seedance_provider.api.video_task import VideoTask
    from seedance_provider.hooks.connection_settings import ConnectionSettings

__all__ = ["Account"]

#: Seconds between two look-ups of a connection that does not work, however many triggers ask.
_LOOK_UP_SECONDS = 10.0

# By event loop, because a session works on the loop that made it only.
_accounts: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Account]] = WeakKeyDictionary()


class Account:
    """One connection's account, while at least one trigger uses it. Get one from :meth:`join`."""

    def __init__(self, seedance_conn_id: str) -> None:
        self._seedance_conn_id = seedance_conn_id
        self._users = 0
        self._opening = asyncio.Lock()
        self._settings: ConnectionSettings | None = None
        self._client: AsyncSeedanceClient | None = None
        self._failure: SeedanceError = TransportError("the connection was never looked up")
        self._is_refused = False
        self._looked_up = -_LOOK_UP_SECONDS
        self._exits = AsyncExitStack()
        self._polls = PollQueue(self._read, DEFAULT_MAX_POLLS_PER_SECOND)
        self._outage = Outage()
        #: Who waits for a slot of the account.
        self.slots = SlotQueue()

    @classmethod
    def join(cls, seedance_conn_id: str) -> Account:
        """
        Take part in the account, until :meth:`leave`. The first one makes it.

        :param seedance_conn_id: the Airflow connection.
        """
        # Not a context manager, which would cost each of thousands of triggers half a kilobyte.
        accounts = _accounts.setdefault(asyncio.get_running_loop(), {})
        if seedance_conn_id not in accounts:
            accounts[seedance_conn_id] = cls(seedance_conn_id)
        account = accounts[seedance_conn_id]
        account._users += 1
        return account

    async def leave(self) -> None:
        """Take part no longer. The last one closes it."""
        self._users -= 1
        if self._users == 0:
            del _accounts[asyncio.get_running_loop()][self._seedance_conn_id]
            await self._polls.close()
            await self._exits.aclose()

    def poll(self, video_task_id: str, after: float = 0.0) -> Awaitable[VideoTask]:
        """
        Return what is going to be a video task, when it is due and its turn has come. It costs nothing.

        Awaiting it raises a SeedanceError whose ``read_verdict`` tells whether asking again can help.

        :param video_task_id: the video task.
        :param after: seconds from now, give or take a tenth; more where the limit binds.
        """
        return self._polls.poll(video_task_id, after)

    async def client(self) -> AsyncSeedanceClient:
        """
        Return the shared client. The connection is looked up once, however many triggers ask at a time, and again
        from time to time while it does not work: its key may have been rotated.

        :raises SeedanceError: if the connection can't be looked up, or can't work as it is.
        """
        # Every poll comes through here, so only those that come while there is no working client queue for it.
        if not self._works():
            async with self._opening:
                if not self._works() and asyncio.get_running_loop().time() >= self._looked_up + _LOOK_UP_SECONDS:
                    await self._look_up()
        if self._client is None:
            # One error for all, which must not collect their tracebacks.
            raise self._failure.with_traceback(None)
        return self._client

    async def _read(self, video_task_id: str) -> VideoTask:
        client = await self.client()
        now = asyncio.get_running_loop().time
        # A single wait keeps its own pace.
        if self._users > 1 and (remembered := self._outage.error_for(now())) is not None:
            raise remembered
        try:
            task = await client.get_task(video_task_id)
        except SeedanceError as error:
            self._outage.failed(error, now())
            if isinstance(error, KEY_REFUSALS):
                # A late answer to a key that was replaced meanwhile says nothing of the present one.
                self._is_refused = self._is_refused or client is self._client
            raise
        self._outage.answered()
        return task

    def _works(self) -> bool:
        return self._client is not None and not self._is_refused

    async def _look_up(self) -> None:
        from seedance_provider.hooks.reader import look_up_error
        from seedance_provider.hooks.seedance import SeedanceHook

        try:
            settings = await SeedanceHook(self._seedance_conn_id).aget_settings()
        except Exception as error:
            self._settings, self._client, self._failure = None, None, look_up_error(error)
        else:
            if settings != self._settings:
                await self._open(settings)
        self._is_refused = False
        self._looked_up = asyncio.get_running_loop().time()

    async def _open(self, settings: ConnectionSettings) -> None:
        from seedance_provider.api.async_client import AsyncSeedanceClient

        # An old client stays open to the end, since others may be in the middle of a poll with it.
        self._client = await self._exits.enter_async_context(AsyncSeedanceClient(settings.protocol()))
        self._settings = settings
        self._polls.max_polls_per_second = settings.max_polls_per_second
