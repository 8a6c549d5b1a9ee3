"""The socket on which clients arrive. It can be closed for a while: connections are refused then."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from aiohttp.web_protocol import RequestHandler

__all__ = ["Listener"]

#: How long a request that is being answered may keep its connection, in seconds.
_PATIENCE = 60.0
#: A connection that was accepted in the last moment may still bring its request within so many seconds. Without an
#: answer to that, a client could not know whether it has paid.
_GRACE = 0.5


class Listener:
    """
    Listens at one address.

    :param host: the address.
    :param port: the port; 0 takes a free one, and keeps it.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self._absence: asyncio.Task[None] | None = None
        self._closing: list[asyncio.Task[None]] = []

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._port

    async def open(self, runner: web.AppRunner) -> int:
        """
        Begin to listen, and return the port.

        :param runner: answers the requests.
        """
        self._runner = runner
        self._site = web.TCPSite(runner, self._host, self._port)
        await self._site.start()
        self._port = runner.addresses[0][1]
        return self._port

    async def close(self) -> None:
        """Listen no more."""
        for task in (*self._closing, self._absence):
            if task is not None:
                task.cancel()
        await self._stop()

    async def refuse_for(self, seconds: float) -> None:
        """
        Refuse connections for a while; those that are open are closed when they are idle.

        :param seconds: until connections are accepted again. Does nothing if they are refused already.
        """
        if self._runner is None or self._site is None:
            return
        await self._stop()
        connections = self._runner.server.connections if self._runner.server is not None else ()
        self._closing = [asyncio.create_task(_hang_up(connection)) for connection in connections]
        self._absence = asyncio.create_task(self._return_after(seconds, self._runner))

    async def _return_after(self, seconds: float, runner: web.AppRunner) -> None:
        await asyncio.sleep(seconds)
        await self.open(runner)

    async def _stop(self) -> None:
        if self._site is not None:
            site, self._site = self._site, None
            await site.stop()


async def _hang_up(connection: RequestHandler) -> None:
    # What has brought no request yet; aiohttp tells it to nobody else.
    if not connection._request_count:
        await asyncio.sleep(_GRACE)
    connection.close()  # no further request; ends the wait for one
    await connection.shutdown(_PATIENCE)
