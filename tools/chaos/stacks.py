"""The Airflows that chaos can strike: what each consists of, and what can be hit on it beside what every one has."""

from __future__ import annotations

from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tools.airflow_layout import LOCAL, Layout, celery_layout
from tools.postgres_server import PostgresServer
from tools.redis_server import RedisServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tools.chaos.attack import Server

__all__ = ["STACKS", "Stack"]


@dataclass(frozen=True)
class Stack:
    """
    One kind of Airflow.

    :param layout: its components.
    :param servers: what it needs, by the names of the hits.
    :param hits: what can be hit besides, and how often.
    """

    layout: Layout
    servers: Mapping[str, Server] = field(default_factory=dict)
    hits: Mapping[str, int] = field(default_factory=dict)


@contextmanager
def _local() -> Iterator[Stack]:
    yield Stack(LOCAL)


@contextmanager
def _celery() -> Iterator[Stack]:
    with PostgresServer() as database, RedisServer() as broker:
        yield Stack(
            celery_layout(database.url, broker.url),
            {"database": database, "broker": broker},
            {"worker": 4, "database": 1, "broker": 1},
        )


#: ``local``: SQLite and the LocalExecutor. ``celery``: PostgreSQL, Redis and the CeleryExecutor, with two schedulers,
#: triggerers and workers.
STACKS: Mapping[str, Callable[[], AbstractContextManager[Stack]]] = {"local": _local, "celery": _celery}
