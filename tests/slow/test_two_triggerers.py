"""A triggerer that is cut off goes on with its triggers while another one has taken them over."""

from __future__ import annotations

import os
import signal

import pytest

from tools.waiting import wait_until

pytestmark = pytest.mark.long

DAG = """
from airflow.sdk import DAG

from seedance_provider.operators.seedance import CreateVideoOperator

with DAG(dag_id="two_triggerers", schedule=None):
    CreateVideoOperator(
        task_id="create", prompt="two triggerers", duration=4, poll_interval=1, seedance_conn_id="polled_at_once"
    )
"""


@pytest.fixture
def airflow(celery_airflow, celery_dags):
    # Another test takes the database away for a moment, and a component can take minutes to end because of that.
    for name in celery_airflow.died():
        celery_airflow.start(name)
    (celery_dags / "two_triggerers.py").write_text(DAG)
    celery_airflow.wait_for_dag("two_triggerers")
    celery_airflow.unpause("two_triggerers")
    return celery_airflow


def test_a_trigger_that_runs_twice_submits_nothing_and_resumes_its_task_once(airflow, slow_emulator):
    # Only one of them can take the trigger, so that it is known which.
    airflow.kill("triggerer-2")
    run_id = airflow.trigger("two_triggerers")
    # After its first poll it no longer needs Airflow, which tells it the connection.
    wait_until(
        lambda: "is generating" in trigger_logs(airflow).get(1, ""), timeout=180, what="the trigger's first poll"
    )

    # Its heart stops, but not the process in which its triggers run: so the other one takes them over, too.
    cut_off = airflow.processes["triggerer-1"]
    os.kill(cut_off.pid, signal.SIGSTOP)
    try:
        airflow.restart("triggerer-2")
        run = airflow.wait_for_run("two_triggerers", run_id)
    finally:
        os.kill(cut_off.pid, signal.SIGCONT)
    wait_until(lambda: fired(airflow) == 2, timeout=180, what="the event of the triggerer that was cut off")

    assert run["state"] == "success"
    (create,) = airflow.task_instances("two_triggerers", run_id)
    assert (create["state"], create["try_number"]) == ("success", 1)
    # One resumption ends the task, and there was no other.
    assert airflow.task_log("two_triggerers", run_id, "create").count("succeeded after") == 1
    submissions = [entry for entry in slow_emulator.ledger()["submissions"] if entry["prompt"] == "two triggerers"]
    assert len(submissions) == 1


def trigger_logs(airflow):
    """What each trigger job has logged for the task, by a number in the order in which they took the trigger."""
    files = (airflow.home / "logs" / "dag_id=two_triggerers").glob("**/*.trigger.*.log")
    oldest_first = sorted(files, key=lambda file: int(file.name.split(".")[-2]))
    return {number: file.read_text() for number, file in enumerate(oldest_first, start=1)}


def fired(airflow):
    return sum("Trigger fired event" in text for text in trigger_logs(airflow).values())
