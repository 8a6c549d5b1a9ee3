"""The flow of one landing: real HTTP, real videos, real files, and one file system that is not local."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import fsspec
import pytest
from airflow.sdk import ObjectStoragePath
from airflow.sdk.io import attach

from seedance_provider.landing import landing as landing_module
from seedance_provider.landing import part_file
from seedance_provider.landing.errors import (
    BrokenMediaError,
    DestinationTakenError,
    LandingError,
    MediaRefusedError,
    UnsafeUrlError,
    VideoTooLargeError,
)
from seedance_provider.landing.landing import Landed, Landing
from seedance_provider.landing.media_check import MediaFacts, check_picture, check_video
from seedance_provider.storage.errors import StorageDeniedError, StorageError, StorageFullError
from seedance_provider.storage.stored_file import StoredFile
from tests.support import media
from tests.support.media_server import Serving

MEGABYTE = 1024 * 1024
PAGE = b"<!DOCTYPE html><html>This link has expired.</html>"
FACTS = MediaFacts("video/mp4", 1.0, 64, 64)


def longer(video: bytes, size: int) -> bytes:
    """With a part that is free for anything."""
    return video + size.to_bytes(4) + b"free" + bytes(size - 8)


def everything_under(folder) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def video(mp4) -> bytes:
    return mp4.read_bytes()


@pytest.fixture(autouse=True)
def _video(server, video):
    server.content = video


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder for videos. The system's temporary files go elsewhere below tmp_path, where a test can see them."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    videos = tmp_path / "videos"
    videos.mkdir()
    return videos


@pytest.fixture
def local(folder):
    return StoredFile.at(f"file://{folder}/a.mp4")


@pytest.fixture
def local_with_hidden_names(local, monkeypatch):
    """On a file system of the other kind, see PartFile."""
    monkeypatch.setattr(part_file, "_UNNAMED", None)
    return local


@pytest.fixture
def remote(folder):
    """On a file system that is not local and lives in this process."""
    store = fsspec.filesystem("memory")
    store.store.clear()
    attach("memory", fs=store)
    yield StoredFile.at("memory://bucket/videos/a.mp4")
    store.store.clear()


@pytest.fixture(params=["local", "local_with_hidden_names", "remote"])
def destination(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def land(server, session, log, limits):
    def landed(destination, url=None, *, overwrite=False, check=check_video, renew=None, **differing) -> Landed:
        landing = Landing(session, log, replace(limits, **differing), overwrite)
        return landing.land(url or server.url, destination, check, renew)

    return landed


def content_of(destination) -> bytes | None:
    size = destination.size()
    return None if size is None else destination.piece(0, size)


def put(destination, content: bytes) -> None:
    ObjectStoragePath(str(destination)).parent.mkdir(parents=True, exist_ok=True)
    ObjectStoragePath(str(destination)).write_bytes(content)


class TestLand:
    def test_the_video_is_under_its_name_byte_for_byte_and_nothing_else_is_left(
        self, land, destination, video, tmp_path
    ):
        assert land(destination) == Landed(len(video), was_there=False, facts=FACTS)
        assert content_of(destination) == video
        assert everything_under(tmp_path) == (["videos/a.mp4"] if destination.is_local else [])

    def test_nothing_is_under_the_name_before_it_is_whole(self, land, destination, server):
        seen = []

        def check(path, size):
            seen.append(destination.size())
            return check_video(path, size)

        land(destination, check=check)
        assert seen == [None]

    @pytest.mark.parametrize("name", ["2026/11/a.mp4", "a b%20+\N{CHERRY BLOSSOM}.mp4"])
    def test_folders_are_made_and_names_are_kept(self, land, folder, name):
        land(StoredFile.at(f"file://{folder}/{name}"))
        assert everything_under(folder) == [name]

    def test_an_address_that_has_expired_is_renewed(self, land, local, server, video):
        server.script.append(Serving(403, body=b""))
        land(local, f"{server.url}?old", renew=lambda: f"{server.url}?new")
        assert content_of(local) == video
        assert [request.path for request in server.requests] == ["/a.mp4?old", "/a.mp4?new"]

    def test_a_picture_lands_too(self, land, destination, server, tmp_path_factory):
        png = media.picture(tmp_path_factory.mktemp("media") / "a.png")
        server.content = png.read_bytes()
        assert land(destination, check=check_picture).facts == MediaFacts("image/png", None, 64, 64)
        assert content_of(destination) == png.read_bytes()

    def test_a_large_video_takes_little_memory(self, land, local, server, video):
        server.content = longer(video, 48 * MEGABYTE)
        tracemalloc.start()
        try:
            land(local)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert local.size() == len(server.content)
        assert peak < 12 * MEGABYTE


class TestBroken:
    @pytest.mark.parametrize(
        ("serving", "error", "told"),
        [
            (Serving(body=PAGE, headers={"Content-Type": "text/html"}), BrokenMediaError, r"text/html, 50 bytes"),
            (Serving(body=b""), BrokenMediaError, "no whole MP4 or MOV"),
            (Serving(body=b"\x89PNG\r\n\x1a\n" + bytes(100)), BrokenMediaError, "no whole MP4 or MOV"),
            (Serving(404, body=PAGE), MediaRefusedError, "HTTP 404"),
            (Serving(204, body=b""), MediaRefusedError, "HTTP 204"),
            (Serving(500, body=b""), LandingError, "HTTP 500"),
            (Serving(hang_up=True), LandingError, "no answer"),
            (Serving(stop_after=0), LandingError, "broke off"),
            (Serving(without=("Content-Length",)), BrokenMediaError, "does not say how long it is"),
        ],
    )
    def test_nothing_is_under_the_name_and_trying_again_lands_it(
        self, land, destination, server, tmp_path, video, serving, error, told
    ):
        server.script.extend([serving] * 5)
        with pytest.raises(error, match=told) as caught:
            land(destination)
        assert server.url in str(caught.value)
        assert content_of(destination) is None
        assert everything_under(tmp_path) == []
        server.script.clear()
        assert not land(destination).was_there
        assert content_of(destination) == video

    def test_what_was_to_be_replaced_stays(self, land, destination, server):
        put(destination, b"precious")
        server.script.extend([Serving(stop_after=0)] * 5)
        with pytest.raises(LandingError):
            land(destination, overwrite=True)
        assert content_of(destination) == b"precious"

    def test_parts_of_two_videos_are_never_put_together(self, land, destination, server, another_mp4, video):
        first = Serving(stop_after=1000, body=video, headers={"ETag": '"first"'})
        server.script.extend([first, Serving(503, body=b"")])
        server.change(another_mp4.read_bytes())
        land(destination)
        assert content_of(destination) == another_mp4.read_bytes()

    @pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://media.example/a.mp4", "s3://bucket/a.mp4", "/a"])
    def test_only_the_web_is_fetched(self, land, local, url):
        with pytest.raises(UnsafeUrlError, match="only http"):
            land(local, url)
        assert content_of(local) is None

    def test_a_video_that_is_too_large_leaves_nothing(self, land, destination, server, video, tmp_path):
        server.script.append(Serving(in_chunks=1000))
        with pytest.raises(VideoTooLargeError):
            land(destination, max_bytes=len(video) - 1)
        assert content_of(destination) is None
        assert everything_under(tmp_path) == []


class TestAgain:
    @pytest.mark.parametrize("overwrite", [False, True])
    def test_the_same_video_is_left_alone(self, land, destination, video, overwrite):
        land(destination)
        before = destination.version()
        assert land(destination, overwrite=overwrite) == Landed(len(video), was_there=True)
        assert destination.version() == before

    def test_only_its_ends_are_fetched(self, land, local, server, video):
        server.content = longer(video, MEGABYTE)
        land(local)
        server.requests.clear()
        assert land(local).was_there
        assert server.ranges == [
            None,
            "bytes=0-65535",
            f"bytes={len(server.content) - 65536}-{len(server.content) - 1}",
        ]

    @pytest.mark.parametrize("serving", [Serving(whole_only=True), Serving(in_chunks=1000)])
    def test_where_no_parts_can_be_had_the_whole_is_compared(self, land, destination, server, serving):
        land(destination)
        server.script.extend([serving] * 2)
        assert land(destination).was_there

    def test_a_video_that_was_deleted_lands_again(self, land, destination, video):
        land(destination)
        ObjectStoragePath(str(destination)).unlink()
        assert not land(destination).was_there
        assert content_of(destination) == video


class TestDestinationTaken:
    def test_by_an_object_of_another_size(self, land, destination, video):
        put(destination, b"precious")
        # Which is known before anything is downloaded.
        with pytest.raises(DestinationTakenError, match=f"it has 8 bytes, the video has {len(video):,} bytes"):
            land(destination, check=lambda path, size: pytest.fail("it was downloaded"))
        assert content_of(destination) == b"precious"

    @pytest.mark.parametrize("changed", [0, -1])
    def test_by_one_of_the_same_size(self, land, destination, video, changed):
        other = bytearray(video)
        other[changed] ^= 1
        put(destination, bytes(other))
        with pytest.raises(DestinationTakenError, match="it has another object"):
            land(destination)
        assert content_of(destination) == other

    @pytest.mark.parametrize("serving", [Serving(whole_only=True), Serving(in_chunks=1000)])
    def test_which_is_known_only_when_it_has_arrived(self, land, destination, server, video, serving):
        put(destination, video[::-1])
        server.script.extend([serving] * 2)
        with pytest.raises(DestinationTakenError):
            land(destination)
        assert content_of(destination) == video[::-1]

    @pytest.mark.parametrize("serving", [Serving(), Serving(in_chunks=1000)])
    @pytest.mark.parametrize("size", [8, 1_000_000])
    def test_it_is_replaced_on_demand(self, land, destination, server, video, serving, size):
        put(destination, bytes(size))
        server.script.append(serving)
        assert land(destination, overwrite=True) == Landed(len(video), was_there=False, facts=FACTS)
        assert content_of(destination) == video


class TestTwoAtOnce:
    # The store of this process shows what is being written; that of real ones is in tests/stores.
    @pytest.mark.parametrize("destination", ["local", "local_with_hidden_names"], indirect=True)
    @pytest.mark.parametrize("overwrite", [False, True])
    def test_landing_the_same_video_leave_one_good_object(self, land, destination, video, tmp_path, overwrite):
        meet = threading.Barrier(2, timeout=10)

        def check(path, size):
            meet.wait()
            return check_video(path, size)

        with ThreadPoolExecutor(2) as threads:
            landed = list(threads.map(lambda _: land(destination, check=check, overwrite=overwrite), range(2)))
        assert [item.size for item in landed] == [len(video)] * 2
        assert content_of(destination) == video
        assert everything_under(tmp_path) == ["videos/a.mp4"]

    def test_another_object_that_came_first_is_not_overwritten_by_accident(self, land, destination, video):
        def check(path, size):
            put(destination, b"precious")
            return check_video(path, size)

        with pytest.raises(DestinationTakenError):
            land(destination, check=check)
        assert content_of(destination) == b"precious"
        assert not land(destination, check=check, overwrite=True).was_there
        assert content_of(destination) == video

    @pytest.fixture
    def in_the_last_moment(self, monkeypatch):
        """Puts something where the video should go, when nobody looks any more whether there is anything."""

        def came(content: bytes) -> None:
            publish = StoredFile.publish

            def too_late(stored, *args, **kwargs):
                put(stored, content)
                publish(stored, *args, **kwargs)

            monkeypatch.setattr(StoredFile, "publish", too_late)

        return came

    @pytest.mark.parametrize("size", [8, None])
    def test_not_even_in_the_last_moment(self, land, destination, video, in_the_last_moment, size, tmp_path):
        other = video[::-1][:size]
        in_the_last_moment(other)
        with pytest.raises(DestinationTakenError, match="it has another object" if size is None else "it has 8 bytes"):
            land(destination)
        assert content_of(destination) == other
        assert everything_under(tmp_path) == (["videos/a.mp4"] if destination.is_local else [])

    def test_the_same_video_that_came_in_the_last_moment_will_do(self, land, destination, video, in_the_last_moment):
        in_the_last_moment(video)
        assert land(destination) == Landed(len(video), was_there=True, facts=FACTS)
        assert content_of(destination) == video

    def test_what_came_and_went_in_the_last_moment_is_told(self, land, local, monkeypatch):
        def too_late(stored, *args, **kwargs):
            raise FileExistsError(17, "File exists")

        monkeypatch.setattr(StoredFile, "publish", too_late)
        with pytest.raises(StorageError, match=r"written by another task at the same time, and is not there"):
            land(local)


class TestDisk:
    def test_too_little_room_is_told_before_anything_is_fetched(self, land, destination, monkeypatch, video):
        usage = shutil.disk_usage("/")
        monkeypatch.setattr(landing_module.shutil, "disk_usage", lambda folder: usage._replace(free=len(video) - 1))
        with pytest.raises(StorageFullError, match=f"{len(video):,} bytes are needed, and {len(video) - 1:,} are free"):
            land(destination)
        assert content_of(destination) is None

    def test_a_disk_that_fills_up_meanwhile_is_told(self, land, destination, tmp_path, monkeypatch):
        # A device that is always full.
        full = Path("/dev/full").open("r+b", buffering=0)  # noqa: SIM115 - the landing closes it

        class OnFullDisk(part_file.PartFile):
            def __enter__(self):
                super().__enter__()
                self.file.close()
                self.file = full
                return self

        monkeypatch.setattr(landing_module, "PartFile", OnFullDisk)
        with pytest.raises(StorageFullError, match=r"No space left on device.* Make room"):
            land(destination)
        assert content_of(destination) is None
        assert everything_under(tmp_path) == []

    def test_a_folder_that_may_not_be_written_to_is_told(self, land, folder, monkeypatch):
        def refused(*args, **kwargs):
            raise PermissionError(13, "Permission denied", str(folder))

        monkeypatch.setattr(os, "open", refused)
        with pytest.raises(StorageDeniedError, match=f"may not write to {folder}"):
            land(StoredFile.at(f"file://{folder}/a.mp4"))

    def test_a_file_where_a_folder_should_be_is_told(self, land, folder):
        (folder / "2026").write_text("no folder")
        with pytest.raises(StorageError, match=f"can't be written to {folder}/2026: .*(File exists|Not a directory)"):
            land(StoredFile.at(f"file://{folder}/2026/a.mp4"))

    @pytest.mark.parametrize("overwrite", [False, True])
    def test_a_folder_where_the_video_should_be_stays(self, land, folder, overwrite):
        (folder / "a.mp4").mkdir()
        with pytest.raises((DestinationTakenError, StorageError), match=r"a\.mp4"):
            land(StoredFile.at(f"file://{folder}/a.mp4"), overwrite=overwrite)
        assert [path.name for path in folder.rglob("*")] == ["a.mp4"]

    @pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.EMFILE])
    @pytest.mark.parametrize("step", ["__enter__", "publish"])
    def test_a_disk_that_fails_can_be_tried_again(self, land, local, monkeypatch, tmp_path, number, step):
        def failing(*args, **kwargs):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(part_file.PartFile, step, failing)
        with pytest.raises(StorageError, match=os.strerror(number)):
            land(local)
        assert everything_under(tmp_path) == []
