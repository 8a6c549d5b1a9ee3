"""Limits on spending, in a real Airflow whose mapped tasks ask at the same moment."""

from __future__ import annotations

import pytest

from tests.support.airflow_versions import needs_task_loops

DAG = """
from airflow.sdk import DAG

from seedance_provider.operators.seedance import CreateVideoOperator

VIDEO = {"duration": 4, "resolution": "480p", "poll_interval": 1}  # 60 credits

with DAG(dag_id="run_budget", schedule=None, default_args={"max_credits_per_run": 200}):
    CreateVideoOperator.partial(task_id="create", **VIDEO).expand(prompt=[f"run budget {n}" for n in range(6)])

with DAG(dag_id="too_expensive", schedule=None):
    CreateVideoOperator(task_id="create", prompt="too expensive", max_credits=59, retries=3, **VIDEO)
    CreateVideoOperator(task_id="create_2", prompt="too expensive", seedance_conn_id="thrifty", retries=3, **VIDEO)

with DAG(dag_id="settling", schedule=None):
    CreateVideoOperator(
        task_id="create",
        prompt="settling",
        model="seedance2-5",
        reference_videos=["https://media.example/walk.mp4"],
        reference_video_seconds=5,
        **VIDEO,
    )
"""
LOOP = """
from airflow.sdk import DAG, task_group

from seedance_provider.operators.seedance import CreateVideoOperator

VIDEO = {"duration": 4, "resolution": "480p", "poll_interval": 1, "max_credits_per_run": 320}  # 60 credits

with DAG(dag_id="loop_budget", schedule=None):

    @task_group
    def again():
        first = CreateVideoOperator(task_id="first", prompt="loop budget: first", **VIDEO)
        first >> CreateVideoOperator.partial(task_id="further", trigger_rule="all_done", **VIDEO).expand(
            prompt=["loop budget: second"]
        )

    before = CreateVideoOperator(task_id="before", prompt="loop budget: before", **VIDEO)
    after = CreateVideoOperator(task_id="after", prompt="loop budget: after", trigger_rule="all_done", **VIDEO)
    before >> again.loop(max_iterations=3) >> after
"""
DAG_IDS = ("run_budget", "too_expensive", "settling")


@pytest.fixture(scope="module")
def runs(airflow_stack, dags_folder):
    (dags_folder / "spending.py").write_text(DAG)
    return airflow_stack.run_each(DAG_IDS)


def submissions(emulator, words):
    return [entry for entry in emulator.ledger()["submissions"] if entry["prompt"].startswith(words)]


def test_the_budget_of_a_run_holds_over_mapped_tasks(airflow_stack, emulator, runs):
    instances = airflow_stack.task_instances("run_budget", runs["run_budget"])
    states = [instance["state"] for instance in instances]
    assert sorted(states) == ["failed"] * 3 + ["success"] * 3
    assert [entry["credits"] for entry in submissions(emulator, "run budget")] == [60] * 3
    refused = next(instance for instance in instances if instance["state"] == "failed")
    log = airflow_stack.task_log(
        "run_budget", runs["run_budget"], "create", try_number=1, map_index=refused["map_index"]
    )
    assert "(max_credits_per_run=200) is used up: its other videos hold 180 credits" in log


@pytest.mark.parametrize(
    ("task_id", "limit"), [("create", "max_credits allows 59"), ("create_2", "max_credits of 'thrifty' allows 50")]
)
def test_a_video_that_is_too_expensive_is_refused_at_once(airflow_stack, emulator, runs, task_id, limit):
    instances = airflow_stack.task_instances("too_expensive", runs["too_expensive"])
    instance = next(instance for instance in instances if instance["task_id"] == task_id)
    assert (instance["state"], instance["try_number"]) == ("failed", 1)
    assert limit in airflow_stack.task_log("too_expensive", runs["too_expensive"], task_id, try_number=1)
    assert submissions(emulator, "too expensive") == []


def test_credits_that_settle_are_reported_as_they_have_settled(airflow_stack, emulator, runs):
    video = airflow_stack.xcom("settling", runs["settling"], "create")
    # 16 credits for each of the 4 seconds that are made, and of the 5 that the emulator takes the source to have.
    assert (video["credits_used"], video["estimated_credits"]) == (144, 144)
    (entry,) = submissions(emulator, "settling")
    assert (entry["credits"], entry["creditsCharged"]) == (64, 144)


@pytest.mark.every_airflow
@needs_task_loops
def test_the_budget_of_a_run_holds_over_the_iterations_of_a_loop(airflow_stack, dags_folder, emulator):
    (dags_folder / "loop_budget.py").write_text(LOOP)
    airflow_stack.run_each(["loop_budget"])
    # Neither the third iteration nor what comes after the loop has any left.
    made = [entry["prompt"].removeprefix("loop budget: ") for entry in submissions(emulator, "loop budget")]
    assert made == ["before", "first", "second", "first", "second"]
