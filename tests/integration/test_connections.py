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


class TestTestButton:
    def press(self, airflow_stack, emulator, **fields) -> tuple[bool, str]:
        found = airflow_stack.call("POST", "/connections/test", json=form("tried", emulator, **fields))
        return found["status"], found["message"]

    def test_an_accepted_key(self, airflow_stack, emulator):
        worked, message = self.press(airflow_stack, emulator)
        assert worked
        assert "accepts the key" in message

    def test_the_demo_key(self, airflow_stack, emulator):
        worked, message = self.press(airflow_stack, emulator, password=DEMO_KEY)
        assert worked
        assert "read-only" in message

    def test_a_rejected_key(self, airflow_stack, emulator):
        worked, message = self.press(airflow_stack, emulator, password="not-a-key")
        assert not worked
        assert "Invalid API Key" in message

    def test_an_account_without_access(self, airflow_stack, emulator):
        worked, message = self.press(airflow_stack, emulator, password="no-access")
        assert not worked
        assert "no access to the API" in message

    def test_a_base_url_without_its_path(self, airflow_stack, emulator):
        worked, message = self.press(airflow_stack, emulator, host=emulator.base_url.removesuffix("/api/v1"))
        assert not worked
        assert "full base URL" in message

    def test_an_unreachable_host(self, airflow_stack, emulator):
        worked, message = self.press(airflow_stack, emulator, host="http://127.0.0.1:9/api/v1")
        assert not worked
        assert "unreachable" in message

    def test_it_costs_nothing(self, airflow_stack, emulator):
        before = emulator.ledger()["submissionCount"]
        self.press(airflow_stack, emulator)
        assert emulator.ledger()["submissionCount"] == before
