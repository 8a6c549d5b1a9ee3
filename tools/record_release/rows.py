"""
What the metadata database of an Airflow holds of the tasks of one DAG run.

A program of its own, because it needs the configuration of that Airflow: ``rows.py read DAG_ID RUN_ID`` prints a JSON
list with an object for each task instance, and ``rows.py write DAG_ID RUN_ID`` takes such a list from its input. What
is written becomes visible in one moment, so that no component of Airflow can see half of it.
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow._shared.timezones import timezone
from airflow.models.task_state_store import TaskStateStoreModel
from airflow.models.taskinstance import TaskInstance
from airflow.models.trigger import Trigger
from airflow.models.xcom import XComModel
from airflow.utils.session import create_session
from sqlalchemy import select

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

__all__ = ["main"]

#: When Airflow itself would give a deferred task up.
_TRIGGER_TIMEOUT = timedelta(hours=2)


def main(arguments: Sequence[str]) -> None:
    """Read or write, as the arguments say."""
    action, dag_id, run_id = arguments
    with create_session() as session:
        if action == "read":
            print(json.dumps([_read(session, instance) for instance in _instances(session, dag_id, run_id)]))
            return
        instances = {instance.task_id: instance for instance in _instances(session, dag_id, run_id)}
        for row in json.load(sys.stdin):
            _write(session, instances[row["task_id"]], row)


def _instances(session: Session, dag_id: str, run_id: str) -> Sequence[TaskInstance]:
    query = select(TaskInstance).where(TaskInstance.dag_id == dag_id, TaskInstance.run_id == run_id)
    return session.scalars(query).all()


def _read(session: Session, instance: TaskInstance) -> dict[str, Any]:
    stored = session.scalars(_of(TaskStateStoreModel, instance))
    pushed = session.scalars(_of(XComModel, instance))
    trigger = instance.trigger
    return {
        "task_id": instance.task_id,
        "state": instance.state,
        "try_number": instance.try_number,
        "max_tries": instance.max_tries,
        "trigger": trigger and {"classpath": trigger.classpath, "kwargs": trigger.kwargs},
        "next_method": instance.next_method,
        "next_kwargs": instance.next_kwargs,
        "state_store": {row.key: json.loads(row.value) for row in stored},
        "xcoms": {row.key: _value(row.value) for row in pushed},
    }


def _write(session: Session, instance: TaskInstance, row: dict[str, Any]) -> None:
    """Let a task instance be where another one was."""
    for name in ("state", "try_number", "max_tries", "next_method", "next_kwargs"):
        setattr(instance, name, row[name])
    if row["trigger"] is not None:
        instance.start_date = timezone.utcnow()
        instance.trigger_timeout = timezone.utcnow() + _TRIGGER_TIMEOUT
        instance.trigger = Trigger(row["trigger"]["classpath"], row["trigger"]["kwargs"])
        # Airflow numbers it, if nobody else does.
        instance.trigger.id = row["trigger"].get("id")
    run = {name: getattr(instance, name) for name in ("dag_id", "run_id", "task_id", "map_index")}
    number = instance.dag_run.id
    for key, value in row["state_store"].items():
        session.add(TaskStateStoreModel(dag_run_id=number, key=key, value=json.dumps(value), **run))
    for key, value in row["xcoms"].items():
        session.add(XComModel(dag_run_id=number, key=key, value=value, **run))


def _of(model: Any, instance: TaskInstance) -> Any:
    names = ("dag_id", "run_id", "task_id", "map_index")
    return select(model).where(*(getattr(model, name) == getattr(instance, name) for name in names))


def _value(value: Any) -> Any:
    """Airflow keeps some XComs as texts that are JSON, others as what they are."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


if __name__ == "__main__":
    main(sys.argv[1:])
