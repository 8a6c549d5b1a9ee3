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


def tries_of(*prompts):
    """Makes the operator of each try, as Airflow does; the function returns another prompt each time."""
    remaining = iter(prompts)
    return lambda **options: made(lambda: next(remaining), task_id="create", **options)


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


@pytest.mark.parametrize("max_tries", [3, 4], ids=["a retry", "a clear before Airflow got it"])
def test_the_next_try_re_attaches_though_the_function_would_return_something_else(api, max_tries):
    next_try, store = tries_of("A kite", "A boat"), StateStore()
    api.creations.append(CREATED)
    api.readings.append(Answer(body=record("generating")))
    deferred(next_try().execute, context(store, max_tries=3))
    deferred(next_try().execute, context(store, max_tries=max_tries))
    assert len(api.created) == 1


def test_a_worker_that_dies_after_the_rescue_does_not_lead_to_another_video(api):
    next_try, store = tries_of("A kite", "A boat"), StateStore()
    api.creations.append(CREATED)
    api.readings.append(Answer(body=record("success")))
    deferred(next_try().execute, context(store, max_tries=3))
    for _ in ("rescued, but Airflow never heard of it", "the retry"):
        result = next_try(deferrable=False).execute(context(store, max_tries=4))
        assert result["video_task_id"] == "task_a"
    assert len(api.created) == 1


class TestAfterTheWait:
    """The function is not called again."""

    @staticmethod
    def resume(store):
        resumed = made(lambda: pytest.fail("it is called again"), task_id="create")
        event = WaitResult(Outcome.FINISHED, task=VideoTask.from_record(record(), video_task_id="task_a")).to_event()
        assert resumed.execute_complete(context(store), event)["status"] == "success"
        return resumed

    @pytest.fixture
    def store(self, api):
        """With the record of a video that is waited for."""
        kept = StateStore()
        api.creations.append(CREATED)
        deferred(made(lambda: "A kite", task_id="create").execute, context(kept))
        return kept

    def test_what_was_returned_is_shown(self, store):
        assert self.resume(store).prompt == "A kite"

    def test_nor_is_it_below_airflow_3_3(self):
        self.resume(None)

    def test_a_store_that_is_down_loses_no_video(self, store, capsys):
        store.fail = "get"
        self.resume(store)
        assert "rendered fields don't show" in capsys.readouterr().out


@pytest.mark.parametrize("outage", [{"get": [1]}, {"get": [2]}, {"set": [1]}])
def test_while_the_store_is_down_nothing_is_submitted_and_the_next_try_asks_again(api, outage):
    with pytest.raises(AirflowException, match="the metadata database is down") as caught:
        made(lambda: "A kite", task_id="create").execute(context(StateStore(**outage)))
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


def test_inputs_whose_content_is_gone_fail_for_good_and_do_not_call_the_function_again(api):
    store = StateStore()
    store.values["seedance_inputs"] = "null"
    with pytest.raises(AirflowFailException, match="is gone"):
        made(lambda: pytest.fail("it is called again"), task_id="create").execute(context(store))
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
    next_try, store = tries_of("A kite", "A boat"), StateStore()
    api.creations.extend([CREATED, Answer(body={"taskId": "task_b"})])
    api.readings.append(Answer(body=record("success")))
    for max_tries in (3, 4):
        next_try(wait_for_completion=False).execute(context(store, max_tries=max_tries))
    assert [asked.json["inputs"]["prompt"] for asked in api.created] == ["A kite", "A boat"]


def test_after_the_wait_for_a_slot_it_asks_for_the_same(api):
    next_try, store = tries_of("A kite", "A boat"), StateStore()
    api.creations.extend([Answer(429, {"message": "Concurrency limit reached (1).", "limit": 1}), CREATED])
    waiting = deferred(next_try().execute, context(store))
    deferred(next_try().resume_after_slot, context(store), {"free": True}, **waiting.kwargs)
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
