"""Metrics as a real Airflow sends them, from its workers, to a statsd back end."""

from __future__ import annotations

import pytest

DAG = """
from datetime import timedelta

from airflow.sdk import DAG

from seedance_provider.operators.seedance import CreateVideoOperator

OPTIONS = {"seedance_conn_id": "metered", "duration": 4, "poll_interval": 1}
RETRIES = {"retries": 2, "retry_delay": timedelta(seconds=1)}

with DAG(dag_id="metered", schedule=None):
    CreateVideoOperator(task_id="passing", prompt="[fail:server_error:1] {{ run_id }}", **OPTIONS, **RETRIES)
    CreateVideoOperator(task_id="lasting", prompt="[fail:text_moderation] {{ run_id }}", **OPTIONS, **RETRIES)
"""


@pytest.fixture(scope="module")
def heard(airflow_stack, dags_folder, statsd):
    """The metrics of one run: a video that succeeds at its second try, and one that never does."""
    (dags_folder / "metered.py").write_text(DAG)
    airflow_stack.wait_for_dag("metered")
    airflow_stack.unpause("metered")
    # Nobody has listened to the tests before this one.
    statsd.received()
    airflow_stack.wait_for_run("metered", airflow_stack.trigger("metered"))
    return [metric for metric in statsd.received() if metric.tags.get("conn_id") == "metered"]


def counted(heard, name: str) -> list[float]:
    return [metric.value for metric in heard if metric.name == name]


def test_every_video_is_counted_once_and_failures_have_their_reason(heard):
    assert counted(heard, "seedance.video.created") == [1, 1, 1]
    assert counted(heard, "seedance.video.succeeded") == [1]
    assert counted(heard, "seedance.credits.used") == [160]
    failed = [metric.tags["reason"] for metric in heard if metric.name == "seedance.video.failed"]
    assert sorted(failed) == ["server_error", "text_moderation"]


def test_times_are_in_milliseconds(heard):
    (generation,) = counted(heard, "seedance.video.generation_time")
    assert 2_000 < generation < 10_000


def test_no_tag_tells_one_video_from_another(heard):
    assert {frozenset(metric.tags) - {"reason"} for metric in heard} == {frozenset({"model", "conn_id"})}
