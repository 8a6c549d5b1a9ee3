"""The API over aiohttp: sockets only, every decision is in the protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import aiohttp

from seedance_provider.api.protocol import MAX_ANSWER_BYTES, HttpRequest, HttpResponse, SeedanceProtocol, reading
from seedance_provider.network.causes import cause_of
from seedance_provider.network.environment import aiohttp_route

if TYPE_CHECKING:
    from types import TracebackType

    from seedance_provider.api.video_task import VideoTask

__all__ = ["AsyncSeedanceClient"]

#: Nothing is lost with a poll that takes longer. Few limits, because each costs a timer for every poll.
_TIMEOUT = aiohttp.ClientTimeout(total=30, sock_connect=10)
#: What aiohttp raises before a request is sent. A time-out as a whole does not tell, and is as harmless here.
_NOT_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError)


class AsyncSeedanceClient:
    """
    A client of the API for event loops. It can only read: nothing that runs in a triggerer may cost money, because
    a trigger can be run twice. It has to be made on the loop that uses it.

    :param protocol: whose account, at which address.
    """

    def __init__(self, protocol: SeedanceProtocol) -> None:
        self._protocol = protocol
        # The API sets no cookies, and to look for some costs time at every request.
        # aiohttp's own trust_env would look into .netrc in a thread at every request, and refuse our header then.
        self._session = aiohttp.ClientSession(
            timeout=_TIMEOUT,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )
        self._route: dict[str, Any] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def get_task(self, video_task_id: str) -> VideoTask:
        """
        Return a video task. It costs nothing.

        :param video_task_id: the video task.
        :raises SeedanceError: whose ``read_verdict`` tells whether asking again can help.
        """
        with reading():
            response = await self._send(self._protocol.record_info(video_task_id))
            return self._protocol.read_record(response, video_task_id)

    async def _send(self, request: HttpRequest) -> HttpResponse:
        response: aiohttp.ClientResponse | None = None
        body, piece, cause, was_sent = bytearray(), b"", "", False
        try:
            # Not earlier: a bundle that can't be read is an error of a poll, which a wait tolerates.
            self._route = self._route or aiohttp_route(self._protocol.base_url)
            was_sent = True
            async with self._session.request(
                request.method,
                request.url,
                params=request.params,
                headers=request.headers,
                allow_redirects=False,
                **self._route,
            ) as response:
                async for piece in response.content.iter_any():
                    body += piece
                    if len(body) > MAX_ANSWER_BYTES:
                        # Not read to its end, however long that is.
                        response.close()
                        break
        except (aiohttp.ClientError, OSError, ValueError) as error:
            cause = self._protocol.without_key(_refusal_of_proxy(error) or cause_of(error))
            was_sent = was_sent and not isinstance(error, _NOT_SENT)
        except BaseException as error:
            # A task that is interrupted: the frames of the library hold the key, and what came back may.
            response, piece = None, b""
            body.clear()
            error.__context__ = None
            raise error.with_traceback(None) from None
        # Out here, so that no error of aiohttp is even the context of ours: those hold the key in a header.
        if response is None:
            raise self._protocol.no_answer(request, cause, was_sent=was_sent)
        lost = self._protocol.no_answer(request, cause) if cause else None
        return HttpResponse(response.status, response.headers, bytes(body), lost)


def _refusal_of_proxy(error: Exception) -> str | None:
    """Its own text has the address of the proxy, which may hold a password."""
    return f"proxy: it answers HTTP {error.status}" if isinstance(error, aiohttp.ClientHttpProxyError) else None
