"""An API that is away for a while in the middle of a batch, on a real Airflow; the ledger is the referee."""

from __future__ import annotations

import json

import pytest

from seedance_provider.emulator.settings import DEFAULT_KEY
from tests.support.scripted_api import ANY_TIME
from tools.emulator_process import EmulatorProcess
from tools.waiting import wait_until

#: A thirtieth of real life: there it is an outage of 20 minutes, half an hour of tolerance and a poll every 5 seconds.
SCALE = 30
OUTAGE_SECONDS = 20 * 60 / SCALE

DAG = f"""
from datetime import timedelta

from airflow.sdk import DAG, task

from seedance_provider.operators.seedance import CreateVideoOperator

SETTINGS = {{
    "duration": 4,
    "poll_interval": {5 / SCALE},
    "error_tolerance": {30 * 60 / SCALE},
    "timeout": {3 * 3600 / SCALE},
    "retries": 3,
    "retry_delay": timedelta(seconds=1),
    "seedance_conn_id": "{{{{ dag_run.conf['connection'] }}}}",
}}

with DAG(dag_id="first_task", schedule=None):

    @task(retries=3, retry_delay=timedelta(seconds=1))
    def begin():
        pass

    begin()

with DAG(dag_id="outage", schedule=None):
    for name, deferrable in (("deferred", True), ("in_worker", False)):
        CreateVideoOperator.partial(task_id=name, deferrable=deferrable, **SETTINGS).expand(
            prompt=[f"{{name}} {{number}} {{{{{{{{ run_id }}}}}}}}" for number in range(5)]
        )
"""


@pytest.fixture(scope="module")
def away_emulator(tmp_path_factory):
    """An emulator that refuses connections for a while; what it is answering meanwhile, it answers."""
    with EmulatorProcess(tmp_path_factory.mktemp("away"), generation_seconds=10) as running:
        yield running


@pytest.fixture(scope="module")
def run(airflow_stack, dags_folder, away_emulator):
    """A run of ten videos, of which some were submitted when the API went away, and some were not."""
    (dags_folder / "outage.py").write_text(DAG)
    # An API server that has just started can keep the first workers waiting until they give up, and are retried.
    airflow_stack.run_each(("first_task",))
    airflow_stack.wait_for_dag("outage")
    airflow_stack.unpause("outage")
    body = {"connection_id": "away", "conn_type": "seedance", "host": away_emulator.base_url}
    extra = json.dumps({"typical_seconds": ANY_TIME})
    airflow_stack.call("POST", "/connections", json=body | {"password": DEFAULT_KEY, "extra": extra})
    run_id = airflow_stack.trigger("outage", conf={"connection": "away"})
    wait_until(lambda: len(away_emulator.ledger()["submissions"]) >= 2, timeout=120, what="the first videos")
    before = len(away_emulator.ledger()["submissions"])
    away_emulator.set_faults(
        [{"fault": "connection_refused", "on": "recordInfo", "count": 1, "seconds": OUTAGE_SECONDS}]
    )
    airflow_stack.wait_for_run("outage", run_id, timeout=300)
    return run_id, before


def test_all_videos_are_made_without_a_retry(airflow_stack, run):
    instances = airflow_stack.task_instances("outage", run[0])
    lost = airflow_stack.lost_tries("outage", run[0])
    ends = {}
    for one in instances:
        place = (one["task_id"], one["map_index"])
        ends[place] = (one["state"], one["try_number"] - lost[place])
    assert ends == {(name, number): ("success", 1) for name in ("deferred", "in_worker") for number in range(5)}


def test_each_is_paid_for_once(away_emulator, run):
    run_id, before = run
    prompts = [entry["prompt"] for entry in away_emulator.ledger()["submissions"]]
    assert sorted(prompts) == sorted(
        f"{name} {number} {run_id}" for name in ("deferred", "in_worker") for number in range(5)
    )
    # Or else nothing had been left to submit while it was away.
    assert before < 10
    assert [fault["fault"] for fault in away_emulator.injected_faults()] == ["connection_refused"]


def test_the_log_says_since_when_it_was_away(airflow_stack, run):
    for name in ("deferred", "in_worker"):
        logs = [airflow_stack.task_log("outage", run[0], name, map_index=number) for number in range(5)]
        assert any("API unreachable since" in log for log in logs)
