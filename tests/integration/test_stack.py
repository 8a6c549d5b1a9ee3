"""The Airflow that the other integration tests rely on knows its processes, and leaves none behind."""

from __future__ import annotations

import os
import signal

import psutil
import pytest

from tools.airflow_stack import AirflowStack
from tools.waiting import wait_until

DAGS = """
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import dag

@dag(schedule=None)
def endless():
    BashOperator(task_id="sleep", bash_command="sleep 1000")

endless()
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """Not the shared one, because a test here stops it."""
    dags_folder = tmp_path_factory.mktemp("dags")
    (dags_folder / "dags.py").write_text(DAGS)
    with AirflowStack(tmp_path_factory.mktemp("stack") / "home", dags_folder) as running:
        yield running


class TestAirflowStack:
    def test_knows_the_processes_of_a_task(self, stack):
        run_id = stack.start_run("endless")
        wait_until(lambda: has_started(stack, run_id), timeout=180, what="the endless task")
        (task,) = stack.running_tasks()

        assert task.pid == stack.task_instances("endless", run_id)[0]["pid"]
        assert task.supervisor_pid is not None

    def test_leaves_nothing_behind(self, stack):
        (task,) = stack.running_tasks()
        # Now init is the parent of the task, and the shell that it started is in a session of its own.
        os.kill(task.supervisor_pid, signal.SIGKILL)
        before = stack.alive()
        assert task.pid in before
        stack.stop()

        assert stack.alive() == []
        assert [pid for pid in before if is_alive(pid)] == []


def is_alive(pid):
    """Whether a process exists and is more than an exit code that init has not fetched yet."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def has_started(stack, run_id):
    """Whether the shell of the endless task runs."""
    return "sleep 1000" in stack.task_log("endless", run_id, "sleep")
