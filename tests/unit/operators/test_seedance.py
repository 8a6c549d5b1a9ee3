"""CreateVideoOperator, one try at a time, against a real HTTP server."""

from __future__ import annotations

import json
import os
import time
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowTaskTimeout,
    TaskDeferred,
)
from airflow.sdk import DAG, ObjectStoragePath

from seedance_provider.api.errors import (
    AuthenticationError,
    FileUnavailableError,
    GenerationFailedError,
    InputModerationError,
    RateLimitedError,
    UnexpectedResponseError,
)
from seedance_provider.api.video_request import VideoRequest
from seedance_provider.api.video_task import VideoTask
from seedance_provider.api.wire_formats import encode_bodies
from seedance_provider.hooks.seedance import SeedanceHook
from seedance_provider.operators.seedance import CreateVideoOperator
from seedance_provider.retry_policy import seedance_retry_policy
from seedance_provider.storage.stored_file import StoredFile
from seedance_provider.submission.record import Submission, SubmissionState
from seedance_provider.submission.store import SubmissionStore
from seedance_provider.triggers.seedance import OutageTrigger, SlotTrigger, VideoTrigger
from tests.support import media
from tests.support.airflow_versions import needs_retry_policies
from tests.support.scripted_api import ANY_TIME, Answer, record
from tests.support.task_context import StateStore, TaskInstance, context

pytestmark = pytest.mark.usefixtures("seedance_default")

CREATED = Answer(body={"taskId": "task_a"})
FULL = Answer(
    429, {"message": "Concurrency limit reached (3). You have 3 tasks in progress.", "limit": 3, "current": 3}
)


def operator(**arguments) -> CreateVideoOperator:
    return CreateVideoOperator(**{"task_id": "create", "prompt": "A kite"} | arguments)


def deferred(call, *args, **kwargs) -> TaskDeferred:
    with pytest.raises(TaskDeferred) as caught:
        call(*args, **kwargs)
    return caught.value


def event(**fields) -> dict:
    return {"outcome": "finished", "message": "", "task": None, "video_task_id": "task_a"} | fields


def recorded() -> StateStore:
    """A store that holds the record of task_a."""
    store = StateStore()
    record_of_it = Submission(
        SubmissionState.SUBMITTED, "abc", "2026-01-02T03:04:05+00:00", 3, 200, video_task_id="task_a"
    )
    SubmissionStore(store).save(record_of_it)
    return store


def success_event() -> dict:
    from seedance_provider.waiting.result import Outcome, WaitResult

    return WaitResult(Outcome.FINISHED, task=VideoTask.from_record(record(), video_task_id="task_a")).to_event()


class TestDeferring:
    def test_submits_once_and_defers_to_the_triggerer(self, api):
        api.creations.append(CREATED)
        try_1 = context(StateStore())
        deferral = deferred(operator().execute, try_1)
        assert isinstance(deferral.trigger, VideoTrigger)
        assert deferral.trigger.video_task_id == "task_a"
        assert deferral.method_name == "execute_complete"
        assert len(api.created) == 1
        assert api.created[0].json == encode_bodies(VideoRequest("A kite"))["models"]

    def test_pushes_the_id_before_it_waits(self, api):
        api.creations.append(CREATED)
        try_1 = context(StateStore())
        deferred(operator().execute, try_1)
        assert try_1["ti"].xcoms["video_task_id"] == "task_a"

    def test_the_trigger_gives_up_at_the_timeout_and_airflow_later(self, api):
        api.creations.append(CREATED)
        deferral = deferred(operator(timeout=timedelta(minutes=10)).execute, context(StateStore()))
        assert deferral.trigger.deadline - deferral.trigger.started == pytest.approx(600)
        assert deferral.timeout.total_seconds() > 600

    def test_execution_timeout_shortens_the_wait(self, api):
        api.creations.append(CREATED)
        made = operator(execution_timeout=timedelta(seconds=90))
        deferral = deferred(made.execute, context(StateStore()))
        assert deferral.trigger.deadline - deferral.trigger.started == pytest.approx(90)

    def test_returns_the_small_result(self):
        assert operator().execute_complete(context(StateStore()), success_event()) == {
            "video_task_id": "task_a",
            "model": "seedance-20",
            "status": "success",
            "video_url": "https://media.example/a.mp4",
            "width": 1280,
            "height": 720,
            "media_type": None,
            "last_frame_url": None,
            "seed": None,
            "credits_used": 200,
            "estimated_credits": None,
            "created_at": "2024-12-30T23:00:34+00:00",
            "completed_at": "2024-12-30T23:02:34+00:00",
            "generation_seconds": 120.0,
            "prompt": None,
            "inputs": {},
            "mismatches": [],
        }

    def test_returns_what_the_video_was_made_of(self, api, tmp_path):
        picture = media.picture(tmp_path / "a.png")
        made = operator(
            prompt="The bud opens",
            wait_for_completion=False,
            first_frame=ObjectStoragePath(picture),
            resolution="720x1280",
            duration=4,
            extra_inputs={"cameraFixed": True},
            callback_url="https://hooks.example/secret-path",
        )
        address = {"uploadUrl": f"{api.url}/put/a.png", "url": "https://media.example/a.png"}
        api.creations.extend([Answer(body=address), CREATED])
        api.readings.append(Answer(200, b""))
        result = made.execute(context(StateStore()))
        assert result["prompt"] == "The bud opens"
        assert json.loads(json.dumps(result["inputs"])) == {
            "first_frame": str(picture),
            "duration": 4,
            "resolution": "720x1280",
            "extra_inputs": {"cameraFixed": True},
        }

    @pytest.mark.parametrize("store", [StateStore(), None], ids=["recorded", "below Airflow 3.3"])
    def test_returns_what_was_submitted_whatever_the_templates_say_after_the_deferral(self, api, store):
        api.creations.append(CREATED)
        deferral = deferred(operator(prompt="Of yesterday", duration=6).execute, context(store))
        kwargs = json.loads(json.dumps(deferral.kwargs))
        result = operator(prompt="Of today", duration=9).execute_complete(context(store), success_event(), **kwargs)
        assert (result["prompt"], result["inputs"]["duration"]) == ("Of yesterday", 6)

    def test_a_video_that_is_not_what_was_asked_for_is_a_result_with_a_warning(self, api, capsys):
        store, made = StateStore(), operator(resolution="720x1280")
        api.creations.append(CREATED)
        deferred(made.execute, context(store))
        result = made.execute_complete(context(store), success_event())
        assert result["mismatches"] == ["aspect_ratio: 9:16 asked, 16:9 made"]
        assert "aspect_ratio: 9:16 asked, 16:9 made" in capsys.readouterr().out

    def test_pushes_what_the_next_video_can_start_from(self):
        from seedance_provider.waiting.result import Outcome, WaitResult

        answer = record()
        answer["output"][0]["lastFrameImage"] = "https://media.example/last.png"
        task = VideoTask.from_record(answer, video_task_id="task_a")
        resumed = context(StateStore())
        operator().execute_complete(resumed, WaitResult(Outcome.FINISHED, task=task).to_event())
        xcoms = resumed["ti"].xcoms
        assert xcoms["video_url"] == "https://media.example/a.mp4"
        assert xcoms["last_frame_url"] == "https://media.example/last.png"

    def test_pushes_no_picture_that_there_is_not(self):
        resumed = context(StateStore())
        operator().execute_complete(resumed, success_event())
        assert "last_frame_url" not in resumed["ti"].xcoms

    def test_a_finished_video_that_is_found_again_is_handed_over_whole(self, api):
        api.creations.append(CREATED)
        api.readings.append(Answer(body=record()))
        store = StateStore()
        operator(wait_for_completion=False).execute(context(store))
        again = context(store)
        result = operator(wait_for_completion=False).execute(again)
        assert (result["status"], result["credits_used"], result["estimated_credits"]) == ("success", 200, 200)
        assert again["ti"].xcoms["video_url"] == result["video_url"]

    def test_a_failed_video_leaves_its_reason(self):
        from seedance_provider.waiting.result import Outcome, WaitResult

        answer = record("fail", error={"code": "2038", "message": "Your input text violates platform rules. Sorry."})
        task = VideoTask.from_record(answer, video_task_id="task_a")
        resumed = context(StateStore())
        with pytest.raises(AirflowFailException):
            operator().execute_complete(resumed, WaitResult(Outcome.FINISHED, task=task).to_event())
        assert resumed["ti"].xcoms["failure"] == {
            "video_task_id": "task_a",
            "reason": "text_moderation",
            "message": "Your input text violates platform rules. Sorry.",
            "advice": "Revise the prompt.",
            "retryable": False,
        }

    @pytest.mark.parametrize(
        ("fired", "error"),
        [
            (event(outcome="timed_out", message="Not yet."), AirflowException),
            (event(outcome="unreachable", message="No answer."), AirflowException),
            (event(outcome="gone", message="Not shown."), AirflowFailException),
            (event(outcome="refused", message="Bad key."), AirflowFailException),
        ],
    )
    def test_an_early_end_of_the_wait_is_retried_only_if_that_can_help(self, fired, error):
        with pytest.raises(AirflowException) as caught:
            operator().execute_complete(context(recorded()), fired)
        assert type(caught.value) is error

    def test_a_retry_reattaches(self, api):
        store = StateStore()
        api.creations.append(CREATED)
        api.readings.append(Answer(body=record("generating")))
        deferred(operator().execute, context(store))
        try_2 = context(store)
        deferral = deferred(operator().execute, try_2)
        assert deferral.trigger.video_task_id == "task_a"
        assert try_2["ti"].xcoms["video_task_id"] == "task_a"
        assert len(api.created) == 1

    def test_a_retry_after_success_returns_the_video_at_once(self, api):
        store = StateStore()
        api.creations.append(CREATED)
        api.readings.append(Answer(body=record()))
        deferred(operator().execute, context(store))
        assert operator().execute(context(store))["video_url"] == "https://media.example/a.mp4"
        assert len(api.created) == 1

    def test_a_record_that_can_not_be_read_fails_for_good(self, api):
        store = StateStore()
        store.set("seedance_submission", {"schema_version": 99})
        with pytest.raises(AirflowFailException, match="which this release can't read"):
            operator().execute(context(store))
        assert api.created == []

    @pytest.mark.parametrize("wait", [True, False])
    def test_regenerate_pays_again_only_after_the_result_was_delivered(self, api, wait):
        store, made = StateStore(), {"on_rerun": "regenerate", "deferrable": False, "wait_for_completion": wait}
        api.creations.extend([CREATED, Answer(body={"taskId": "task_b"})])
        api.readings.append(Answer(body=record()))
        operator(**made).execute(context(store))
        operator(**made).execute(context(store))
        assert len(api.created) == 1
        if wait:
            api.readings.append(Answer(body=record(video_task_id="task_b")))
        operator(**made).execute(context(store, max_tries=4))
        assert len(api.created) == 2


class TestSubmitted:
    """What the links of the task and the Videos page show while it waits."""

    @staticmethod
    def submitted(made: CreateVideoOperator, store: StateStore) -> dict:
        one_try = context(store)
        deferred(made.execute, one_try)
        return one_try["ti"].xcoms["submitted"]

    def test_is_what_is_waited_for(self, api):
        api.creations.append(CREATED)
        before = datetime.now(UTC).replace(microsecond=0)
        made = operator(prompt="The bud opens", first_frame="https://media.example/a.png", duration=4)
        shown = self.submitted(made, StateStore())
        assert before <= datetime.fromisoformat(shown.pop("submitted_at")) <= datetime.now(UTC)
        assert shown == {
            "video_task_id": "task_a",
            "model": "seedance-20",
            "typical_seconds": ANY_TIME,
            "record_url": f"{api.base_url}/jobs/recordInfo?taskId=task_a",
            "estimated_credits": 160,
            "prompt": "The bud opens",
            "inputs": {"first_frame": "https://media.example/a.png", "duration": 4, "resolution": "1280x720"},
        }

    def test_a_re_attached_one_is_as_old_as_it_is(self, api):
        store = StateStore()
        api.creations.append(CREATED)
        api.readings.append(Answer(body=record("generating")))
        first = self.submitted(operator(), store)
        again = self.submitted(operator(), store)
        assert again == first | {"submitted_at": "2024-12-30T23:00:34+00:00"}

    def test_is_also_shown_by_who_waits_in_the_worker_and_by_who_does_not_wait(self, api):
        api.creations.append(CREATED)
        api.readings.append(Answer(body=record()))
        for arguments in ({"deferrable": False, "poll_interval": 0.01}, {"wait_for_completion": False}):
            one_try = context(StateStore())
            operator(**arguments).execute(one_try)
            assert one_try["ti"].xcoms["submitted"]["video_task_id"] == "task_a"

    def test_is_not_there_while_there_is_no_slot(self, api):
        api.creations.append(FULL)
        waiting = context(StateStore())
        deferred(operator().execute, waiting)
        assert waiting["ti"].xcoms == {}


class TestFailure:
    """What a branch after the failed task, and the Videos page, can go by."""

    @staticmethod
    def failed(made: CreateVideoOperator, one_try: dict, call: str = "execute", *arguments) -> tuple[Exception, dict]:
        with pytest.raises(AirflowException) as caught:
            getattr(made, call)(one_try, *arguments)
        return caught.value, one_try["ti"].xcoms["failure"]

    def test_of_a_refused_prompt(self, api, seedance_default):
        api.creations.append(CREATED)
        api.readings.append(Answer(body=record("fail", error="Your input text violates platform rules. Sorry.")))
        one_try = context(StateStore())
        _, failure = self.failed(operator(deferrable=False, poll_interval=0.01), one_try)
        assert failure == {
            "video_task_id": "task_a",
            "reason": "text_moderation",
            "message": "Your input text violates platform rules. Sorry.",
            "advice": "Revise the prompt.",
            "retryable": False,
        }
        assert one_try["ti"].xcoms["submitted"]["video_task_id"] == "task_a"
        assert seedance_default not in repr(one_try["ti"].xcoms)

    @pytest.mark.parametrize(
        ("answer", "reason", "said", "retryable"),
        [
            (
                Answer(402, {"message": "Insufficient credits", "required": 200, "available": 20}),
                "insufficient_credits",
                "HTTP 402: Insufficient credits (200 needed, 20 available)",
                False,
            ),
            (Answer(401, {"message": "Invalid API Key"}), "invalid_key", "HTTP 401: Invalid API Key", False),
        ],
    )
    def test_of_a_refused_request(self, api, seedance_default, answer, reason, said, retryable):
        api.creations.append(answer)
        one_try = context(StateStore())
        _, failure = self.failed(operator(), one_try)
        assert failure.pop("advice")
        assert failure == {"video_task_id": None, "reason": reason, "message": said, "retryable": retryable}
        assert seedance_default not in repr(one_try["ti"].xcoms)

    @pytest.mark.parametrize("answer", [Answer(hang_up=True), Answer(502, b"<html>")])
    def test_of_a_request_with_an_unknown_fate_is_not_to_be_repeated(self, api, answer):
        api.creations.append(answer)
        _, failure = self.failed(operator(), context(StateStore()))
        assert failure["retryable"] is False
        assert "web account" in failure["advice"]

    def test_of_an_invalid_request(self, api):
        raised, failure = self.failed(operator(duration=3), context(StateStore()))
        assert (failure["reason"], failure["retryable"]) == ("invalid_request", False)
        assert "duration is 3" in failure["message"]
        assert "duration is 3" in str(raised)

    def test_of_a_bad_connection(self, monkeypatch):
        monkeypatch.setenv("AIRFLOW_CONN_SEEDANCE_DEFAULT", '{"conn_type": "seedance"}')
        _, failure = self.failed(operator(), context(StateStore()))
        assert "no API key" in failure["message"]

    def test_of_a_connection_that_is_not_there(self):
        raised, failure = self.failed(operator(seedance_conn_id="nobody"), context(StateStore()))
        assert (failure["reason"], failure["retryable"]) == ("no_connection", True)
        assert "'nobody'" in failure["message"]
        assert type(raised) is AirflowException

    def test_of_a_file_that_is_not_there_now(self, api, tmp_path, monkeypatch):
        def down(_):
            raise FileUnavailableError("The storage is down.")

        monkeypatch.setattr(StoredFile, "version", down)
        made = operator(first_frame=media.picture(tmp_path / "a.png"))
        _, failure = self.failed(made, context(StateStore()))
        assert (failure["reason"], failure["retryable"]) == ("file_unavailable", True)

    @pytest.mark.parametrize(
        ("fired", "retryable"),
        [
            (event(outcome="timed_out", message="Not yet."), True),
            (event(outcome="unreachable", message="No answer."), True),
            (event(outcome="gone", message="Not shown."), False),
            (event(outcome="refused", message="Bad key."), False),
        ],
    )
    def test_of_a_wait_that_ended_early(self, fired, retryable):
        raised, failure = self.failed(operator(), context(recorded()), "execute_complete", fired)
        assert failure.pop("advice")
        assert failure == {
            "video_task_id": "task_a",
            "reason": fired["outcome"],
            "message": str(raised),
            "retryable": retryable,
        }

    def test_of_a_timeout_in_the_worker(self, api):
        api.creations.append(CREATED)
        api.readings.append(Answer(body=record("generating")))
        made = operator(deferrable=False, poll_interval=0.01, timeout=0.05)
        raised, failure = self.failed(made, context(StateStore()))
        assert (failure["message"], failure["retryable"]) == (str(raised), True)
        assert "it is generating" in failure["message"]

    def test_of_a_wait_for_a_slot(self, api):
        raised, failure = self.failed(operator(), context(StateStore()), "resume_after_slot", {"free": False}, 0, 1)
        assert (failure["message"], failure["retryable"]) == (str(raised), True)
        assert "no free slot" in failure["message"]

    @pytest.mark.parametrize("with_file", [False, True])
    def test_of_a_state_store_that_is_down(self, api, tmp_path, with_file):
        store = StateStore()
        store.fail = "get"
        made = operator(first_frame=media.picture(tmp_path / "a.png")) if with_file else operator()
        raised, failure = self.failed(made, context(store))
        assert (failure["message"], failure["retryable"]) == (str(raised), True)
        assert "the metadata database is down" in failure["message"]

    def test_of_a_record_that_can_not_be_read(self, api):
        store = StateStore()
        store.set("seedance_submission", {"schema_version": 99})
        raised, failure = self.failed(operator(), context(store))
        assert (failure["message"], failure["retryable"]) == (str(raised), False)

    def test_is_not_there_if_there_is_none(self, api):
        api.creations.append(CREATED)
        api.readings.append(Answer(body=record()))
        one_try = context(StateStore())
        operator(deferrable=False, poll_interval=0.01).execute(one_try)
        assert "failure" not in one_try["ti"].xcoms


class _Forgetful(TaskInstance):
    """As when Airflow takes no XComs that are only to be shown."""

    def xcom_push(self, key: str, value: object) -> None:
        if key in ("submitted", "failure"):
            raise ConnectionError("the metadata database is down")
        super().xcom_push(key, value)


class TestShowingFails:
    """That changes nothing."""

    @staticmethod
    def forgetful() -> dict:
        return context(StateStore()) | {"ti": _Forgetful()}

    def test_a_video_is_waited_for_all_the_same(self, api, capsys):
        api.creations.append(CREATED)
        assert deferred(operator().execute, self.forgetful()).trigger.video_task_id == "task_a"
        assert "The XCom 'submitted' could not be written" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("creation", "reading", "arguments"),
        [
            (CREATED, Answer(body=record("fail", error="Your input text violates platform rules.")), {}),
            (CREATED, Answer(body=record("fail", error="Video generation failed. Please try again.")), {}),
            (Answer(402, {"message": "Insufficient credits", "required": 200, "available": 20}), None, {}),
            (None, None, {"duration": 3}),
        ],
    )
    def test_a_failure_is_the_same(self, api, creation, reading, arguments):
        api.creations.extend([creation] if creation else [])
        api.readings.extend([reading] if reading else [])
        ends = []
        for one_try in (context(StateStore()), self.forgetful()):
            with pytest.raises(AirflowException) as caught:
                operator(deferrable=False, poll_interval=0.01, **arguments).execute(one_try)
            ends.append((type(caught.value), str(caught.value), type(caught.value.__cause__)))
        assert ends[0] == ends[1]

    @pytest.mark.parametrize("outcome", ["timed_out", "unreachable", "gone", "refused"])
    def test_so_is_an_early_end_of_the_wait(self, outcome):
        ends = []
        for one_try in (context(StateStore()), self.forgetful()):
            with pytest.raises(AirflowException) as caught:
                operator().execute_complete(one_try, event(outcome=outcome, message="It is over."))
            ends.append((type(caught.value), str(caught.value)))
        assert ends[0] == ends[1]

    def test_so_is_a_store_that_is_down(self, api):
        one_try = self.forgetful()
        one_try["task_state_store"].fail = "get"
        with pytest.raises(AirflowException, match="the metadata database is down") as caught:
            operator().execute(one_try)
        assert type(caught.value) is AirflowException


class TestBadInput:
    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            ({"prompt": "  "}, "prompt"),
            ({"duration": "3"}, "duration is 3"),
            ({"resolution": "1x1"}, "resolution is '1x1'"),
            ({"model": "seedance-3"}, "model is 'seedance-3'"),
            ({"first_frame": "/tmp/a.png"}, "first_frame"),
            ({"last_frame": "https://a.example/b.png"}, "last_frame"),
        ],
    )
    def test_fails_for_good_before_anything_is_sent(self, api, arguments, said):
        store = StateStore()
        with pytest.raises(AirflowFailException, match=said):
            operator(**arguments).execute(context(store))
        assert api.asked == []
        assert store.writes == []

    def test_an_empty_key_fails_for_good(self, monkeypatch, api):
        monkeypatch.setenv("AIRFLOW_CONN_SEEDANCE_DEFAULT", '{"conn_type": "seedance"}')
        with pytest.raises(AirflowFailException, match="no API key"):
            operator().execute(context(StateStore()))

    @pytest.mark.parametrize("name", ["timeout", "poll_interval", "error_tolerance"])
    def test_times_have_to_be_positive(self, name):
        with pytest.raises(ValueError, match=name):
            operator(**{name: 0})

    @pytest.mark.parametrize("name", ["on_rerun", "on_unknown_submission"])
    def test_choices_have_to_be_known(self, name):
        with pytest.raises(ValueError, match="maybe"):
            operator(**{name: "maybe"})

    @pytest.mark.parametrize("name", ["max_credits", "max_credits_per_run"])
    @pytest.mark.parametrize("amount", ["500", -1, True, float("inf")])
    def test_a_limit_that_is_no_number_of_credits_is_refused_when_the_dag_is_read(self, name, amount):
        with pytest.raises(ValueError, match=f"{name} is .*, and a number of credits is needed"):
            operator(**{name: amount})

    @pytest.mark.parametrize(("max_credits", "is_asked_for"), [(199.9, False), (200, True)])
    def test_a_video_that_would_cost_more_than_the_limit_is_not_asked_for(self, api, max_credits, is_asked_for):
        api.creations.append(CREATED)
        end = TaskDeferred if is_asked_for else AirflowFailException
        with pytest.raises(end):
            operator(max_credits=max_credits).execute(context(StateStore()))
        assert len(api.created) == int(is_asked_for)


class TestSlots:
    def test_a_full_account_is_waited_for_without_a_worker(self, api):
        api.creations.extend([FULL, CREATED])
        store = StateStore()
        made = operator()
        deferral = deferred(made.execute, context(store))
        assert isinstance(deferral.trigger, SlotTrigger)
        assert store.values == {}

        again = deferred(getattr(made, deferral.method_name), context(store), {"free": True}, **deferral.kwargs)
        assert isinstance(again.trigger, VideoTrigger)
        assert again.trigger.deadline == deferral.trigger.deadline
        assert len(api.created) == 2

    @pytest.mark.parametrize("free", [False, True])
    def test_no_slot_in_time_is_retried_and_nothing_was_submitted(self, api, free):
        # A slot that comes too late is none: its video would be paid for, and not waited for.
        with pytest.raises(AirflowException, match="had no free slot") as caught:
            operator().resume_after_slot(context(StateStore()), {"free": free}, started=0, deadline=1)
        assert type(caught.value) is AirflowException
        assert api.created == []


class TestInTheWorker:
    def waiting(self, **arguments) -> CreateVideoOperator:
        return operator(**{"deferrable": False, "poll_interval": 0.01} | arguments)

    def test_waits_until_the_video_is_there(self, api):
        api.creations.append(CREATED)
        api.readings.extend([Answer(body=record(s)) for s in ("waiting", "generating", "success")])
        assert self.waiting().execute(context(StateStore()))["status"] == "success"
        assert len(api.created) == 1
        assert len(api.read) == 3

    def test_polls_over_one_connection(self, api):
        api.creations.append(CREATED)
        api.readings.extend([Answer(body=record(s)) for s in ("waiting", "generating", "success")])
        self.waiting().execute(context(StateStore()))
        assert len({asked.client for asked in api.read}) == 1

    def test_a_lasting_failure_ends_it_for_good(self, api):
        api.creations.append(CREATED)
        api.readings.append(Answer(body=record("fail", error="Face detected in uploaded media.")))
        one_try = context(StateStore())
        with pytest.raises(AirflowFailException, match="face_detected"):
            self.waiting().execute(one_try)
        assert "without human faces" in one_try["ti"].xcoms["failure"]["advice"]

    def test_a_passing_failure_is_retried_with_a_new_video(self, api):
        store = StateStore()
        api.creations.extend([CREATED, Answer(body={"taskId": "task_b"})])
        failed = Answer(body=record("fail", error="Video generation failed. Please try again."))
        api.readings.extend([failed, failed, Answer(body=record(video_task_id="task_b"))])
        with pytest.raises(AirflowException) as caught:
            self.waiting().execute(context(store))
        assert type(caught.value) is AirflowException
        assert self.waiting().execute(context(store))["video_task_id"] == "task_b"
        assert len(api.created) == 2

    def test_gives_up_at_the_timeout_and_reattaches_next_time(self, api):
        store = StateStore()
        api.creations.append(CREATED)
        api.readings.append(Answer(body=record("generating")))
        with pytest.raises(AirflowException, match="it is generating"):
            self.waiting(timeout=0.05).execute(context(store))
        api.readings.clear()
        api.readings.append(Answer(body=record()))
        assert self.waiting().execute(context(store))["video_task_id"] == "task_a"
        assert len(api.created) == 1

    def test_puts_up_with_a_faulty_api(self, api):
        api.creations.append(CREATED)
        faults = [Answer(hang_up=True), Answer(502, b"<html>", "text/html"), Answer(200, b"{"), Answer(body=record())]
        api.readings.extend(faults)
        assert self.waiting().execute(context(StateStore()))["status"] == "success"

    def test_waits_for_a_slot(self, api):
        api.creations.extend([FULL, FULL, CREATED])
        api.readings.append(Answer(body=record()))
        assert self.waiting().execute(context(StateStore()))["status"] == "success"
        assert len(api.created) == 3

    def test_says_which_pool_would_keep_it_from_asking_in_vain(self, api, capsys):
        api.creations.extend([FULL, FULL, CREATED])
        api.readings.append(Answer(body=record()))
        self.waiting().execute(context(StateStore()))
        assert capsys.readouterr().out.count("airflow pools set seedance 3 ") == 1

    def test_one_connection_for_all_polls_of_a_try_that_reattaches(self, api):
        store = StateStore()
        api.creations.append(CREATED)
        api.readings.append(Answer(body=record("generating")))
        with pytest.raises(AirflowException, match="it is generating"):
            self.waiting(timeout=0.05).execute(context(store))
        before = len(api.asked)
        api.readings.clear()
        api.readings.extend(
            [Answer(body=record("generating")), Answer(body=record("generating")), Answer(body=record())]
        )
        self.waiting().execute(context(store))
        polls = api.asked[before:]
        assert len(polls) == 3
        assert len({asked.client for asked in polls}) == 1

    def test_gives_up_on_a_slot_at_the_timeout(self, api):
        api.creations.append(FULL)
        one_try = context(StateStore())
        with pytest.raises(AirflowException, match="had no free slot"):
            self.waiting(timeout=0.05).execute(one_try)
        assert "--include-deferred" in one_try["ti"].xcoms["failure"]["advice"]

    def test_a_slot_that_comes_at_the_deadline_is_not_paid_for(self, api):
        # The video could not be waited for any more.
        api.creations.extend([FULL, CREATED])
        with pytest.raises(AirflowException, match="had no free slot"):
            self.waiting(timeout=0.05, poll_interval=1).execute(context(StateStore()))
        assert len(api.created) == 1


class TestCauses:
    """What a retry policy sees."""

    @pytest.mark.parametrize(
        ("answer", "error_class", "cause"),
        [
            (Answer(401, {"message": "API Key has expired"}), AirflowFailException, AuthenticationError),
            (Answer(502, b"<html>"), AirflowFailException, UnexpectedResponseError),
        ],
    )
    def test_an_error_is_raised_from_what_led_to_it(self, api, answer, error_class, cause):
        api.creations.append(answer)
        with pytest.raises(AirflowException) as caught:
            operator().execute(context(StateStore()))
        assert (type(caught.value), type(caught.value.__cause__)) == (error_class, cause)

    @needs_retry_policies
    def test_an_outage_that_outlasts_the_tolerance_is_retried_when_the_api_says(self, api):
        api.creations.append(Answer(429, {"message": "Too many requests"}, headers={"Retry-After": "77"}))
        made = operator(deferrable=False, error_tolerance=0.01)
        with pytest.raises(AirflowException) as caught:
            made.execute(context(StateStore()))
        assert type(caught.value.__cause__) is RateLimitedError
        decision = seedance_retry_policy().evaluate(caught.value, 2, 3)
        assert (decision.action.name, decision.retry_delay) == ("RETRY", timedelta(seconds=77))

    @pytest.mark.parametrize(
        ("text", "error_class", "cause"),
        [
            ("Server error. Please try again later.", AirflowException, GenerationFailedError),
            ("Face detected in uploaded media.", AirflowFailException, InputModerationError),
        ],
    )
    def test_a_failed_video_task_is_a_cause_also_after_deferring(self, text, error_class, cause):
        failed = event(task=VideoTask.from_record(record("fail", error=text), video_task_id="task_a").to_json())
        with pytest.raises(AirflowException) as caught:
            operator().execute_complete(context(StateStore()), failed)
        assert (type(caught.value), type(caught.value.__cause__)) == (error_class, cause)

    @needs_retry_policies
    def test_an_author_who_pays_again_is_not_overruled_by_a_retry_policy(self, api):
        api.creations.append(Answer(502, b"<html>"))
        with pytest.raises(AirflowException) as caught:
            operator(on_unknown_submission="resubmit").execute(context(StateStore()))
        assert type(caught.value) is AirflowException
        assert seedance_retry_policy().evaluate(caught.value, 1, 3).action.name == "DEFAULT"


class TestKill:
    def test_says_that_the_video_goes_on_and_how_to_get_it(self, api, capsys):
        api.creations.append(CREATED)
        made = operator()
        deferred(made.execute, context(StateStore()))
        made.on_kill()
        said = capsys.readouterr().out
        assert "task_a continues" in said
        assert "clearing the Airflow task (from Airflow 3.4 on: keeping its task state) re-attaches to it" in said
        assert len(api.created) == 1

    def test_says_so_if_nothing_was_submitted(self, capsys):
        operator().on_kill()
        said = capsys.readouterr().out
        assert "Nothing was submitted or charged" in said
        assert "goes on" not in said

    def test_nothing_is_submitted_after_it(self, api, monkeypatch):
        made = operator()
        look_up = SeedanceHook.get_settings
        monkeypatch.setattr(SeedanceHook, "get_settings", lambda hook: (made.on_kill(), look_up(hook))[1])
        with pytest.raises(AirflowException, match="told the task to end"):
            made.execute(context(StateStore()))
        assert api.created == []

    def test_the_next_try_submits_even_on_the_same_operator(self, api):
        # As in dag.test(), after an execution_timeout.
        api.creations.append(CREATED)
        made = operator()
        made.on_kill()
        deferred(made.execute, context(StateStore()))
        assert len(api.created) == 1

    def test_says_that_the_wait_is_over(self, capsys):
        made = operator()
        made.execute_complete(context(StateStore()), success_event())
        made.on_kill()
        said = capsys.readouterr().out
        assert "clearing the Airflow task (from Airflow 3.4 on: keeping its task state) reads it first" in said

    def test_says_what_a_request_that_is_on_its_way_means(self, api, capsys):
        made = operator()
        api.creations.append(CREATED)
        answer = api.next_answer
        api.next_answer = lambda asked: (made.on_kill(), answer(asked))[1]
        deferred(made.execute, context(StateStore()))
        assert "A request for about 200 credits ($1.00) is on its way to the API" in capsys.readouterr().out

    def test_says_that_a_slot_was_waited_for(self, api, capsys):
        made = operator()
        api.creations.append(FULL)
        deferred(made.execute, context(StateStore()))
        made.on_kill()
        assert "Nothing was submitted or charged" in capsys.readouterr().out


class TestRotatedKey:
    """The key worked when the video was submitted."""

    REFUSED = Answer(401, {"message": "Invalid API Key"})

    def test_the_triggerer_is_told_that_the_key_has_worked(self, api):
        api.creations.append(CREATED)
        deferral = deferred(operator().execute, context(StateStore()))
        assert deferral.trigger.was_seen is True
        assert deferral.trigger.estimated_credits == 200

    def test_a_worker_takes_the_new_key_from_the_connection(self, api, monkeypatch):
        api.creations.append(CREATED)
        api.readings.extend([Answer(body=record("generating")), self.REFUSED, Answer(body=record())])
        answer = api.next_answer

        def rotate_after_the_refusal(asked):
            answered = answer(asked)
            if answered is self.REFUSED:
                connection = f'{{"conn_type": "seedance", "host": "{api.base_url}", "password": "the-new-key"}}'
                monkeypatch.setenv("AIRFLOW_CONN_SEEDANCE_DEFAULT", connection)
            return answered

        api.next_answer = rotate_after_the_refusal
        made = operator(deferrable=False, poll_interval=0.01)
        assert made.execute(context(StateStore()))["status"] == "success"
        assert [asked.headers["Authorization"] for asked in api.read][-1] == "Bearer the-new-key"
        assert len(api.created) == 1

    def test_a_worker_waits_for_a_connection_that_was_deleted(self, api, monkeypatch):
        api.creations.append(CREATED)
        api.readings.extend([self.REFUSED, Answer(body=record())])
        answer, whole = api.next_answer, os.environ["AIRFLOW_CONN_SEEDANCE_DEFAULT"]
        look_up, polls = SeedanceHook.get_settings, []

        def delete_it_for_two_polls(hook):
            polls.append(hook)
            if len(polls) == 5:
                monkeypatch.setenv("AIRFLOW_CONN_SEEDANCE_DEFAULT", whole)
            return look_up(hook)

        def delete(asked):
            answered = answer(asked)
            if answered is self.REFUSED:
                monkeypatch.delenv("AIRFLOW_CONN_SEEDANCE_DEFAULT")
            return answered

        monkeypatch.setattr(SeedanceHook, "get_settings", delete_it_for_two_polls)
        api.next_answer = delete
        made = operator(deferrable=False, poll_interval=0.01)
        assert made.execute(context(StateStore()))["status"] == "success"
        assert len(polls) == 5

    def test_after_the_tolerance_it_fails_for_good_and_a_clear_re_attaches(self, api):
        store = StateStore()
        api.creations.append(CREATED)
        api.readings.append(self.REFUSED)
        made = operator(deferrable=False, poll_interval=0.01, error_tolerance=0.03)
        one_try = context(store)
        with pytest.raises(AirflowFailException, match="task_a can't be polled"):
            made.execute(one_try)
        assert "the password of the connection" in one_try["ti"].xcoms["failure"]["advice"]
        api.readings[0] = Answer(body=record())
        assert operator(deferrable=False).execute(context(store, max_tries=4))["video_task_id"] == "task_a"
        assert len(api.created) == 1


class TestNotWaiting:
    def test_returns_the_id_at_once(self, api):
        api.creations.append(CREATED)
        result = operator(wait_for_completion=False).execute(context(StateStore()))
        assert result["video_task_id"] == "task_a"
        assert result["status"] == "waiting"
        assert result["video_url"] is None
        assert api.read == []


class TestWithoutAStateStore:
    """Below Airflow 3.3 no later try knows of the video, so there must be none that pays beside it."""

    def test_warns_and_names_the_safe_pattern(self, api, capsys):
        api.creations.append(CREATED)
        deferred(operator().execute, context())
        assert capsys.readouterr().out.count("VideoSensor") == 1

    @pytest.mark.parametrize(
        "fired",
        [
            event(outcome="timed_out", message="Not yet."),
            event(outcome="unreachable", message="No answer."),
            event(outcome="refused", message="Bad key."),
        ],
    )
    def test_an_early_end_of_the_wait_fails_for_good_and_names_the_video(self, fired, capsys):
        one_try = context()
        with pytest.raises(AirflowFailException):
            operator().execute_complete(one_try, fired)
        assert one_try["ti"].xcoms["failure"]["retryable"] is False
        said = capsys.readouterr().out
        assert "VideoSensor(video_task_id='task_a')" in said
        assert "re-attaches" not in said

    def test_so_does_a_time_out_in_the_worker(self, api):
        api.creations.append(CREATED)
        api.readings.append(Answer(body=record("generating")))
        with pytest.raises(AirflowFailException, match="task_a"):
            operator(deferrable=False, poll_interval=0.01, timeout=0.05).execute(context())

    def test_so_does_what_comes_between_the_answer_and_everything_else(self, api, monkeypatch):
        # A signal of execution_timeout is held back until the answer is there, and delivered at once then.
        def late(*_, **__):
            raise AirflowTaskTimeout("execution_timeout")

        monkeypatch.setattr("seedance_provider.submission.submitter.VideoMetrics.created", late)
        api.creations.append(CREATED)
        with pytest.raises(AirflowFailException, match="AirflowTaskTimeout"):
            operator().execute(context())

    @pytest.mark.parametrize("error", [AirflowTaskTimeout("execution_timeout"), ConnectionError("no API server")])
    def test_so_does_whatever_airflow_would_retry(self, api, monkeypatch, error):
        api.creations.append(CREATED)

        def break_off(*_, **__):
            raise error

        monkeypatch.setattr("seedance_provider.operators.video_creation.show_submitted", break_off)
        with pytest.raises(AirflowFailException, match=type(error).__name__) as caught:
            operator().execute(context())
        assert len(api.created) == 1
        assert caught.value.__cause__ is None or caught.value.__context__ is error

    @pytest.mark.parametrize("reason", ["Trigger timeout", "Trigger failure"])
    def test_so_does_a_deferral_that_airflow_has_ended(self, reason):
        one_try = context()
        one_try["ti"].xcoms["video_task_id"] = "task_a"
        with pytest.raises(AirflowFailException, match="TaskDeferral"):
            operator().resume_execution("__fail__", {"error": reason}, one_try)
        assert one_try["ti"].xcoms["failure"]["video_task_id"] == "task_a"

    def test_a_deferral_that_waited_for_a_slot_is_retried(self):
        with pytest.raises(AirflowException, match=r"Trigger (timeout|failure)"):
            operator().resume_execution("__fail__", {"error": "Trigger timeout"}, context())

    def test_a_refunded_video_is_retried_by_airflow(self):
        task = VideoTask.from_record(
            record("fail", error="Server error. Please try again later."), video_task_id="task_a"
        )
        with pytest.raises(AirflowException) as caught:
            operator().execute_complete(context(), event(task=task.to_json()))
        assert type(caught.value) is AirflowException

    def test_before_there_is_a_video_airflow_retries(self, api):
        made = operator(deferrable=False, error_tolerance=0.01)
        api.creations.append(Answer(500, {"message": "Oops"}))
        with pytest.raises(AirflowException) as caught:
            made.execute(context())
        assert type(caught.value) is AirflowException

    def test_a_kill_promises_nothing(self, api, capsys):
        api.creations.append(CREATED)
        made = operator()
        deferred(made.execute, context())
        made.on_kill()
        said = capsys.readouterr().out
        assert "VideoSensor(video_task_id='task_a')" in said
        assert "re-attaches" not in said


class TestWithAStateStore:
    def test_a_task_that_was_deferred_before_there_was_one_has_no_record(self):
        # Airflow was upgraded to 3.3 while the task was deferred: its retry would pay again.
        with pytest.raises(AirflowFailException):
            operator().execute_complete(context(StateStore()), event(outcome="timed_out", message="Not yet."))

    @pytest.mark.parametrize("reason", ["Trigger timeout", "Trigger failure"])
    def test_a_deferral_that_airflow_has_ended_is_retried_and_re_attaches(self, reason):
        one_try = context(recorded())
        one_try["ti"].xcoms["video_task_id"] = "task_a"
        with pytest.raises(AirflowException, match=r"Trigger (timeout|failure)"):
            operator().resume_execution("__fail__", {"error": reason}, one_try)


class TestDelivery:
    """With on_rerun="regenerate" a clear pays anew once the record says that Airflow has the result."""

    class Restarting(TaskInstance):
        """As when the API server restarts: one push fails."""

        fails = "video_url"

        def xcom_push(self, key, value):
            if key == self.fails:
                raise ConnectionError("the API server restarts")
            super().xcom_push(key, value)

    @pytest.mark.parametrize("key", ["video_url", "return_value"])
    @pytest.mark.parametrize("store", [StateStore])
    def test_what_could_not_be_pushed_was_not_delivered(self, api, key, store):
        kept, made = store(), {"on_rerun": "regenerate", "deferrable": False, "poll_interval": 0.01}
        api.creations.append(CREATED)
        api.readings.append(Answer(body=record()))
        restarting = self.Restarting()
        restarting.fails = key
        with pytest.raises(ConnectionError):
            operator(**made).execute(context(kept) | {"ti": restarting})
        assert operator(**made).execute(context(kept, max_tries=4))["video_task_id"] == "task_a"
        assert len(api.created) == 1

    def test_the_result_is_not_pushed_where_the_dag_wants_none(self, api):
        api.creations.append(CREATED)
        api.readings.append(Answer(body=record()))
        one_try = context(StateStore())
        operator(deferrable=False, poll_interval=0.01, do_xcom_push=False).execute(one_try)
        assert "return_value" not in one_try["ti"].xcoms


class TestOutage:
    """An API that has certainly not accepted the request is waited for, without using up a retry."""

    DOWN = (
        Answer(500, {"message": "Internal server error"}),
        Answer(429, {"message": "Too many requests"}),
    )

    @pytest.mark.parametrize("answer", DOWN)
    def test_is_waited_for_in_the_triggerer(self, api, answer):
        api.creations.extend([answer, CREATED])
        store, made = StateStore(), operator()
        one_try = context(store)
        deferral = deferred(made.execute, one_try)
        assert isinstance(deferral.trigger, OutageTrigger)
        assert deferral.trigger.give_up - time.time() == pytest.approx(1800, abs=5)
        assert store.values == {}
        assert datetime.fromisoformat(one_try["ti"].xcoms["unreachable_since"]).tzinfo is not None

        again = deferred(getattr(made, deferral.method_name), context(store), {"answers": True}, **deferral.kwargs)
        assert isinstance(again.trigger, VideoTrigger)
        assert again.trigger.started == deferral.kwargs["started"]
        assert len(api.created) == 2

    def test_an_api_that_can_not_be_reached_is_waited_for(self, monkeypatch):
        connection = '{"conn_type": "seedance", "host": "http://127.0.0.1:9/api/v1", "password": "k"}'
        monkeypatch.setenv("AIRFLOW_CONN_SEEDANCE_DEFAULT", connection)
        assert isinstance(deferred(operator().execute, context(StateStore())).trigger, OutageTrigger)

    def test_the_pauses_grow_and_the_tolerance_counts_from_the_first_failure(self, api):
        api.creations.append(self.DOWN[0])
        made, kwargs, pauses = operator(), None, []
        for _ in range(4):
            began = time.time()
            resume = made.execute if kwargs is None else made.resume_after_outage
            arguments = [] if kwargs is None else [{"answers": True}]
            deferral = deferred(resume, context(StateStore()), *arguments, **(kwargs or {}))
            pauses.append((deferral.trigger.not_before - time.time(), deferral.trigger.not_before - began))
            kwargs = deferral.kwargs
        # Each counts from a moment in between.
        for (at_most, at_least), seconds in zip(pauses, (5, 10, 20, 40), strict=True):
            assert at_most <= 1.1 * seconds
            assert at_least >= 0.9 * seconds
        assert kwargs["failures"] == 4

    def test_the_api_says_when_to_ask_again(self, api):
        api.creations.append(Answer(429, {"message": "Too many requests"}, headers={"Retry-After": "77"}))
        deferral = deferred(operator().execute, context(StateStore()))
        assert deferral.trigger.not_before - time.time() == pytest.approx(77, abs=2)

    def test_one_that_outlasts_the_tolerance_is_left_to_a_retry(self, api, capsys):
        api.creations.append(self.DOWN[0])
        long_ago = time.time() - 2000
        with pytest.raises(AirflowException, match="has not taken the request since") as caught:
            operator().resume_after_outage(
                context(StateStore()),
                {"answers": False},
                started=long_ago,
                deadline=long_ago + 3600,
                since=long_ago,
                failures=9,
            )
        assert type(caught.value) is AirflowException
        assert "Nothing was submitted or charged" in capsys.readouterr().out

    @pytest.mark.parametrize("how", ["in the triggerer", "in the worker"])
    def test_at_the_deadline_nothing_is_paid_for_that_can_not_be_waited_for(self, api, how):
        api.creations.extend([self.DOWN[0], CREATED])
        made = operator(deferrable=False, timeout=0.05, poll_interval=1)
        late = {"event": {"answers": True}, "started": 0, "deadline": 1, "since": 0, "failures": 1}
        call = made.execute if how == "in the worker" else partial(made.resume_after_outage, **late)
        with pytest.raises(AirflowException, match="has not taken the request since"):
            call(context(StateStore()))
        assert len(api.created) == (1 if how == "in the worker" else 0)

    def test_the_deadline_bounds_it(self, api):
        api.creations.append(self.DOWN[0])
        deferral = deferred(operator(timeout=60).execute, context(StateStore()))
        assert deferral.trigger.give_up - time.time() == pytest.approx(60, abs=2)

    def test_a_worker_waits_for_it(self, api):
        api.creations.extend([*self.DOWN, CREATED])
        api.readings.append(Answer(body=record()))
        made = operator(deferrable=False, poll_interval=0.01)
        assert made.execute(context(StateStore()))["status"] == "success"
        assert len(api.created) == 3

    def test_one_that_is_over_is_not_shown_to_who_waits_for_a_slot(self, api):
        api.creations.extend([self.DOWN[0], Answer(429, {"message": "Concurrency limit reached"})])
        one_try, made = context(StateStore()), operator()
        deferral = deferred(made.execute, one_try)
        again = deferred(made.resume_after_outage, one_try, {"answers": True}, **deferral.kwargs)
        assert isinstance(again.trigger, SlotTrigger)
        assert one_try["ti"].xcoms["unreachable_since"] is None

    @pytest.mark.parametrize("answer", [Answer(hang_up=True), Answer(502, b"<html>"), Answer(408, {"message": "x"})])
    def test_what_may_have_been_accepted_is_never_sent_again(self, api, answer):
        api.creations.append(answer)
        with pytest.raises(AirflowFailException):
            operator().execute(context(StateStore()))
        assert len(api.created) == 1

    @pytest.mark.parametrize("answer", [Answer(hang_up=True), Answer(500, {"message": "x"}), Answer(502, b"<html>")])
    def test_the_first_poll_of_a_try_that_resumes_may_fail_too(self, api, answer):
        store = StateStore()
        api.creations.append(CREATED)
        deferred(operator().execute, context(store))
        api.readings.append(answer)
        deferral = deferred(operator().execute, context(store))
        assert (type(deferral.trigger), deferral.trigger.video_task_id) == (VideoTrigger, "task_a")
        assert len(api.created) == 1

    def test_an_upload_is_tried_again_too(self, api, tmp_path, monkeypatch):
        api.creations.append(Answer(500, {"message": "Internal server error"}))
        deferral = deferred(operator(first_frame=media.picture(tmp_path / "a.png")).execute, context(StateStore()))
        assert isinstance(deferral.trigger, OutageTrigger)
        assert [asked.path for asked in api.asked] == ["/api/v1/uploads"]


class TestLastTry:
    def test_nobody_is_told_of_a_next_try_that_does_not_come(self, capsys):
        fired = event(outcome="timed_out", message="Not yet.")
        for try_number, speaks_of_it in ((3, True), (4, False)):
            with pytest.raises(AirflowException):
                operator().execute_complete(context(recorded(), max_tries=3, try_number=try_number), fired)
            said = capsys.readouterr().out
            assert ("The next try" in said) is speaks_of_it
            assert "re-attaches" in said


class TestLog:
    def test_a_failure_is_three_short_lines_at_error_level(self, api, capsys):
        api.creations.append(Answer(hang_up=True))
        with pytest.raises(AirflowFailException) as caught:
            operator().execute(context(StateStore()))
        lines = [line for line in capsys.readouterr().out.splitlines() if "[error" in line]
        assert len(lines) == 3
        assert "did not answer completely" in lines[0]
        assert "It is unknown whether a video was paid for" in lines[1]
        assert "web account" in lines[2]
        assert "docs/errors.md (connection_lost)" in lines[2]
        assert "\n" not in str(caught.value)
        assert "web account" not in str(caught.value)


class TestInADag:
    def test_every_parameter_of_the_request_is_a_template(self):
        request = {field.name for field in fields(VideoRequest)} - {"allow_unknown_model"}
        assert request | {"seedance_conn_id"} == set(CreateVideoOperator.template_fields)

    def test_templates_are_rendered(self):
        made = operator(prompt="{{ a }}", duration="{{ b }}", extra_inputs={"seed": "{{ b }}"})
        made.render_template_fields({"a": "A kite", "b": 7})
        assert (made.prompt, made.duration, made.extra_inputs) == ("A kite", "7", {"seed": "7"})

    def test_can_be_mapped(self):
        with DAG("d", schedule=None):
            by_prompt = CreateVideoOperator.partial(task_id="a", duration=4).expand(prompt=["x", "y"])
            by_arguments = CreateVideoOperator.partial(task_id="b").expand_kwargs([{"prompt": "x", "duration": 4}])
        assert by_prompt.is_mapped
        assert by_arguments.is_mapped

    def test_the_key_is_in_nothing_that_is_stored(self, api, seedance_default):
        api.creations.append(CREATED)
        store, made = StateStore(), operator()
        try_1 = context(store)
        deferral = deferred(made.execute, try_1)
        assert seedance_default in api.created[0].headers["Authorization"]
        assert "submitted" in try_1["ti"].xcoms
        stored = [store.values, try_1["ti"].xcoms, deferral.trigger.serialize(), deferral.kwargs, vars(made)]
        assert seedance_default not in repr(stored)


class TestFiles:
    def test_a_file_that_is_not_there_fails_for_good_before_anything_is_sent(self, api, tmp_path):
        with pytest.raises(AirflowFailException, match=r"first_frame: There is no file .*Nothing was sent or charged"):
            operator(first_frame=f"{tmp_path}/gone.png").execute(context(StateStore()))
        assert not api.created

    def test_a_storage_that_is_down_is_asked_again(self, api, tmp_path, monkeypatch):
        def down(_):
            raise FileUnavailableError("The storage is down.")

        monkeypatch.setattr(StoredFile, "version", down)
        with pytest.raises(AirflowException, match="The storage is down") as caught:
            operator(first_frame=media.picture(tmp_path / "a.png")).execute(context(StateStore()))
        assert not isinstance(caught.value, AirflowFailException)
        assert not api.created

    def test_a_store_that_is_down_is_asked_again(self, api, tmp_path):
        store = StateStore()
        store.fail = "get"
        with pytest.raises(AirflowException, match="the metadata database is down") as caught:
            operator(first_frame=media.picture(tmp_path / "a.png")).execute(context(store))
        assert not isinstance(caught.value, AirflowFailException)
        assert not api.created


class TestSchedule:
    @pytest.mark.usefixtures("documented_times")
    @pytest.mark.parametrize(
        ("arguments", "typical"),
        [
            ({}, [60, 300]),
            ({"resolution": "4k", "aspect_ratio": "16:9"}, [360, 600]),
            ({"reference_videos": ["https://a/b.mp4"]}, [240, 480]),
            ({"model": "seedance2-fast"}, [120, 240]),
            ({"model": "seedance2-5", "resolution": "1080p"}, [240, 660]),
            ({"model": "new", "allow_unknown_model": True}, [60, 300]),
        ],
    )
    def test_polls_follow_what_such_videos_usually_take(self, api, arguments, typical):
        api.creations.append(CREATED)
        one_try = context(StateStore())
        trigger = deferred(operator(**arguments).execute, one_try).trigger
        assert (trigger.typical_seconds, trigger.poll_interval) == (typical, 5)
        assert one_try["ti"].xcoms["submitted"]["typical_seconds"] == typical

    def test_the_connection_knows_better(self, api):
        api.creations.append(CREATED)
        assert deferred(operator().execute, context(StateStore())).trigger.typical_seconds == ANY_TIME

    def test_an_interval_of_ones_own_changes_nothing_else(self, api):
        api.creations.append(CREATED)
        trigger = deferred(operator(poll_interval=7).execute, context(StateStore())).trigger
        assert (trigger.typical_seconds, trigger.poll_interval) == (ANY_TIME, 7)

    @pytest.mark.usefixtures("documented_times")
    def test_a_worker_makes_its_first_poll_when_the_trigger_would(self, api, monkeypatch):
        pauses = []
        monkeypatch.setattr("seedance_provider.waiting.video_wait.time.sleep", pauses.append)
        api.creations.append(CREATED)
        api.readings.append(Answer(body=record()))
        operator(deferrable=False, poll_interval=7).execute(context(StateStore()))
        assert pauses == [pytest.approx(48, rel=0.11)]

    def test_a_retry_counts_from_the_submission(self, api):
        store = StateStore()
        api.creations.append(CREATED)
        api.readings.append(Answer(body=record("generating") | {"createTime": 1_700_000_000_000}))
        before = time.time()
        assert before <= deferred(operator().execute, context(store)).trigger.submitted_at <= time.time()
        assert deferred(operator().execute, context(store)).trigger.submitted_at == 1_700_000_000
