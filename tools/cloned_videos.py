"""Many videos in the metadata database of an Airflow, copied from one that was really made."""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import closing
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["clone_videos"]

_PER_RUN = 100
_FORMAT = "%Y-%m-%d %H:%M:%S.%f"


def clone_videos(
    database: Path, dag_id: str, task_id: str, count: int, *, latest: datetime, runs: str = "copy"
) -> None:
    """
    Copy the one finished task instance of a task that is not mapped, with its run and what it has pushed.

    :param database: SQLite's file.
    :param dag_id: of the task.
    :param task_id: of the task, of which there was exactly one run.
    :param count: of the copies.
    :param latest: when the first of them began, in UTC; each other began a minute before the one before it.
    :param runs: the copies are mapped tasks of runs with such ids, and a number.
    """
    where = {"dag_id": dag_id, "task_id": task_id, "map_index": -1}
    with closing(sqlite3.connect(database, timeout=60)) as connection, connection:
        connection.row_factory = sqlite3.Row
        (task,) = _rows(connection, "task_instance", where)
        (run,) = _rows(connection, "dag_run", {"dag_id": dag_id, "run_id": task["run_id"]})
        pushed = _rows(connection, "xcom", where)
        run_id = run["id"]
        for number in range(count):
            began = latest - timedelta(minutes=number)
            times = {
                "start_date": began.strftime(_FORMAT),
                "end_date": (began + timedelta(seconds=70)).strftime(_FORMAT),
            }
            name = f"{runs}-{number // _PER_RUN}"
            if number % _PER_RUN == 0:
                moment = {"logical_date": times["start_date"], "run_after": times["start_date"]}
                run_id = _insert(connection, "dag_run", {**run, **times, **moment, "id": None, "run_id": name})
            place = {"run_id": name, "map_index": number % _PER_RUN}
            _insert(connection, "task_instance", {**task, **times, **place, "id": uuid.uuid4().hex})
            for value in pushed:
                _insert(connection, "xcom", {**value, **place, "dag_run_id": run_id})


def _rows(connection: sqlite3.Connection, table: str, where: Mapping[str, Any]) -> list[dict[str, Any]]:
    # Tables and columns are named by this module and by the database itself.
    conditions = " AND ".join(f"{name} = :{name}" for name in where)
    return [dict(row) for row in connection.execute(f"SELECT * FROM {table} WHERE {conditions}", where)]  # noqa: S608


def _insert(connection: sqlite3.Connection, table: str, row: Mapping[str, Any]) -> int:
    names, values = ", ".join(row), ", ".join(f":{name}" for name in row)
    return connection.execute(f"INSERT INTO {table} ({names}) VALUES ({values})", row).lastrowid or 0  # noqa: S608
