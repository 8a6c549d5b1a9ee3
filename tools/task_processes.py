"""
The processes that execute tasks, for tests that kill them.

What Airflow 3.3 starts for a LocalExecutor, all of it in the session of the scheduler::

    scheduler
    ├── airflow serve-logs
    ├── airflow worker -- LocalExecutor: ...    forked at start, one for each slot ([core] parallelism)
    │   └── airflow worker -- <id of the ti>    forked for each try, in a process group of its own
    │       └── what the task starts            in the task's group; a BashOperator's shell in its own session
    └── airflow worker -- LocalExecutor: <idle>

The worker of the LocalExecutor supervises the task: it sends the heartbeats, writes the log, and speaks to the API
on behalf of the task over sockets between the two. So there are two ways to lose one:

- The task is killed: its supervisor reports it at once, and Airflow retries.
- The supervisor is killed (with or without its task): the task ends by itself about two seconds later, and Airflow
  retries when ``[scheduler] task_instance_heartbeat_timeout`` has passed. The scheduler replaces the worker.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil  # type: ignore[import-untyped]  # a dependency of Airflow itself

if TYPE_CHECKING:
    from tools.processes import ManagedProcess

__all__ = ["RunningTask", "running_tasks"]


@dataclass(frozen=True)
class RunningTask:
    """
    One try of a task while it is being executed.

    :param pid: the process that executes it; also ``pid`` of the task instance in the API.
    :param supervisor_pid: the worker that supervises it, or None if that was killed.
    :param component: the name of the component that executes it.
    """

    pid: int
    supervisor_pid: int | None
    component: str


def running_tasks(component: str, leader: ManagedProcess) -> list[RunningTask]:
    """
    Return the tasks that a component is executing right now.

    :param component: its name.
    :param leader: its process, a scheduler with the LocalExecutor or a worker of Celery.
    """
    members = {process.pid: process for process in leader.members()}
    found = (_as_task(process, component, leader.pid, set(members)) for process in members.values())
    return [task for task in found if task is not None]


def _as_task(process: psutil.Process, component: str, session: int, members: set[int]) -> RunningTask | None:
    try:
        leads_group = os.getpgid(process.pid) == process.pid
        in_session = os.getsid(process.pid) == session
        parent = process.ppid()
    except (psutil.Error, OSError):
        return None  # it has just ended
    if not leads_group or not in_session or process.pid == session:
        return None
    return RunningTask(process.pid, parent if parent in members else None, component)
