"""Sending a file as no good server does: half of it, or without an end."""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["SpoiledFile"]

_SECONDS_BETWEEN_CHECKS = 0.05
_PIECE = bytes(64 * 1024)


@dataclass(frozen=True)
class SpoiledFile:
    """
    A file, as somebody asks for it.

    :param request: of the client; a ``Range`` of it is heard.
    :param path: of the file.
    :param content_type: of the file.
    """

    request: web.Request
    path: Path
    content_type: str

    async def first_half(self) -> web.StreamResponse:
        """Send half of what was asked for, under the length of all of it."""
        content = self.path.read_bytes()
        start = self.request.http_range.start or 0
        headers = self._validators()
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        return await self._half(content[start:], 206 if start else 200, headers)

    async def first_half_of_another(self) -> web.StreamResponse:
        """Send half of a file of the same length, which will be another one when the client asks for the rest."""
        headers = self._validators() | {"ETag": '"before"', "Last-Modified": formatdate(0, usegmt=True)}
        return await self._half(self.path.read_bytes()[::-1], 200, headers)

    async def without_end(self) -> web.StreamResponse:
        """Send the file, and then more, for as long as the client wants it."""
        response = web.StreamResponse(headers={"Content-Type": self.content_type})
        response.enable_chunked_encoding()
        response.force_close()
        await response.prepare(self.request)
        try:
            await response.write(self.path.read_bytes())
            while not self._is_alone():
                await response.write(_PIECE)
                await asyncio.sleep(0)
        except ConnectionError:
            # The client has had enough.
            pass
        return response

    async def silence(self, seconds: float) -> None:
        """
        Send nothing for a while.

        :param seconds: how long; less if the client hangs up.
        """
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self._is_alone():  # noqa: ASYNC110 - nothing tells of a client that goes
            await asyncio.sleep(_SECONDS_BETWEEN_CHECKS)

    async def _half(self, content: bytes, status: int, headers: Mapping[str, str]) -> web.StreamResponse:
        response = web.StreamResponse(status=status, headers={"Content-Type": self.content_type, **headers})
        response.content_length = len(content)
        response.force_close()
        await response.prepare(self.request)
        await response.write(content[: len(content) // 2])
        return response

    def _validators(self) -> dict[str, str]:
        """What aiohttp says of the whole file, so that a client can ask for the rest of the same one."""
        found = self.path.stat()
        return {
            "Accept-Ranges": "bytes",
            "ETag": f'"{found.st_mtime_ns:x}-{found.st_size:x}"',
            "Last-Modified": formatdate(math.ceil(found.st_mtime), usegmt=True),
        }

    def _is_alone(self) -> bool:
        transport = self.request.transport
        return transport is None or transport.is_closing()
