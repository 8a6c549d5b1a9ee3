"""CreateVideoOperator, one try at a time, against a real HTTP server."""

from __future__ import annotations

import json
import time
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, AirflowTaskTimeout, TaskDeferred
from airflow.sdk import DAG, ObjectStoragePath

from seedance_provider.api.errors import (
    AuthenticationError,
    ConnectionLostError,
    FileUnavailableError,
    GenerationFailedError,
    InputModerationError,
    InsufficientCreditsError,
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
from seedance_provider.waiting.result import Outcome, WaitResult
from tests.support import media
from tests.support.airflow_versions import needs_retry_policies
from tests.support.scripted_api import ANY_TIME, Answer, record
from tests.support.task_context import StateStore, TaskInstance, context
from tests.support.user_values import Numpy, Rows

pytestmark = pytest.mark.usefixtures("seedance_default")

CREATED = Answer(body={"taskId": "task_a"})
CREATED_ANOTHER = Answer(body={"taskId": "task_b"})
DOWN = Answer(500, {"message": "Internal server error"})
FULL = Answer(
    429, {"message": "Concurrency limit reached (3). You have 3 tasks in progress.", "limit": 3, "current": 3}
)
MODERATION = "Your input text violates platform rules. Sorry."
PASSING = "Video generation failed. Please try again."


def accepts(api, *records) -> None:
    """The API accepts a video, and answers its polls with these records."""
    api.creations.append(CREATED)
    api.readings.extend(Answer(body=each) for each in records)


def after(api, answer: Answer, act) -> None:
    """Do something as soon as the API has taken a request that gets a certain answer."""
    give = api.next_answer

    def give_and_act(asked):
        given = give(asked)
        if given is answer:
            act()
        return given

    api.next_answer = give_and_act


def operator(**arguments) -> CreateVideoOperator:
    return CreateVideoOperator(**{"task_id": "create", "prompt": "A kite"} | arguments)


def in_worker(**arguments) -> CreateVideoOperator:
    return operator(**{"deferrable": False, "poll_interval": 0.01} | arguments)


def deferred(call, *args, **kwargs) -> TaskDeferred:
    with pytest.raises(TaskDeferred) as caught:
        call(*args, **kwargs)
    return caught.value


def failed(call, one_try: dict, *args, **kwargs) -> tuple[Exception, dict]:
    """What a try raises, and what it shows of that."""
    with pytest.raises(AirflowException) as caught:
        call(one_try, *args, **kwargs)
    return caught.value, one_try["ti"].xcoms["failure"]


def early(outcome: str) -> dict:
    """The event of a wait that ended before the video."""
    return {"outcome": outcome, "message": f"It is {outcome}.", "task": None, "video_task_id": "task_a"}


def finished(answer: dict) -> dict:
    """The event of a wait that a final record has ended."""
    return WaitResult(Outcome.FINISHED, task=VideoTask.from_record(answer, video_task_id="task_a")).to_event()


def recorded() -> StateStore:
    """A store that holds the record of task_a."""
    store = StateStore()
    record_of_it = Submission(
        SubmissionState.SUBMITTED, "abc", "2026-01-02T03:04:05+00:00", 3, 200, video_task_id="task_a"
    )
    SubmissionStore(store).save(record_of_it)
    return store


class TestDeferring:
    def test_submits_once_and_defers_to_the_triggerer(self, api):
        accepts(api)
        try_1 = context(StateStore())
        deferral = deferred(operator().execute, try_1)
        assert isinstance(deferral.trigger, VideoTrigger)
        assert deferral.trigger.video_task_id == try_1["ti"].xcoms["video_task_id"] == "task_a"
        assert (deferral.trigger.was_seen, deferral.trigger.estimated_credits) == (True, 200)
        assert deferral.method_name == "execute_complete"
        assert len(api.created) == 1
        assert api.created[0].json == encode_bodies(VideoRequest("A kite"))["models"]

    @pytest.mark.parametrize(
        ("arguments", "seconds"),
        [({"timeout": timedelta(minutes=10)}, 600), ({"execution_timeout": timedelta(seconds=90)}, 90)],
    )
    def test_the_trigger_gives_up_in_time_and_airflow_later(self, api, arguments, seconds):
        accepts(api)
        deferral = deferred(operator(**arguments).execute, context(StateStore()))
        assert deferral.trigger.deadline - deferral.trigger.started == pytest.approx(seconds)
        assert deferral.timeout.total_seconds() > seconds

    def test_returns_the_small_result(self):
        resumed = context(StateStore())
        assert operator().execute_complete(resumed, finished(record())) == {
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
        assert "last_frame_url" not in resumed["ti"].xcoms

    @pytest.mark.parametrize(
        ("template", "prompt"),
        [
            *(("{{ params.prompt }}", text) for text in ("1984", "19.84", "A [1, 2] kite")),
            *(
                ("{{ '%r' | format(params.prompt) }}", text)
                for text in ("1984", '["a"]', '{"a": 1}', "It's \U0001fa81")
            ),
        ],
    )
    def test_a_native_template_leaves_a_prompt_as_it_is(self, api, template, prompt):
        api.creations.append(CREATED)
        with DAG("d", schedule=None, render_template_as_native_obj=True):
            creating = operator(prompt=template)
        creating.render_template_fields({"params": {"prompt": prompt}})
        deferred(creating.execute, context(StateStore()))
        assert api.created[0].json["inputs"]["prompt"] == prompt

    @pytest.mark.parametrize("text", ["[1, 2]", '{"a": 1}'])
    def test_or_the_refusal_says_how_to_write_it(self, text):
        with DAG("d", schedule=None, render_template_as_native_obj=True):
            creating = operator(prompt="{{ params.prompt }}")
        creating.render_template_fields({"params": {"prompt": text}})
        with pytest.raises(AirflowFailException, match=r"write {{ '%r' \| format\(\.\.\.\) }}\."):
            creating.execute(context(StateStore()))

    def test_what_can_be_read_once_is_asked_for_again_after_a_wait(self, api):
        api.creations.extend([FULL, CREATED])
        urls = ["https://a.example/1.png", "https://a.example/2.png"]
        creating = operator(reference_images=iter(urls), duration=Decimal(6), generate_audio=Numpy(True), seed=Numpy(7))
        waiting = deferred(creating.execute, context(StateStore()))
        deferred(creating.resume_after_slot, context(StateStore()), {"free": True}, **waiting.kwargs)
        asked, again = (each.json["inputs"] for each in api.created)
        assert asked == again
        assert asked["imageUrls"] == urls
        assert (asked["duration"], asked["generate_audio"], asked["seed"]) == (6, True, 7)

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
        accepts(api)
        deferral = deferred(operator(prompt="Of yesterday", duration=6).execute, context(store))
        kwargs = json.loads(json.dumps(deferral.kwargs))
        result = operator(prompt="Of today", duration=9).execute_complete(context(store), finished(record()), **kwargs)
        assert (result["prompt"], result["inputs"]["duration"]) == ("Of yesterday", 6)

    def test_a_video_that_is_not_what_was_asked_for_is_a_result_with_a_warning(self, api, capsys):
        store, made = StateStore(), operator(resolution="720x1280")
        accepts(api)
        deferred(made.execute, context(store))
        result = made.execute_complete(context(store), finished(record()))
        assert result["mismatches"] == ["aspect_ratio: 9:16 asked, 16:9 made"]
        assert "aspect_ratio: 9:16 asked, 16:9 made" in capsys.readouterr().out

    def test_pushes_what_the_next_video_can_start_from(self):
        answer = record()
        answer["output"][0]["lastFrameImage"] = "https://media.example/last.png"
        resumed = context(StateStore())
        operator().execute_complete(resumed, finished(answer))
        assert resumed["ti"].xcoms["video_url"] == "https://media.example/a.mp4"
        assert resumed["ti"].xcoms["last_frame_url"] == "https://media.example/last.png"

    @pytest.mark.parametrize("wait", [True, False])
    def test_a_finished_video_that_is_found_again_is_handed_over_whole(self, api, wait):
        accepts(api, record())
        store = StateStore()
        operator(wait_for_completion=False).execute(context(store))
        again = context(store)
        result = operator(wait_for_completion=wait).execute(again)
        assert (result["status"], result["credits_used"], result["estimated_credits"]) == ("success", 200, 200)
        assert again["ti"].xcoms["video_url"] == result["video_url"] == "https://media.example/a.mp4"
        assert len(api.created) == 1

    @pytest.mark.parametrize("wait", [True, False])
    def test_regenerate_pays_again_only_after_the_result_was_delivered(self, api, wait):
        store, made = StateStore(), {"on_rerun": "regenerate", "deferrable": False, "wait_for_completion": wait}
        api.creations.extend([CREATED, CREATED_ANOTHER])
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

    def test_is_what_is_waited_for(self, api):
        accepts(api)
        before = datetime.now(UTC).replace(microsecond=0)
        made = operator(prompt="The bud opens", first_frame="https://media.example/a.png", duration=4)
        one_try = context(StateStore())
        deferred(made.execute, one_try)
        shown = one_try["ti"].xcoms["submitted"]
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

    def test_a_retry_re_attaches_to_a_video_that_is_as_old_as_it_is(self, api):
        accepts(api, record("generating"))
        store, before = StateStore(), time.time()
        try_1, try_2 = context(store), context(store)
        assert before <= deferred(operator().execute, try_1).trigger.submitted_at <= time.time()
        trigger = deferred(operator().execute, try_2).trigger
        assert (trigger.video_task_id, trigger.submitted_at) == ("task_a", 1735599634)
        as_old = try_1["ti"].xcoms["submitted"] | {"submitted_at": "2024-12-30T23:00:34+00:00"}
        assert try_2["ti"].xcoms == {"video_task_id": "task_a", "submitted": as_old}
        assert len(api.created) == 1

    @pytest.mark.parametrize("made", [in_worker(), operator(wait_for_completion=False)])
    def test_is_also_shown_by_who_waits_in_the_worker_and_by_who_does_not_wait(self, api, made):
        accepts(api, record())
        one_try = context(StateStore())
        made.execute(one_try)
        assert one_try["ti"].xcoms["submitted"]["video_task_id"] == "task_a"
        assert "failure" not in one_try["ti"].xcoms

    def test_is_not_there_while_there_is_no_slot(self, api):
        api.creations.append(FULL)
        waiting = context(StateStore())
        deferred(operator().execute, waiting)
        assert waiting["ti"].xcoms == {}


class TestFailure:
    """What Airflow, a branch after the failed task, a retry policy and the Videos page can go by."""

    @pytest.mark.parametrize("deferrable", [True, False])
    def test_of_a_refused_prompt(self, api, seedance_default, deferrable):
        answer = record("fail", error={"code": "2038", "message": MODERATION})
        accepts(api, answer)
        one_try, made = context(StateStore()), operator(deferrable=deferrable, poll_interval=0.01)
        if deferrable:
            deferred(made.execute, one_try)
            raised, failure = failed(made.execute_complete, one_try, finished(answer))
        else:
            raised, failure = failed(made.execute, one_try)
        assert type(raised) is AirflowFailException
        assert failure == {
            "video_task_id": "task_a",
            "reason": "text_moderation",
            "message": MODERATION,
            "advice": "Revise the prompt.",
            "retryable": False,
        }
        assert one_try["ti"].xcoms["submitted"]["video_task_id"] == "task_a"
        assert seedance_default not in repr(one_try["ti"].xcoms)

    @pytest.mark.parametrize("store", [StateStore(), None], ids=["recorded", "below Airflow 3.3"])
    @pytest.mark.parametrize(
        ("text", "error_class", "cause", "advice"),
        [
            ("Server error. Please try again later.", AirflowException, GenerationFailedError, ""),
            ("Face detected in uploaded media.", AirflowFailException, InputModerationError, "without human faces"),
        ],
    )
    def test_of_a_video_is_retried_by_airflow_only_if_that_can_help(self, text, error_class, cause, advice, store):
        raised, failure = failed(operator().execute_complete, context(store), finished(record("fail", error=text)))
        assert (type(raised), type(raised.__cause__)) == (error_class, cause)
        assert advice in failure["advice"]

    @pytest.mark.parametrize(
        ("answer", "reason", "said", "cause"),
        [
            (
                Answer(402, {"message": "Insufficient credits", "required": 200, "available": 20}),
                "insufficient_credits",
                "HTTP 402: Insufficient credits (200 needed, 20 available)",
                InsufficientCreditsError,
            ),
            (
                Answer(401, {"message": "Invalid API Key"}),
                "invalid_key",
                "HTTP 401: Invalid API Key",
                AuthenticationError,
            ),
        ],
    )
    def test_of_a_refused_request(self, api, seedance_default, answer, reason, said, cause):
        api.creations.append(answer)
        one_try = context(StateStore())
        raised, failure = failed(operator().execute, one_try)
        assert (type(raised), type(raised.__cause__)) == (AirflowFailException, cause)
        assert failure.pop("advice")
        assert failure == {"video_task_id": None, "reason": reason, "message": said, "retryable": False}
        assert seedance_default not in repr(one_try["ti"].xcoms)

    @pytest.mark.parametrize(
        ("answer", "cause"),
        [
            (Answer(hang_up=True), ConnectionLostError),
            (Answer(502, b"<html>"), UnexpectedResponseError),
            (Answer(408, {"message": "x"}), UnexpectedResponseError),
        ],
    )
    def test_of_a_request_with_an_unknown_fate_is_never_repeated(self, api, answer, cause):
        api.creations.append(answer)
        raised, failure = failed(operator().execute, context(StateStore()))
        assert (type(raised), type(raised.__cause__)) == (AirflowFailException, cause)
        assert failure["retryable"] is False
        assert "web account" in failure["advice"]
        assert len(api.created) == 1

    def test_of_a_list_that_can_not_be_read_now(self, api):
        references = Rows(["https://a.example/b.png"] * 3, readable=2)
        raised, failure = failed(operator(reference_images=references).execute, context(StateStore()))
        assert type(raised) is AirflowException
        assert "Only 2 of 3 items" in failure["message"]
        assert api.asked == []

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            ({"prompt": "  "}, "prompt"),
            ({"duration": "3"}, "duration is 3"),
            ({"resolution": "1x1"}, "resolution is '1x1'"),
            ({"model": "seedance-3"}, "model is 'seedance-3'"),
            ({"first_frame": "/nobody/has/a.png"}, "first_frame: There is no file"),
            ({"last_frame": "https://a.example/b.png"}, "last_frame"),
        ],
    )
    def test_of_an_invalid_request_comes_before_anything_is_sent(self, api, arguments, said):
        store = StateStore()
        raised, failure = failed(operator(**arguments).execute, context(store))
        assert type(raised) is AirflowFailException
        assert (failure["reason"], failure["retryable"]) == ("invalid_request", False)
        assert said in failure["message"]
        assert said in str(raised)
        assert "charged" in str(raised)
        assert api.asked == []
        assert store.writes == []

    def test_of_a_bad_connection(self, monkeypatch):
        monkeypatch.setenv("AIRFLOW_CONN_SEEDANCE_DEFAULT", '{"conn_type": "seedance"}')
        raised, failure = failed(operator().execute, context(StateStore()))
        assert type(raised) is AirflowFailException
        assert "no API key" in failure["message"]

    def test_of_a_connection_that_is_not_there(self):
        raised, failure = failed(operator(seedance_conn_id="nobody").execute, context(StateStore()))
        assert type(raised) is AirflowException
        assert (failure["reason"], failure["retryable"]) == ("no_connection", True)
        assert "'nobody'" in failure["message"]

    def test_of_a_file_that_is_not_there_now(self, api, tmp_path, monkeypatch):
        def down(_):
            raise FileUnavailableError("The storage is down.")

        monkeypatch.setattr(StoredFile, "version", down)
        made = operator(first_frame=media.picture(tmp_path / "a.png"))
        raised, failure = failed(made.execute, context(StateStore()))
        assert (type(raised), failure["reason"], failure["retryable"]) == (AirflowException, "file_unavailable", True)
        assert "The storage is down" in str(raised)
        assert not api.created

    @pytest.mark.parametrize("store", [recorded(), StateStore(), None], ids=["recorded", "no record", "no store"])
    @pytest.mark.parametrize(
        ("outcome", "can_help"), [("timed_out", True), ("unreachable", True), ("gone", False), ("refused", False)]
    )
    def test_of_a_wait_that_ended_early_is_retried_only_if_that_can_help_and_is_safe(
        self, outcome, can_help, store, capsys
    ):
        # A store without a record: Airflow was upgraded to 3.3 while the task was deferred.
        raised, failure = failed(operator().execute_complete, context(store), early(outcome))
        is_recorded = store is not None and store.values != {}
        assert type(raised) is (AirflowException if can_help and is_recorded else AirflowFailException)
        advice = failure.pop("advice")
        assert failure == {
            "video_task_id": "task_a",
            "reason": outcome,
            "message": str(raised),
            "retryable": can_help and is_recorded,
        }
        assert advice
        if not is_recorded and outcome != "gone":
            assert "VideoSensor(video_task_id='task_a')" in advice
            assert "re-attaches" not in capsys.readouterr().out

    @pytest.mark.parametrize("with_file", [False, True])
    def test_of_a_state_store_that_is_down(self, api, tmp_path, with_file):
        store = StateStore()
        store.fail = "get"
        made = operator(first_frame=media.picture(tmp_path / "a.png")) if with_file else operator()
        raised, failure = failed(made.execute, context(store))
        assert (type(raised), failure["message"], failure["retryable"]) == (AirflowException, str(raised), True)
        assert "the metadata database is down" in failure["message"]
        assert not api.created

    def test_of_a_record_that_can_not_be_read(self, api):
        store = StateStore()
        store.set("seedance_submission", {"schema_version": 99})
        raised, failure = failed(operator().execute, context(store))
        assert type(raised) is AirflowFailException
        assert (failure["message"], failure["retryable"]) == (str(raised), False)
        assert "which this release can't read" in str(raised)
        assert api.created == []

    def test_is_three_short_lines_at_error_level_in_the_log(self, api, capsys):
        api.creations.append(Answer(hang_up=True))
        raised, _ = failed(operator().execute, context(StateStore()))
        lines = [line for line in capsys.readouterr().out.splitlines() if "[error" in line]
        assert len(lines) == 3
        assert "did not answer completely" in lines[0]
        assert "It is unknown whether a video was paid for" in lines[1]
        assert "web account" in lines[2]
        assert "docs/errors.md (connection_lost)" in lines[2]
        assert "\n" not in str(raised)
        assert "web account" not in str(raised)

    def test_does_not_tell_of_a_next_try_that_does_not_come(self, capsys):
        for try_number, speaks_of_it in ((3, True), (4, False)):
            one_try = context(recorded(), max_tries=3, try_number=try_number)
            failed(operator().execute_complete, one_try, early("timed_out"))
            said = capsys.readouterr().out
            assert ("The next try" in said) is speaks_of_it
            assert "re-attaches" in said


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
        accepts(api)
        assert deferred(operator().execute, self.forgetful()).trigger.video_task_id == "task_a"
        assert "The XCom 'submitted' could not be written" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("creation", "arguments"),
        [
            (CREATED, {}),
            (Answer(402, {"message": "Insufficient credits", "required": 200, "available": 20}), {}),
            (None, {"duration": 3}),
        ],
    )
    @pytest.mark.parametrize("text", [MODERATION, PASSING])
    def test_a_failure_is_the_same(self, api, creation, arguments, text):
        api.creations.extend([creation] if creation else [])
        api.readings.append(Answer(body=record("fail", error=text)))
        self.assert_end_is_the_same(in_worker(**arguments).execute)

    @pytest.mark.parametrize("outcome", ["timed_out", "unreachable", "gone", "refused"])
    def test_so_is_an_early_end_of_the_wait(self, outcome):
        self.assert_end_is_the_same(partial(operator().execute_complete, event=early(outcome)))

    def assert_end_is_the_same(self, call) -> None:
        ends = []
        for one_try in (context(StateStore()), self.forgetful()):
            with pytest.raises(AirflowException) as caught:
                call(one_try)
            ends.append((type(caught.value), str(caught.value), type(caught.value.__cause__)))
        assert ends[0] == ends[1]


class TestLimits:
    @pytest.mark.parametrize(
        ("name", "value", "said"),
        [
            *((name, 0, name) for name in ("timeout", "poll_interval", "error_tolerance")),
            *((name, "maybe", "maybe") for name in ("on_rerun", "on_unknown_submission")),
            *(
                (name, amount, f"{name} is .*, and a number of credits is needed")
                for name in ("max_credits", "max_credits_per_run")
                for amount in ("500", -1, True, float("inf"))
            ),
        ],
    )
    def test_what_can_not_be_meant_is_refused_when_the_dag_is_read(self, name, value, said):
        with pytest.raises(ValueError, match=said):
            operator(**{name: value})

    def test_numbers_of_a_database_are_as_good_as_any(self, api):
        accepts(api)
        numbers = {"timeout": Decimal(600), "poll_interval": Numpy(5), "error_tolerance": Decimal("60.5")}
        creating = operator(**numbers, max_credits=Decimal(200))
        trigger = deferred(creating.execute, context(StateStore())).trigger
        assert json.loads(json.dumps(trigger.serialize()[1])) == trigger.serialize()[1]
        assert (creating.timeout, creating.max_credits) == (600, 200)
        assert operator(max_credits_per_run=Numpy(400)).max_credits_per_run == 400

    @pytest.mark.parametrize(("max_credits", "end"), [(199.9, AirflowFailException), (200, TaskDeferred)])
    def test_a_video_that_would_cost_more_is_not_asked_for(self, api, max_credits, end):
        accepts(api)
        with pytest.raises(end):
            operator(max_credits=max_credits).execute(context(StateStore()))
        assert len(api.created) == (end is TaskDeferred)


class TestSlots:
    def test_a_full_account_is_waited_for_without_a_worker(self, api):
        api.creations.extend([FULL, CREATED])
        store, made = StateStore(), operator()
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
        one_try = context(StateStore())
        raised, failure = failed(operator().resume_after_slot, one_try, {"free": free}, started=0, deadline=1)
        assert (type(raised), failure["message"], failure["retryable"]) == (AirflowException, str(raised), True)
        assert "had no free slot" in failure["message"]
        assert api.created == []

    def test_a_worker_waits_for_one_and_says_which_pool_would_keep_it_from_asking_in_vain(self, api, capsys):
        api.creations.extend([FULL, FULL, CREATED])
        api.readings.append(Answer(body=record()))
        assert in_worker().execute(context(StateStore()))["status"] == "success"
        assert len(api.created) == 3
        assert capsys.readouterr().out.count("airflow pools set seedance 3 ") == 1

    def test_a_worker_gives_up_at_the_timeout(self, api):
        api.creations.append(FULL)
        raised, failure = failed(in_worker(timeout=0.05).execute, context(StateStore()))
        assert "had no free slot" in str(raised)
        assert "--include-deferred" in failure["advice"]

    def test_one_that_comes_at_the_deadline_is_not_paid_for(self, api):
        # The video could not be waited for any more.
        api.creations.extend([FULL, CREATED])
        with pytest.raises(AirflowException, match="had no free slot"):
            in_worker(timeout=0.05, poll_interval=1).execute(context(StateStore()))
        assert len(api.created) == 1


class TestInTheWorker:
    def test_waits_over_one_connection_until_the_video_is_there(self, api):
        accepts(api, *map(record, ("waiting", "generating", "success")))
        assert in_worker().execute(context(StateStore()))["status"] == "success"
        assert len(api.created) == 1
        assert len(api.read) == 3
        assert len({asked.client for asked in api.read}) == 1

    def test_a_passing_failure_is_retried_with_a_new_video(self, api):
        store = StateStore()
        failure = record("fail", error=PASSING)
        accepts(api, failure, failure, record(video_task_id="task_b"))
        api.creations.append(CREATED_ANOTHER)
        raised, _ = failed(in_worker().execute, context(store))
        assert type(raised) is AirflowException
        assert in_worker().execute(context(store))["video_task_id"] == "task_b"
        assert len(api.created) == 2

    def test_gives_up_at_the_timeout_and_re_attaches_next_time_over_one_connection(self, api):
        store = StateStore()
        accepts(api, record("generating"))
        raised, failure = failed(in_worker(timeout=0.05).execute, context(store))
        assert (failure["message"], failure["retryable"]) == (str(raised), True)
        assert "it is generating" in failure["message"]
        before = len(api.asked)
        api.readings.extend(Answer(body=record(status)) for status in ("generating", "success"))
        assert in_worker().execute(context(store))["video_task_id"] == "task_a"
        assert [asked.method for asked in api.asked[before:]] == ["GET"] * 3
        assert len({asked.client for asked in api.asked[before:]}) == 1

    def test_puts_up_with_a_faulty_api(self, api):
        api.creations.append(CREATED)
        faults = [Answer(hang_up=True), Answer(502, b"<html>", "text/html"), Answer(200, b"{"), Answer(body=record())]
        api.readings.extend(faults)
        assert in_worker().execute(context(StateStore()))["status"] == "success"


class TestRetryPolicy:
    @needs_retry_policies
    def test_an_outage_that_outlasts_the_tolerance_is_retried_when_the_api_says(self, api):
        api.creations.append(Answer(429, {"message": "Too many requests"}, headers={"Retry-After": "77"}))
        raised, _ = failed(operator(deferrable=False, error_tolerance=0.01).execute, context(StateStore()))
        assert type(raised.__cause__) is RateLimitedError
        decision = seedance_retry_policy().evaluate(raised, 2, 3)
        assert (decision.action.name, decision.retry_delay) == ("RETRY", timedelta(seconds=77))

    @needs_retry_policies
    def test_does_not_overrule_an_author_who_pays_again(self, api):
        api.creations.append(Answer(502, b"<html>"))
        raised, _ = failed(operator(on_unknown_submission="resubmit").execute, context(StateStore()))
        assert type(raised) is AirflowException
        assert seedance_retry_policy().evaluate(raised, 1, 3).action.name == "DEFAULT"


class TestKill:
    @pytest.mark.parametrize("recorded", [True, False])
    def test_says_that_the_video_goes_on_and_how_to_get_it(self, api, capsys, recorded):
        accepts(api)
        made = operator()
        deferred(made.execute, context(StateStore() if recorded else None))
        capsys.readouterr()
        made.on_kill()
        said = capsys.readouterr().out
        assert "task_a continues" in said
        re_attaches = "clearing the Airflow task (from Airflow 3.4 on: keeping its task state) re-attaches to it"
        assert (re_attaches in said) is ("re-attaches" in said) is recorded
        assert ("VideoSensor(video_task_id='task_a')" in said) is not recorded
        assert len(api.created) == 1

    @pytest.mark.parametrize("waits_for_a_slot", [False, True])
    def test_says_so_if_nothing_was_submitted(self, api, capsys, waits_for_a_slot):
        api.creations.append(FULL)
        made = operator()
        if waits_for_a_slot:
            deferred(made.execute, context(StateStore()))
        made.on_kill()
        said = capsys.readouterr().out
        assert "Nothing was submitted or charged" in said
        assert "continues" not in said

    def test_nothing_is_submitted_after_it(self, api, monkeypatch):
        made = operator()
        look_up = SeedanceHook.get_settings
        monkeypatch.setattr(SeedanceHook, "get_settings", lambda hook: (made.on_kill(), look_up(hook))[1])
        with pytest.raises(AirflowException, match="told the task to end"):
            made.execute(context(StateStore()))
        assert api.created == []

    def test_the_next_try_submits_even_on_the_same_operator(self, api):
        # As in dag.test(), after an execution_timeout.
        accepts(api)
        made = operator()
        made.on_kill()
        deferred(made.execute, context(StateStore()))
        assert len(api.created) == 1

    def test_says_that_the_wait_is_over(self, capsys):
        made = operator()
        made.execute_complete(context(StateStore()), finished(record()))
        made.on_kill()
        said = capsys.readouterr().out
        assert "clearing the Airflow task (from Airflow 3.4 on: keeping its task state) reads it first" in said

    def test_says_what_a_request_that_is_on_its_way_means(self, api, capsys):
        made = operator()
        accepts(api)
        after(api, CREATED, made.on_kill)
        deferred(made.execute, context(StateStore()))
        assert "A request for about 200 credits ($1.00) is on its way to the API" in capsys.readouterr().out


class TestRotatedKey:
    """The key worked when the video was submitted."""

    REFUSED = Answer(401, {"message": "Invalid API Key"})

    def test_a_worker_takes_the_new_key_from_the_connection(self, api, monkeypatch):
        accepts(api, record("generating"))
        api.readings.extend([self.REFUSED, Answer(body=record())])
        connection = f'{{"conn_type": "seedance", "host": "{api.base_url}", "password": "the-new-key"}}'
        after(api, self.REFUSED, lambda: monkeypatch.setenv("AIRFLOW_CONN_SEEDANCE_DEFAULT", connection))
        assert in_worker().execute(context(StateStore()))["status"] == "success"
        assert [asked.headers["Authorization"] for asked in api.read][-1] == "Bearer the-new-key"
        assert len(api.created) == 1

    def test_after_the_tolerance_it_fails_for_good_and_a_clear_re_attaches(self, api):
        store = StateStore()
        api.creations.append(CREATED)
        api.readings.append(self.REFUSED)
        raised, failure = failed(in_worker(error_tolerance=0.03).execute, context(store))
        assert type(raised) is AirflowFailException
        assert "task_a can't be polled" in str(raised)
        assert "the password of the connection" in failure["advice"]
        api.readings[0] = Answer(body=record())
        assert operator(deferrable=False).execute(context(store, max_tries=4))["video_task_id"] == "task_a"
        assert len(api.created) == 1


def test_who_does_not_wait_gets_the_id_at_once(api):
    accepts(api)
    result = operator(wait_for_completion=False).execute(context(StateStore()))
    assert (result["video_task_id"], result["status"], result["video_url"]) == ("task_a", "waiting", None)
    assert api.read == []


class TestWithoutAStateStore:
    """Below Airflow 3.3 no later try knows of the video, so there must be none that pays beside it."""

    def test_warns_and_names_the_safe_pattern(self, api, capsys):
        accepts(api)
        deferred(operator().execute, context())
        assert capsys.readouterr().out.count("VideoSensor") == 1

    def test_a_time_out_in_the_worker_fails_for_good(self, api):
        accepts(api, record("generating"))
        with pytest.raises(AirflowFailException, match="task_a"):
            in_worker(timeout=0.05).execute(context())

    def test_so_does_what_comes_between_the_answer_and_everything_else(self, api, monkeypatch):
        # A signal of execution_timeout is held back until the answer is there, and delivered at once then.
        def late(*_, **__):
            raise AirflowTaskTimeout("execution_timeout")

        monkeypatch.setattr("seedance_provider.submission.submitter.VideoMetrics.created", late)
        accepts(api)
        with pytest.raises(AirflowFailException, match="AirflowTaskTimeout"):
            operator().execute(context())

    @pytest.mark.parametrize("error", [AirflowTaskTimeout("execution_timeout"), ConnectionError("no API server")])
    def test_so_does_whatever_airflow_would_retry(self, api, monkeypatch, error):
        def break_off(*_, **__):
            raise error

        accepts(api)
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

    @pytest.mark.parametrize("reason", ["Trigger timeout", "Trigger failure"])
    @pytest.mark.parametrize(("store", "xcoms"), [(recorded(), {"video_task_id": "task_a"}), (None, {})])
    def test_but_one_with_a_record_or_without_a_video_is_retried(self, reason, store, xcoms):
        one_try = context(store)
        one_try["ti"].xcoms |= xcoms
        with pytest.raises(AirflowException, match=reason) as caught:
            operator().resume_execution("__fail__", {"error": reason}, one_try)
        assert not isinstance(caught.value, AirflowFailException)

    def test_before_there_is_a_video_airflow_retries(self, api):
        api.creations.append(DOWN)
        raised, _ = failed(operator(deferrable=False, error_tolerance=0.01).execute, context())
        assert type(raised) is AirflowException


class TestDelivery:
    """With on_rerun="regenerate" a clear pays anew once the record says that Airflow has the result."""

    @pytest.mark.parametrize("fails", ["video_url", "return_value"])
    def test_what_could_not_be_pushed_was_not_delivered(self, api, fails):
        class Restarting(TaskInstance):
            """As when the API server restarts: one push fails."""

            def xcom_push(self, key, value):
                if key == fails:
                    raise ConnectionError("the API server restarts")
                super().xcom_push(key, value)

        store, made = StateStore(), in_worker(on_rerun="regenerate")
        accepts(api, record())
        with pytest.raises(ConnectionError):
            made.execute(context(store) | {"ti": Restarting()})
        assert made.execute(context(store, max_tries=4))["video_task_id"] == "task_a"
        assert len(api.created) == 1

    def test_the_result_is_not_pushed_where_the_dag_wants_none(self, api):
        accepts(api, record())
        one_try = context(StateStore())
        in_worker(do_xcom_push=False).execute(one_try)
        assert "return_value" not in one_try["ti"].xcoms


class TestOutage:
    """An API that has certainly not accepted the request is waited for, without using up a retry."""

    BUSY = Answer(429, {"message": "Too many requests"})

    @pytest.mark.parametrize("answer", [DOWN, BUSY])
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
        api.creations.append(DOWN)
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
        api.creations.append(DOWN)
        began = time.time() - 2000
        late = {"started": began, "deadline": began + 3600, "since": began, "failures": 9}
        raised, _ = failed(operator().resume_after_outage, context(StateStore()), {"answers": False}, **late)
        assert type(raised) is AirflowException
        assert "has not taken the request since" in str(raised)
        assert "Nothing was submitted or charged" in capsys.readouterr().out

    @pytest.mark.parametrize("how", ["in the triggerer", "in the worker"])
    def test_at_the_deadline_nothing_is_paid_for_that_can_not_be_waited_for(self, api, how):
        api.creations.extend([DOWN, CREATED])
        made = in_worker(timeout=0.05, poll_interval=1)
        late = {"event": {"answers": True}, "started": 0, "deadline": 1, "since": 0, "failures": 1}
        call = made.execute if how == "in the worker" else partial(made.resume_after_outage, **late)
        with pytest.raises(AirflowException, match="has not taken the request since"):
            call(context(StateStore()))
        assert len(api.created) == (1 if how == "in the worker" else 0)

    def test_the_deadline_bounds_it(self, api):
        api.creations.append(DOWN)
        deferral = deferred(operator(timeout=60).execute, context(StateStore()))
        assert deferral.trigger.give_up - time.time() == pytest.approx(60, abs=2)

    def test_a_worker_waits_for_it(self, api):
        api.creations.extend([DOWN, self.BUSY, CREATED])
        api.readings.append(Answer(body=record()))
        assert in_worker().execute(context(StateStore()))["status"] == "success"
        assert len(api.created) == 3

    def test_one_that_is_over_is_not_shown_to_who_waits_for_a_slot(self, api):
        api.creations.extend([DOWN, FULL])
        one_try, made = context(StateStore()), operator()
        deferral = deferred(made.execute, one_try)
        again = deferred(made.resume_after_outage, one_try, {"answers": True}, **deferral.kwargs)
        assert isinstance(again.trigger, SlotTrigger)
        assert one_try["ti"].xcoms["unreachable_since"] is None

    @pytest.mark.parametrize("answer", [Answer(hang_up=True), DOWN, Answer(502, b"<html>")])
    def test_the_first_poll_of_a_try_that_resumes_may_fail_too(self, api, answer):
        store = StateStore()
        accepts(api)
        deferred(operator().execute, context(store))
        api.readings.append(answer)
        deferral = deferred(operator().execute, context(store))
        assert (type(deferral.trigger), deferral.trigger.video_task_id) == (VideoTrigger, "task_a")
        assert len(api.created) == 1

    def test_an_upload_is_tried_again_too(self, api, tmp_path):
        api.creations.append(DOWN)
        deferral = deferred(operator(first_frame=media.picture(tmp_path / "a.png")).execute, context(StateStore()))
        assert isinstance(deferral.trigger, OutageTrigger)
        assert [asked.path for asked in api.asked] == ["/api/v1/uploads"]


class TestInADag:
    def test_every_parameter_of_the_request_is_a_template(self):
        request = {field.name for field in fields(VideoRequest)} - {"allow_unknown_model"}
        assert request | {"seedance_conn_id"} == set(CreateVideoOperator.template_fields)

    def test_the_key_is_in_nothing_that_is_stored(self, api, seedance_default):
        accepts(api)
        store, made = StateStore(), operator()
        try_1 = context(store)
        deferral = deferred(made.execute, try_1)
        assert seedance_default in api.created[0].headers["Authorization"]
        assert "submitted" in try_1["ti"].xcoms
        stored = [store.values, try_1["ti"].xcoms, deferral.trigger.serialize(), deferral.kwargs, vars(made)]
        assert seedance_default not in repr(stored)


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
        accepts(api)
        one_try = context(StateStore())
        trigger = deferred(operator(**arguments).execute, one_try).trigger
        assert (trigger.typical_seconds, trigger.poll_interval) == (typical, 5)
        assert one_try["ti"].xcoms["submitted"]["typical_seconds"] == typical

    def test_the_connection_knows_better_and_an_interval_of_ones_own_changes_nothing_else(self, api):
        accepts(api)
        trigger = deferred(operator(poll_interval=7).execute, context(StateStore())).trigger
        assert (trigger.typical_seconds, trigger.poll_interval) == (ANY_TIME, 7)

    @pytest.mark.usefixtures("documented_times")
    def test_a_worker_makes_its_first_poll_when_the_trigger_would(self, api, monkeypatch):
        pauses = []
        monkeypatch.setattr("seedance_provider.waiting.video_wait.time.sleep", pauses.append)
        accepts(api, record())
        in_worker(poll_interval=7).execute(context(StateStore()))
        assert pauses == [pytest.approx(48, rel=0.11)]
