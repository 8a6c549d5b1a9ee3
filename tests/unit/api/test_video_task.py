"""Reading recordInfo: tolerant of every generation of the API, and never a crash."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedance_provider.api.video_task import TaskStatus, VideoTask
from tests.support.scripted_api import record

CREATED = datetime(2024, 12, 30, 23, 0, 34, tzinfo=UTC)
COMPLETED = datetime(2024, 12, 30, 23, 2, 34, tzinfo=UTC)

MOMENTS = st.datetimes(timezones=st.just(UTC))
OPTIONAL_TEXT = st.none() | st.text()
OPTIONAL_INTEGER = st.none() | st.integers()
VIDEO_TASKS = st.builds(
    VideoTask,
    video_task_id=st.text(),
    model=OPTIONAL_TEXT,
    status=st.sampled_from(TaskStatus),
    raw_status=OPTIONAL_TEXT,
    video_url=OPTIONAL_TEXT,
    width=OPTIONAL_INTEGER,
    height=OPTIONAL_INTEGER,
    credits_used=st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    error_code=OPTIONAL_TEXT,
    error_message=OPTIONAL_TEXT,
    created_at=st.none() | MOMENTS,
    completed_at=st.none() | MOMENTS,
)


def a_task(**fields):
    return VideoTask.from_record(fields, video_task_id="task_a")


class TestFromRecord:
    def test_the_quickstarts_success(self):
        assert VideoTask.from_record(record("success"), video_task_id="task_a") == VideoTask(
            video_task_id="task_a",
            model="seedance-20",
            status=TaskStatus.SUCCESS,
            raw_status="success",
            video_url="https://media.example/a.mp4",
            width=1280,
            height=720,
            credits_used=200,
            created_at=CREATED,
            completed_at=COMPLETED,
        )

    def test_the_quickstarts_failure(self):
        text = "Your input text violates platform rules. Please modify and try again."
        assert VideoTask.from_record(record("fail", error=text), video_task_id="task_a") == VideoTask(
            video_task_id="task_a",
            model="seedance-20",
            status=TaskStatus.FAIL,
            raw_status="fail",
            credits_used=0,
            error_message=text,
            created_at=CREATED,
        )

    def test_an_envelope_is_opened(self):
        enveloped = {"code": 200, "message": "success", "data": record("success", "task_b")}
        assert VideoTask.from_record(enveloped, video_task_id="task_a") == VideoTask.from_record(
            record("success", "task_b"), video_task_id="task_a"
        )

    @pytest.mark.parametrize(
        ("error", "code", "message"),
        [
            (None, None, None),
            ("", None, None),
            ("Server error", None, "Server error"),
            ({"code": "2038", "message": "Server error"}, "2038", "Server error"),
            ({"code": 500, "message": "Server error"}, "500", "Server error"),
            ({"message": "Server error"}, None, "Server error"),
            ({"code": "4011"}, "4011", None),
            ({}, None, None),
            (["Server error"], None, "Server error"),
            ([{"code": 2038}, {"message": "Server error"}], "2038", "Server error"),
            ({"msg": "Server error"}, None, "Server error"),
            ({"code": "7", "msg": " ", "failMsg": "Server error"}, "7", "Server error"),
            ({"type": "x", "details": [{"loc": ["body"], "msg": "Server error"}]}, None, "Server error"),
            ({"error": {"code": "2038", "detail": {"reason": "Server error"}}}, "2038", "Server error"),
            ({"why": ["Server error", "and more"]}, None, "Server error"),
            ({"code": "4011", "requestId": 7}, "4011", None),
            ([[[[[[[[[["too deep"]]]]]]]]]], None, None),
            (True, None, None),
        ],
    )
    def test_an_error_is_a_text_or_an_object(self, error, code, message):
        task = a_task(error=error)
        assert (task.error_code, task.error_message) == (code, message)

    @pytest.mark.parametrize(
        ("fields", "code", "message"),
        [
            ({"failMsg": "Server error", "failCode": "2038"}, "2038", "Server error"),
            ({"failMsg": "Server error", "failCode": 500}, "500", "Server error"),
            ({"error": "", "failMsg": "", "errorMessage": "Server error"}, None, "Server error"),
            ({"error": {"code": "2038"}, "fail_reason": "Server error"}, "2038", "Server error"),
            ({"message": "Server error"}, None, "Server error"),
            ({"message": "success", "msg": "Server error"}, None, "Server error"),
            ({"message": "success"}, None, None),
            ({"prompt": "A garden", "model": "seedance-20"}, None, None),
        ],
    )
    @pytest.mark.parametrize("enveloped", [False, True])
    def test_a_failure_may_have_its_text_beside_the_error(self, fields, code, message, enveloped):
        fields = {"status": "fail", **fields}
        task = a_task(code=200, message="success", data=fields) if enveloped else a_task(**fields)
        assert (task.error_code, task.error_message) == (code, message)

    def test_a_failure_may_have_its_text_outside_of_an_envelope(self):
        assert a_task(failMsg="Server error", data={"state": "fail"}).error_message == "Server error"

    @pytest.mark.parametrize("status", ["generating", "success"])
    def test_what_has_not_failed_has_no_such_text(self, status):
        assert a_task(status=status, message="All is well").error_message is None

    @pytest.mark.parametrize(
        ("word", "status"),
        [
            ("waiting", TaskStatus.WAITING),
            ("generating", TaskStatus.GENERATING),
            ("success", TaskStatus.SUCCESS),
            ("SUCCESS", TaskStatus.SUCCESS),
            ("fail", TaskStatus.FAIL),
            ("queuing", TaskStatus.UNKNOWN),
            ("failed", TaskStatus.UNKNOWN),
        ],
    )
    @pytest.mark.parametrize("name", ["status", "state"])
    def test_the_status_has_either_name_and_keeps_the_apis_word(self, name, word, status):
        task = a_task(**{name: word})
        assert (task.status, task.raw_status) == (status, word)

    @pytest.mark.parametrize(
        ("fields", "raw_status"),
        [
            ({}, None),
            ({"status": ""}, None),
            ({"status": None}, None),
            ({"status": 500}, None),
            ({"state": ["success"]}, None),
            ({"status": None, "state": "queuing"}, "queuing"),
        ],
    )
    def test_without_a_text_for_its_status_there_is_none(self, fields, raw_status):
        task = a_task(**fields)
        assert (task.status, task.raw_status) == (TaskStatus.UNKNOWN, raw_status)

    @pytest.mark.parametrize(("told", "read"), [(None, "task_a"), ("", "task_a"), (7, "task_a"), ("task_x", "task_x")])
    def test_the_id_that_was_asked_for_stands_in_for_a_missing_one(self, told, read):
        assert a_task(taskId=told).video_task_id == read

    @pytest.mark.parametrize("output", [None, [], {}, "url", [None], ["url"], [{}], [{"url": ""}], [{"url": 7}]])
    def test_an_output_of_another_shape_holds_no_video(self, output):
        assert a_task(output=output).video_url is None

    @pytest.mark.parametrize(
        ("number", "used", "width"),
        [
            (200, 200, 200),
            (7.5, 7.5, 7),
            (0, 0, 0),
            (None, None, None),
            ("200", None, None),
            (True, None, None),
            (999_999, 999_999, 999_999),
            (1e15, None, None),
            (-1e15, None, None),
            (10**400, None, None),
        ],
    )
    def test_a_number_is_one_that_a_figure_of_a_video_can_be(self, number, used, width):
        task = a_task(creditsUsed=number, output=[{"width": number}])
        assert (task.credits_used, task.width) == (used, width)

    @pytest.mark.parametrize("milliseconds", [9e14, -9e14, "1735599634000", True])
    def test_a_time_that_no_calendar_has_is_none(self, milliseconds):
        assert a_task(createTime=milliseconds).created_at is None

    @pytest.mark.parametrize("number", [float("inf"), float("nan"), 1e18, 10**400])
    def test_no_number_is_too_strange(self, number):
        fields = dict.fromkeys(("createTime", "completeTime", "creditsUsed"), number)
        task = a_task(**fields, output=[{"width": number, "height": number, "seed": number}])
        # What is read also survives the way through XCom and trigger events, which take strict JSON only.
        assert json.dumps([task.summary(), task.to_json()], allow_nan=False)
        assert (task.created_at, task.completed_at, task.credits_used, task.height) == (None,) * 4


@pytest.mark.parametrize("status", TaskStatus)
def test_only_success_and_fail_are_final(status):
    assert status.is_final is (status in {"success", "fail"})


class TestGenerationSeconds:
    @pytest.mark.parametrize(
        ("created", "completed", "seconds"),
        [
            (1735599634000, 1735599754000, 120.0),
            (1735599634000, 1735599634123, 0.123),
            (None, 1735599754000, None),
            (1735599634000, None, None),
            (None, None, None),
        ],
    )
    def test_it_needs_both_ends(self, created, completed, seconds):
        assert a_task(createTime=created, completeTime=completed).generation_seconds == seconds


class TestSummary:
    def test_it_is_small_plain_json_with_what_the_next_task_needs(self):
        summary = VideoTask.from_record(record("success"), video_task_id="task_a").summary()
        assert json.loads(json.dumps(summary)) == {
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
            "created_at": "2024-12-30T23:00:34+00:00",
            "completed_at": "2024-12-30T23:02:34+00:00",
            "generation_seconds": 120.0,
        }

    def test_what_the_newest_generation_adds_is_in_it(self):
        newest = {"mediaType": "video/quicktime", "seed": 7, "lastFrameImage": "https://media.example/last.png"}
        answer = record("success")
        answer["output"][0] |= newest
        summary = VideoTask.from_record(answer, video_task_id="task_a").summary()
        assert summary["media_type"] == "video/quicktime"
        assert (summary["seed"], summary["last_frame_url"]) == (7, "https://media.example/last.png")

    def test_what_is_unknown_is_null(self):
        summary = a_task(status="waiting").summary()
        assert summary.pop("video_task_id") == "task_a"
        assert summary.pop("status") == "waiting"
        assert set(summary.values()) == {None}


class TestJson:
    @given(task=VIDEO_TASKS)
    @settings(deadline=None)
    def test_a_task_comes_back_as_it_was(self, task):
        assert VideoTask.from_json(task.to_json()) == task
        assert VideoTask.from_json(json.loads(json.dumps(task.to_json()))) == task

    def test_fields_of_another_release_are_left_out(self):
        task = a_task(status="waiting")
        assert VideoTask.from_json(task.to_json() | {"thumbnail_url": "https://media.example/a.png"}) == task

    def test_fields_that_another_release_did_not_have_are_unset(self):
        assert VideoTask.from_json({"video_task_id": "task_a", "status": "waiting"}) == VideoTask(
            "task_a", status=TaskStatus.WAITING
        )
