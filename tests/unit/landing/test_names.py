"""Names for what lands."""

from __future__ import annotations

import pytest

from seedance_provider.landing.errors import InvalidDestinationError
from seedance_provider.landing.known_video import KnownVideo
from seedance_provider.landing.names import destination_of, last_frame_ending

FACTS = {
    "video_url": "https://media.example/a.mp4",
    "video_task_id": "task_a",
    "model": "seedance-20",
    "completed_at": "2026-03-01T01:30:00+02:00",
}


def name(template: str, **facts) -> str:
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
        ("s3://b/{prompt}/{0}/{}/{{video_task_id}}.mp4", {}, "s3://b/{prompt}/{0}/{}/{task_a}.mp4"),
        # Not filled in twice.
        ("s3://b/{model}.mp4", {"model": "{video_task_id}"}, "s3://b/-video_task_id-.mp4"),
    ],
)
def test_what_is_known_is_filled_in_and_other_braces_stay(template, facts, expected):
    assert name(template, **facts) == expected


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
