"""Names for what lands."""

from __future__ import annotations

from pathlib import Path

import pytest
from airflow.sdk import ObjectStoragePath

from seedance_provider.landing.errors import InvalidDestinationError
from seedance_provider.landing.known_video import KnownVideo
from seedance_provider.landing.names import destination_of, last_frame_ending
from tests.support.airflow_versions import relative_storage_paths

FACTS = {
    "video_url": "https://media.example/a.mp4",
    "video_task_id": "task_a",
    "model": "seedance-20",
    "completed_at": "2026-03-01T01:30:00+02:00",
}


def name(template, **facts) -> str:
    return destination_of(template, KnownVideo.of(FACTS | facts))


@pytest.mark.parametrize(
    ("template", "facts", "expected"),
    [
        ("s3://b/a.mp4", {}, "s3://b/a.mp4"),
        ("s3://b/{video_task_id}.mp4", {}, "s3://b/task_a.mp4"),
        ("s3://b/{model}/{video_task_id}.mp4", {}, "s3://b/seedance-20/task_a.mp4"),
        ("s3://b/{year}/{month}/{day}/{hour}.mp4", {}, "s3://b/2026/02/28/23.mp4"),
        ("s3://b/", {}, "s3://b/task_a.mp4"),
        ("s3://b/", {"media_type": "video/quicktime"}, "s3://b/task_a.mov"),
        ("s3://b/{year}/", {}, "s3://b/2026/task_a.mp4"),
        ("s3://b/a}b{c.mp4", {}, "s3://b/a}b{c.mp4"),
        # Not filled in twice.
        ("s3://b/{model}.mp4", {"model": "{video_task_id}"}, "s3://b/-video_task_id-.mp4"),
        ("/videos/客 #1?.mp4", {}, "/videos/客 #1?.mp4"),
        (" file:///videos/a.mp4\n", {}, "file:///videos/a.mp4"),
        ("FILE:///videos/a.mp4", {}, "FILE:///videos/a.mp4"),
        # What pathlib makes of file:///.
        (Path("file:///videos/{model}.mp4"), {}, "file:///videos/seedance-20.mp4"),
        ("file://c@/videos/a.mp4", {}, "file://c@/videos/a.mp4"),
        (ObjectStoragePath("s3://c@b/{model}.mp4"), {}, "s3://c@b/seedance-20.mp4"),
        (ObjectStoragePath("file:///videos") / "{video_task_id}.mp4", {}, "file:///videos/task_a.mp4"),
        (Path("/videos/{model}.mp4"), {}, "/videos/seedance-20.mp4"),
    ],
)
def test_what_is_known_is_filled_in(template, facts, expected):
    assert name(template, **facts) == expected


@pytest.mark.parametrize(
    ("braces", "told"),
    [
        ("{taskid}", "Did you mean {video_task_id}?"),
        ("{VIDEO_TASK_ID}", "Did you mean {video_task_id}?"),
        ("{ video_task_id }", "Did you mean {video_task_id}?"),
        ("{moddel}", "Did you mean {model}?"),
        ("{date}", "Did you mean {day}?"),
        ("{model!r:>10}", "Did you mean {model}?"),
        ("{{video_task_id}}", "Did you mean {video_task_id}?"),
        ("{ds}", "write {{ ds }}"),
        ("{ts_nodash}", "write {{ ts_nodash }}"),
        ("{dag.dag_id}", "write {{ dag.dag_id }}"),
        ("{params['customer']}", "write {{ params['customer'] }}"),
        ("{prompt}", "The names are {video_task_id}, {model}, {year}, {month}, {day}, {hour}."),
        ("{0}", "The names are {video_task_id}, "),
        ("{}", "The names are {video_task_id}, "),
    ],
)
def test_other_names_in_braces_are_refused_with_the_nearest_one(braces, told):
    with pytest.raises(InvalidDestinationError) as caught:
        name(f"s3://b/{braces}/{{model}}.mp4")
    assert f"{braces} is no name in it" in str(caught.value)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("destination", "told"),
    [
        ("file://videos/x.mp4", "a path on this machine has three slashes: file:///videos/x.mp4"),
        ("FILE://localhost/videos/", "a path on this machine has three slashes: FILE:///videos/"),
        ("local://videos/x.mp4", "local:///videos/x.mp4"),
        ("file://", "a path on this machine has three slashes: file:///"),
        ("videos/x.mp4", "must be absolute, such as '/videos/x.mp4', or a URL"),
        ("./videos/x.mp4", "must be absolute, such as '/videos/x.mp4', or a URL"),
        ("~/videos/x.mp4", "must be absolute, such as '/videos/x.mp4', or a URL"),
        ("file:videos/x.mp4", "must be absolute, such as '/videos/x.mp4', or a URL"),
        (" file://videos/x.mp4", "a path on this machine has three slashes: file:///videos/x.mp4"),
        (Path("videos/x.mp4"), "must be absolute, such as '/videos/x.mp4', or a URL"),
        pytest.param(
            ObjectStoragePath("videos/x.mp4"),
            "must be absolute, such as '/videos/x.mp4', or a URL",
            marks=relative_storage_paths,
        ),
        ("s3:///videos/x.mp4", "it names no bucket, as in s3://bucket/videos/x.mp4"),
        ("s3://aws_default@/x.mp4", "it names no bucket, as in s3://bucket/x.mp4"),
        (Path("s3://b/x.mp4"), "s3://b/x.mp4"),
        ("", "must be absolute"),
        (None, "destination is None, "),
        (7, "destination is 7, "),
        (b"file:///videos/x.mp4", "destination is b'file:///videos/x.mp4', "),
        (["file:///videos/x.mp4"], "destination is ['file:///videos/x.mp4'], "),
    ],
)
def test_what_is_no_place_is_refused_with_what_to_write(destination, told):
    with pytest.raises(InvalidDestinationError) as caught:
        name(destination)
    assert told in str(caught.value)


@pytest.mark.parametrize("said", ["../../etc/passwd", "a/b", "/a"])
def test_what_the_api_says_leads_nowhere_else(said):
    filled = name("file:///videos/x-{video_task_id}/a.mp4", video_task_id=said)
    assert filled.count("/") == "file:///videos/x-task/a.mp4".count("/")
    assert "/.." not in filled


@pytest.mark.parametrize("said", [None, "", ".."])
def test_what_is_not_known_can_not_be_filled_in(said):
    told = r"'s3://b/\{video_task_id\}.mp4', but the video_task_id is not known"
    with pytest.raises(InvalidDestinationError, match=told):
        name("s3://b/", video_task_id=said)
    with pytest.raises(InvalidDestinationError, match="the year is not known"):
        name("s3://b/{year}.mp4", completed_at=None)


@pytest.mark.parametrize(
    ("url", "ending"),
    [
        ("https://media.example/a.png?x=.jpg", "-last-frame.png"),
        ("https://media.example/a.JPG", "-last-frame.jpg"),
        ("https://media.example/a.jpeg?x=1", "-last-frame.jpg"),
        ("https://media.example/a.webp", "-last-frame.webp"),
        ("https://media.example/a", "-last-frame.png"),
    ],
)
def test_a_last_frame_keeps_its_ending(url, ending):
    assert last_frame_ending(url) == ending
