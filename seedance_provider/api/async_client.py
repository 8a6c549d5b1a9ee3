"""The API over aiohttp: sockets only, every decision is in the protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

from seedance_provider.api.errors import ConnectionLostError, ConnectionNotEstablishedError, TransportError
from seedance_provider.api.protocol import HttpRequest, HttpResponse, Protocol, reading

if TYPE_CHECKING:
    from types import TracebackType

    from seedance_provider.api.video_task import VideoTask

__all__ = ["AsyncSeedanceClient"]

#: Nothing is lost with a look that takes longer. Few limits, because each costs a timer for every look.
_TIMEOUT = aiohttp.ClientTimeout(total=30, sock_connect=10)


class AsyncSeedanceClient:
    """
    A client of the API for event loops. It can only read: nothing that runs in a triggerer may cost money, because
    a trigger can be run twice. It has to be made on the loop that uses it.

    :param protocol: whose account, at which address.
    """

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        # The API sets no cookies, and to look for some costs time at every request.
        # aiohttp's own trust_env would look into .netrc in a thread at every request, and refuse our header then.
        self._session = aiohttp.ClientSession(
            timeout=_TIMEOUT, proxy=_proxy_for(protocol.base_url), cookie_jar=aiohttp.DummyCookieJar()
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def get_task(self, task_id: str) -> VideoTask:
        """
        Return a video task. It costs nothing.

        :param task_id: the video task.
        :raises SeedanceError: whose ``on_read`` tells whether asking again can help.
        """
        with reading():
            response = await self._send(self._protocol.record_info(task_id))
            return self._protocol.read_record(response, task_id)

    async def _send(self, request: HttpRequest) -> HttpResponse:
        try:
            async with self._session.request(
                request.method,
                request.url,
                params=request.params,
                headers=request.headers,
                allow_redirects=False,
            ) as response:
                return HttpResponse(response.status, response.headers, await response.read())
        except aiohttp.ClientConnectorError as error:
            said = self._protocol.without_key(str(error))
            lost: TransportError = ConnectionNotEstablishedError(f"The API could not be reached: {said}.")
        except (aiohttp.ClientError, TimeoutError) as error:
            # Not as a repr: those of aiohttp show the request's headers.
            said = self._protocol.without_key(f"{type(error).__name__}: {error}")
            lost = ConnectionLostError(f"The API did not answer completely: {said}.")
        # Out here, so that it is not even the context of ours: that error holds the request, with the key in a header.
        raise lost


def _proxy_for(url: str) -> str | None:
    """The proxy that the environment names for an address, as requests would find it."""
    parts = urlsplit(url)
    if proxy_bypass(parts.netloc):
        return None
    proxies = getproxies()
    return proxies.get(parts.scheme) or proxies.get("all")
