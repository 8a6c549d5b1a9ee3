"""What the API server shows of all that an XCom can name."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from airflow.sdk import ObjectStoragePath

from seedance_provider.plugins.byte_range import ByteRange
from seedance_provider.plugins.stored_video import NotShownError, StoredVideo
from seedance_provider.storage.stored_file import StoredFile
from tests.support import media
from tests.support.airflow_versions import RELEASE

if TYPE_CHECKING:
    from collections.abc import Iterator

IS_NO_VIDEO = "is not the video that the task has recorded"
HEAD = b"\x00\x00\x00\x14ftypisom"


@pytest.fixture(scope="module")
def mp4(tmp_path_factory) -> Path:
    return media.video(tmp_path_factory.mktemp("videos") / "a.mp4", seconds=1)


def landed(path, size: object = None) -> dict:
    """The XCom, with the size that the file has."""
    return {"path": str(path), "size": Path(path).stat().st_size if size is None else size}


def refusal(value) -> str:
    with pytest.raises(NotShownError) as caught:
        StoredVideo.recorded(value)
    return str(caught.value)


needs_capital_schemes = pytest.mark.skipif(RELEASE < (3, 2), reason="needs the storage paths of Airflow 3.2")


@pytest.mark.skipif(RELEASE >= (3, 2), reason="is about the storage paths of Airflow 3.1")
def test_airflow_3_1_does_not_know_a_scheme_in_capitals(mp4):
    assert "can't combine incompatible UPath protocols" in refusal(
        {"path": f"FILE://{mp4}", "size": mp4.stat().st_size}
    )


class TestShown:
    @pytest.mark.parametrize("prefix", ["", "file://", pytest.param("FILE://", marks=needs_capital_schemes)])
    def test_a_real_video(self, mp4, prefix):
        with StoredVideo.recorded({"path": f"{prefix}{mp4}", "size": mp4.stat().st_size}) as video:
            assert (video.size, video.media_type, video.name) == (mp4.stat().st_size, "video/mp4", "a.mp4")

    def test_its_kind_is_told_by_its_bytes_and_not_by_its_name(self, mp4, tmp_path):
        film = media.video(tmp_path / "b.mov", seconds=1)
        (tmp_path / "a.mov").symlink_to(mp4)
        for path, media_type in [(film, "video/quicktime"), (tmp_path / "a.mov", "video/mp4")]:
            with StoredVideo.recorded(landed(path)) as video:
                assert video.media_type == media_type

    @pytest.mark.parametrize("name", ["a?b#c.mp4", "ein Film äöü.mp4", "a%2Fb.mp4", 'a"b;.mp4', "[a.mp4"])
    def test_its_name_stays_as_it_is(self, tmp_path, name):
        (tmp_path / name).write_bytes(HEAD)
        with StoredVideo.recorded(landed(tmp_path / name)) as video:
            assert video.name == name


@pytest.mark.parametrize("value", [None, "", "/tmp/a.mp4", 7, [], [{"path": "/tmp/a.mp4", "size": 7}], {}])
def test_an_xcom_of_another_shape_is_no_video(value):
    assert refusal(value).startswith("The task has recorded no video")


@pytest.mark.parametrize(
    "changed",
    [
        *({"path": path} for path in (None, ["/tmp/a.mp4"], b"/tmp/a.mp4")),
        *({"size": size} for size in (None, "7", 7.0, True, 0, -1)),
    ],
)
def test_neither_is_one_with_another_path_or_size(changed):
    assert refusal({"path": "/tmp/a.mp4", "size": 7} | changed).startswith("The task has recorded no video")
    (name,) = changed
    without = {key: value for key, value in {"path": "/tmp/a.mp4", "size": 7}.items() if key != name}
    assert refusal(without).startswith("The task has recorded no video")


class TestAnotherFile:
    """Whoever writes a DAG decides what its XComs say."""

    def test_a_file_of_the_system(self, tmp_path):
        (tmp_path / "a.mp4").symlink_to("/etc/passwd")
        for path in ("/etc/passwd", tmp_path / "a.mp4"):
            assert IS_NO_VIDEO in refusal(landed(path))

    def test_a_file_that_is_not_there(self, mp4, tmp_path):
        for path in (tmp_path / "gone.mp4", mp4 / "a.mp4"):
            assert "was it removed" in refusal(landed(path, 7))

    @pytest.mark.parametrize(
        "content",
        [b"text", b"\x1aE\xdf\xa3webm, not MP4", b"ftypisom at the very start", b"\x00\x00\x00\x14FTYPisom", HEAD[:7]],
    )
    def test_what_does_not_begin_like_a_video(self, tmp_path, content):
        (tmp_path / "a.mp4").write_bytes(content)
        assert IS_NO_VIDEO in refusal(landed(tmp_path / "a.mp4"))

    @pytest.mark.parametrize("difference", [-1, 1])
    def test_a_video_of_another_size(self, mp4, difference):
        assert IS_NO_VIDEO in refusal(landed(mp4, mp4.stat().st_size + difference))

    @pytest.mark.parametrize("size", [1, 4096])
    def test_a_folder(self, tmp_path, size):
        assert refusal(landed(tmp_path, size))
        assert refusal(landed(tmp_path))

    @pytest.mark.parametrize("size", [0, 1, 4096])
    def test_a_pipe_that_nobody_writes_to_is_not_waited_for(self, tmp_path, size):
        os.mkfifo(tmp_path / "a.mp4")
        assert refusal(landed(tmp_path / "a.mp4", size))

    @pytest.mark.parametrize("kind", [os.mkfifo, os.mkdir])
    def test_what_takes_its_place_before_it_is_opened_is_not_waited_for(self, tmp_path, monkeypatch, kind):
        kind(tmp_path / "a.mp4")
        monkeypatch.setattr(StoredFile, "size", lambda _: len(HEAD))
        assert refusal(landed(tmp_path / "a.mp4", len(HEAD)))

    @pytest.mark.parametrize("size", [0, 12, 2**40])
    @pytest.mark.parametrize("path", ["/dev/zero", "/dev/urandom", "/dev/stdin", "/proc/self/environ"])
    def test_a_device_is_not_read(self, path, size):
        assert refusal(landed(path, size))

    @pytest.mark.parametrize(
        "path", ["", ".", "a.mp4", "/", "//etc/passwd", "\0", "/tmp/a\0.mp4", "/" + "a/" * 3000, "x" * 300, "\ud800"]
    )
    def test_a_path_that_leads_nowhere(self, path):
        assert refusal(landed(path, 7))


class TestStorages:
    @pytest.mark.parametrize(
        "path",
        [
            "http://169.254.169.254/latest",
            "https://media.example/a.mp4",
            "HTTP://media.example/a.mp4",
            "ht\ntp://media.example/a.mp4",
            " http://media.example/a.mp4",
            "ftp://a.example/a.mp4",
            "memory://bucket/a.mp4",
            "local:///etc/passwd",
            "simplecache::file:///etc/passwd",
            "data:video/mp4;base64,AAAAFGZ0eXBpc29t",
            "javascript:alert(1)",
        ],
    )
    def test_of_a_kind_that_no_video_lands_in(self, path):
        assert "in no storage that videos are shown from" in refusal(landed(path, 12))

    def test_that_can_not_be_read(self, mp4, monkeypatch):
        assert "can't read it" in refusal(landed("s3://[bucket/a.mp4", 12))

        def denied(*_, **__):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(ObjectStoragePath(str(mp4)).fs, "info", denied)
        assert "Permission denied" in refusal(landed(mp4))


@pytest.fixture(scope="module")
def content() -> bytes:
    return HEAD + bytes(range(256)) * 8192


@pytest.fixture(scope="module")
def video(tmp_path_factory, content) -> Iterator[StoredVideo]:
    path = tmp_path_factory.mktemp("large") / "a.mp4"
    path.write_bytes(content)
    with StoredVideo.recorded(landed(path)) as recorded:
        yield recorded


class TestPieces:
    @pytest.mark.parametrize("start", [0, 1, 524_287, 524_288, 1_000_000])
    @pytest.mark.parametrize("length", [0, 1, 12, 524_288, 524_289, 1_000_000])
    def test_of_a_part_are_just_its_bytes(self, video, content, start, length):
        part = ByteRange(start, length, len(content))
        assert b"".join(video.pieces(part)) == content[start : start + length]

    def test_come_a_little_at_a_time(self, video):
        video_pieces = video.pieces(ByteRange(0, video.size, video.size))
        assert max(len(piece) for piece in video_pieces) <= 512 * 1024
        tracemalloc.start()
        try:
            for _ in video.pieces(ByteRange(0, video.size, video.size)):
                pass
            assert tracemalloc.get_traced_memory()[1] < 1.5 * 1024 * 1024
        finally:
            tracemalloc.stop()

    def test_end_where_the_file_now_ends(self, tmp_path):
        path = tmp_path / "a.mp4"
        path.write_bytes(HEAD)
        with StoredVideo.recorded(landed(path)) as video:
            path.write_bytes(HEAD[:5])
            assert b"".join(video.pieces(ByteRange(0, 12, 12))) == HEAD[:5]

    @pytest.mark.parametrize("change", ["replaced", "removed", "a link to another"])
    def test_are_of_the_file_that_was_checked(self, tmp_path, change):
        path, other = tmp_path / "a.mp4", tmp_path / "secret"
        path.write_bytes(HEAD)
        other.write_bytes(b"x" * len(HEAD))
        with StoredVideo.recorded(landed(path)) as video:
            path.unlink()
            if change == "replaced":
                other.rename(path)
            elif change != "removed":
                path.symlink_to(other)
            assert b"".join(video.pieces(ByteRange.whole(video.size))) == HEAD
