"""The buttons of a task, as Airflow asks for them when a process of the task ends."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from airflow.models.taskinstancekey import TaskInstanceKey
from airflow.sdk import BaseOperator

from seedance_provider.links.seedance import StoredVideoLink, VideoLink, VideoTaskLink

RUN = "manual__2026-03-01T00:00:00+00:00"
KEY = TaskInstanceKey("films", "make", RUN, 2, 3)
URL = "https://media.example/a.mp4?X-Amz-Signature=a%2Fb&x=1"
RECORD_URL = "https://api.example/api/v1/jobs/recordInfo?taskId=task_a"
#: What the operator still has when Airflow asks: not its attributes.
OPERATOR = BaseOperator(task_id="make")


@pytest.fixture
def pushed(monkeypatch) -> dict[str, Any]:
    """The XComs of the one task instance."""
    xcoms: dict[str, Any] = {}

    def get_value(*, ti_key, key):
        assert ti_key == KEY or ti_key in xcoms.get("others", ())
        return xcoms.get(key)

    monkeypatch.setattr("seedance_provider.links.seedance.XCom.get_value", get_value)
    return xcoms


@pytest.fixture(params=["", "https://airflow.example", "https://airflow.example/"])
def base_url(request, monkeypatch) -> str:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", request.param)
    return request.param


def link(kind: type, key: TaskInstanceKey = KEY) -> str:
    return kind().get_link(OPERATOR, ti_key=key)


def place(address: str) -> dict[str, str]:
    return {name: value for name, (value,) in parse_qs(urlsplit(address).query, strict_parsing=True).items()}


class TestVideo:
    def test_is_the_finished_one(self, pushed):
        pushed["return_value"] = {"video_url": URL, "video_task_id": "task_a"}
        assert link(VideoLink) == URL

    @pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,a", "file:///etc/passwd", 5, ["https://a"]])
    def test_is_never_what_a_browser_might_run(self, pushed, url):
        pushed["return_value"] = {"video_url": url}
        assert urlsplit(link(VideoLink)).path == "/seedance/videos/"

    def test_of_a_landing_is_the_one_that_has_landed(self, pushed):
        pushed["return_value"] = "s3://videos/a.mp4"
        pushed["landed"] = {"video_url": URL, "path": "s3://videos/a.mp4"}
        assert link(VideoLink) == URL

    @pytest.mark.parametrize(
        "xcoms",
        [
            {},
            {"submitted": {"video_task_id": "task_a", "record_url": RECORD_URL}},
            {
                "submitted": {"video_task_id": "task_a", "record_url": RECORD_URL},
                "failure": {"reason": "text_moderation"},
            },
            {"return_value": {"video_url": None, "status": "waiting"}},
            {"return_value": {"video_url": ""}},
            {"return_value": None, "landed": None},
            {"return_value": [URL]},
            {"return_value": URL},
        ],
    )
    def test_before_and_without_it_leads_to_its_card(self, pushed, xcoms, base_url):
        pushed.update(xcoms)
        address = link(VideoLink)
        assert address.startswith(f"{base_url.rstrip('/')}/seedance/videos/?")
        assert place(address) == {"dag_id": "films", "run_id": RUN, "task_id": "make", "map_index": "3"}


class TestVideoTask:
    @pytest.mark.parametrize(
        "more", [{}, {"failure": {"video_task_id": "task_a"}}, {"return_value": {"video_url": URL}}]
    )
    def test_is_there_as_soon_as_it_is_submitted_and_stays(self, pushed, more):
        pushed.update({"submitted": {"video_task_id": "task_a", "record_url": RECORD_URL}} | more)
        assert link(VideoTaskLink) == RECORD_URL

    @pytest.mark.parametrize(
        "xcoms",
        [
            {},
            {"failure": {"video_task_id": None, "reason": "invalid_request"}},
            {"submitted": {}},
            {"submitted": {"record_url": None}},
            {"submitted": RECORD_URL},
        ],
    )
    def test_is_not_there_if_nothing_was(self, pushed, xcoms):
        pushed.update(xcoms)
        assert link(VideoTaskLink) == ""


class TestStoredVideo:
    def test_plays_what_has_landed(self, pushed, base_url):
        pushed["landed"] = {"path": "s3://videos/a.mp4", "size": 7}
        address = link(StoredVideoLink)
        assert address.startswith(f"{base_url.rstrip('/')}/seedance/stored?")
        assert place(address) == {"dag_id": "films", "run_id": RUN, "task_id": "make", "map_index": "3"}

    @pytest.mark.parametrize("landed", [None, {}, [], "s3://videos/a.mp4"])
    def test_is_not_there_before(self, pushed, landed):
        pushed["landed"] = landed
        assert link(StoredVideoLink) == ""


class TestAddress:
    @pytest.mark.parametrize("kind", [VideoLink, StoredVideoLink])
    def test_is_below_wherever_airflow_is(self, pushed, monkeypatch, kind):
        monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://proxy.example/team/airflow/")
        pushed["landed"] = {"path": "s3://videos/a.mp4"}
        parts = urlsplit(link(kind))
        assert (parts.scheme, parts.netloc) == ("https", "proxy.example")
        assert parts.path.startswith("/team/airflow/seedance/")

    @pytest.mark.parametrize(
        "run_id",
        ["a+b:c/d&e f", "a=b?c#d%20e", "../../a", "a&dag_id=secret", "Lauf äöü 💡", "scheduled__2026-03-01+02:00"],
    )
    @pytest.mark.parametrize("kind", [VideoLink, StoredVideoLink])
    def test_a_run_may_be_named_like_anything(self, pushed, run_id, kind):
        key = KEY._replace(run_id=run_id, map_index=-1)
        pushed.update({"landed": {"path": "s3://videos/a.mp4"}, "others": [key]})
        address = link(kind, key)
        assert place(address) == {"dag_id": "films", "run_id": run_id, "task_id": "make", "map_index": "-1"}
        assert address.isascii()
        assert " " not in address
