"""What a task in one of Airflow 3.4's task loops can see of the iterations before its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["xcoms_of_previous_iteration"]


def xcoms_of_previous_iteration(ti: Any, task_ids: Iterable[str], key: str) -> list[Any]:
    """
    Return what tasks of the same loop have pushed in the iteration before; nothing outside of loops, and in the first.

    Airflow shows a task in a loop only the XComs of its own iteration, and these where it is asked for them.

    :param ti: Airflow's task instance.
    :param task_ids: of tasks of the DAG.
    :param key: of the XComs.
    """
    loop = _loop_of(ti.task)
    if loop is None:
        return []
    from airflow.sdk.definitions.xcom_arg import PlainXComArg
    from airflow.sdk.execution_time.lazy_sequence import LazyXComSequence

    tasks = [task for task in map(ti.task.dag.get_task, task_ids) if _loop_of(task) == loop]
    try:
        # What Airflow's own ``loop.previous`` is made of.
        values: list[Any] = [
            LazyXComSequence(xcom_arg=PlainXComArg(task, key), ti=ti, previous_iteration=True)  # type: ignore[call-arg]
            for task in tasks
        ]
    except TypeError:
        # Another Airflow may not have it. What can't be seen is not counted, see the page on spending.
        return []
    return [value for of_task in values for value in of_task[:]]


def _loop_of(task: Any) -> str | None:
    """The id of the loop that a task is in. Before Airflow 3.4 there is none."""
    # A weak reference, for which type() is of no use.
    group = getattr(task, "task_group", None)
    while group is not None and group.__class__.__name__ != "LoopTaskGroup":
        group = group.parent_group
    return None if group is None else str(group.group_id)
