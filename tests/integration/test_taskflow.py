"""``@task.seedance_video`` in a real Airflow: mapped, deferred, retried."""

from __future__ import annotations

import pytest

DAG = '''
import os, signal, uuid
from datetime import timedelta

from airflow.sdk import DAG, task

RETRIES = {"retries": 2, "retry_delay": timedelta(seconds=1), "poll_interval": 1}

with DAG(dag_id="taskflow_mapped", schedule=None):

    @task.seedance_video(duration=4, resolution="480p", poll_interval=1)
    def create(subject, run_id=None):
        return {"prompt": f"taskflow {subject} {run_id}", "aspect_ratio": "1:1"}

    @task
    def used(videos):
        return [video["credits_used"] for video in videos]

    used(create.expand(subject=["kite", "boat"]))

with DAG(dag_id="taskflow_never_the_same", schedule=None):

    @task.seedance_video(duration=4, resolution="480p", **RETRIES)
    def create_once(ti=None):
        return f"never the same {uuid.uuid4()}"

    class DiesAfterResuming(type(create_once().operator)):
        """The try that hears of the video is killed, so that another one follows."""

        def execute_complete(self, context, event):
            if context["ti"].try_number == 1:
                os.kill(os.getpid(), signal.SIGKILL)
            return super().execute_complete(context, event)

    create_once.operator_class = DiesAfterResuming
    create_once.override(task_id="create_twice")()
'''
DAG_IDS = ("taskflow_mapped", "taskflow_never_the_same")


@pytest.fixture(scope="module")
def runs(airflow_stack, dags_folder):
    (dags_folder / "taskflow.py").write_text(DAG)
    return airflow_stack.run_each(DAG_IDS)


def submissions(emulator, words):
    return [entry for entry in emulator.ledger()["submissions"] if words in entry["prompt"]]


def test_each_mapped_task_makes_its_video_and_hands_it_on(airflow_stack, emulator, runs):
    run_id = runs["taskflow_mapped"]
    made = submissions(emulator, f" {run_id}")
    assert sorted(entry["prompt"].split()[1] for entry in made) == ["boat", "kite"]
    assert {(entry["width"], entry["height"]) for entry in made} == {(640, 640)}
    assert airflow_stack.xcom("taskflow_mapped", run_id, "used") == [60, 60]


def test_what_the_function_returned_is_shown(airflow_stack, runs):
    run_id = runs["taskflow_mapped"]
    instances = airflow_stack.task_instances("taskflow_mapped", run_id)
    rendered = [instance["rendered_fields"]["prompt"] for instance in instances if instance["task_id"] == "create"]
    assert sorted(rendered) == [f"taskflow boat {run_id}", f"taskflow kite {run_id}"]


def test_a_retry_asks_for_the_video_that_is_paid_for(airflow_stack, emulator, runs):
    run_id = runs["taskflow_never_the_same"]
    instances = airflow_stack.task_instances("taskflow_never_the_same", run_id)
    tries = {instance["task_id"]: (instance["state"], instance["try_number"]) for instance in instances}
    assert tries == {"create_once": ("success", 1), "create_twice": ("success", 2)}
    assert len(submissions(emulator, "never the same")) == 2
