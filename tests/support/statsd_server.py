"""A statsd back end on loopback: the lines that Airflow sends it, over real UDP."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType


@dataclass(frozen=True)
class Metric:
    """
    One line.

    :param kind: ``c`` for a counter, ``ms`` for a timer.
    """

    name: str
    value: float
    kind: str
    tags: dict[str, str]


@dataclass
class StatsdServer:
    """Listens on a free port; what arrives waits in the socket until it is asked for."""

    _socket: socket.socket = field(default_factory=lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    _received: list[Metric] = field(default_factory=list)
    #: The lines as they came.
    lines: list[bytes] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._socket.close()

    @property
    def settings(self) -> dict[str, str]:
        """The environment that makes an Airflow send its metrics here, those of this provider only, with their tags."""
        return {
            "AIRFLOW__METRICS__STATSD_ON": "True",
            "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
            "AIRFLOW__METRICS__STATSD_PORT": str(self._socket.getsockname()[1]),
            "AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED": "True",
            "AIRFLOW__METRICS__METRICS_ALLOW_LIST": "seedance",
        }

    def received(self) -> list[Metric]:
        """Everything that has arrived so far; over loopback a line has when its sender goes on."""
        while True:
            try:
                self.lines.append(self._socket.recv(65536))
                self._received.append(_parsed(self.lines[-1].decode()))
            except BlockingIOError:
                return list(self._received)


def _parsed(line: str) -> Metric:
    """Read ``airflow.name,tag=value:1|c``."""
    head, _, rest = line.rpartition(":")
    name, *tags = head.split(",")
    value, kind = rest.split("|")[:2]
    return Metric(name.removeprefix("airflow."), float(value), kind, dict(tag.split("=", 1) for tag in tags))
