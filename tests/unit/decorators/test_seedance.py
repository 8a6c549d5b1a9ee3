"""``@task.seedance_video``, by hand: what a real Airflow does with it is in the integration tests."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, TaskDeferred
from airflow.sdk import DAG

from seedance_provider.api.video_task import VideoTask
from seedance_provider.decorators.seedance import seedance_video_task
from seedance_provider.operators.seedance import CreateVideoOperator
from seedance_provider.waiting.result import Outcome, WaitResult
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
    assert inputs["duration"] == (6 if returned == "A kite" else 4)


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


def test_a_worker_that_dies_after_the_rescue_does_not_lead_to_another_video(api):
    prompts, store = iter(["A kite", "A boat"]), StateStore()
    api.creations.append(CREATED)
    api.readings.append(Answer(body=record("success")))
    options = {"task_id": "create", "deferrable": False}
    deferred(made(lambda: next(prompts), task_id="create").execute, context(store, max_tries=3))
    for _ in ("rescued, but Airflow never heard of it", "the retry"):
        result = made(lambda: next(prompts), **options).execute(context(store, max_tries=4))
        assert result["video_task_id"] == "task_a"
    assert len(api.created) == 1


def finished() -> dict:
    task = VideoTask.from_record(record(), video_task_id="task_a")
    return WaitResult(Outcome.FINISHED, task=task).to_event()


class TestAfterTheWait:
    def test_what_was_returned_is_shown(self, api):
        store = StateStore()
        api.creations.append(CREATED)
        deferred(made(lambda: "A kite", task_id="create").execute, context(store))
        resumed = made(self.not_again, task_id="create")
        assert resumed.execute_complete(context(store), finished())["status"] == "success"
        assert resumed.prompt == "A kite"

    def test_the_function_is_not_called_below_airflow_3_3_either(self):
        assert made(self.not_again, task_id="create").execute_complete(context(), finished())["status"] == "success"

    def test_a_store_that_is_down_loses_no_video(self, api, capsys):
        store = StateStore()
        api.creations.append(CREATED)
        deferred(made(lambda: "A kite", task_id="create").execute, context(store))
        store.fail = "get"
        assert (
            made(self.not_again, task_id="create").execute_complete(context(store), finished())["status"] == "success"
        )
        assert "rendered fields don't show" in capsys.readouterr().out

    def not_again(self):
        raise AssertionError("the function is called again")


@pytest.mark.parametrize("call", [1, 2])
def test_a_store_that_can_not_be_read_is_asked_again_by_the_next_try(api, call):
    with pytest.raises(AirflowException, match="the metadata database is down") as caught:
        made(lambda: "A kite", task_id="create").execute(context(StateStore(get=[call])))
    assert not isinstance(caught.value, AirflowFailException)
    assert api.created == []


def test_a_clear_with_a_record_that_is_not_understood_fails_and_does_not_call_the_function_again(api):
    store = StateStore()
    api.creations.append(CREATED)
    deferred(made(lambda: "A kite", task_id="create").execute, context(store))
    store.set("seedance_submission", {"schema_version": 99})
    with pytest.raises(AirflowFailException, match="which this release can't read"):
        made(lambda: pytest.fail("it is called again"), task_id="create").execute(context(store, max_tries=4))
    assert len(api.created) == 1


def test_what_can_not_be_kept_is_not_submitted(api):
    with pytest.raises(AirflowException, match="the metadata database is down"):
        made(lambda: "A kite", task_id="create").execute(context(StateStore(set=[1])))
    assert api.created == []


def test_a_task_that_is_told_to_end_while_its_function_runs_submits_nothing(api):
    def describe():
        operator.on_kill()
        return "A kite"

    operator = made(describe, task_id="create")
    with pytest.raises(AirflowException, match="told the task to end"):
        operator.execute(context(StateStore()))
    assert api.created == []


def test_the_annotation_is_of_the_inputs_and_not_of_what_the_task_returns():
    def describe() -> dict[str, str]:
        return {"prompt": "A kite"}

    assert made(describe).multiple_outputs is False
    assert made(describe, multiple_outputs=True).multiple_outputs is True


def test_an_async_function_is_refused_when_the_dag_is_read():
    async def describe():
        return "A kite"

    with pytest.raises(ValueError, match="needs a plain function"):
        made(describe)


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
    deferred(resumed.resume_after_slot, context(store), {"free": True}, **waiting.kwargs)
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
