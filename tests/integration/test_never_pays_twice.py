"""Workers that die at the worst moments, on a real Airflow; the emulator's ledger is the referee."""

from __future__ import annotations

import pytest

from tools.waiting import wait_until

DAG = '''
import os
import signal
from datetime import timedelta

from airflow.sdk import DAG, get_current_context

from seedance_provider.operators.seedance import CreateVideoOperator
from seedance_provider.submission.record import Submission


def die_at_the_first_try():
    if get_current_context()["ti"].try_number == 1:
        os.kill(os.getpid(), signal.SIGKILL)


class LosesItsWorker(CreateVideoOperator):
    """The video is paid for, and the process that supervises the task dies with it: the machine is gone."""

    def defer(self, **arguments):
        if get_current_context()["ti"].try_number == 1:
            os.kill(os.getppid(), signal.SIGKILL)
        die_at_the_first_try()
        super().defer(**arguments)


class DiesBeforeRecording(CreateVideoOperator):
    """The video is paid for, and nobody knows its id."""

    def execute(self, context):
        accepted = Submission.accepted
        Submission.accepted = lambda record, task_id: (die_at_the_first_try(), accepted(record, task_id))[1]
        return super().execute(context)


class DiesAfterResuming(CreateVideoOperator):
    """The video is there, and Airflow does not know yet."""

    def execute_complete(self, context, event):
        result = super().execute_complete(context, event)
        die_at_the_first_try()
        return result


RETRIES = {"retries": 2, "retry_delay": timedelta(seconds=1), "poll_interval": 1}

for operator in (LosesItsWorker, DiesBeforeRecording, DiesAfterResuming):
    name = operator.__name__
    with DAG(dag_id=name, schedule=None):
        operator(task_id="create", prompt=name + " {{ run_id }}", duration=4, **RETRIES)

for name, marker in {"passing": "[fail:server_error:1]", "lasting": "[fail:text_moderation]"}.items():
    with DAG(dag_id=name + "_failure", schedule=None):
        CreateVideoOperator(task_id="create", prompt=marker + " {{ run_id }}", duration=4, **RETRIES)

with DAG(dag_id="lost_triggerer", schedule=None):
    CreateVideoOperator(task_id="create", prompt="lost {{ run_id }}", duration=4, seedance_conn_id="slow", **RETRIES)

with DAG(dag_id="full_account", schedule=None):
    CreateVideoOperator.partial(task_id="create", seedance_conn_id="small", duration=4, **RETRIES).expand(
        prompt=[f"full {number} {{{{ run_id }}}}" for number in range(5)]
    )
'''
DAG_IDS = [
    "LosesItsWorker",
    "DiesBeforeRecording",
    "DiesAfterResuming",
    "passing_failure",
    "lasting_failure",
    "full_account",
]


@pytest.fixture(scope="module")
def runs(airflow_stack, dags_folder):
    """One run of every DAG, started together and waited for."""
    (dags_folder / "never_pays_twice.py").write_text(DAG)
    return airflow_stack.run_each(DAG_IDS)


def submissions(referee, run_id: str, word: str) -> list[dict]:
    """What was accepted for a run."""
    listed = referee.ledger()["submissions"]
    return [submission for submission in listed if run_id in submission["prompt"] and word in submission["prompt"]]


def instances(airflow_stack, runs, dag_id: str) -> list[dict]:
    return airflow_stack.task_instances(dag_id, runs[dag_id])


@pytest.mark.parametrize("dag_id", ["LosesItsWorker", "DiesAfterResuming"])
def test_a_killed_worker_pays_once_and_its_retry_delivers(airflow_stack, emulator, runs, dag_id):
    (instance,) = instances(airflow_stack, runs, dag_id)
    assert (instance["state"], instance["try_number"]) == ("success", 2)
    (submission,) = submissions(emulator, runs[dag_id], dag_id)
    assert airflow_stack.xcom(dag_id, runs[dag_id], "create")["video_task_id"] == submission["taskId"]


def test_a_worker_killed_before_the_id_was_recorded_pays_once_and_a_person_is_told(airflow_stack, emulator, runs):
    dag_id = "DiesBeforeRecording"
    (instance,) = instances(airflow_stack, runs, dag_id)
    # Two of three tries: the second one fails for good.
    assert (instance["state"], instance["try_number"]) == ("failed", 2)
    (submission,) = submissions(emulator, runs[dag_id], dag_id)
    # The id was in the log before the worker died, so the paid video can be found.
    assert submission["taskId"] in airflow_stack.task_log(dag_id, runs[dag_id], "create", try_number=1)
    said = airflow_stack.task_log(dag_id, runs[dag_id], "create", try_number=2)
    assert "It is unknown whether a video was paid for: a request of about 160 credits" in said


def test_a_passing_failure_is_submitted_again_and_only_one_is_charged(airflow_stack, emulator, runs):
    (instance,) = instances(airflow_stack, runs, "passing_failure")
    assert (instance["state"], instance["try_number"]) == ("success", 2)
    charged = [submission["creditsCharged"] for submission in submissions(emulator, runs["passing_failure"], "fail")]
    assert charged == [0, 160]


def test_a_lasting_failure_is_not_retried(airflow_stack, emulator, runs):
    (instance,) = instances(airflow_stack, runs, "lasting_failure")
    assert (instance["state"], instance["try_number"]) == ("failed", 1)
    assert len(submissions(emulator, runs["lasting_failure"], "fail")) == 1
    assert "Revise the prompt" in airflow_stack.task_log("lasting_failure", runs["lasting_failure"], "create")


def test_a_full_account_is_waited_for_without_using_up_retries(airflow_stack, small_emulator, runs):
    done = instances(airflow_stack, runs, "full_account")
    assert [(instance["state"], instance["try_number"]) for instance in done] == [("success", 1)] * 5
    assert len(submissions(small_emulator, runs["full_account"], "full")) == 5


def test_a_triggerer_that_is_killed_while_it_waits_changes_nothing(airflow_stack, slow_emulator, runs):
    dag_id = "lost_triggerer"
    run_id = airflow_stack.start_run(dag_id)

    def is_deferred() -> bool:
        return airflow_stack.task_instances(dag_id, run_id)[0]["state"] == "deferred"

    wait_until(is_deferred, timeout=180, what="the deferral")
    airflow_stack.kill("triggerer")
    airflow_stack.restart("triggerer")
    airflow_stack.wait_for_run(dag_id, run_id)
    (instance,) = airflow_stack.task_instances(dag_id, run_id)
    assert (instance["state"], instance["try_number"]) == ("success", 1)
    assert len(submissions(slow_emulator, run_id, "lost")) == 1
    assert "is generating" in airflow_stack.task_log(dag_id, run_id, "create")


class TestClear:
    def clear(self, airflow_stack, runs, dag_id: str) -> dict:
        airflow_stack.clear(dag_id, runs[dag_id], ["create"])
        airflow_stack.wait_for_run(dag_id, runs[dag_id])
        (instance,) = instances(airflow_stack, runs, dag_id)
        return instance

    def test_after_success_it_returns_the_video_that_was_paid_for(self, airflow_stack, emulator, runs):
        before = airflow_stack.xcom("DiesAfterResuming", runs["DiesAfterResuming"], "create")
        assert self.clear(airflow_stack, runs, "DiesAfterResuming")["state"] == "success"
        assert airflow_stack.xcom("DiesAfterResuming", runs["DiesAfterResuming"], "create") == before
        assert len(submissions(emulator, runs["DiesAfterResuming"], "Dies")) == 1

    def test_after_an_unknown_outcome_it_is_the_decision_to_pay(self, airflow_stack, emulator, runs):
        assert self.clear(airflow_stack, runs, "DiesBeforeRecording")["state"] == "success"
        assert len(submissions(emulator, runs["DiesBeforeRecording"], "Dies")) == 2

    def test_after_a_lasting_failure_it_submits_anew(self, airflow_stack, emulator, runs):
        assert self.clear(airflow_stack, runs, "lasting_failure")["state"] == "failed"
        assert len(submissions(emulator, runs["lasting_failure"], "fail")) == 2
