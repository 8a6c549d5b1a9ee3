"""Metrics: what a statsd back end hears of a video, over real UDP, and how often."""

from __future__ import annotations

import logging
import sys

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, TaskDeferred

from seedance_provider.api.video_task import VideoTask
from seedance_provider.decorators.seedance import seedance_video_task
from seedance_provider.operators.seedance import CreateVideoOperator
from seedance_provider.reporting.metrics import VideoMetrics
from seedance_provider.submission.retries import retry_until
from seedance_provider.waiting.result import Outcome, WaitResult
from tests.support.airflow_metrics import configured_factory, metrics_made_by
from tests.support.scripted_api import Answer, record
from tests.support.statsd_server import StatsdServer
from tests.support.task_context import StateStore, context

pytestmark = pytest.mark.usefixtures("seedance_default")

CREATED = Answer(body={"taskId": "task_a"})
FULL = Answer(429, {"message": "Concurrency limit reached (3).", "limit": 3, "current": 3})
TAGS = {"model": "seedance-20", "conn_id": "seedance_default"}


@pytest.fixture
def statsd(monkeypatch):
    """A back end that Airflow is configured for, as a task process is."""
    with StatsdServer() as server:
        for name, value in server.settings.items():
            monkeypatch.setenv(name, value)
        backends, factory = [], configured_factory()
        with metrics_made_by(lambda: (backends.append(factory()), backends[-1])[1]):
            yield server
    for backend in backends:
        backend.statsd.close()


def heard(statsd: StatsdServer) -> list[tuple[str, float]]:
    return [(metric.name.removeprefix("seedance."), metric.value) for metric in statsd.received()]


def operator(**options) -> CreateVideoOperator:
    return CreateVideoOperator(**{"task_id": "create", "prompt": "A kite", "poll_interval": 0.01} | options)


def ended(status: str = "success", **fields) -> dict:
    """The event of a trigger."""
    task = VideoTask.from_record(record(status, **fields), video_task_id="task_a")
    return WaitResult(Outcome.FINISHED, task=task).to_event()


def attempt(call, *arguments, **kwargs):
    """One try, however it ends."""
    try:
        return call(*arguments, **kwargs)
    except (TaskDeferred, AirflowException) as end:
        return end


SUCCEEDED = [("video.succeeded", 1), ("credits.used", 200), ("video.generation_time", 120_000)]


class TestAVideo:
    def test_is_counted_when_it_is_paid_for_and_when_it_is_there_with_few_tags(self, api, statsd):
        store = StateStore()
        api.creations.append(CREATED)
        attempt(operator().execute, context(store))
        assert heard(statsd) == [("video.created", 1)]
        operator().execute_complete(context(store), ended())
        assert heard(statsd)[1:] == SUCCEEDED
        assert {metric.kind for metric in statsd.received()} == {"c", "ms"}
        assert [metric.tags for metric in statsd.received()] == [TAGS] * 4

    def test_has_the_model_that_a_function_has_chosen(self, api, statsd):
        api.creations.append(CREATED)
        chosen = {"prompt": "A kite", "model": "seedance2-fast"}
        attempt(seedance_video_task(lambda: chosen, task_id="create")().operator.execute, context(StateStore()))
        assert [metric.tags for metric in statsd.received()] == [TAGS | {"model": "seedance2-fast"}]

    def test_is_counted_once_over_all_tries_and_clears(self, api, statsd):
        store = StateStore()
        api.creations.append(CREATED)
        api.readings.append(Answer(body=record("generating")))
        attempt(operator().execute, context(store))
        attempt(operator().execute, context(store))
        operator().execute_complete(context(store), ended())
        # The worker died before Airflow heard of it, then a person clears the task.
        operator().execute_complete(context(store), ended())
        api.readings[0] = Answer(body=record())
        operator().execute(context(store, max_tries=7))
        assert heard(statsd) == [("video.created", 1), *SUCCEEDED]

    def test_that_is_made_anew_counts_anew(self, api, statsd):
        store = StateStore()
        api.creations.extend([CREATED, Answer(body={"taskId": "task_b"})])
        api.readings.append(Answer(body=record()))
        options = {"deferrable": False, "on_rerun": "regenerate"}
        operator(**options).execute(context(store, max_tries=3))
        api.readings.append(Answer(body=record(video_task_id="task_b")))
        operator(**options).execute(context(store, max_tries=4))
        assert heard(statsd) == [("video.created", 1), *SUCCEEDED] * 2

    def test_whose_times_and_credits_the_api_does_not_name_is_counted_all_the_same(self, api, statsd):
        api.creations.append(CREATED)
        api.readings.append(Answer(body=record(createTime=None, completeTime=None, creditsUsed=None)))
        operator(deferrable=False).execute(context(StateStore()))
        assert heard(statsd) == [("video.created", 1), ("video.succeeded", 1)]

    def test_that_nobody_waits_for_is_only_created(self, api, statsd):
        api.creations.append(CREATED)
        operator(wait_for_completion=False).execute(context(StateStore()))
        assert heard(statsd) == [("video.created", 1)]

    def test_that_was_refused_is_not_created(self, api, statsd):
        api.creations.append(Answer(402, {"message": "Insufficient credits"}))
        attempt(operator().execute, context(StateStore()))
        assert heard(statsd) == []

    def test_whose_id_could_not_be_recorded_was_created_all_the_same(self, api, statsd, monkeypatch):
        monkeypatch.setitem(retry_until.__kwdefaults__, "seconds", 0)
        api.creations.append(CREATED)
        with pytest.raises(AirflowFailException, match="could not be recorded"):
            operator().execute(context(StateStore(set=[2])))
        assert heard(statsd) == [("video.created", 1)]

    def test_without_a_state_store_is_counted_by_every_try(self, api, statsd):
        api.creations.append(CREATED)
        api.readings.append(Answer(body=record()))
        operator(deferrable=False).execute(context())
        assert heard(statsd) == [("video.created", 1), *SUCCEEDED]


class TestAMismatch:
    def test_is_counted_once_by_the_input_that_it_differs_in(self, api, statsd):
        api.creations.append(CREATED)
        api.readings.append(Answer(body=record()))
        store = StateStore()
        for _ in range(2):
            operator(deferrable=False, resolution="720x1280").execute(context(store))
        mismatches = [metric for metric in statsd.received() if metric.name.endswith("video.mismatched")]
        assert [metric.tags["input"] for metric in mismatches] == ["aspect_ratio"]


class TestAFailure:
    FACE = "Face detected in uploaded media."
    PASSING = "Video generation failed. Please try again."

    def test_has_its_reason(self, api, statsd):
        api.creations.append(CREATED)
        store = StateStore()
        attempt(operator().execute, context(store))
        attempt(operator().execute_complete, context(store), ended("fail", error=self.FACE))
        assert heard(statsd) == [("video.created", 1), ("video.failed", 1)]
        assert statsd.received()[-1].tags == TAGS | {"reason": "face_detected"}

    @pytest.mark.parametrize("worker_died", [False, True])
    def test_is_counted_once_whoever_sees_it_first(self, api, statsd, worker_died):
        api.creations.extend([CREATED, Answer(body={"taskId": "task_b"})])
        api.readings.append(Answer(body=record("fail", error=self.PASSING)))
        store = StateStore()
        attempt(operator().execute, context(store))
        if not worker_died:
            attempt(operator().execute_complete, context(store), ended("fail", error=self.PASSING))
        attempt(operator().execute, context(store))
        assert heard(statsd) == [("video.created", 1), ("video.failed", 1), ("video.created", 1)]

    def test_that_can_not_be_noted_ends_the_task_as_ever(self, api, statsd):
        api.creations.append(CREATED)
        store = StateStore()
        attempt(operator().execute, context(store))
        store.fail = "set"
        end = attempt(operator().execute_complete, context(store), ended("fail", error=self.PASSING))
        assert type(end) is AirflowException
        assert heard(statsd)[-1] == ("video.failed", 1)


class TestASlot:
    def test_that_is_waited_for_counts_once_however_often_the_task_wakes_up(self, api, statsd):
        api.creations.extend([FULL, FULL, CREATED])
        store = StateStore()
        deferral = attempt(operator().execute, context(store))
        deferral = attempt(operator().resume_after_slot, context(store), {"free": True}, **deferral.kwargs)
        attempt(operator().resume_after_slot, context(store), {"free": True}, **deferral.kwargs)
        assert [name for name, _ in heard(statsd)] == ["slot.waits", "video.created", "slot.wait_time"]

    def test_that_never_comes_has_a_wait_time(self, api, statsd):
        api.creations.append(FULL)
        attempt(operator(deferrable=False, timeout=0.05).execute, context(StateStore()))
        (waits, _), (time, milliseconds) = heard(statsd)
        assert (waits, time) == ("slot.waits", "slot.wait_time")
        assert milliseconds >= 50

    def test_that_comes_with_a_refusal_ends_the_wait(self, api, statsd):
        api.creations.extend([FULL, Answer(402, {"message": "Insufficient credits"})])
        attempt(operator(deferrable=False).execute, context(StateStore()))
        assert [name for name, _ in heard(statsd)] == ["slot.waits", "slot.wait_time"]


class TestATroubledBackEnd:
    def test_loses_no_video(self, api, caplog):
        def broken():
            raise RuntimeError("no such back end")

        api.creations.append(CREATED)
        api.readings.append(Answer(body=record()))
        store = StateStore()
        with metrics_made_by(broken), caplog.at_level(logging.WARNING):
            result = operator(deferrable=False).execute(context(store))
        assert result["video_url"]
        assert "seedance.video.created could not be sent, nothing else is wrong" in caplog.text

    def test_may_be_missing(self, monkeypatch, caplog):
        # As in an Airflow that has moved it.
        monkeypatch.setitem(sys.modules, "airflow.providers.common.compat.sdk", None)
        with caplog.at_level(logging.WARNING):
            VideoMetrics().created()
        assert "could not be sent" in caplog.text

    def test_gets_no_characters_that_it_would_drop(self, statsd):
        VideoMetrics("a,b=c|d:e\n" + "f" * 200, "spaced out").created()
        (metric,) = statsd.received()
        assert metric.tags["model"].startswith("a_b_c_d_e_fff")
        assert len(metric.tags["model"]) == 100
        assert metric.tags["conn_id"] == "spaced_out"
