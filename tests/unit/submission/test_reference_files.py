"""Files in place of URLs: described by content, uploaded late and rarely, and remembered when they are gone."""

from __future__ import annotations

import itertools
import logging
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from airflow.sdk import ObjectStoragePath
from PIL import Image

from seedance_provider.api.errors import ConnectionLostError, FileUnavailableError, InvalidRequestError
from seedance_provider.api.uploads import Upload
from seedance_provider.api.video_request import VideoRequest
from seedance_provider.submission import reference_files
from seedance_provider.submission.reference_files import ReferenceFiles
from seedance_provider.submission.task_state import SubmissionStoreError
from tests.support import media
from tests.support.airflow_versions import relative_storage_paths
from tests.support.task_context import StateStore
from tests.support.user_values import Rows

HOURS = timedelta(hours=1)


@dataclass
class Uploader:
    """An API whose uploads live for 24 hours."""

    received: list[bytes] = field(default_factory=list)
    before: object = None

    def upload(self, file, file_name, size):
        if isinstance(self.before, Exception):
            raise self.before
        self.received.append(file.read(10_000_000) + file.read(1))
        url = f"https://up.example/{len(self.received)}/{file_name}"
        return Upload(url, "image/png", size, datetime.now(UTC) + 24 * HOURS)


@pytest.fixture
def store():
    return StateStore()


@pytest.fixture
def uploader():
    return Uploader()


@pytest.fixture
def picture(tmp_path):
    return media.picture(tmp_path / "a.png")


def files_of(store):
    """As the next try sees them."""
    return ReferenceFiles(store, logging.getLogger(__name__))


def request_of(files, **inputs):
    return VideoRequest(prompt="A garden", **files.described(**inputs))


def prepared(store, uploader, **inputs):
    """One try that gets as far as paying."""
    files = files_of(store)
    return files.uploaded(uploader, request_of(files, **inputs))


class TestDescribed:
    @pytest.mark.parametrize(
        "named", [str, lambda path: f"file://{path}", lambda p: p, lambda p: ObjectStoragePath(str(p))]
    )
    def test_a_file_by_any_name(self, store, picture, named):
        (file,) = request_of(files_of(store), first_frame=named(picture)).files
        assert (file.name, file.size, file.kind) == ("a.png", picture.stat().st_size, "image")

    @pytest.mark.parametrize("kind", [iter, Rows, tuple, lambda paths: {*paths}, lambda paths: map(str, paths)])
    def test_files_in_any_iterable(self, store, picture, kind):
        (file,) = request_of(files_of(store), reference_images=kind([picture])).files
        assert file.name == "a.png"

    @pytest.mark.parametrize(
        "named",
        [
            Path,
            pytest.param(ObjectStoragePath, marks=relative_storage_paths),
            "file://{}".format,
            "LOCAL://./{}".format,
        ],
    )
    def test_a_relative_path_is_refused_with_the_absolute_one(self, store, picture, monkeypatch, named):
        monkeypatch.chdir(picture.parent.parent)
        with pytest.raises(InvalidRequestError) as caught:
            files_of(store).described(first_frame=named(f"{picture.parent.name}/a.png"))
        assert str(caught.value).startswith("first_frame: The path of a file must be absolute, ")
        assert f"here '{picture}'. Nothing was" in str(caught.value)

    def test_of_more_than_any_model_takes_none_is_read(self, store, picture):
        described = files_of(store).described(reference_images=itertools.repeat(picture))
        with pytest.raises(InvalidRequestError, match="more than 1,000 items"):
            VideoRequest(prompt="A garden", **described)
        assert not store.calls

    def test_without_pyav_the_length_of_a_video_is_not_known(self, store, tmp_path, picture, monkeypatch, caplog):
        inputs = {"model": "seedance-20", "reference_videos": [media.video(tmp_path / "a.mp4", seconds=4)]}
        monkeypatch.setitem(sys.modules, "av", None)
        request = request_of(files_of(store), **inputs)
        assert (request.files[0].kind, request.files[0].seconds) == (None, None)
        assert request.reference_video_seconds is None
        (told,) = caplog.messages
        assert "a.mp4" in told
        assert "'media'" in told

    def test_a_length_that_can_not_be_measured_is_told_and_not_refused(self, store, tmp_path, monkeypatch, caplog):
        monkeypatch.setattr(sys, "executable", "/bin/false")
        request = request_of(files_of(store), reference_videos=[media.video(tmp_path / "a.mp4")])
        assert (request.files[0].kind, request.reference_video_seconds) == (None, None)
        (told,) = caplog.messages
        assert "a.mp4 is not known, because it can't be measured" in told
        assert "'media'" not in told

    def test_raw_aac_of_changing_bitrate_is_not_too_long(self, store, tmp_path, picture):
        sound = media.changing_sound(tmp_path / "a.aac", {}, quiet=11)
        request = request_of(files_of(store), reference_images=[picture], reference_audios=[sound])
        assert request.files[1].seconds == pytest.approx(12, abs=0.1)

    @pytest.mark.parametrize("format", ["GIF", "AVIF", "BMP"])
    def test_a_picture_that_the_api_does_not_take_is_refused_before_it_is_uploaded(self, store, tmp_path, format):
        Image.new("RGB", (64, 64)).save(tmp_path / "a.jpg", format)
        with pytest.raises(InvalidRequestError, match=rf"a.jpg', whose content is {format}, and JPEG, PNG, WebP are"):
            request_of(files_of(store), first_frame=tmp_path / "a.jpg")

    def test_without_pyav_a_picture_is_as_it_was(self, store, picture, monkeypatch, caplog):
        expected = request_of(files_of(None), first_frame=picture)
        monkeypatch.setitem(sys.modules, "av", None)
        assert request_of(files_of(store), first_frame=picture) == expected
        assert caplog.messages == []

    def test_urls_are_left_alone_and_the_store_is_not_touched(self, store):
        inputs = {"first_frame": "https://a/b.png", "reference_images": None, "reference_videos": ("x",)}
        described = files_of(store).described(**inputs)
        assert described["first_frame"] == "https://a/b.png"
        assert described["reference_videos"] == ["x"]
        assert not store.calls

    def test_all_that_are_not_there_are_named(self, store, tmp_path):
        with pytest.raises(InvalidRequestError) as caught:
            files_of(store).described(first_frame=f"{tmp_path}/no.png", reference_audios=[f"{tmp_path}/no.mp3"])
        said = str(caught.value)
        assert "first_frame: There is no file" in said
        assert "reference_audios: There is no file" in said

    @pytest.mark.parametrize(("name", "content", "problem"), [("a.txt", b"a", "takes .jpg"), ("a.png", b"", "empty")])
    def test_what_the_api_does_not_take_is_not_even_read(self, store, tmp_path, name, content, problem):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InvalidRequestError, match=problem):
            files_of(store).described(first_frame=str(tmp_path / name))

    def test_an_unchanged_file_is_read_once(self, store, picture, monkeypatch):
        first = request_of(files_of(store), first_frame=picture)
        monkeypatch.setattr(reference_files.MediaFile, "read", None)
        assert request_of(files_of(store), first_frame=picture) == first

    def test_a_changed_one_is_another_video(self, store, picture):
        before = request_of(files_of(store), first_frame=picture).fingerprint("c")
        media.picture(picture, "red")
        assert request_of(files_of(store), first_frame=picture).fingerprint("c") != before

    def test_one_that_is_gone_is_remembered(self, store, picture):
        before = request_of(files_of(store), first_frame=picture)
        picture.unlink()
        assert request_of(files_of(store), first_frame=picture) == before

    def test_below_airflow_33_nothing_is_kept(self, picture):
        assert request_of(files_of(None), first_frame=picture).files
        picture.unlink()
        with pytest.raises(InvalidRequestError):
            request_of(files_of(None), first_frame=picture)

    @pytest.mark.parametrize("damage", [{"a": 1}, {"a": {"file": {}}}, {"a": {"file": {"new": 1}, "version": ""}}])
    def test_what_a_newer_release_has_kept_is_read_anew(self, store, picture, damage):
        store.set("seedance_files", damage)
        assert request_of(files_of(store), first_frame=picture).files

    @pytest.mark.parametrize("call", ["get", "set"])
    def test_a_store_that_fails_is_not_taken_for_an_empty_one(self, store, picture, call):
        store.fail = call
        with pytest.raises(SubmissionStoreError):
            files_of(store).described(first_frame=picture)


class TestUploaded:
    def test_the_file_is_at_the_api_and_the_request_says_where(self, store, uploader, picture):
        request = prepared(store, uploader, first_frame=picture)
        assert uploader.received == [picture.read_bytes()]
        assert request.files[0].url == "https://up.example/1/a.png"

    def test_without_files_nothing_happens(self, store, uploader):
        request = VideoRequest("A garden", first_frame="https://a/b.png")
        assert files_of(store).uploaded(uploader, request) is request

    def test_one_file_in_two_places_is_uploaded_once(self, store, uploader, picture):
        prepared(store, uploader, first_frame=picture, last_frame=picture)
        assert len(uploader.received) == 1

    @pytest.mark.parametrize("meanwhile", [Path.unlink, media.picture], ids=["gone", "written anew"])
    def test_the_next_try_uses_the_same_upload_though_the_file_is(self, store, uploader, picture, meanwhile):
        first = prepared(store, uploader, first_frame=picture)
        meanwhile(picture)
        assert prepared(store, uploader, first_frame=picture) == first
        assert len(uploader.received) == 1

    @pytest.mark.parametrize(("later", "uploads"), [(21 * HOURS, 1), (23 * HOURS, 2), (25 * HOURS, 2)])
    def test_an_upload_that_ends_soon_is_not_used(self, store, uploader, picture, monkeypatch, later, uploads):
        prepared(store, uploader, first_frame=picture)
        now = datetime.now(UTC) + later

        class Later(datetime):
            @classmethod
            def now(cls, tz=None):
                return now

        monkeypatch.setattr(reference_files, "datetime", Later)
        prepared(store, uploader, first_frame=picture)
        assert len(uploader.received) == uploads

    def test_a_file_that_is_gone_with_its_upload_is_a_clear_error(self, store, uploader, picture, monkeypatch):
        prepared(store, uploader, first_frame=picture)
        picture.unlink()
        monkeypatch.setattr(reference_files, "_MARGIN", 25 * HOURS)
        with pytest.raises(InvalidRequestError, match=r"There is no file .*a.png. Nothing was sent or charged"):
            prepared(store, uploader, first_frame=picture)

    def test_a_file_that_changes_meanwhile_is_not_used(self, store, uploader, picture):
        files = files_of(store)
        request = request_of(files, first_frame=picture)
        media.picture(picture, "red")
        with pytest.raises(FileUnavailableError, match=r"changed while it was read.*nothing was charged"):
            files.uploaded(uploader, request)
        assert prepared(store, uploader, first_frame=picture).files[0].url == "https://up.example/2/a.png"

    def test_a_failed_upload_is_not_remembered(self, store, uploader, picture):
        uploader.before = ConnectionLostError("reset")
        with pytest.raises(ConnectionLostError):
            prepared(store, uploader, first_frame=picture)
        uploader.before = None
        assert prepared(store, uploader, first_frame=picture).files[0].url
