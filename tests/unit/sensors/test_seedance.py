"""VideoSensor, in its three ways to wait."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    TaskDeferred,
)
from airflow.sdk import DAG

from seedance_provider.api.errors import SeedanceError
from seedance_provider.api.models import MODELS
from seedance_provider.api.video_task import VideoTask
from seedance_provider.operators.seedance import CreateVideoOperator
from seedance_provider.sensors.seedance import VideoSensor
from seedance_provider.triggers.seedance import VideoTrigger
from seedance_provider.waiting.result import Outcome, WaitResult
from tests.support.scripted_api import ANY_TIME, Answer, record
from tests.support.task_context import TaskInstance, context

pytestmark = pytest.mark.usefixtures("seedance_default")

MODERATION = "Your input text violates platform rules. Please modify and try again."
#: What CreateVideoOperator returns with ``wait_for_completion=False``.
SUBMITTED = {"video_task_id": "task_a", "model": "seedance-20", "status": "waiting"}
SERVER_ERROR = "Video generation failed. Please try again."


def sensor(**arguments) -> VideoSensor:
    return VideoSensor(**{"task_id": "wait", "video_task_id": "task_a", "poke_interval": 0.01} | arguments)


def finished(**fields) -> dict:
    return WaitResult(Outcome.FINISHED, task=VideoTask.from_record(record(**fields), video_task_id="task_a")).to_event()


class TestDeferring:
    def test_polls_once_and_defers(self, api):
        api.readings.append(Answer(body=record("generating")))
        with pytest.raises(TaskDeferred) as caught:
            sensor(timeout=timedelta(minutes=5)).execute(context())
        assert isinstance(caught.value.trigger, VideoTrigger)
        assert caught.value.trigger.deadline - caught.value.trigger.started == pytest.approx(300)
        assert caught.value.timeout.total_seconds() > 300
        assert len(api.read) == 1

    def test_a_video_that_is_there_needs_no_triggerer(self, api):
        api.readings.append(Answer(body=record()))
        assert sensor().execute(context())["status"] == "success"

    @pytest.mark.parametrize("arguments", [{}, {"deferrable": False}])
    @pytest.mark.parametrize("around", [" {}", "{}\n", "\t{}\u00a0"])
    def test_space_around_an_id_is_a_slip_of_copying(self, api, around, arguments):
        api.readings.append(Answer(body=record()))
        result = sensor(video_task_id=around.format("task_a"), **arguments).execute(context())
        assert api.read[0].query == {"taskId": ["task_a"]}
        assert result["video_task_id"] == "task_a"

    def test_returns_the_result(self):
        assert sensor().execute_complete(context(), finished())["video_url"] == "https://media.example/a.mp4"

    @pytest.mark.parametrize(("text", "said"), [(MODERATION, "can't help"), (SERVER_ERROR, "is safe and can help")])
    def test_the_log_says_in_three_lines_what_happened_and_what_to_do(self, text, said, capsys):
        with pytest.raises(AirflowFailException):
            sensor().execute_complete(context(), finished(status="fail", error=text))
        lines = [line for line in capsys.readouterr().out.splitlines() if "[error" in line]
        assert len(lines) == 3
        assert text in lines[0]
        assert "refunds" in lines[1]
        assert f"Submitting it again {said}." in lines[2]

    @pytest.mark.parametrize(
        "fired", [finished(status="fail", error=MODERATION), WaitResult(Outcome.TIMED_OUT, "Not yet").to_event()]
    )
    def test_soft_fail_skips(self, fired):
        with pytest.raises(AirflowSkipException):
            sensor(soft_fail=True).resume_execution("execute_complete", {"event": fired}, context())


class TestPoking:
    def poking(self, **arguments) -> VideoSensor:
        return sensor(**{"deferrable": False} | arguments)

    def test_waits_over_one_connection_and_returns_the_result(self, api):
        api.readings.extend([Answer(body=record(s)) for s in ("waiting", "generating", "generating", "success")])
        assert self.poking().execute(context())["status"] == "success"
        assert len(api.read) == 4
        assert len({asked.client for asked in api.read}) == 1

    def test_puts_up_with_a_faulty_api(self, api):
        api.readings.extend([Answer(hang_up=True), Answer(502, b"<html>", "text/html"), Answer(body=record())])
        assert self.poking().execute(context())["status"] == "success"

    def test_waits_as_long_as_the_api_asks_for_after_the_first_poll_too(self, api):
        api.readings.extend(
            [Answer(429, {"message": "Slow down"}, headers={"Retry-After": "60"}), Answer(body=record())]
        )
        began = time.monotonic()
        # The last poll comes when the time is up.
        assert self.poking(timeout=0.5).execute(context())["status"] == "success"
        assert time.monotonic() - began > 0.4

    def test_times_out_as_sensors_do(self, api):
        api.readings.append(Answer(body=record("generating")))
        with pytest.raises(AirflowSensorTimeout):
            self.poking(timeout=0.05).execute(context())

    @pytest.mark.parametrize("how", ["soft_fail", "never_fail"])
    @pytest.mark.parametrize(
        "answer",
        [
            Answer(body=record("generating")),
            Answer(body=record("fail", error="x")),
            Answer(401, {"message": "Invalid API Key"}),
            Answer(hang_up=True),
        ],
    )
    def test_skips_if_it_may_not_fail(self, api, answer, how):
        api.readings.append(answer)
        with pytest.raises(AirflowSkipException):
            self.poking(timeout=0.2, error_tolerance=0.05, **{how: True}).execute(context())


class TestSchedule:
    """When it polls."""

    @staticmethod
    def deferred(**arguments) -> VideoTrigger:
        with pytest.raises(TaskDeferred) as caught:
            VideoSensor(task_id="wait", video_task_id="task_a", **arguments).execute(context())
        assert isinstance(caught.value.trigger, VideoTrigger)
        return caught.value.trigger

    @pytest.mark.usefixtures("documented_times")
    def test_follows_what_is_documented_for_the_model(self, api):
        api.readings.append(Answer(body=record("generating", model="seedance2-5")))
        trigger = self.deferred()
        assert trigger.typical_seconds == list(MODELS["seedance2-5"].typical_seconds)
        assert trigger.poll_interval == 5
        assert trigger.submitted_at == 1735599634.0

    @pytest.mark.usefixtures("documented_times")
    @pytest.mark.parametrize("answer", [Answer(hang_up=True), Answer(body=record("generating", model="seedance-99"))])
    def test_a_model_that_is_not_known_counts_as_the_usual_one(self, api, answer):
        api.readings.append(answer)
        assert self.deferred().typical_seconds == [60, 300]

    def test_the_connection_knows_better_and_an_interval_of_ones_own_changes_nothing_else(self, api):
        api.readings.append(Answer(body=record("generating")))
        trigger = self.deferred(poke_interval=timedelta(seconds=9))
        assert (trigger.typical_seconds, trigger.poll_interval) == (ANY_TIME, 9)

    @pytest.mark.usefixtures("documented_times")
    def test_a_worker_polls_when_the_trigger_would(self, api, monkeypatch):
        pauses = []
        monkeypatch.setattr("seedance_provider.waiting.video_wait.time.sleep", pauses.append)
        running = record("generating", createTime=time.time() * 1000)
        api.readings.extend([Answer(hang_up=True), Answer(body=running), Answer(body=record())])
        VideoSensor(task_id="wait", video_task_id="task_a", deferrable=False).execute(context())
        # Soon after a poll that failed, and after the one that told its age, when the video may be there.
        assert pauses == [pytest.approx(5, rel=0.11), pytest.approx(48, rel=0.11)]

    @pytest.mark.parametrize(
        ("defaults", "arguments", "seconds"),
        [
            ({}, {"deferrable": False, "mode": "reschedule"}, 60),
            ({"mode": "reschedule"}, {"deferrable": False}, 60),
            ({}, {"deferrable": False, "mode": "reschedule", "poke_interval": 90}, 90),
            ({}, {"mode": "reschedule"}, 5),
        ],
    )
    def test_rescheduling_starts_a_worker_once_a_minute_unless_told_otherwise(self, defaults, arguments, seconds):
        with DAG("rescheduling", schedule=None, default_args=defaults):
            assert VideoSensor(task_id="wait", video_task_id="task_a", **arguments).poke_interval == seconds


def test_rescheduling_polls_once_and_asks_to_be_started_again_until_the_result_is_there(api):
    api.readings.extend([Answer(body=record("generating")), Answer(body=record())])
    waiting = sensor(deferrable=False, mode="reschedule")
    assert waiting.poke(context()).is_done is False
    assert len(api.read) == 1
    polled = waiting.poke(context())
    assert polled.is_done
    assert polled.xcom_value["status"] == "success"


class TestSubmitted:
    """What the links of the sensor and the Videos page show while it waits."""

    @pytest.mark.parametrize("mode", [{}, {"deferrable": False}, {"deferrable": False, "mode": "reschedule"}])
    def test_is_what_is_waited_for(self, api, seedance_default, mode):
        api.readings.extend([Answer(body=record("generating", model="seedance2-5")), Answer(body=record())])
        waiting, one_try = sensor(**mode), context()
        if "mode" in mode:
            assert not waiting.poke(one_try).is_done
        elif mode:
            waiting.execute(one_try)
        else:
            with pytest.raises(TaskDeferred):
                waiting.execute(one_try)
        assert one_try["ti"].xcoms == {
            "submitted": {
                "video_task_id": "task_a",
                "model": "seedance2-5",
                "submitted_at": "2024-12-30T23:00:34+00:00",
                "typical_seconds": ANY_TIME,
                "record_url": f"{api.base_url}/jobs/recordInfo?taskId=task_a",
            }
        }
        assert seedance_default not in repr(one_try["ti"].xcoms)

    def test_leaves_out_what_the_api_did_not_say(self, api):
        api.readings.append(Answer(hang_up=True))
        one_try = context()
        with pytest.raises(TaskDeferred):
            sensor().execute(one_try)
        shown = one_try["ti"].xcoms["submitted"]
        assert (shown["video_task_id"], shown["model"], shown["submitted_at"]) == ("task_a", None, None)

    @pytest.mark.parametrize("poll", [VideoSensor.execute, VideoSensor.poke])
    def test_a_video_that_is_there_is_shown_too_for_the_link_to_its_record(self, api, poll):
        api.readings.append(Answer(body=record()))
        one_try = context()
        poll(sensor(), one_try)
        assert one_try["ti"].xcoms["submitted"]["record_url"].endswith("/jobs/recordInfo?taskId=task_a")


class TestFailure:
    """What a branch after the failed sensor, and the Videos page, can go by."""

    @staticmethod
    def failed(call, *arguments) -> tuple[Exception, dict]:
        one_try = context()
        with pytest.raises(AirflowException) as caught:
            call(one_try, *arguments)
        return caught.value, one_try["ti"].xcoms["failure"]

    @pytest.mark.parametrize("when", ["at the first poll", "in the worker", "after the wait"])
    @pytest.mark.parametrize(
        ("said", "reason", "retryable"), [(MODERATION, "text_moderation", False), (SERVER_ERROR, "server_error", True)]
    )
    def test_of_a_failed_video(self, api, when, said, reason, retryable):
        api.readings.append(Answer(body=record("fail", error=said)))
        if when == "after the wait":
            raised, failure = self.failed(sensor().execute_complete, finished(status="fail", error=said))
        else:
            raised, failure = self.failed(sensor(deferrable=when == "at the first poll").execute)
        assert type(raised) is AirflowFailException
        assert reason in str(raised)
        assert (failure["video_task_id"], failure["reason"], failure["retryable"]) == ("task_a", reason, retryable)
        assert failure["message"] == said
        assert failure["advice"]

    @pytest.mark.parametrize(
        ("outcome", "error", "retryable"),
        [
            (Outcome.TIMED_OUT, AirflowSensorTimeout, True),
            (Outcome.UNREACHABLE, AirflowException, True),
            (Outcome.GONE, AirflowFailException, False),
            (Outcome.REFUSED, AirflowFailException, False),
        ],
    )
    def test_of_a_wait_that_ended_early(self, outcome, error, retryable):
        raised, failure = self.failed(sensor().execute_complete, WaitResult(outcome, "It is over").to_event())
        assert type(raised) is error
        advice = failure.pop("advice")
        assert failure == {
            "video_task_id": "task_a",
            "reason": str(outcome),
            "message": "It is over",
            "retryable": retryable,
        }
        assert advice or outcome is Outcome.GONE
        assert "It is over" in str(raised)

    @pytest.mark.parametrize(
        ("answer", "error", "said", "reason"),
        [
            (Answer(404, {"message": "Task not found"}), AirflowFailException, "task_a", "task_not_found"),
            (Answer(401, {"message": "Invalid API Key"}), AirflowFailException, "refuses this account", "invalid_key"),
            (Answer(hang_up=True), AirflowException, "could not be asked", "connection_lost"),
        ],
    )
    def test_of_an_api_that_does_not_help(self, api, seedance_default, answer, error, said, reason):
        api.readings.append(answer)
        raised, failure = self.failed(sensor(deferrable=False, error_tolerance=0.05).execute)
        assert (type(raised), failure["reason"]) == (error, reason)
        assert said in str(raised)
        assert isinstance(raised.__cause__, SeedanceError)
        assert failure["retryable"] is (error is AirflowException)
        assert seedance_default not in repr(failure)
        assert api.created == []

    @pytest.mark.parametrize("deferrable", [True, False])
    def test_of_a_bad_connection(self, monkeypatch, deferrable):
        monkeypatch.setenv("AIRFLOW_CONN_SEEDANCE_DEFAULT", '{"conn_type": "seedance"}')
        raised, failure = self.failed(sensor(deferrable=deferrable).execute)
        assert type(raised) is AirflowFailException
        assert "no API key" in str(raised)
        assert (failure["reason"], failure["message"]) == ("invalid_request", str(raised))
        assert failure["retryable"] is False

    def test_of_a_connection_that_is_not_there(self):
        _, failure = self.failed(sensor(seedance_conn_id="nobody").execute)
        assert (failure["reason"], failure["video_task_id"], failure["retryable"]) == ("no_connection", "task_a", True)

    def test_is_shown_also_if_the_sensor_only_skips(self, api):
        api.readings.append(Answer(body=record("fail", error=MODERATION)))
        one_try = context()
        with pytest.raises(AirflowSkipException):
            sensor(soft_fail=True).execute(one_try)
        assert one_try["ti"].xcoms["failure"]["reason"] == "text_moderation"


class _Forgetful(TaskInstance):
    """As when Airflow takes no XComs."""

    def xcom_push(self, key: str, value: object) -> None:
        raise ConnectionError("the metadata database is down")


class TestShowingFails:
    """That changes nothing."""

    @pytest.mark.parametrize("deferrable", [True, False])
    @pytest.mark.parametrize(
        "answer",
        [
            Answer(body=record("fail", error=MODERATION)),
            Answer(404, {"message": "Task not found"}),
            Answer(401, {"message": "Invalid API Key"}),
        ],
    )
    def test_a_failure_is_the_same(self, api, answer, deferrable):
        api.readings.append(answer)
        ends = []
        for one_try in (context(), {"ti": _Forgetful()}):
            with pytest.raises(AirflowException) as caught:
                sensor(deferrable=deferrable).execute(one_try)
            ends.append((type(caught.value), str(caught.value), type(caught.value.__cause__)))
        assert ends[0] == ends[1]

    def test_so_is_a_timeout(self, api, capsys):
        api.readings.append(Answer(body=record("generating")))
        with pytest.raises(AirflowSensorTimeout):
            sensor(deferrable=False, timeout=0.05).execute({"ti": _Forgetful()})
        said = capsys.readouterr().out
        assert "'submitted' could not be written" in said
        assert "'failure' could not be written" in said

    def test_a_video_is_waited_for_all_the_same(self, api):
        api.readings.extend([Answer(body=record("generating")), Answer(body=record())])
        assert sensor(deferrable=False).execute({"ti": _Forgetful()})["status"] == "success"


class TestTheResultOfTheOperator:
    """``video=create.output``: the id is in it."""

    @pytest.mark.parametrize("deferrable", [True, False])
    def test_is_waited_for_as_by_its_id(self, api, deferrable):
        api.readings.append(Answer(body=record()))
        wait = VideoSensor(task_id="wait", video=SUBMITTED, deferrable=deferrable)
        result = wait.execute(context())
        assert result["video_url"] == "https://media.example/a.mp4"
        assert [asked.query["taskId"] for asked in api.read] == [["task_a"]]

    def test_the_trigger_gets_the_id(self, api):
        api.readings.append(Answer(body=record("generating")))
        with pytest.raises(TaskDeferred) as caught:
            VideoSensor(task_id="wait", video=SUBMITTED).execute(context())
        assert caught.value.trigger.video_task_id == "task_a"

    @pytest.mark.parametrize("video", [SUBMITTED, None])
    def test_what_has_ended_is_taken_after_the_wait_whatever_became_of_the_first_task(self, video):
        wait = VideoSensor(task_id="wait", video=SUBMITTED)
        wait.video = video  # rendered again
        assert wait.execute_complete(context(), finished())["video_task_id"] == "task_a"

    def test_the_end_of_the_time_names_it_after_the_wait(self, capsys):
        wait = VideoSensor(task_id="wait", video=SUBMITTED)
        with pytest.raises(AirflowSensorTimeout):
            wait.execute_complete(context(), WaitResult(Outcome.TIMED_OUT, "Not yet").to_event())
        assert "Video task task_a itself continues." in capsys.readouterr().out

    def test_is_a_template(self, api):
        api.readings.append(Answer(body=record()))
        wait = VideoSensor(task_id="wait", video={"video_task_id": "{{ told }}"})
        wait.render_template_fields({"told": "task_a"})
        assert wait.execute(context())["status"] == "success"

    def test_can_be_mapped(self, api):
        api.readings.append(Answer(body=record()))
        with DAG("mapped"):
            created = CreateVideoOperator.partial(task_id="create", wait_for_completion=False).expand(prompt=["a", "b"])
            waits = VideoSensor.partial(task_id="wait", poke_interval=0.01).expand(video=created.output)
        assert waits.unmap({"video": SUBMITTED}).execute(context())["status"] == "success"

    def test_that_a_mapped_one_is_nothing_is_no_reason_to_retry(self):
        with DAG("mapped"):
            waits = VideoSensor.partial(task_id="wait").expand(video=[SUBMITTED, None])
        with pytest.raises(AirflowFailException, match="neither has a value"):
            waits.unmap({"video": None})


class TestBadInput:
    @pytest.mark.parametrize("deferrable", [True, False])
    @pytest.mark.parametrize("video_task_id", ["", "  ", None])
    def test_an_empty_id_fails_for_good(self, api, video_task_id, deferrable):
        with pytest.raises(AirflowFailException, match="video_task_id"):
            sensor(video_task_id=video_task_id, deferrable=deferrable).execute(context())
        assert api.asked == []

    @pytest.mark.parametrize("deferrable", [True, False])
    @pytest.mark.parametrize("video", ["task_a", {}, {"video_task_id": ""}, {"video_task_id": 5}, [SUBMITTED], 7])
    def test_a_video_that_is_none_fails_for_good_and_says_what_to_pass(self, api, video, deferrable):
        with pytest.raises(AirflowFailException, match=r"video is .*video=create\.output.*\.expand"):
            sensor(video_task_id=None, video=video, deferrable=deferrable).execute(context())
        assert api.asked == []

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [({}, "neither has a value"), ({"video_task_id": "task_a", "video": SUBMITTED}, "both are given")],
    )
    def test_exactly_one_of_both_names_the_video(self, arguments, said):
        with pytest.raises(AirflowFailException, match=f"Exactly one of video_task_id and video.*{said}"):
            VideoSensor(task_id="wait", **arguments)

    def test_an_interval_of_nothing_is_refused(self):
        with pytest.raises(ValueError, match="poll_interval"):
            sensor(poke_interval=0)


@pytest.mark.parametrize(
    ("answer", "has_worked"), [(Answer(body=record("generating")), True), (Answer(hang_up=True), False)]
)
def test_the_trigger_is_told_whether_the_key_has_worked(api, answer, has_worked):
    api.readings.append(answer)
    with pytest.raises(TaskDeferred) as caught:
        sensor().execute(context())
    assert caught.value.trigger.was_seen is has_worked


@pytest.mark.parametrize("deferrable", [True, False])
def test_a_refused_key_fails_at_once_at_the_first_poll(api, deferrable):
    api.readings.append(Answer(401, {"message": "Invalid API Key"}))
    with pytest.raises(AirflowFailException, match="refuses this account"):
        sensor(deferrable=deferrable).execute(context())
    assert len(api.read) == 1


def test_a_kill_only_says_that_the_video_goes_on(api, capsys):
    sensor().on_kill()
    assert api.asked == []
    assert "task_a continues at the API" in capsys.readouterr().out
