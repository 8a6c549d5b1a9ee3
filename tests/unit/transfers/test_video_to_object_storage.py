"""VideoToObjectStorageOperator, with real downloads into real files."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.sdk import AssetAlias, ObjectStoragePath
from airflow.sdk.execution_time.context import OutletEventAccessors

from seedance_provider.landing.errors import LandingError, MediaRefusedError
from seedance_provider.transfers.video_to_object_storage import VideoToObjectStorageOperator
from tests.support import media
from tests.support.scripted_api import Answer, record
from tests.support.task_context import StateStore, context

pytestmark = pytest.mark.usefixtures("seedance_default")


@pytest.fixture(scope="module")
def mp4(tmp_path_factory) -> bytes:
    return media.video(tmp_path_factory.mktemp("media") / "a.mp4", seconds=1).read_bytes()


@pytest.fixture(scope="module")
def png(tmp_path_factory) -> bytes:
    return media.picture(tmp_path_factory.mktemp("media") / "a.png").read_bytes()


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "videos"


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    monkeypatch.setattr("seedance_provider.landing.download.time.sleep", lambda seconds: None)


def served(body: bytes, content_type: str = "video/mp4") -> Answer:
    return Answer(200, body, content_type)


def video(api, **facts) -> dict:
    known = {"video_task_id": "task_a", "model": "seedance-20", "prompt": "A kite", "credits_used": 200}
    return known | {"video_url": f"{api.url}/a.mp4"} | facts


def operator(**arguments) -> VideoToObjectStorageOperator:
    return VideoToObjectStorageOperator(task_id="upload", **arguments)


def upload(in_context=None, **arguments) -> str:
    return operator(**arguments).execute(in_context or context())


def names_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


class TestLanding:
    @pytest.fixture(autouse=True)
    def _media(self, api, mp4):
        api.readings.append(served(mp4))

    @pytest.mark.parametrize("given", [video, lambda api: f"{api.url}/a.mp4"], ids=["the output of a task", "a URL"])
    def test_lands_a_video_and_returns_where(self, api, folder, mp4, given):
        uri = upload(video=given(api), destination=f"file://{folder}/kite.mp4")
        assert uri == f"file://{folder}/kite.mp4"
        assert (folder / "kite.mp4").read_bytes() == mp4

    @pytest.mark.parametrize("kind", [ObjectStoragePath, Path, lambda text: ObjectStoragePath("file:///") / text[7:]])
    def test_a_path_object_is_taken_like_a_text(self, api, folder, mp4, kind):
        task = operator(video=video(api), destination=kind(f"file://{folder}/{{{{ name }}}}/{{model}}.mp4"))
        task.render_template_fields({"name": "客 #1?"})
        assert task.execute(context()) == f"file://{folder}/客 #1?/seedance-20.mp4"
        assert (folder / "客 #1?" / "seedance-20.mp4").read_bytes() == mp4

    def test_a_name_of_any_characters_does_not_fail_a_task_with_an_alias(self, api, folder):
        alias, events = AssetAlias("seedance_videos"), OutletEventAccessors()
        made = context() | {"outlet_events": events}
        upload(made, video=video(api), destination=f"file://{folder}/客户 #1?.mp4", outlets=[alias])
        (event,) = events[alias].asset_alias_events
        assert event.dest_asset_key.uri == f"file://{folder}/%E5%AE%A2%E6%88%B7%20%231%3F.mp4"
        assert event.extra["uri"] == f"file://{folder}/客户 #1?.mp4"

    def test_names_it_after_the_video_task(self, api, folder):
        upload(video=video(api), destination=f"file://{folder}/{{model}}/")
        assert names_in(folder) == ["seedance-20/task_a.mp4"]

    def test_tells_the_next_tasks_all_that_is_known(self, api, folder, mp4):
        made = context()
        upload(made, video=video(api), destination=f"file://{folder}/kite.mp4")
        assert made["ti"].xcoms == {
            "landed": {
                "path": f"file://{folder}/kite.mp4",
                "uri": f"file://{folder}/kite.mp4",
                "size": len(mp4),
                "last_frame_uri": None,
                "sidecar_uri": None,
                "media_type": "video/mp4",
                "width": 64,
                "height": 64,
                "seconds": 1.0,
                "mismatches": [],
                "was_there": False,
                "video_url": f"{api.url}/a.mp4",
                "video_task_id": "task_a",
                "model": "seedance-20",
                "prompt": "A kite",
                "seed": None,
                "credits_used": 200,
            }
        }

    def test_a_video_that_is_not_what_was_asked_for_lands_with_a_warning(self, api, folder, mp4, capsys):
        made = context()
        asked = {"duration": 4, "resolution": "720x1280"}
        upload(made, video=video(api, inputs=asked), destination=f"file://{folder}/kite.mp4")
        assert (folder / "kite.mp4").read_bytes() == mp4
        mismatches = made["ti"].xcoms["landed"]["mismatches"]
        assert mismatches == [
            "aspect_ratio: 9:16 asked, 1:1 made",
            "resolution: 720p asked, 480p made (64x64)",
            "duration: 4 s asked, 1 s made",
        ]
        said = capsys.readouterr().out
        assert all(mismatch in said for mismatch in mismatches)

    def test_the_key_is_not_sent_to_where_the_video_is(self, api, folder, seedance_default):
        upload(video=video(api), destination=f"file://{folder}/kite.mp4")
        assert seedance_default not in str(api.asked)
        assert "Authorization" not in api.asked[0].headers


class TestAgain:
    @pytest.fixture(autouse=True)
    def _media(self, api, mp4):
        api.readings.append(served(mp4))

    def test_without_a_record_the_video_is_compared(self, api, folder, mp4):
        for _ in range(2):
            upload(video=video(api), destination=f"file://{folder}/kite.mp4")
        assert names_in(folder) == ["kite.mp4"]

    def test_with_one_nobody_is_asked(self, api, folder):
        store = StateStore()
        first, again = context(store), context(store)
        upload(first, video=video(api), destination=f"file://{folder}/kite.mp4")
        api.asked.clear()
        uri = upload(again, video=video(api), destination=f"file://{folder}/kite.mp4")
        assert uri == f"file://{folder}/kite.mp4"
        assert api.asked == []
        assert again["ti"].xcoms["landed"] == first["ti"].xcoms["landed"] | {"was_there": True}

    def test_what_was_deleted_lands_again(self, api, folder, mp4):
        store = StateStore()
        upload(context(store), video=video(api), destination=f"file://{folder}/kite.mp4")
        (folder / "kite.mp4").unlink()
        upload(context(store), video=video(api), destination=f"file://{folder}/kite.mp4")
        assert (folder / "kite.mp4").read_bytes() == mp4

    @pytest.mark.parametrize("change", [{"destination": "other.mp4"}, {"sidecar": True}])
    def test_what_else_is_wanted_is_done(self, api, folder, change):
        store = StateStore()
        upload(context(store), video=video(api), destination=f"file://{folder}/kite.mp4")
        changed = change | {"destination": f"file://{folder}/{change.get('destination', 'kite.mp4')}"}
        upload(context(store), video=video(api), **changed)
        assert len(names_in(folder)) == 2

    def test_another_video_is_not_taken_for_it(self, api, folder):
        store = StateStore()
        upload(context(store), video=video(api), destination=f"file://{folder}/kite.mp4")
        api.asked.clear()
        upload(context(store), video=video(api, video_task_id="task_b"), destination=f"file://{folder}/kite.mp4")
        assert api.asked != []


@pytest.mark.parametrize("overwrite", [False, True])
def test_another_object_is_overwritten_only_if_that_is_wanted(api, folder, mp4, overwrite):
    api.readings.append(served(mp4))
    folder.mkdir()
    (folder / "kite.mp4").write_bytes(b"precious")
    arguments = {"video": video(api), "destination": f"file://{folder}/kite.mp4", "overwrite": overwrite}
    if overwrite:
        upload(**arguments)
    else:
        with pytest.raises(AirflowFailException, match="overwrite=True"):
            upload(**arguments)
    assert (folder / "kite.mp4").read_bytes() == (mp4 if overwrite else b"precious")


class TestBeside:
    def test_a_sidecar_describes_the_video(self, api, folder, mp4):
        api.readings.append(served(mp4))
        made = context()
        given = video(api, inputs={"duration": 4}, seed=7)
        upload(made, video=given, destination=f"file://{folder}/kite.mp4", sidecar=True)
        described = json.loads((folder / "kite.json").read_text())
        assert (described["prompt"], described["inputs"], described["size"]) == ("A kite", {"duration": 4}, len(mp4))
        assert set(described["airflow"]) == {"dag_id", "run_id", "task_id", "map_index", "try_number"}
        assert made["ti"].xcoms["landed"]["sidecar_uri"] == f"file://{folder}/kite.json"

    def test_the_last_frame_lands_too(self, api, folder, mp4, png):
        api.readings.extend([served(mp4), served(png, "image/png")])
        made = context()
        given = video(api, last_frame_url=f"{api.url}/a.png")
        upload(made, video=given, destination=f"file://{folder}/kite.mp4", last_frame=True)
        assert (folder / "kite-last-frame.png").read_bytes() == png
        assert made["ti"].xcoms["landed"]["last_frame_uri"] == f"file://{folder}/kite-last-frame.png"

    def test_a_last_frame_that_was_not_asked_for_does_not(self, api, folder, mp4):
        api.readings.append(served(mp4))
        upload(video=video(api, last_frame_url=f"{api.url}/a.png"), destination=f"file://{folder}/kite.mp4")
        assert names_in(folder) == ["kite.mp4"]

    def test_a_last_frame_that_is_gone_is_told_with_where_the_video_is(self, api, folder, mp4):
        api.readings.extend([served(mp4), Answer(404), Answer(404, {"message": "Task not found"}), Answer(404)])
        given = video(api, last_frame_url=f"{api.url}/a.png")
        with pytest.raises(MediaRefusedError, match=f"the video itself did: file://{folder}/kite.mp4"):
            upload(video=given, destination=f"file://{folder}/kite.mp4", last_frame=True)
        assert names_in(folder) == ["kite.mp4"]

    def test_a_page_is_not_taken_for_a_last_frame(self, api, folder, mp4):
        api.readings.extend([served(mp4), served(b"<html>", "text/html")])
        given = video(api, last_frame_url=f"{api.url}/a.png")
        with pytest.raises(LandingError, match="no whole PNG, JPEG or WebP"):
            upload(video=given, destination=f"file://{folder}/kite.mp4", last_frame=True)
        assert names_in(folder) == ["kite.mp4"]


class TestExpired:
    def landing(self, api, folder, **facts):
        return upload(video=video(api, **facts), destination=f"file://{folder}/kite.mp4")

    def test_the_api_is_asked_once_for_another_address(self, api, folder, mp4):
        output = [{"url": f"{api.url}/renewed.mp4", "width": 64, "height": 64}]
        api.readings.extend([Answer(403), Answer(body=record(output=output)), served(mp4)])
        self.landing(api, folder)
        assert (folder / "kite.mp4").read_bytes() == mp4
        assert [asked.path for asked in api.asked] == ["/a.mp4", "/api/v1/jobs/recordInfo", "/renewed.mp4"]
        assert "Authorization" in api.asked[1].headers
        assert "Authorization" not in api.asked[2].headers

    def test_a_deleted_video_is_told_with_its_dates_and_not_retried(self, api, folder):
        same = Answer(body=record(output=[{"url": f"{api.url}/a.mp4"}]))
        api.readings.extend([Answer(404), same])
        with pytest.raises(AirflowFailException, match=r"completed at 2024-12-30 23:02 UTC.* it is gone"):
            self.landing(api, folder, completed_at="2024-12-30T23:02:34+00:00")
        assert len(api.asked) == 2

    def test_one_that_should_be_there_is_retried(self, api, folder):
        api.readings.extend([Answer(403), Answer(404, {"message": "Task not found"})])
        yesterday = datetime.now(UTC) - timedelta(days=1)
        with pytest.raises(MediaRefusedError, match="should still be there"):
            self.landing(api, folder, completed_at=yesterday.isoformat())

    def test_a_video_of_which_only_the_address_is_known_is_not_asked_for(self, api, folder):
        api.readings.append(Answer(404))
        with pytest.raises(MediaRefusedError, match="keeps videos for 14 days"):
            upload(video=f"{api.url}/a.mp4", destination=f"file://{folder}/kite.mp4")
        assert len(api.asked) == 1

    def test_an_api_that_can_not_be_asked_is_in_the_log(self, api, folder, capsys):
        api.readings.extend([Answer(404), Answer(401, {"message": "API Key has expired"}), Answer(404)])
        with pytest.raises(MediaRefusedError):
            self.landing(api, folder)
        assert "can't say whether video task task_a has another address" in capsys.readouterr().out


class TestErrors:
    @pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://a.example/a.mp4", "/etc/passwd", ""])
    def test_anything_but_the_web_is_refused_for_good(self, folder, url):
        with pytest.raises(AirflowFailException):
            upload(video={"video_url": url}, destination=f"file://{folder}/kite.mp4")
        assert names_in(folder) == []

    @pytest.mark.parametrize("facts", [None, {}, {"video_url": None, "video_task_id": "task_a"}, 7])
    def test_an_unfinished_video_is_refused_naming_the_sensor(self, folder, facts):
        with pytest.raises(AirflowFailException, match="VideoSensor"):
            upload(video=facts, destination=f"file://{folder}/kite.mp4")

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            ({"destination": "file:///videos/"}, "task_id is not known"),
            ({"destination": "nowhere://bucket/a.mp4"}, "in no storage that this Airflow knows"),
            ({"destination": "s3:///videos/a.mp4"}, "bucket"),
            ({"destination": "file://videos/a.mp4"}, "three slashes"),
            ({"destination": "videos/a.mp4"}, "must be absolute"),
            ({"destination": "file:///videos/{ds}.mp4"}, r"write \{\{ ds \}\}"),
            ({"destination": None}, "destination is None"),
            ({"destination": "file:///videos/a.mp4", "last_frame": True}, "the API has sent none with this video"),
        ],
    )
    def test_what_can_not_be_done_is_said_before_anything_is_fetched(self, api, arguments, said):
        with pytest.raises(AirflowFailException, match=said):
            upload(video=f"{api.url}/a.mp4", **arguments)
        assert api.asked == []

    @pytest.mark.parametrize(
        ("destination", "said"),
        [
            ("videos/a.mp4", "must be absolute"),
            (Path("videos/a.mp4"), "must be absolute"),
            ("file://videos/a.mp4", "three slashes"),
            ("s3://videos/{taskid}.mp4", r"Did you mean \{video_task_id\}"),
        ],
    )
    def test_a_slip_in_the_destination_is_said_when_the_dag_is_read(self, destination, said):
        with pytest.raises(AirflowFailException, match=said):
            VideoToObjectStorageOperator(task_id="land", video={}, destination=destination)

    def test_a_template_is_checked_when_it_is_rendered(self):
        VideoToObjectStorageOperator(task_id="land", video={}, destination="{{ params.folder }}/{{ ds }}.mp4")

    def test_without_an_api_there_no_address_of_the_own_network_is_fetched(self, api, folder, monkeypatch):
        monkeypatch.delenv("AIRFLOW_CONN_SEEDANCE_DEFAULT")
        with pytest.raises(AirflowFailException, match=r"leads to 127\.0\.0\.1, which is a loopback address"):
            upload(video=video(api), destination=f"file://{folder}/kite.mp4")
        assert api.asked == []

    def test_a_connection_that_can_not_work_does_not_hold_up_a_landing(self, folder, monkeypatch, capsys):
        monkeypatch.setenv("AIRFLOW_CONN_SEEDANCE_DEFAULT", '{"conn_type": "seedance"}')
        with pytest.raises(AirflowFailException, match="only http"):
            upload(video="ftp://a.example/a.mp4", destination=f"file://{folder}/kite.mp4")
        assert "lands without help from the API" in capsys.readouterr().out

    def test_a_faulty_download_is_retried(self, api, folder):
        api.readings.append(Answer(503, b"busy"))
        with pytest.raises(LandingError, match="HTTP 503"):
            upload(video=video(api), destination=f"file://{folder}/kite.mp4")
        assert names_in(folder) == []

    def test_a_video_that_is_too_large_is_refused_for_good(self, api, folder, mp4):
        api.readings.append(served(mp4))
        with pytest.raises(AirflowFailException, match="raise max_bytes"):
            upload(video=video(api), destination=f"file://{folder}/kite.mp4", max_bytes=1000)
        assert names_in(folder) == []

    @pytest.mark.parametrize("wrong", [{"max_bytes": 0}, {"timeout": 0}, {"timeout": timedelta(0)}])
    def test_limits_that_can_not_be_meant_are_refused_when_the_dag_is_parsed(self, wrong):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            operator(video="https://a.example/a.mp4", destination="file:///videos/", **wrong)
