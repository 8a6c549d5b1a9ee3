"""``@task.seedance_video``, by hand: what a real Airflow does with it is in the integration tests."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, TaskDeferred
from airflow.sdk import DAG

from seedance_provider.decorators.seedance import seedance_video_task
from seedance_provider.operators.seedance import CreateVideoOperator
from tests.support.scripted_api import Answer, record
from tests.support.task_context import StateStore, context

pytestmark = pytest.mark.usefixtures("seedance_default")

CREATED = Answer(body={"taskId": "task_a"})


def made(function, **options):
    """The operator that Airflow runs for a decorated function."""
    with DAG("d", schedule=None):
        return seedance_video_task(**options)(function)().operator


def deferred(call, *arguments, **kwargs):
    with pytest.raises(TaskDeferred) as caught:
        call(*arguments, **kwargs)
    return caught.value


def test_it_is_the_operator_and_its_task_is_named_after_the_function():
    def a_kite():
        return "A kite"

    operator = made(a_kite, duration=4)
    assert isinstance(operator, CreateVideoOperator)
    assert (operator.task_id, operator.duration) == ("a_kite", 4)
    assert set(CreateVideoOperator.template_fields) < set(operator.template_fields)


@pytest.mark.parametrize("returned", ["A kite", {"prompt": "A kite", "duration": 4, "seed": 7}])
def test_what_it_returns_is_what_is_asked_for(api, returned):
    api.creations.append(CREATED)
    operator = made(lambda: returned, task_id="create", duration=6)
    deferred(operator.execute, context(StateStore()))
    (asked,) = api.created
    inputs = asked.json["inputs"]
    assert inputs["prompt"] == operator.prompt == "A kite"
    assert inputs["duration"] == ("6s" if returned == "A kite" else 4)


def test_a_retry_re_attaches_though_the_function_would_return_something_else(api):
    prompts, store = iter(["A kite", "A boat"]), StateStore()
    api.creations.append(CREATED)
    api.readings.append(Answer(body=record("generating")))
    deferred(made(lambda: next(prompts), task_id="create").execute, context(store))
    deferred(made(lambda: next(prompts), task_id="create").execute, context(store))
    assert len(api.created) == 1


def test_a_clear_rescues_what_airflow_never_got(api):
    prompts, store = iter(["A kite", "A boat"]), StateStore()
    api.creations.append(CREATED)
    api.readings.append(Answer(body=record("generating")))
    deferred(made(lambda: next(prompts), task_id="create").execute, context(store, max_tries=3))
    deferred(made(lambda: next(prompts), task_id="create").execute, context(store, max_tries=4))
    assert len(api.created) == 1


def test_after_the_video_was_delivered_a_clear_calls_the_function(api):
    prompts, store = iter(["A kite", "A boat"]), StateStore()
    api.creations.extend([CREATED, Answer(body={"taskId": "task_b"})])
    api.readings.append(Answer(body=record("success")))
    options = {"task_id": "create", "wait_for_completion": False}
    made(lambda: next(prompts), **options).execute(context(store, max_tries=3))
    made(lambda: next(prompts), **options).execute(context(store, max_tries=4))
    assert [asked.json["inputs"]["prompt"] for asked in api.created] == ["A kite", "A boat"]


def test_after_the_wait_for_a_slot_it_asks_for_the_same(api):
    prompts, store = iter(["A kite", "A boat"]), StateStore()
    api.creations.extend([Answer(429, {"message": "Concurrency limit reached (1).", "limit": 1}), CREATED])
    waiting = deferred(made(lambda: next(prompts), task_id="create").execute, context(store))
    resumed = made(lambda: next(prompts), task_id="create")
    deferred(resumed.on_slot, context(store), {"free": True}, **waiting.kwargs)
    assert [asked.json["inputs"]["prompt"] for asked in api.created] == ["A kite"] * 2


@pytest.mark.parametrize("returned", [None, [], {"promt": "A kite"}, {"prompt": ""}, {"prompt": "A", "duration": 99}])
def test_what_no_video_can_be_made_of_fails_for_good(api, returned):
    with pytest.raises(AirflowFailException, match="charged"):
        made(lambda: returned, task_id="create").execute(context(StateStore()))
    assert api.created == []


def test_arguments_and_the_context_reach_the_function(api):
    api.creations.append(CREATED)

    def describe(subject, ti=None):
        return f"{subject} {ti.max_tries}"

    with DAG("d", schedule=None):
        operator = seedance_video_task()(describe)("A kite").operator
    deferred(operator.execute, context(StateStore(), max_tries=3))
    assert api.created[0].json["inputs"]["prompt"] == "A kite 3"


def test_it_can_be_mapped():
    def describe(subject):
        return subject

    with DAG("d", schedule=None):
        mapped = seedance_video_task(duration=4)(describe).expand(subject=["A kite", "A boat"])
    assert mapped.operator.is_mapped
