"""
What a task of ours has pushed, read with the XCom backend that this Airflow has.

Airflow's REST API gives what the metadata database has, which of a backend that keeps values elsewhere is a reference.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, Literal

from airflow.configuration import conf
from airflow.models.xcom import XComModel

__all__ = ["Key", "UnreadableXComError", "pushed_value"]

log = logging.getLogger(__name__)

Key = Literal["return_value", "submitted", "failure", "unreachable_since", "landed"]

#: Each value but a moment has at least one of these.
_FIELDS = {"video_task_id", "status", "video_url", "prompt", "credits_used", "message", "path"}


class UnreadableXComError(Exception):
    """The API server can't read an XCom. The message is for the viewer, who may see it."""


def pushed_value(session: Any, key: Key, *, dag_id: str, run_id: str, task_id: str, map_index: int) -> Any:
    """
    Return what a task instance has pushed, or ``None`` if there is nothing.

    :param session: of the metadata database.
    :param key: of the XCom.
    :param dag_id: of the DAG.
    :param run_id: of its run.
    :param task_id: of the task.
    :param map_index: of a mapped one; -1 otherwise.
    :raises UnreadableXComError: if the XCom backend can't read it here, or there is none that could.
    """
    query = XComModel.get_many(key=key, dag_ids=dag_id, run_id=run_id, task_ids=task_id, map_indexes=map_index, limit=1)
    found = session.scalars(query).first()
    if found is None or found.value is None:
        return None
    value = _by_backend(key, found.value)
    if key == "unreachable_since" or value is None:
        return value
    if isinstance(value, str):
        # As the REST API writes XComs.
        with suppress(ValueError, RecursionError):
            value = json.loads(value)
    if isinstance(value, Mapping) and not _FIELDS.isdisjoint(value):
        return value
    raise UnreadableXComError(
        f"The XCom {key!r} is not what a video task pushes. Does the API server have the [core] xcom_backend of the "
        "workers, with its settings and its access?"
    )


def _by_backend(key: str, kept: Any) -> Any:
    try:
        # Importing it loads the backend, too.
        from airflow.sdk.bases.xcom import BaseXCom
        from airflow.sdk.execution_time.xcom import resolve_xcom_backend

        backend = resolve_xcom_backend()
    except Exception as error:
        name = conf.get("core", "xcom_backend", fallback="")
        raise _unreadable(f"load the XCom backend {name!r}", error) from error
    # Airflow's own would only import classes that an XCom names, and videos need none.
    if backend.deserialize_value is BaseXCom.deserialize_value:
        return kept
    try:
        # A copy, since a change of a row of the database would be saved.
        return backend.deserialize_value(SimpleNamespace(key=key, value=kept))
    except Exception as error:
        raise _unreadable(f"read the XCom {key!r}", error) from error


def _unreadable(what: str, error: Exception) -> UnreadableXComError:
    # Its text may have what only administrators may see.
    log.warning("The Videos page can't %s.", what, exc_info=error)
    return UnreadableXComError(
        f"The API server can't {what}: {type(error).__name__}. The log of the API server says why."
    )
