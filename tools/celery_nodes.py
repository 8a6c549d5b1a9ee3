"""The workers of Celery, asked over its broker."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["answering_nodes"]

_SECONDS_TO_ANSWER = 2


def answering_nodes(broker_url: str | None, names: Collection[str]) -> set[str]:
    """
    Return those workers that answer a ping.

    :param broker_url: of the Redis they get their tasks from.
    :param names: of the workers that are asked, such as ``celery@worker-1``.
    """
    from celery import Celery

    with Celery(broker=broker_url, set_as_current=False) as app:
        answers = app.control.inspect(list(names), timeout=_SECONDS_TO_ANSWER, limit=len(names)).ping()
    return set(answers or ())
