"""What an author of a DAG gets, and what he is told on an Airflow that has no retry policies."""

from __future__ import annotations

import pickle
import sys
from datetime import timedelta

import pytest
from airflow.sdk import DAG

from seedance_provider.operators.seedance import CreateVideoOperator
from seedance_provider.retry_policy import seedance_retry_policy
from tests.support.airflow_versions import HAS_STATE_STORE, needs_retry_policies

if HAS_STATE_STORE:
    from airflow.serialization.serialized_objects import DagSerialization

    from seedance_provider.submission.retry_decisions import SeedanceRetryPolicy


@needs_retry_policies
def test_seconds_and_timedeltas_are_the_same():
    minute = timedelta(minutes=1)
    assert seedance_retry_policy(
        delay=minute, slot_delay=minute, longest_delay=minute, longest_wait=minute
    ) == seedance_retry_policy(delay=60, slot_delay=60, longest_delay=60, longest_wait=60)


@needs_retry_policies
@pytest.mark.parametrize("name", ["delay", "slot_delay", "longest_delay", "longest_wait"])
@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), timedelta(seconds=-1)])
def test_a_pause_that_cannot_be_is_refused(name, value):
    with pytest.raises(ValueError, match=rf"^{name} is .*, and a number of seconds from 0 is needed\.$"):
        seedance_retry_policy(**{name: value})


def test_an_airflow_without_retry_policies_is_told_what_to_do(monkeypatch):
    # What Python does for a module that does not exist.
    monkeypatch.setitem(sys.modules, "airflow.sdk.definitions.retry_policy", None)
    with pytest.raises(RuntimeError, match=r"needs Airflow 3\.3 or newer.*Leave out retry_policy"):
        seedance_retry_policy()


@needs_retry_policies
def test_it_survives_pickling_and_its_own_form():
    policy = seedance_retry_policy(delay=1)
    assert pickle.loads(pickle.dumps(policy)) == policy  # noqa: S301 - our own
    assert SeedanceRetryPolicy.deserialize(policy.serialize()) == policy


@needs_retry_policies
def test_a_dag_with_it_can_be_serialized_also_when_mapped():
    with DAG("with_policy", schedule=None) as dag:
        CreateVideoOperator(task_id="one", prompt="A kite", retry_policy=seedance_retry_policy())
        CreateVideoOperator.partial(task_id="many", retry_policy=seedance_retry_policy()).expand(prompt=["A", "B"])
    tasks = DagSerialization.to_dict(dag)["dag"]["tasks"]
    assert all("retry_policy" in str(task) for task in tasks)
