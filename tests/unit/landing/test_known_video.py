"""What a landing task knows of its video."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from airflow.sdk.execution_time.lazy_sequence import LazyXComSequence

from seedance_provider.landing.errors import MediaRefusedError, NotAVideoError, VideoExpiredError
from seedance_provider.landing.known_video import KnownVideo

RESULT = {
    "video_task_id": "task_a",
    "model": "seedance-20",
    "status": "success",
    "video_url": "https://media.example/a.mp4?signature=abc",
    "media_type": "video/mp4",
    "last_frame_url": "https://media.example/a.png",
    "seed": 7,
    "credits_used": 200,
    "estimated_credits": 180,
    "created_at": "2026-11-01T12:00:00+00:00",
    "completed_at": "2026-11-01T14:02:00+02:00",
    "generation_seconds": 120.0,
    "prompt": "A kite",
    "inputs": {"duration": 5},
}
REFUSED = MediaRefusedError("https://media.example/a.mp4 answers HTTP 403.")


def video(**facts) -> KnownVideo:
    return KnownVideo.of(RESULT | facts)


class TestOf:
    def test_reads_what_a_task_has_returned(self):
        known = video()
        assert known.url == RESULT["video_url"]
        assert (known.video_task_id, known.last_frame_url, known.media_type) == (
            "task_a",
            "https://media.example/a.png",
            "video/mp4",
        )
        told = ("video_task_id", "model", "prompt", "inputs", "seed", "credits_used", "estimated_credits")
        assert known.to_json() == {
            name: RESULT[name] for name in (*told, "created_at", "completed_at", "generation_seconds")
        }

    def test_an_address_is_enough(self):
        known = KnownVideo.of(" https://media.example/a.mp4\n")
        assert (known.url, known.video_task_id, known.last_frame_url) == ("https://media.example/a.mp4", None, None)
        assert set(known.to_json().values()) == {None}

    @pytest.mark.parametrize(
        ("given", "told"),
        [
            # What became of the task before.
            (None, "was skipped, or was marked as a success by hand"),
            ("None", "was skipped, or was marked as a success by hand"),
            ("", "was skipped, or was marked as a success by hand"),
            # What a template makes of an output.
            (str(RESULT), "Write video=create.output instead of a template"),
            (json.dumps(RESULT), "Write video=create.output instead of a template"),
            (str([RESULT]), ".expand(video=create.output)"),
            ("task_a", "Write video=create.output instead of a template"),
            ("/videos/a.mp4", "an http(s) URL"),
            # The outputs of a mapped task.
            ([RESULT, RESULT], "write .expand(video=create.output)"),
            ((RESULT,), "write .expand(video=create.output)"),
            (LazyXComSequence(None, None), "write .expand(video=create.output)"),
            ((item for item in [RESULT]), "write .expand(video=create.output)"),
            # No output of ours, or one without a video.
            ({"video_url": None, "video_task_id": "task_a"}, "put a VideoSensor between"),
            ({}, "put a VideoSensor between"),
            ({"url": "https://media.example/a.png"}, "put a VideoSensor between"),
            (7, "put a VideoSensor between"),
            (b"https://media.example/a.mp4", "put a VideoSensor between"),
        ],
    )
    def test_anything_else_is_refused_with_what_to_write(self, given, told):
        with pytest.raises(NotAVideoError) as caught:
            KnownVideo.of(given)
        assert told in str(caught.value)
        assert len(str(caught.value)) < 600
        assert "signature" not in str(caught.value)


def test_the_identity_is_the_id_of_the_video_task_or_the_address_without_its_signature():
    assert video(video_url="https://media.example/b.mp4").identity == video().identity == "task_a"
    assert KnownVideo.of("https://media.example/a.mp4?signature=abc").identity == "https://media.example/a.mp4"


@pytest.mark.parametrize(
    ("facts", "moment"),
    [
        ({}, datetime(2026, 11, 1, 12, 2, tzinfo=UTC)),
        ({"completed_at": None}, datetime(2026, 11, 1, 12, 0, tzinfo=UTC)),
        ({"completed_at": "2026-11-01T12:02:00"}, datetime(2026, 11, 1, 12, 2, tzinfo=UTC)),
        *(({"completed_at": said, "created_at": said}, None) for said in (None, "yesterday", 7)),
    ],
)
def test_the_moment_is_when_it_was_completed_or_else_created_in_utc(facts, moment):
    assert video(**facts).moment == moment


class TestExplained:
    COMPLETED = datetime(2026, 11, 1, 12, 2, tzinfo=UTC)

    def test_a_deleted_video_is_told_with_its_dates_and_for_good(self):
        told = video().explained(REFUSED, self.COMPLETED + timedelta(days=14, seconds=1))
        assert isinstance(told, VideoExpiredError)
        assert str(told).startswith(str(REFUSED))
        assert "completed at 2026-11-01 12:02 UTC" in str(told)
        assert "ended at 2026-11-15 12:02 UTC" in str(told)
        assert "on_rerun='regenerate'" in str(told)

    def test_one_that_should_be_there_is_asked_for_again(self):
        told = video().explained(REFUSED, self.COMPLETED + timedelta(days=14))
        assert type(told) is MediaRefusedError
        assert "until 2026-11-15 12:02 UTC, so it should still be there" in str(told)

    def test_without_a_date_nobody_knows(self):
        told = video(completed_at=None, created_at=None).explained(REFUSED, self.COMPLETED)
        assert type(told) is MediaRefusedError
        assert "keeps videos for 14 days" in str(told)
