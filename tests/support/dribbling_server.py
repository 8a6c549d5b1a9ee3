"""Raw servers on loopback that never come to an end, each in its own way."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_CHUNKED = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

#: What a server says first, and what it then says again and again.
DRIBBLES = {
    "silence": (b"", b""),
    "an endless 100 Continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a slow status line": (b"HTTP/1.1 200 ", b"O"),
    "slow headers": (_HEAD + b"X-Slow: ", b"x"),
    "a slow body": (_HEAD + b"Content-Length: 1000000\r\n\r\n", b" "),
    "a slow body of no known length": (_HEAD + b"\r\n", b" "),
    "endless chunks": (_CHUNKED, b"1\r\n \r\n"),
    "a slow size of a chunk": (_CHUNKED, b"0"),
    "endless trailers": (_CHUNKED + b"1\r\n{\r\n0\r\n", b"X-Trailer: x\r\n"),
    "a packed slow body": (_HEAD + b"Content-Encoding: gzip\r\n\r\n", b"\x1f"),
}
#: What comes before a request is sent: a TLS handshake, and a proxy's answer to CONNECT.
DRIBBLES_BEFORE = {
    "a slow handshake": (b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03", b"\0"),
    "silence instead of a handshake": (b"", b""),
    "a slow proxy": (b"HTTP/1.1 200 ", b"O"),
    "a proxy with slow headers": (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"),
}
#: A page that never ends, as fast as it is read.
FLOOD = (_HEAD + b"\r\n", b" " * 65536)


@contextmanager
def dribbling_server(first: bytes, again: bytes, pause: float = 0.005) -> Iterator[str]:
    """Answer every request so, until the client goes away or the test is over; yields host and port."""
    over = threading.Event()

    def dribble(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.recv(65536)
            connection.sendall(first)
            while not over.wait(pause):
                connection.sendall(again)

    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    threads.append(threading.Thread(target=dribble, args=(listening.accept()[0],), daemon=True))
                    threads[-1].start()

        threads = [threading.Thread(target=accept, daemon=True)]
        threads[0].start()
        try:
            yield "{}:{}".format(*listening.getsockname())
        finally:
            over.set()
            # close() alone does not wake accept().
            listening.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join(10)
