"""VideoToObjectStorageOperator, with real downloads into real files."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from seedance_provider.landing import LandingError
from seedance_provider.transfers.video_to_object_storage import VideoToObjectStorageOperator
from tests.support.scripted_api import Answer
from tests.support.task_context import context

VIDEO = b"\x00\x00\x00\x18ftypisom" + bytes(1000)


def video(api, **facts) -> dict:
    return {"task_id": "task_a", "model": "seedance-20", "video_url": f"{api.url}/a.mp4"} | facts


def upload(**arguments) -> str:
    return VideoToObjectStorageOperator(task_id="upload", **arguments).execute(context())


@pytest.fixture(autouse=True)
def _media(api):
    api.readings.append(Answer(body=VIDEO, content_type="video/mp4"))


class TestLanding:
    def test_lands_the_output_of_a_task_and_returns_where(self, api, tmp_path):
        uri = upload(video=video(api), destination=f"file://{tmp_path}/kite.mp4")
        assert uri == f"file://{tmp_path}/kite.mp4"
        assert (tmp_path / "kite.mp4").read_bytes() == VIDEO

    def test_lands_a_url(self, api, tmp_path):
        upload(video=f"{api.url}/a.mp4", destination=f"file://{tmp_path}/kite.mp4")
        assert (tmp_path / "kite.mp4").read_bytes() == VIDEO

    @pytest.mark.parametrize(
        ("destination", "name"),
        [("/{task_id}.mp4", "task_a.mp4"), ("/{model}/{task_id}.mp4", "seedance-20/task_a.mp4"), ("/", "task_a.mp4")],
    )
    def test_names_it_after_the_video_task(self, api, tmp_path, destination, name):
        upload(video=video(api), destination=f"file://{tmp_path}{destination}")
        assert (tmp_path / name).read_bytes() == VIDEO

    def test_a_retry_does_nothing(self, api, tmp_path):
        for _ in range(2):
            upload(video=video(api), destination=f"file://{tmp_path}/kite.mp4")
        assert [path.name for path in tmp_path.iterdir()] == ["kite.mp4"]

    def test_another_object_is_not_overwritten(self, api, tmp_path):
        (tmp_path / "kite.mp4").write_bytes(b"precious")
        with pytest.raises(AirflowFailException, match="overwrite=True"):
            upload(video=video(api), destination=f"file://{tmp_path}/kite.mp4")
        assert (tmp_path / "kite.mp4").read_bytes() == b"precious"

    def test_unless_that_is_wanted(self, api, tmp_path):
        (tmp_path / "kite.mp4").write_bytes(b"old")
        upload(video=video(api), destination=f"file://{tmp_path}/kite.mp4", overwrite=True)
        assert (tmp_path / "kite.mp4").read_bytes() == VIDEO


class TestErrors:
    @pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://a.example/a.mp4", "/etc/passwd", ""])
    def test_anything_but_the_web_is_refused_for_good(self, tmp_path, url):
        with pytest.raises(AirflowFailException):
            upload(video={"video_url": url}, destination=f"file://{tmp_path}/kite.mp4")
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("facts", [None, {}, {"video_url": None, "task_id": "task_a"}, 7])
    def test_an_unfinished_video_is_refused_naming_the_sensor(self, tmp_path, facts):
        with pytest.raises(AirflowFailException, match="VideoSensor"):
            upload(video=facts, destination=f"file://{tmp_path}/kite.mp4")

    def test_a_placeholder_without_a_value_is_refused(self, api, tmp_path):
        with pytest.raises(AirflowFailException, match="task_id is not known"):
            upload(video=f"{api.url}/a.mp4", destination=f"file://{tmp_path}/")

    def test_a_faulty_download_is_retried(self, api, tmp_path):
        api.readings.clear()
        api.readings.append(Answer(503, b"busy"))
        with pytest.raises(LandingError, match="HTTP 503"):
            upload(video=video(api), destination=f"file://{tmp_path}/kite.mp4")
        assert list(tmp_path.iterdir()) == []
