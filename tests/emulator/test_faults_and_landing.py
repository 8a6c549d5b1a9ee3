"""The landing meets every fault of a download: what lands, what is said, and that nobody ever sees half a video."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from contextlib import contextmanager

import pytest

from seedance_provider.emulator.faults import FAULTS
from seedance_provider.landing.download import DownloadLimits
from seedance_provider.landing.errors import (
    BrokenMediaError,
    LandingError,
    MediaRefusedError,
    PermanentLandingError,
    VideoTooLargeError,
)
from seedance_provider.landing.landing import Landing
from seedance_provider.landing.media_check import check_video
from seedance_provider.network.addresses import AddressRule
from seedance_provider.network.guarded_session import guarded_session
from seedance_provider.storage.stored_file import StoredFile

LIMITS = DownloadLimits(max_bytes=5_000_000, stall_seconds=0.5, attempts=3, pause=0.05)

#: How it ends if it never stops, by its class and what it says.
IN_THE_END = {
    "connection_refused": (LandingError, "there was no answer"),
    "media_cut": (LandingError, "it broke off"),
    "media_wrong_length": (LandingError, "it broke off"),
    "media_stalled": (LandingError, "it broke off"),
    "media_changed": (LandingError, "it broke off"),
    "media_error": (LandingError, "it answers HTTP 500"),
    "slow": (LandingError, "there was no answer"),
    "media_expired": (MediaRefusedError, "answers HTTP 403"),
    "media_wrong_type": (BrokenMediaError, r"no whole MP4 or MOV: .* \(text/html"),
    "media_endless": (VideoTooLargeError, "more than the 5,000,000 bytes that are allowed"),
}
ON_MEDIA = sorted(name for name, fault in FAULTS.items() if "media" in fault.places)
#: After these, nobody but Airflow tries again.
ENDS_THE_TRY = {"media_expired", "media_wrong_type", "media_endless"}


@pytest.fixture
def url(client, clock):
    task_id = client.create().json()["taskId"]
    clock.advance(60)
    found = client.record(task_id).json()["output"][0]["url"]
    # So that a fault is not a matter of how long the rendering takes.
    assert client.get(found).ok
    return found


@pytest.fixture
def whole(client, url):
    return digest(client.get(url).content)


@pytest.fixture
def folder(tmp_path):
    videos = tmp_path / "videos"
    videos.mkdir()
    return videos


@pytest.fixture
def land(client, url, folder):
    def landed():
        with guarded_session(AddressRule.beside(client.base_url)) as session:
            landing = Landing(session, logging.getLogger("landing"), LIMITS)
            return landing.land(url, StoredFile.at(f"file://{folder}/a.mp4"), check_video)

    return landed


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def strike(client, *faults):
    client.set_faults(*({"on": "media", "seconds": 1, **fault} for fault in faults))


@contextmanager
def watched(folder):
    """Note everything that is in a folder at any time, with the digest of its content."""
    seen: set[tuple[str, str]] = set()
    is_over = threading.Event()

    def poll():
        while not is_over.is_set():
            seen.update((name, digest((folder / name).read_bytes())) for name in os.listdir(folder))

    watcher = threading.Thread(target=poll)
    watcher.start()
    try:
        yield seen
    finally:
        is_over.set()
        watcher.join()


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("fault", sorted(set(ON_MEDIA) - ENDS_THE_TRY))
def test_the_same_try_lands_it_after_some(client, land, folder, whole, fault, count):
    strike(client, {"fault": fault, "count": count})
    with watched(folder) as seen:
        land()
    assert seen <= {("a.mp4", whole)}
    assert os.listdir(folder) == ["a.mp4"]
    assert digest((folder / "a.mp4").read_bytes()) == whole


@pytest.mark.parametrize("fault", sorted(ENDS_THE_TRY))
def test_the_next_try_lands_it_after_others(client, land, folder, whole, fault):
    strike(client, {"fault": fault, "count": 1})
    with watched(folder) as seen, pytest.raises(LandingError):
        land()
    assert seen == set()
    land()
    assert digest((folder / "a.mp4").read_bytes()) == whole


@pytest.mark.parametrize("fault", ON_MEDIA)
def test_one_that_never_stops_ends_in_one_clear_error(client, url, land, folder, whole, fault):
    error, said = IN_THE_END[fault]
    strike(client, {"fault": fault, "seconds": 3})
    if fault == "connection_refused":
        # It begins after an answer.
        client.get(url)
    with watched(folder) as seen, pytest.raises(error, match=said) as caught:
        land()
    assert isinstance(caught.value, PermanentLandingError) == (fault == "media_endless")
    assert seen == set()
    assert os.listdir(folder) == []


@pytest.mark.parametrize("fault", ["media_cut", "media_wrong_length", "media_stalled"])
def test_half_by_half_it_arrives_in_the_end(client, land, folder, whole, fault, caplog):
    # Every answer is cut, and every one brings a little more: that is no reason to give up.
    strike(client, {"fault": fault, "count": 6, "seconds": 0.1})
    land()
    assert digest((folder / "a.mp4").read_bytes()) == whole
    assert caplog.text.count("Asking for it again") == 6


@pytest.mark.parametrize("first", ["media_cut", "media_wrong_length", "media_changed", "media_error"])
@pytest.mark.parametrize("then", ["media_cut", "media_wrong_length", "media_changed", "media_error"])
def test_one_after_the_other_is_no_hindrance(client, land, folder, whole, first, then):
    strike(client, {"fault": first, "count": 1}, {"fault": then, "count": 1})
    with watched(folder) as seen:
        land()
    assert seen <= {("a.mp4", whole)}
    assert digest((folder / "a.mp4").read_bytes()) == whole
    assert os.listdir(folder) == ["a.mp4"]


def test_a_page_instead_of_the_rest_is_told_as_one(client, land, folder):
    strike(client, {"fault": "media_cut", "count": 1}, {"fault": "media_wrong_type"})
    with watched(folder) as seen, pytest.raises(BrokenMediaError, match=r"\(text/html; charset=utf-8, "):
        land()
    assert seen == set()


@pytest.mark.parametrize("fault", ["media_cut", "media_wrong_length", "media_stalled", "media_changed", "media_error"])
def test_what_is_there_is_known_again_in_spite_of_it(client, land, folder, whole, fault):
    land()
    strike(client, {"fault": fault, "count": 2})
    with watched(folder) as seen:
        assert land().was_there
    assert seen <= {("a.mp4", whole)}
    assert os.listdir(folder) == ["a.mp4"]
    assert digest((folder / "a.mp4").read_bytes()) == whole
