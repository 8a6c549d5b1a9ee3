"""One account, written down in every way that Airflow has, used by a real triggerer; and the form's Test button."""

from __future__ import annotations

import json
import sqlite3

import pytest

from seedance_provider.emulator.settings import DEFAULT_KEY, DEMO_KEY

pytestmark = pytest.mark.every_airflow

DAG = """
from airflow.sdk import DAG

from seedance_provider.operators.seedance import CreateVideoOperator
from seedance_provider.sensors.seedance import VideoSensor

with DAG(dag_id="connections", schedule=None):
    for conn_id in ("seedance_default", "as_uri", "from_file", "from_the_form"):
        create = CreateVideoOperator(
            task_id=f"create_{conn_id}",
            prompt=f"A video by {conn_id}",
            duration=4,
            seedance_conn_id=conn_id,
            wait_for_completion=False,
        )
        VideoSensor(
            task_id=f"wait_{conn_id}",
            video_task_id=create.output["video_task_id"],
            seedance_conn_id=conn_id,
            poke_interval=1,
        )
"""


BROKEN = """
import os

from airflow.sdk import DAG

from seedance_provider.operators.seedance import CreateVideoOperator


class Spoiled(CreateVideoOperator):
    def execute(self, context):
        os.environ["AIRFLOW_CONN_BEHIND_A_VARIABLE"] = '{"conn_type": "seedance", "password": "a-secret",}'
        return super().execute(context)


with DAG(dag_id="broken_connections", schedule=None):
    options = {"prompt": "On nobody's account", "deferrable": False}
    Spoiled(task_id="variable", retries=3, seedance_conn_id="behind_a_variable", **options)
    CreateVideoOperator(task_id="row", seedance_conn_id="can_not_be_decrypted", **options)
"""


def form(conn_id: str, emulator, **fields) -> dict:
    """What the connection form sends."""
    filled = {"connection_id": conn_id, "conn_type": "seedance", "host": emulator.base_url, "password": DEFAULT_KEY}
    return filled | {"extra": json.dumps({"wire_format": "auto", "typical_seconds": "2-3"})} | fields


@pytest.fixture(scope="module")
def run(airflow_stack, dags_folder, emulator):
    airflow_stack.call("POST", "/connections", json=form("from_the_form", emulator))
    (dags_folder / "connections.py").write_text(DAG)
    run_id = airflow_stack.start_run("connections")
    airflow_stack.wait_for_run("connections", run_id)
    return {instance["task_id"]: instance for instance in airflow_stack.task_instances("connections", run_id)}


@pytest.mark.parametrize("conn_id", ["seedance_default", "as_uri", "from_file", "from_the_form"])
def test_every_way_to_write_a_connection_does_the_same(run, emulator, conn_id):
    assert run[f"create_{conn_id}"]["state"] == "success"
    assert run[f"wait_{conn_id}"]["state"] == "success"
    submitted = [video for video in emulator.ledger()["submissions"] if video["prompt"] == f"A video by {conn_id}"]
    assert [video["creditsCharged"] for video in submitted] == [160]


@pytest.fixture(scope="module")
def broken(airflow_stack, dags_folder, emulator):
    # What the variable would be replaced by.
    airflow_stack.call("POST", "/connections", json=form("behind_a_variable", emulator))
    airflow_stack.call("POST", "/connections", json=form("can_not_be_decrypted", emulator))
    with sqlite3.connect(airflow_stack.home / "airflow.db", timeout=30) as database:
        database.execute(
            "UPDATE connection SET password = 'x', is_encrypted = 1 WHERE conn_id = 'can_not_be_decrypted'"
        )
    (dags_folder / "broken_connections.py").write_text(BROKEN)
    run_id = airflow_stack.start_run("broken_connections")
    airflow_stack.wait_for_run("broken_connections", run_id)
    return run_id


@pytest.mark.parametrize(
    ("task_id", "said"),
    [
        ("variable", "AIRFLOW_CONN_BEHIND_A_VARIABLE can't be read"),
        # Airflow's API server answers as if there were none.
        ("row", "There is no connection 'can_not_be_decrypted', or Airflow can't read it"),
    ],
)
def test_a_connection_that_is_broken_is_never_replaced(airflow_stack, emulator, broken, task_id, said):
    instances = airflow_stack.task_instances("broken_connections", broken)
    instance = next(instance for instance in instances if instance["task_id"] == task_id)
    assert (instance["state"], instance["try_number"]) == ("failed", 1)
    log = airflow_stack.task_log("broken_connections", broken, task_id, try_number=1)
    assert said in log
    assert "a-secret" not in log
    assert "On nobody's account" not in [video["prompt"] for video in emulator.ledger()["submissions"]]


@pytest.mark.parametrize(
    ("host", "password", "works", "said"),
    [
        ("{server}/api/v1", DEFAULT_KEY, True, "accepts the key"),
        ("{server}/api/v1", DEMO_KEY, True, "read-only"),
        ("{server}/api/v1", "not-a-key", False, "Invalid API Key"),
        ("{server}/api/v1", "no-access", False, "no access to the API"),
        ("{server}", DEFAULT_KEY, True, "accepts the key"),
        ("{server}/elsewhere", DEFAULT_KEY, False, "full base URL"),
        ("http://127.0.0.1:9/api/v1", DEFAULT_KEY, False, "unreachable"),
    ],
)
def test_the_test_button_says_what_is_wrong_and_costs_nothing(airflow_stack, emulator, host, password, works, said):
    before = emulator.ledger()["submissionCount"]
    server = emulator.base_url.removesuffix("/api/v1")
    filled = form("tried", emulator, host=host.format(server=server), password=password)
    found = airflow_stack.call("POST", "/connections/test", json=filled)
    assert found["status"] is works
    assert said in found["message"]
    assert emulator.ledger()["submissionCount"] == before
