"""The file beside a video."""

from __future__ import annotations

import json

import pytest

from seedance_provider.landing.errors import DestinationTakenError
from seedance_provider.landing.known_video import KnownVideo
from seedance_provider.landing.landed_video import LandedVideo
from seedance_provider.landing.sidecar import sidecar_of, write_sidecar
from seedance_provider.storage.errors import StorageDeniedError
from seedance_provider.storage.stored_file import StoredFile

VIDEO = KnownVideo.of(
    {
        "video_url": "https://media.example/a.mp4?signature=abc",
        "video_task_id": "task_a",
        "model": "seedance-20",
        "prompt": "Ein Drachen über dem Strand \N{KITE}",
        "inputs": {"duration": 4},
        "seed": 7,
        "credits_used": 160,
        "completed_at": "2026-11-01T12:02:00+00:00",
    }
)
MEDIA = {"media_type": "video/mp4", "width": 64, "height": 64, "seconds": 1.0}
LANDED = LandedVideo(VIDEO, "s3://c@b/a.mp4", "s3://b/a.mp4", 7, MEDIA, sidecar_uri="s3://b/a.json")
RUN = {"dag_id": "kites", "run_id": "manual__1", "task_id": "upload", "map_index": -1, "try_number": 1}
CONTENT = sidecar_of(LANDED, RUN)


@pytest.fixture
def destination(tmp_path):
    return StoredFile.at(f"file://{tmp_path}/a.json")


def test_says_what_the_video_is_how_it_was_made_and_who_landed_it():
    assert {
        "schema_version": 1,
        "uri": "s3://b/a.mp4",
        "size": 7,
        "last_frame_uri": None,
        "sidecar_uri": "s3://b/a.json",
        **MEDIA,
        "mismatches": ["duration: 4 s asked, 1 s made"],
        "video_task_id": "task_a",
        "model": "seedance-20",
        "prompt": VIDEO.facts["prompt"],
        "inputs": {"duration": 4},
        "seed": 7,
        "credits_used": 160,
        "estimated_credits": None,
        "created_at": None,
        "completed_at": "2026-11-01T12:02:00+00:00",
        "generation_seconds": None,
        "airflow": RUN,
    } == CONTENT


def test_is_written_readably(destination):
    write_sidecar(CONTENT, destination, overwrite=False)
    text = destination.local_path.read_text("utf-8")
    assert json.loads(text) == CONTENT
    assert "signature" not in text
    assert "über dem Strand \N{KITE}" in text
    assert [path.name for path in destination.local_path.parent.iterdir()] == ["a.json"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_one_about_the_same_video_is_left_alone(destination, overwrite):
    write_sidecar(CONTENT, destination, overwrite=False)
    another_run = sidecar_of(LANDED, RUN | {"try_number": 2})
    write_sidecar(another_run, destination, overwrite=overwrite)
    assert json.loads(destination.local_path.read_text())["airflow"]["try_number"] == 1


@pytest.mark.parametrize(
    "there",
    [
        b"precious",
        b"[]",
        b"\xff",
        json.dumps(CONTENT | {"video_task_id": "task_b"}).encode(),
        json.dumps(CONTENT).encode() + b" " * 2_000_000,
    ],
    ids=["a text", "a list", "no text", "another video", "too large"],
)
def test_another_file_is_replaced_only_on_demand(destination, there):
    destination.local_path.write_bytes(there)
    with pytest.raises(DestinationTakenError, match=r"The video itself has landed: s3://b/a\.mp4"):
        write_sidecar(CONTENT, destination, overwrite=False)
    assert destination.local_path.read_bytes() == there
    write_sidecar(CONTENT, destination, overwrite=True)
    assert json.loads(destination.local_path.read_text()) == CONTENT


@pytest.mark.parametrize("about", ["the same video", "another video"])
def test_one_that_another_task_writes_at_the_same_time_counts_as_if_it_had_been_there(destination, about):
    theirs = sidecar_of(LANDED, RUN | {"try_number": 2}) | (
        {} if about == "the same video" else {"video_task_id": "task_b"}
    )

    class Overtaken(StoredFile):
        def publish(self, part, media_type, *, replace):
            destination.local_path.write_text(json.dumps(theirs))
            super().publish(part, media_type, replace=replace)

    overtaken = Overtaken.at(str(destination))
    if about == "the same video":
        write_sidecar(CONTENT, overtaken, overwrite=False)
    else:
        with pytest.raises(DestinationTakenError):
            write_sidecar(CONTENT, overtaken, overwrite=False)
    assert json.loads(destination.local_path.read_text()) == theirs


def test_a_folder_that_can_not_be_written_to_is_told(tmp_path, destination, monkeypatch):
    def refused(*args):
        raise PermissionError(13, "Permission denied", str(tmp_path))

    monkeypatch.setattr("seedance_provider.landing.part_file.PartFile._open", refused)
    with pytest.raises(StorageDeniedError, match="Permission denied"):
        write_sidecar(CONTENT, destination, overwrite=False)
