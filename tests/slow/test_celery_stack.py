"""The Airflow that the chaos suite strikes hardest: two of most components, and servers that come back."""

from __future__ import annotations

import pytest

from tools.waiting import wait_until

pytestmark = pytest.mark.long

DAGS = """
import time
from airflow.sdk import dag, task

@dag(schedule=None)
def quick():
    @task
    def double(number):
        return 2 * number

    double.expand(number=[1, 2, 3, 4])

@dag(schedule=None)
def sleeper():
    @task(retries=1, retry_delay=1)
    def sleep_at_first(ti):
        if ti.try_number == 1:
            time.sleep(1000)

    sleep_at_first()

quick()
sleeper()
"""


@pytest.fixture(scope="module")
def airflow(celery_airflow, celery_dags):
    (celery_dags / "celery_stack.py").write_text(DAGS)
    return celery_airflow


def test_it_has_two_of_what_can_be_two(airflow):
    names = {f"{kind}-{number}" for kind in ("scheduler", "triggerer", "worker") for number in (1, 2)}
    assert set(airflow.processes) == {"api-server", "dag-processor", *names}


def test_it_runs_a_dag(airflow):
    run_id = airflow.start_run("quick")
    assert airflow.wait_for_run("quick", run_id)["state"] == "success"
    assert airflow.xcom("quick", run_id, "double", map_index=3) == 8


def test_the_task_of_a_killed_worker_is_run_again_by_the_other(airflow):
    run_id = airflow.start_run("sleeper")
    (task,) = wait_until(airflow.running_tasks, timeout=180, what="the task")
    airflow.kill(task.component)
    assert airflow.running_tasks() == []
    assert airflow.wait_for_run("sleeper", run_id)["state"] == "success"
    airflow.restart(task.component)


def test_it_works_again_after_its_database_was_away(airflow, database):
    database.kill()
    assert not database.is_running
    wait_until(airflow.died, timeout=180, what="the first component that misses its database")
    database.start()
    wait_until(lambda: starts_again_what_died_and_runs_a_dag(airflow), timeout=180, what="a run that ends well")


def starts_again_what_died_and_runs_a_dag(airflow):
    for name in airflow.died():
        airflow.start(name)
    try:
        return airflow.wait_for_run("quick", airflow.trigger("quick"))["state"] == "success"
    except (OSError, RuntimeError):  # the API server may miss its database, too, for a moment
        return False
