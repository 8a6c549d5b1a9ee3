"""What people do to a running task, and to its connection, on a real Airflow; the ledger is the referee."""

from __future__ import annotations

import json

import pytest

from seedance_provider.emulator.settings import DEFAULT_KEY
from tests.support.scripted_api import ANY_TIME
from tools.emulator_process import EmulatorProcess
from tools.waiting import wait_until

DAG = """
from datetime import timedelta

from airflow.sdk import DAG

from seedance_provider.operators.seedance import CreateVideoOperator

SETTINGS = {
    "duration": 4,
    "poll_interval": 1,
    "retries": 1,
    "retry_delay": timedelta(seconds=1),
    "prompt": "{{ run_id }}",
    "seedance_conn_id": "{{ dag_run.conf['connection'] }}",
}

with DAG(dag_id="trouble_deferred", schedule=None):
    CreateVideoOperator(task_id="create", **SETTINGS)

with DAG(dag_id="trouble_in_worker", schedule=None):
    CreateVideoOperator(task_id="create", deferrable=False, **SETTINGS)

with DAG(dag_id="trouble_impatient", schedule=None):
    CreateVideoOperator(task_id="create", error_tolerance=1, **SETTINGS | {"retries": 0})
"""
BOTH_WAYS = pytest.mark.parametrize("dag_id", ["trouble_deferred", "trouble_in_worker"])


@pytest.fixture(scope="module")
def patient_emulator(tmp_path_factory):
    """An emulator that leaves about 15 seconds to do something while it generates a video."""
    with EmulatorProcess(tmp_path_factory.mktemp("patient"), generation_seconds=15) as running:
        yield running


@pytest.fixture(scope="module")
def airflow(airflow_stack, dags_folder, emulator):
    (dags_folder / "troubles.py").write_text(DAG)
    for dag_id in ("trouble_deferred", "trouble_in_worker", "trouble_impatient"):
        airflow_stack.wait_for_dag(dag_id)
        airflow_stack.unpause(dag_id)
    # A triggerer that looks up a connection for the first time loads Airflow's API for that: on a busy machine it takes
    # longer than the videos of these tests.
    create_connection(airflow_stack, "first", emulator)
    run_id = airflow_stack.trigger("trouble_deferred", conf={"connection": "first"})
    assert airflow_stack.wait_for_run("trouble_deferred", run_id)["state"] == "success"
    return airflow_stack


def create_connection(airflow, connection_id, emulator):
    airflow.call("POST", "/connections", json=filled(connection_id, emulator.base_url))


def filled(connection_id, host, key=DEFAULT_KEY):
    """A connection of which the video is polled from the beginning."""
    fields = {"connection_id": connection_id, "conn_type": "seedance", "host": host, "password": key}
    return fields | {"extra": json.dumps({"typical_seconds": ANY_TIME})}


@pytest.fixture
def connection(airflow, patient_emulator, request):
    """A connection that a test may change and delete, with a key that works; the value is its id."""
    connection_id = request.node.name.replace("[", "_").replace("]", "")
    create_connection(airflow, connection_id, patient_emulator)
    yield connection_id
    airflow.request("DELETE", f"/connections/{connection_id}")


def start(airflow, emulator, dag_id, connection):
    """Return a run whose video is paid for and being waited for."""
    run_id = airflow.trigger(dag_id, conf={"connection": connection})
    wait_until(lambda: "is generating" in log(airflow, dag_id, run_id), timeout=180, what="a poll of the video")
    return run_id


def log(airflow, dag_id, run_id, try_number=1):
    return airflow.task_log(dag_id, run_id, "create", try_number=try_number)


def instance(airflow, dag_id, run_id):
    (create,) = airflow.task_instances(dag_id, run_id)
    return create


def submissions(emulator, run_id):
    return [entry for entry in emulator.ledger()["submissions"] if entry["prompt"] == run_id]


def put_password(airflow, connection, host, key):
    airflow.call("PATCH", f"/connections/{connection}", json=filled(connection, host, key))


@BOTH_WAYS
def test_a_key_that_is_rotated_is_taken_over_as_soon_as_the_connection_has_it(
    airflow, patient_emulator, connection, dag_id
):
    run_id = start(airflow, patient_emulator, dag_id, connection)
    patient_emulator.rotate_key(DEFAULT_KEY, "the-new-key")
    try:
        wait_until(lambda: "HTTP 401" in log(airflow, dag_id, run_id), timeout=180, what="a refusal of the old key")
        put_password(airflow, connection, patient_emulator.base_url, "the-new-key")
        airflow.wait_for_run(dag_id, run_id)
    finally:
        patient_emulator.rotate_key("the-new-key", DEFAULT_KEY)

    create = instance(airflow, dag_id, run_id)
    assert (create["state"], create["try_number"]) == ("success", 1)
    assert len(submissions(patient_emulator, run_id)) == 1
    assert DEFAULT_KEY not in log(airflow, dag_id, run_id)
    assert "the-new-key" not in log(airflow, dag_id, run_id)


def test_a_connection_that_is_deleted_for_a_while_is_waited_for(airflow, patient_emulator, connection):
    dag_id = "trouble_deferred"
    run_id = start(airflow, patient_emulator, dag_id, connection)
    airflow.request("DELETE", f"/connections/{connection}")
    # A triggerer that has the connection needs no other: this one has to look it up.
    airflow.restart("triggerer")
    wait_until(lambda: "There is no connection" in log(airflow, dag_id, run_id), timeout=180, what="a poll without one")
    create_connection(airflow, connection, patient_emulator)

    airflow.wait_for_run(dag_id, run_id)
    create = instance(airflow, dag_id, run_id)
    assert (create["state"], create["try_number"]) == ("success", 1)
    assert len(submissions(patient_emulator, run_id)) == 1


def test_after_the_tolerance_a_clear_re_attaches(airflow, patient_emulator, connection):
    dag_id = "trouble_impatient"
    run_id = start(airflow, patient_emulator, dag_id, connection)
    patient_emulator.rotate_key(DEFAULT_KEY, "the-new-key")
    try:
        assert airflow.wait_for_run(dag_id, run_id)["state"] == "failed"
        (submission,) = submissions(patient_emulator, run_id)
        assert submission["taskId"] in log(airflow, dag_id, run_id)
        put_password(airflow, connection, patient_emulator.base_url, "the-new-key")
        airflow.clear(dag_id, run_id, ["create"])
        assert airflow.wait_for_run(dag_id, run_id)["state"] == "success"
    finally:
        patient_emulator.rotate_key("the-new-key", DEFAULT_KEY)
    assert len(submissions(patient_emulator, run_id)) == 1


@BOTH_WAYS
def test_a_person_who_ends_the_task_hears_what_becomes_of_the_video(airflow, patient_emulator, connection, dag_id):
    run_id = start(airflow, patient_emulator, dag_id, connection)
    path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/create"
    airflow.call("PATCH", path, json={"new_state": "failed"})

    (submission,) = submissions(patient_emulator, run_id)
    said = f"Video task {submission['taskId']} continues at the API, which can't cancel it; about 160 credits"
    wait_until(lambda: said in log(airflow, dag_id, run_id), timeout=180, what="what becomes of the video")
    airflow.clear(dag_id, run_id, ["create"])
    assert airflow.wait_for_run(dag_id, run_id)["state"] == "success"
    assert len(submissions(patient_emulator, run_id)) == 1
