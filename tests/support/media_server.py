"""A real HTTP server on loopback for one file, as good and as bad as such servers are."""

from __future__ import annotations

import re
import threading
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from tests.support.tls import speak_tls

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Serving:
    """
    How one request is answered.

    :param status: instead of the file, if it is not 200.
    :param headers: besides the usual ones.
    :param without: usual headers that are left out.
    :param stop_after: how many bytes are sent; ``None`` for all of them.
    :param hang_up: whether the connection ends before any answer.
    :param stall: whether it stays open and silent after ``stop_after``, until the client gives up; with ``hang_up``,
        before any answer.
    :param in_chunks: of so many bytes, instead of a promised length.
    :param whole_only: whether ``Range`` is ignored.
    :param body: instead of the file's content.
    :param seconds: how long the body takes, in ten pieces.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    stop_after: int | None = None
    hang_up: bool = False
    stall: bool = False
    in_chunks: int | None = None
    whole_only: bool = False
    body: bytes | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Request:
    """One request that came in."""

    path: str
    headers: dict[str, str]


class MediaServer:
    """Answers as ``script`` says, one entry after the other, and then as ``usual``."""

    def __init__(self, content: bytes = b"") -> None:
        self.content = content
        self.etag: str | None = '"first"'
        self.script: deque[Serving] = deque()
        self.usual = Serving()
        self.requests: list[Request] = []
        self.url = ""
        self.is_over = threading.Event()

    @property
    def ranges(self) -> list[str | None]:
        """The parts that were asked for."""
        return [request.headers.get("Range") for request in self.requests]

    def change(self, content: bytes, etag: str | None = '"second"') -> None:
        """Put another file in place of this one."""
        self.content, self.etag = content, etag


def _handler(server: MediaServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            server.requests.append(Request(self.path, dict(self.headers.items())))
            serving = server.script.popleft() if server.script else server.usual
            self.close_connection = True
            if not serving.hang_up:
                self._serve(serving)
            if serving.stall:
                server.is_over.wait(10)

        def _serve(self, serving: Serving) -> None:
            content = server.content if serving.body is None else serving.body
            status, headers, content = self._chosen(serving, content)
            headers |= serving.headers
            self.send_response(status)
            for name, value in headers.items():
                if name not in serving.without:
                    self.send_header(name, value)
            self.end_headers()
            sent = content if serving.stop_after is None else content[: serving.stop_after]
            self._send(sent, serving)

        def _chosen(self, serving: Serving, content: bytes) -> tuple[int, dict[str, str], bytes]:
            usual = {"Content-Type": "video/mp4", "Accept-Ranges": "bytes", "Connection": "close"}
            if server.etag is not None:
                usual["ETag"] = server.etag
            if serving.status != 200:
                return serving.status, usual | {"Content-Length": str(len(content))}, content
            if serving.in_chunks is not None:
                return 200, usual | {"Transfer-Encoding": "chunked"}, content
            part = self._asked_for(len(content))
            if part is None or serving.whole_only:
                return 200, usual | {"Content-Length": str(len(content))}, content
            start, end = part
            if start >= len(content):
                return 416, {"Content-Range": f"bytes */{len(content)}", "Content-Length": "0"}, b""
            told = f"bytes {start}-{end - 1}/{len(content)}"
            return 206, usual | {"Content-Range": told, "Content-Length": str(end - start)}, content[start:end]

        def _asked_for(self, size: int) -> tuple[int, int] | None:
            found = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            known = self.headers.get("If-Range")
            if found is None or (known is not None and known != server.etag):
                return None
            return int(found[1]), min(size, int(found[2]) + 1 if found[2] else size)

        def _send(self, content: bytes, serving: Serving) -> None:
            if serving.in_chunks is None:
                piece = max(1, -(-len(content) // 10))
                for start in range(0, len(content), piece):
                    if serving.seconds:
                        server.is_over.wait(serving.seconds / 10)
                    self.wfile.write(content[start : start + piece])
                return
            for start in range(0, len(content), serving.in_chunks):
                chunk = content[start : start + serving.in_chunks]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            if serving.stop_after is None:
                self.wfile.write(b"0\r\n\r\n")

    return Handler


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what some tests are about."""


@contextmanager
def media_server(content: bytes = b"", host: str = "127.0.0.1", ca_file: Path | None = None) -> Iterator[MediaServer]:
    """
    Serve on a free port of a loopback address until the test is over.

    :param ca_file: speak TLS, and write there who has signed the certificate.
    """
    served = MediaServer(content)
    server = _QuietServer((host, 0), _handler(served))
    if ca_file is not None:
        speak_tls(server, ca_file)
    scheme = "http" if ca_file is None else "https"
    served.url = f"{scheme}://{host}:{server.server_port}/a.mp4"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        served.is_over.set()
        server.shutdown()
        server.server_close()
        thread.join(10)
