"""A real HTTP server on loopback that answers what a test tells it to, and notes what it was asked."""

from __future__ import annotations

import json
import threading
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from tests.support.tls import speak_tls

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: The typical seconds of videos that may be ready at any time, however old their records are.
ANY_TIME = [0.001, 1e9]


@dataclass(frozen=True)
class Answer:
    """
    One answer.

    :param body: JSON if not bytes.
    :param hang_up: close the connection without answering, after the request was read.
    :param promised: a Content-Length that is not true.
    """

    status: int = 200
    body: Any = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    hang_up: bool = False
    promised: int | None = None

    @property
    def payload(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Asked:
    """One request that came in."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes
    client: tuple[str, int]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class ScriptedApi:
    """
    Gives its answers in order, and the last one again and again.

    A test that pays, or asks for a place for a file, appends to ``creations``; one that reads, or puts a file, to
    ``readings``.
    """

    def __init__(self) -> None:
        self.creations: deque[Answer] = deque()
        self.readings: deque[Answer] = deque()
        self.asked: list[Asked] = []
        self.url = ""

    @property
    def base_url(self) -> str:
        return f"{self.url}/api/v1"

    @property
    def created(self) -> list[Asked]:
        """The requests that would have cost money."""
        return [asked for asked in self.asked if asked.method == "POST"]

    @property
    def read(self) -> list[Asked]:
        return [asked for asked in self.asked if asked.method == "GET"]

    def next_answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        script = self.creations if asked.method == "POST" else self.readings
        if not script:
            return Answer(418, {"message": f"the test gave no answer to {asked.method} {asked.path}"})
        return script[0] if len(script) == 1 else script.popleft()


def _handler(api: ScriptedApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def _answer(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            asked = Asked(
                self.command,
                parts.path,
                parse_qs(parts.query),
                dict(self.headers.items()),
                self.rfile.read(length),
                self.client_address,
            )
            answer = api.next_answer(asked)
            if answer.hang_up:
                self.close_connection = True
                return
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.payload) if answer.promised is None else answer.promised))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.payload)
            if answer.promised is not None:
                self.close_connection = True

        do_GET = do_HEAD = do_POST = do_PUT = _answer  # noqa: N815  # the names are http.server's

    return Handler


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what some tests are about."""


@contextmanager
def scripted_api(ca_file: Path | None = None) -> Iterator[ScriptedApi]:
    """
    Serve on a free port until the test is over.

    :param ca_file: speak TLS, and write there who has signed the certificate.
    """
    api = ScriptedApi()
    server = _QuietServer(("127.0.0.1", 0), _handler(api))
    if ca_file is not None:
        speak_tls(server, ca_file)
    scheme = "http" if ca_file is None else "https"
    api.url = f"{scheme}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def record(status: str = "success", video_task_id: str = "task_a", **fields: Any) -> dict[str, Any]:
    """What recordInfo answers, as in the vendor's quickstart."""
    succeeded = status == "success"
    return {
        "taskId": video_task_id,
        "model": "seedance-20",
        "status": status,
        "creditsUsed": 200 if succeeded else 0,
        "output": [{"url": "https://media.example/a.mp4", "width": 1280, "height": 720}] if succeeded else None,
        "error": None,
        "createTime": 1735599634000,
        "completeTime": 1735599754000 if succeeded else None,
    } | fields
