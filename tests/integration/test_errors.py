"""How often a real Airflow tries after every documented error; the ledger of the emulator is the referee."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from seedance_provider.api.errors import Verdict
from seedance_provider.api.task_failures import classify_failure
from seedance_provider.emulator.failures import FAILURES
from seedance_provider.emulator.faults import FAULTS
from seedance_provider.emulator.refusals import REFUSALS
from tools.emulator_process import EmulatorProcess

DAG_ID = "every_error"
FAILING = [f"plain [fail:{name}]" for name in FAILURES]
REFUSED = [f"plain <{name}>" for name in REFUSALS if "createTask" in FAULTS[name].places]
PLAIN = [*FAILING, *REFUSED]
WITH_POLICY = [
    "policy [fail:text_moderation]",
    "policy [fail:extension_parameters]",
    "policy [fail:backend_error:1]",
    "policy <rate_limited>",
]
OWN = ["own <lost>", "own <expired_key>", "own <late>"]

DAG = f"""
from datetime import timedelta

from airflow.sdk import DAG, task

from seedance_provider.api.video_request import VideoRequest
from seedance_provider.hooks.seedance import SeedanceHook
from seedance_provider.operators.seedance import CreateVideoOperator
from seedance_provider.retry_policy import seedance_retry_policy

RETRIES = {{"retries": 2, "retry_delay": timedelta(seconds=1)}}
SETTINGS = {{"seedance_conn_id": "errors", "duration": 4, "resolution": "720p"}}
POLICY = seedance_retry_policy(delay=1, longest_delay=1)

with DAG(dag_id={DAG_ID!r}, schedule=None, max_active_tasks=32):
    CreateVideoOperator.partial(
        task_id="plain", deferrable=False, poll_interval=0.2, error_tolerance=1, **SETTINGS, **RETRIES
    ).expand(prompt={PLAIN!r})
    # These defer. On a busy machine Airflow's scheduler takes seconds to hear of that, and fails what resumes before.
    CreateVideoOperator.partial(
        task_id="with_policy", retry_policy=POLICY, poll_interval=3, **SETTINGS, **RETRIES
    ).expand(prompt={WITH_POLICY!r})

    @task(retry_policy=POLICY, **RETRIES)
    def own(prompt):
        with SeedanceHook("errors").get_conn() as client:
            return client.create_task(VideoRequest(prompt=prompt, duration=4, resolution="720p"))

    own.expand(prompt={OWN!r})
"""


#: What the emulator refuses only once; anything else stays as it is.
ONCE = {"plain <concurrency_limit>", "plain <rate_limited>", "policy <rate_limited>", "own <late>"}
FAULT_OF = {"own <lost>": "reset_after", "own <late>": "internal_error"}


def rule(prompt):
    fault = FAULT_OF.get(prompt, prompt.partition("<")[2].removesuffix(">"))
    return {"fault": fault, "on": "createTask", "prompt": prompt, "count": 1 if prompt in ONCE else 1000}


@pytest.fixture(scope="module")
def referee(tmp_path_factory):
    """An emulator that finishes a video in no time, and refuses what the prompts ask for."""
    with EmulatorProcess(tmp_path_factory.mktemp("errors"), waiting_seconds=0, generation_seconds=0.1) as running:
        running.set_faults([rule(prompt) for prompt in (*REFUSED, *WITH_POLICY, *OWN) if "<" in prompt])
        yield running


@pytest.fixture(scope="module")
def outcomes(airflow_stack, dags_folder, referee):
    """State and number of tries of every task, by its id and its prompt, after one run of all of them."""
    connection = json.loads(referee.connection)
    body = connection | {"connection_id": "errors", "extra": json.dumps(connection["extra"])}
    airflow_stack.call("POST", "/connections", json=body)
    (dags_folder / "every_error.py").write_text(DAG)
    run_id = airflow_stack.start_run(DAG_ID)
    airflow_stack.wait_for_run(DAG_ID, run_id)
    prompts = {"plain": PLAIN, "with_policy": WITH_POLICY, "own": OWN}
    return {
        (instance["task_id"], prompts[instance["task_id"]][instance["map_index"]]): (
            instance["state"],
            instance["try_number"],
        )
        for instance in airflow_stack.task_instances(DAG_ID, run_id)
    }


@pytest.fixture(scope="module")
def accepted(referee, outcomes):
    """How many videos were accepted for every prompt."""
    return Counter(submission["prompt"] for submission in referee.ledger()["submissions"])


@pytest.mark.parametrize("prompt", FAILING)
def test_a_failed_video_is_tried_again_only_if_the_service_failed(outcomes, accepted, prompt):
    failure = FAILURES[prompt.removeprefix("plain [fail:").removesuffix("]")]
    passing = classify_failure(failure.message, failure.code).error_class.create_verdict is Verdict.TRANSIENT
    tries = 3 if passing else 1
    assert outcomes["plain", prompt] == ("failed", tries)
    assert accepted[prompt] == tries


@pytest.mark.parametrize("prompt", REFUSED)
def test_a_refusal_is_tried_again_only_if_it_passes(outcomes, accepted, prompt):
    expected = {
        # Waiting for a slot, or for an API that is back within the tolerance, is no try.
        "plain <concurrency_limit>": ("success", 1),
        "plain <rate_limited>": ("success", 1),
        "plain <internal_error>": ("failed", 3),
    }.get(prompt, ("failed", 1))
    assert outcomes["plain", prompt] == expected
    assert accepted[prompt] == (expected[0] == "success")


def test_with_the_policy(outcomes, accepted):
    assert {prompt: outcomes["with_policy", prompt] for prompt in WITH_POLICY} == {
        "policy [fail:text_moderation]": ("failed", 1),
        # As the vendor says: once more. Without the policy it is as often as there are retries.
        "policy [fail:extension_parameters]": ("failed", 2),
        "policy [fail:backend_error:1]": ("success", 2),
        "policy <rate_limited>": ("success", 1),
    }
    assert accepted["policy [fail:extension_parameters]"] == 2


def test_the_policy_keeps_a_task_of_ones_own_from_paying_twice(outcomes, accepted):
    assert {prompt: outcomes["own", prompt] for prompt in OWN} == {
        "own <lost>": ("failed", 1),
        "own <expired_key>": ("failed", 1),
        "own <late>": ("success", 2),
    }
    assert (accepted["own <lost>"], accepted["own <expired_key>"], accepted["own <late>"]) == (1, 0, 1)


def test_no_failed_video_was_charged(referee, outcomes):
    assert outcomes
    charged = {entry["status"] for entry in referee.ledger()["submissions"] if entry["creditsCharged"]}
    assert charged == {"success"}
