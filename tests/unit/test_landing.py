"""Landing: real HTTP, real files, and one file system that is not local."""

from __future__ import annotations

import os
import pickle
import stat
import tempfile
import tracemalloc
from pathlib import Path

import fsspec
import pytest
from airflow.sdk import ObjectStoragePath
from airflow.sdk.io import attach

from seedance_provider.landing import DestinationTakenError, Landed, LandingError, UnsafeUrlError, land
from tests.support.scripted_api import Answer

MEGABYTE = 1024 * 1024
VIDEO = b"\0\0\0\x18ftypisom" + bytes(range(256)) * 40
OTHER_VIDEO = b"\0\0\0\x18ftypisom" + b"another"
EXPIRED_PAGE = b"<!DOCTYPE html><html>This link has expired.</html>"

BROKEN_DOWNLOADS = {
    "hangs up before the answer": Answer(hang_up=True),
    "cuts the body": Answer(200, VIDEO, "video/mp4", promised=len(VIDEO) + 1),
    "cuts the body before its first byte": Answer(200, b"", "video/mp4", promised=len(VIDEO)),
}
ANSWERS_WITHOUT_A_VIDEO = {
    "404": Answer(404, EXPIRED_PAGE, "text/html"),
    "403": Answer(403, EXPIRED_PAGE, "text/html"),
    "500": Answer(500, b"", "text/plain"),
    "204": Answer(204, b""),
    "a partial answer that nobody asked for": Answer(206, VIDEO, "video/mp4"),
    "a page": Answer(200, EXPIRED_PAGE, "text/html"),
    "nothing": Answer(200, b"", "video/mp4"),
    "the first bytes of a video": Answer(200, VIDEO[:7], "video/mp4"),
    "a picture": Answer(200, b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "image/png"),
}


def a_video(body=VIDEO):
    return Answer(200, body, "video/mp4")


def a_video_in_chunks(*chunks):
    """As a server sends a video whose length it does not know."""
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    return Answer(200, body, "video/mp4", headers={"Transfer-Encoding": "chunked"}, promised="unknown")


def everything_under(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def url(api):
    return f"{api.url}/outputs/a.mp4"


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
    return ObjectStoragePath(f"file://{folder}/a.mp4")


@pytest.fixture
def remote(folder):
    """A destination on a file system that is not local and lives in this process."""
    store = fsspec.filesystem("memory")
    store.store.clear()
    attach("memory", fs=store)
    yield ObjectStoragePath("memory://bucket/videos/a.mp4")
    store.store.clear()


@pytest.fixture(params=["local", "remote"])
def destination(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def umask():
    def set_umask(value):
        os.umask(value)

    before = os.umask(0o022)
    yield set_umask
    os.umask(before)


class TestLand:
    def test_the_video_is_under_its_name_byte_for_byte(self, api, url, destination):
        api.readings.append(a_video())
        assert land(url, destination) == Landed(str(destination), len(VIDEO), was_there=False)
        assert destination.read_bytes() == VIDEO

    def test_no_temporary_file_is_left(self, api, url, destination, tmp_path):
        api.readings.append(a_video())
        land(url, destination)
        on_disk = [] if destination.protocol == "memory" else ["videos/a.mp4"]
        assert everything_under(tmp_path) == on_disk

    def test_folders_are_made(self, api, url, folder):
        api.readings.append(a_video())
        land(url, ObjectStoragePath(f"file://{folder}/2026/11/a.mp4"))
        assert everything_under(folder) == ["2026/11/a.mp4"]

    def test_a_name_with_special_characters_is_kept(self, api, url, folder):
        api.readings.append(a_video())
        land(url, ObjectStoragePath(f"file://{folder}/a b%20+\N{CHERRY BLOSSOM}.mp4"))
        assert everything_under(folder) == ["a b%20+\N{CHERRY BLOSSOM}.mp4"]

    @pytest.mark.parametrize(
        "answer",
        [
            a_video_in_chunks(VIDEO),
            a_video_in_chunks(VIDEO[:5000], VIDEO[5000:]),
            a_video_in_chunks(VIDEO[:4], VIDEO[4:8], VIDEO[8:]),
        ],
        ids=["one chunk", "two chunks", "very small chunks first"],
    )
    def test_a_video_of_unknown_length_lands_too(self, api, url, local, answer):
        api.readings.append(answer)
        assert land(url, local).size == len(VIDEO)
        assert local.read_bytes() == VIDEO

    def test_a_video_of_unknown_length_that_is_there_is_left_as_it_is(self, api, url, local):
        api.readings.append(a_video_in_chunks(VIDEO))
        assert not land(url, local).was_there
        assert land(url, local).was_there

    def test_a_video_that_could_be_cut_without_anybody_noticing_is_refused(self, api, url, local):
        api.readings.append(Answer(200, VIDEO[:5000], "video/mp4", promised="unknown"))
        with pytest.raises(LandingError, match="does not say how long it is"):
            land(url, local)
        assert not local.exists()

    def test_a_redirect_to_another_web_address_is_followed(self, api, url, local):
        api.readings.extend([Answer(302, headers={"Location": f"{api.url}/elsewhere.mp4"}), a_video()])
        land(url, local)
        assert [asked.path for asked in api.asked] == ["/outputs/a.mp4", "/elsewhere.mp4"]
        assert local.read_bytes() == VIDEO

    @pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o077, 0o600), (0o002, 0o664)])
    def test_the_file_has_the_permissions_of_any_new_file(self, api, url, local, umask, mask, mode):
        umask(mask)
        api.readings.append(a_video())
        land(url, local)
        assert stat.S_IMODE(Path(local.path).stat().st_mode) == mode

    def test_landing_leaves_the_umask_as_it_was(self, api, url, local, umask):
        umask(0o027)
        api.readings.append(a_video())
        land(url, local)
        assert os.umask(0o027) == 0o027

    def test_a_large_video_takes_little_memory(self, api, url, local):
        body = VIDEO[:12] + bytes(48 * MEGABYTE)
        api.readings.append(a_video(body))
        tracemalloc.start()
        try:
            land(url, local)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert local.stat().st_size == len(body)
        assert peak < 12 * MEGABYTE


class TestBrokenDownload:
    @pytest.mark.parametrize(
        "answer",
        [*BROKEN_DOWNLOADS.values(), *ANSWERS_WITHOUT_A_VIDEO.values()],
        ids=[*BROKEN_DOWNLOADS, *ANSWERS_WITHOUT_A_VIDEO],
    )
    def test_nothing_is_under_the_name_and_no_temporary_file_is_left(self, api, url, destination, answer, tmp_path):
        api.readings.append(answer)
        with pytest.raises(LandingError) as caught:
            land(url, destination)
        assert url in str(caught.value)
        assert not destination.exists()
        assert everything_under(tmp_path) == []

    @pytest.mark.parametrize("answer", BROKEN_DOWNLOADS.values(), ids=BROKEN_DOWNLOADS)
    def test_trying_again_lands_the_video(self, api, url, destination, answer):
        api.readings.extend([answer, a_video()])
        with pytest.raises(LandingError, match="try again"):
            land(url, destination)
        assert not land(url, destination).was_there
        assert destination.read_bytes() == VIDEO

    @pytest.mark.parametrize("answer", BROKEN_DOWNLOADS.values(), ids=BROKEN_DOWNLOADS)
    def test_what_was_to_be_replaced_stays(self, api, url, destination, answer):
        destination.parent.mkdir(parents=True, exist_ok=True)
        destination.write_bytes(b"precious")
        api.readings.append(answer)
        with pytest.raises(LandingError):
            land(url, destination, overwrite=True)
        assert destination.read_bytes() == b"precious"

    def test_a_server_that_nobody_can_reach(self, api, local):
        with pytest.raises(LandingError, match="try again"):
            land("http://127.0.0.1:1/a.mp4", local)
        assert not local.exists()

    def test_an_answer_that_is_no_video_is_described(self, api, url, local):
        api.readings.append(Answer(200, EXPIRED_PAGE, "text/html"))
        with pytest.raises(LandingError, match=f"is not a video \\(text/html, {len(EXPIRED_PAGE)} bytes\\)"):
            land(url, local)

    def test_an_expired_address_reminds_of_how_long_videos_are_kept(self, api, url, local):
        api.readings.append(Answer(404, EXPIRED_PAGE, "text/html"))
        with pytest.raises(LandingError, match=r"answers HTTP 404.* 14 days"):
            land(url, local)


class TestAgain:
    def test_the_same_video_is_left_alone(self, api, url, destination):
        api.readings.append(a_video())
        land(url, destination)
        landed_at = destination.stat().st_mtime
        assert land(url, destination) == Landed(str(destination), len(VIDEO), was_there=True)
        assert destination.stat().st_mtime == landed_at

    def test_the_same_video_is_left_alone_even_if_it_may_be_overwritten(self, api, url, destination):
        api.readings.append(a_video())
        land(url, destination)
        assert land(url, destination, overwrite=True).was_there

    def test_a_video_that_was_deleted_lands_again(self, api, url, destination):
        api.readings.append(a_video())
        land(url, destination)
        destination.unlink()
        assert not land(url, destination).was_there
        assert destination.read_bytes() == VIDEO


class TestDestinationTaken:
    @pytest.fixture(autouse=True)
    def _taken(self, destination):
        destination.parent.mkdir(parents=True, exist_ok=True)
        destination.write_bytes(b"precious")

    def test_another_object_is_not_overwritten(self, api, url, destination):
        api.readings.append(a_video())
        with pytest.raises(DestinationTakenError, match=f"exists with 8 bytes, but the video has {len(VIDEO):,} bytes"):
            land(url, destination)
        assert destination.read_bytes() == b"precious"

    def test_another_object_is_not_overwritten_by_a_video_of_unknown_length(self, api, url, destination):
        api.readings.append(a_video_in_chunks(VIDEO))
        with pytest.raises(DestinationTakenError, match="Nothing was overwritten"):
            land(url, destination)
        assert destination.read_bytes() == b"precious"

    @pytest.mark.parametrize("answer", [a_video(), a_video_in_chunks(VIDEO)], ids=["known length", "unknown length"])
    def test_another_object_is_replaced_on_demand(self, api, url, destination, answer):
        api.readings.append(answer)
        assert land(url, destination, overwrite=True) == Landed(str(destination), len(VIDEO), was_there=False)
        assert destination.read_bytes() == VIDEO

    def test_who_reads_the_old_object_reads_it_to_its_end(self, api, url, local):
        Path(local.path).write_bytes(b"precious")
        api.readings.append(a_video())
        with Path(local.path).open("rb") as reader:
            land(url, local, overwrite=True)
            assert reader.read() == b"precious"
        assert local.read_bytes() == VIDEO

    def test_a_shorter_video_replaces_a_longer_one_completely(self, api, url, destination):
        destination.write_bytes(VIDEO)
        api.readings.append(a_video(OTHER_VIDEO))
        land(url, destination, overwrite=True)
        assert destination.read_bytes() == OTHER_VIDEO


class TestAddress:
    @pytest.mark.parametrize(
        "url",
        ["file:///etc/hostname", "ftp://media.example/a.mp4", "s3://bucket/a.mp4", "/etc/hostname", "", "data:,x"],
    )
    def test_only_the_web_is_fetched(self, local, url):
        with pytest.raises(UnsafeUrlError, match="only http"):
            land(url, local)
        assert not local.exists()

    @pytest.mark.parametrize("target", ["file", "ftp"])
    def test_a_redirect_out_of_the_web_is_refused(self, api, url, local, folder, target):
        secret = folder / "secret.mp4"
        secret.write_bytes(VIDEO)
        api.readings.append(Answer(302, headers={"Location": f"{target}://{secret}"}))
        with pytest.raises(LandingError):
            land(url, local)
        assert everything_under(folder) == ["secret.mp4"]

    def test_a_redirect_that_never_ends_is_given_up(self, api, url, local):
        api.readings.append(Answer(302, headers={"Location": url}))
        with pytest.raises(LandingError):
            land(url, local)


class TestNoSecretsSent:
    def test_the_media_host_gets_no_authorization(self, api, url, local, monkeypatch):
        monkeypatch.setenv("SEEDANCE_API_KEY", "sk-test-3f9a")
        api.readings.append(a_video())
        land(url, local)
        (asked,) = api.asked
        assert "Authorization" not in asked.headers
        assert "sk-test-3f9a" not in str(asked)

    @pytest.mark.parametrize("machine", ["machine 127.0.0.1", "default"])
    def test_nor_what_a_netrc_file_says_for_it(self, api, url, local, tmp_path, monkeypatch, machine):
        # A signed link is refused by an object store if an Authorization header comes with it.
        netrc = tmp_path / "netrc"
        netrc.write_text(f"{machine} login somebody password else\n")
        monkeypatch.setenv("NETRC", str(netrc))
        api.readings.append(a_video())
        land(url, local)
        assert "Authorization" not in api.asked[0].headers


class TestErrors:
    @pytest.mark.parametrize("error_class", [LandingError, UnsafeUrlError, DestinationTakenError])
    def test_they_survive_pickling(self, error_class):
        copy = pickle.loads(pickle.dumps(error_class("Nothing landed.")))  # noqa: S301
        assert type(copy) is error_class
        assert str(copy) == "Nothing landed."
        assert isinstance(copy, LandingError)
