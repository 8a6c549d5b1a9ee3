"""The vendor's sample tasks, read with its demo key by the sensor, in every way to wait."""

from __future__ import annotations

import pytest

DAG = """
from datetime import timedelta

from airflow.sdk import DAG

from seedance_provider.sensors.seedance import VideoSensor

SAMPLES = ["t2v_success", "i2v_success", "fail_text_moderation", "fail_face_detected", "fail_server_error"]
WAYS = {"deferred": {}, "poke": {"deferrable": False}, "reschedule": {"deferrable": False, "mode": "reschedule"}}

with DAG(dag_id="samples", schedule=None, default_args={"retries": 2, "retry_delay": timedelta(seconds=1)}):
    for sample in SAMPLES:
        VideoSensor(task_id=sample, video_task_id=f"demo_task_{sample}", seedance_conn_id="demo_key")
    for way, arguments in WAYS.items():
        VideoSensor(
            task_id=f"succeeds_{way}",
            video_task_id="demo_task_t2v_success",
            seedance_conn_id="demo_key",
            **arguments,
        )
        VideoSensor(
            task_id=f"skipped_{way}",
            video_task_id="demo_task_fail_face_detected",
            seedance_conn_id="demo_key",
            soft_fail=True,
            **arguments,
        )
"""


@pytest.fixture(scope="module")
def run(airflow_stack, dags_folder):
    (dags_folder / "samples.py").write_text(DAG)
    run_id = airflow_stack.start_run("samples")
    airflow_stack.wait_for_run("samples", run_id)
    return {instance["task_id"]: instance for instance in airflow_stack.task_instances("samples", run_id)}


@pytest.mark.parametrize("task_id", ["t2v_success", "i2v_success"])
def test_a_finished_sample_is_returned(airflow_stack, run, task_id):
    assert run[task_id]["state"] == "success"
    result = airflow_stack.xcom("samples", run[task_id]["dag_run_id"], task_id)
    assert result["video_task_id"] == f"demo_task_{task_id}"
    assert result["video_url"].endswith(".mp4")


@pytest.mark.parametrize(
    ("task_id", "said"),
    [
        ("fail_text_moderation", "Revise the prompt"),
        ("fail_face_detected", "without human faces"),
        ("fail_server_error", "Submitting it again is safe"),
    ],
)
def test_a_failed_sample_ends_the_task_at_once_with_the_reason(airflow_stack, run, task_id, said):
    assert (run[task_id]["state"], run[task_id]["try_number"]) == ("failed", 1)
    assert said in airflow_stack.task_log("samples", run[task_id]["dag_run_id"], task_id)


@pytest.mark.parametrize("way", ["deferred", "poke", "reschedule"])
def test_every_way_to_wait_comes_to_the_same(run, way):
    assert run[f"succeeds_{way}"]["state"] == "success"
    assert run[f"skipped_{way}"]["state"] == "skipped"
