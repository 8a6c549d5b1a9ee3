"""
One request with one deadline. The timeouts of requests are per read, so a server that sends a byte now and then could
hold the caller forever.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Self

from requests.adapters import HTTPAdapter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from urllib3 import HTTPConnectionPool
    from urllib3.connection import HTTPConnection

__all__ = ["Exchange", "TimedAdapter", "with_connections"]

_current: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


class Exchange:
    """
    While it is open, whatever its thread sends through a :class:`TimedAdapter` is cut off at the deadline: the TLS
    handshake, a proxy's answer, headers, body and trailers alike. The reader then meets the end of the connection,
    which may look like that of the answer: ``timed_out`` tells.

    Not covered is what has no connection yet: the resolver, and ``connect()``, have timeouts of their own.

    :param deadline: by :func:`time.monotonic`.
    """

    def __init__(self, deadline: float) -> None:
        #: Whether the first byte of the request may have been sent.
        self.was_sent = False
        #: Whether the deadline has passed while it was open.
        self.timed_out = False
        self._deadline = deadline
        # Duplicates: TLS takes over the original.
        self._lines: list[socket.socket] = []
        self._lock = threading.Lock()
        self._watchdog = threading.Timer(deadline - time.monotonic(), self._cut_off)
        self._watchdog.daemon = True

    def __enter__(self) -> Self:
        self._watchdog.start()
        self._token = _current.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _current.reset(self._token)
        self._watchdog.cancel()
        self._watchdog.join()
        for line in self._lines:
            line.close()

    def watch(self, descriptor: int) -> None:
        """
        Cut a connection off at the deadline, too.

        :param descriptor: of its socket.
        """
        line = socket.socket(fileno=os.dup(descriptor))
        with self._lock:
            self._lines.append(line)
            if self.timed_out:
                _shut_down(line)

    def begin_to_send(self) -> None:
        """
        Note that the request goes out now.

        :raises TimeoutError: if it is too late for that; then nothing has been sent.
        """
        with self._lock:
            self.check()
            self.was_sent = True

    def check(self) -> None:
        """
        Do nothing, if there is time left.

        :raises TimeoutError: if there is none.
        """
        if self.timed_out or time.monotonic() >= self._deadline:
            raise TimeoutError("timed out")

    def _cut_off(self) -> None:
        with self._lock:
            self.timed_out = True
            for line in self._lines:
                _shut_down(line)


def _shut_down(line: socket.socket) -> None:
    # It may be at its end already.
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)


class TimedAdapter(HTTPAdapter):
    """Sends requests over connections that keep to the deadline of the :class:`Exchange` that is open."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = with_connections(self.poolmanager.pool_classes_by_scheme, _timed)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        known = proxy in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **kwargs)
        if not known:
            manager.pool_classes_by_scheme = with_connections(manager.pool_classes_by_scheme, _timed)
        return manager


def with_connections(
    pools: Mapping[str, type[HTTPConnectionPool]], derive: Callable[[Any], type[HTTPConnection]]
) -> dict[str, type[HTTPConnectionPool]]:
    """
    Return pools like others, but with another kind of connections.

    :param pools: of a pool manager, by scheme.
    :param derive: returns a kind of connection that is derived from another.
    """
    return {
        scheme: type(pool.__name__, (pool,), {"ConnectionCls": derive(pool.ConnectionCls)})
        for scheme, pool in pools.items()
    }


def _timed(connection_class: Any) -> type[HTTPConnection]:
    class Connection(connection_class):  # type: ignore[misc]
        def _new_conn(self) -> socket.socket:
            opened: socket.socket = super()._new_conn()
            if exchange := _current.get():
                exchange.watch(opened.fileno())
            return opened

        def _tunnel(self) -> None:
            super()._tunnel()
            if exchange := _current.get():
                # An answer of the proxy that was cut off looks like one that has ended.
                exchange.check()

        def request(self, *args: Any, **kwargs: Any) -> None:
            if self.sock is None:
                self.connect()
            if exchange := _current.get():
                # Again, because it may have been opened for an earlier request.
                exchange.watch(self.sock.fileno())
                exchange.begin_to_send()
            super().request(*args, **kwargs)

    return Connection
