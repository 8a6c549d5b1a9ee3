"""What the example DAGs do with a video that has landed, on S3. On a file system all of them run in an Airflow."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import av
import pendulum
import pytest
import requests

from tests.support import media

DAGS = Path(__file__).parents[2] / "dags"
DAY = timedelta(days=1)


@pytest.fixture
def folder(s3_bucket, monkeypatch):
    uri = f"s3://s3@{s3_bucket}/videos"
    monkeypatch.setenv("SEEDANCE_VIDEO_FOLDER", uri)
    return uri


@pytest.fixture
def task(folder):
    """What a task of an example runs."""

    def loaded(example, task_id):
        names = {"__file__": str(DAGS / f"{example}.py"), "__name__": example, "__doc__": ""}
        exec(compile((DAGS / f"{example}.py").read_text(), f"{example}.py", "exec"), names)  # noqa: S102 - ours
        return names["dag"].get_task(task_id).python_callable, names

    return loaded


def put(s3, bucket, key, content=b"a video"):
    s3.client.put_object(Bucket=bucket, Key=f"videos/{key}", Body=content)


def test_the_link_opens_without_an_account(task, folder, s3, s3_bucket, small):
    put(s3, s3_bucket, "a.mp4", small)
    message, _ = task("seedance_upload_and_notify", "message")
    landed = {"path": f"{folder}/a.mp4", "uri": "", "prompt": "Balloons", "credits_used": 160}
    told = json.loads(message(landed))
    assert requests.get(told["link"], timeout=10).content == small
    assert requests.get(told["link"].partition("?")[0], timeout=10).status_code == 403
    assert told | {"link": ""} == {"text": "Balloons", "link": "", "credits": 160}


def test_what_is_approved_moves_and_a_retry_finds_it_moved(task, folder, s3, s3_bucket):
    put(s3, s3_bucket, "drafts/a.mp4")
    publish, _ = task("seedance_approval", "publish")
    for _ in range(2):
        assert publish(f"{folder}/drafts/a.mp4") == f"{folder}/published/a.mp4"
        assert s3.keys(s3_bucket) == ["videos/published/a.mp4"]


def test_clips_become_one_film(task, folder, s3, s3_bucket, tmp_path):
    clip = media.video(tmp_path / "clip.mp4", seconds=2).read_bytes()
    for name in ("a", "b"):
        put(s3, s3_bucket, f"{name}.mp4", clip)
    film, _ = task("seedance_film", "film")
    for _ in range(2):
        assert film([f"{folder}/a.mp4", f"{folder}/b.mp4"], "run_1") == f"{folder}/film/run_1/film.mp4"
        assert s3.keys(s3_bucket) == ["videos/a.mp4", "videos/b.mp4", "videos/film/run_1/film.mp4"]
    whole = tmp_path / "film.mp4"
    whole.write_bytes(s3.content(s3_bucket, "videos/film/run_1/film.mp4"))
    with av.open(str(whole)) as video:
        assert video.duration / av.time_base == pytest.approx(4, abs=0.1)
        assert sum(1 for _ in video.decode(video=0)) == 96


@pytest.mark.parametrize(
    ("days", "dry_run", "left"),
    [
        (89, False, {"a.mp4", "a.json", "a-last-frame.png", "notes.txt"}),
        (91, True, {"a.mp4", "a.json", "a-last-frame.png", "notes.txt"}),
        (91, False, {"notes.txt"}),
    ],
)
def test_what_is_old_is_cleaned_up(task, folder, s3, s3_bucket, days, dry_run, left):
    for name in ("a.mp4", "a.json", "a-last-frame.png", "notes.txt"):
        put(s3, s3_bucket, f"2026/{name}")
    clean_up, names = task("seedance_clean_up", "clean_up")
    # S3 lets nobody say when an object was made, so that it is old is a matter of what the time is.
    now = datetime.now(UTC) + days * DAY
    names["pendulum"] = SimpleNamespace(now=lambda _: now, instance=pendulum.instance)
    deleted = clean_up({"keep_days": 90, "dry_run": dry_run})
    assert {key.rpartition("/")[2] for key in s3.keys(s3_bucket)} == left
    assert len(deleted) == (3 if days > 90 else 0)
