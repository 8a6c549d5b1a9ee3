"""A file, on a file system and in a store that is none."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import ClassVar

import fsspec
import pytest
from airflow.sdk import ObjectStoragePath
from airflow.sdk.io import attach
from botocore.exceptions import ClientError
from fsspec.implementations.memory import MemoryFileSystem
from s3fs.errors import translate_boto_error

from seedance_provider.api.errors import ConnectionLostError
from seedance_provider.landing.part_file import PartFile
from seedance_provider.storage.errors import (
    FileMissingError,
    StorageDeniedError,
    StorageError,
    StorageFullError,
    UnknownStorageError,
)
from seedance_provider.storage.stored_file import StoredFile


@pytest.fixture
def local(tmp_path):
    return StoredFile.at(f"file://{tmp_path}/a.mp4")


@pytest.fixture
def remote():
    store = fsspec.filesystem("memory")
    store.store.clear()
    attach("memory", fs=store)
    yield StoredFile.at("memory://bucket/videos/a.mp4")
    store.store.clear()


@pytest.fixture(params=["local", "remote"])
def stored(request):
    return request.getfixturevalue(request.param)


def publish(stored, content: bytes, folder, *, replace: bool = False) -> None:
    with PartFile(folder) as part:
        part.file.write(content)
        stored.publish(part, "video/mp4", replace=replace)


class TestAt:
    def test_knows_where_it_is_with_and_without_the_connection(self):
        stored = StoredFile.at("s3://aws_default@bucket/videos/a.mp4")
        assert (str(stored), stored.uri) == ("s3://aws_default@bucket/videos/a.mp4", "s3://bucket/videos/a.mp4")

    def test_the_connection_may_be_given_apart(self):
        stored = StoredFile.at("s3://bucket/a.mp4", "aws_default")
        assert (str(stored), stored.uri) == ("s3://aws_default@bucket/a.mp4", "s3://bucket/a.mp4")

    def test_the_connection_is_found_where_airflow_3_1_keeps_it(self):
        class Path31:
            """What such a path has, and what it has not: ``conn_id``."""

            protocol = "s3"
            storage_options: ClassVar[dict[str, str]] = {"conn_id": "aws_default"}

            def __str__(self) -> str:
                return "s3://aws_default@bucket/a.mp4"

        assert StoredFile(Path31()).uri == "s3://bucket/a.mp4"

    def test_a_name_like_that_of_the_connection_stays(self):
        assert StoredFile.at("s3://a@bucket/a@b/a.mp4").uri == "s3://bucket/a@b/a.mp4"

    @pytest.mark.parametrize(
        "uri",
        ["/videos/a.mp4", "file:///videos/a.mp4", Path("/videos/a.mp4"), ObjectStoragePath("file:///videos/a.mp4")],
    )
    def test_a_path_is_a_file(self, uri):
        stored = StoredFile.at(uri)
        assert (stored.is_local, str(stored.local_path)) == (True, "/videos/a.mp4")
        assert (stored.name, stored.uri) == ("a.mp4", "file:///videos/a.mp4")

    def test_a_store_is_none(self, remote):
        assert not remote.is_local

    def test_an_unknown_kind_of_storage_is_told(self):
        with pytest.raises(UnknownStorageError, match="in no storage that this Airflow knows"):
            StoredFile.at("nowhere://bucket/a.mp4").size()


class TestBeside:
    @pytest.mark.parametrize(
        ("name", "suffix", "instead", "expected"),
        [
            ("a.mp4", ".json", True, "a.json"),
            ("a.mp4", "-last-frame.png", True, "a-last-frame.png"),
            ("a", ".json", True, "a.json"),
            ("a.b.mp4", ".json", True, "a.b.json"),
            ("a.mp4", ".json", False, "a.mp4.json"),
        ],
    )
    def test_has_nearly_the_same_name(self, name, suffix, instead, expected):
        stored = StoredFile.at(f"s3://aws_default@bucket/videos/{name}").beside(suffix, instead=instead)
        assert str(stored) == f"s3://aws_default@bucket/videos/{expected}"


class RememberingFileSystem(MemoryFileSystem):
    """As those of the object stores do."""

    cachable = False

    def __init__(self) -> None:
        super().__init__()
        self.known = {}

    def info(self, path, **kwargs):
        return self.known.setdefault(path, super().info(path, **kwargs))

    def invalidate_cache(self, path=None):
        self.known.clear()


class TestWhatIsThere:
    def test_nothing(self, stored):
        assert stored.size() is None

    def test_its_size(self, stored, tmp_path):
        publish(stored, b"a video", tmp_path)
        assert stored.size() == 7

    def test_that_is_looked_at_anew(self, stored, tmp_path):
        publish(stored, b"a video", tmp_path)
        stored.size()
        publish(stored, b"a longer video", tmp_path, replace=True)
        assert stored.size() == 14

    def test_also_by_a_file_system_that_remembers(self):
        remembering = RememberingFileSystem()
        attach("memory", "remembering", fs=remembering)
        stored = StoredFile.at("memory://remembering@bucket/a.mp4")
        path = ObjectStoragePath("memory://remembering@bucket/a.mp4")
        path.write_bytes(b"a video")
        assert stored.size() == 7
        path.write_bytes(b"a longer video")
        assert path.stat().st_size == 7
        assert stored.size() == 14

    def test_a_part_of_it(self, stored, tmp_path):
        publish(stored, b"a video", tmp_path)
        assert (stored.piece(2, 3), stored.piece(5, 100)) == (b"vid", b"eo")
        with stored.opened() as file:
            assert file.read() == b"a video"
        with stored.handle() as file:
            assert (file.seek(2), file.read(3), file.seek(0, 2)) == (2, b"vid", 7)

    @pytest.mark.parametrize("ask", ["existing_size", "version"])
    def test_what_is_missing_is_told(self, stored, ask):
        with pytest.raises(FileMissingError, match=r"There is no file .*a\.mp4"):
            getattr(stored, ask)()

    def test_a_folder_is_no_file(self, tmp_path):
        with pytest.raises(FileMissingError):
            StoredFile.at(tmp_path).existing_size()

    def test_its_version_changes_when_it_does(self, stored, tmp_path):
        publish(stored, b"a video", tmp_path)
        before = stored.version()
        assert stored.version() == before
        publish(stored, b"another", tmp_path, replace=True)
        assert stored.version() != before


class TestPublish:
    def test_another_one_stays(self, stored, tmp_path):
        publish(stored, b"old", tmp_path)
        with pytest.raises(FileExistsError):
            publish(stored, b"new", tmp_path)
        assert stored.piece(0, 100) == b"old"

    def test_or_is_replaced_on_demand(self, stored, tmp_path):
        publish(stored, b"old", tmp_path)
        publish(stored, b"new", tmp_path, replace=True)
        assert stored.piece(0, 100) == b"new"

    def test_has_all_of_it(self, stored, tmp_path):
        content = bytes(range(256)) * 10_000
        publish(stored, content, tmp_path)
        assert (stored.size(), stored.piece(0, len(content))) == (len(content), content)


class _StoreError(Exception):
    """As the libraries of the storages raise them."""

    def __init__(self, said: str, code: object = None) -> None:
        super().__init__(said)
        if code is not None:
            self.code = code


class TestErrors:
    @pytest.fixture
    def failing(self, remote, monkeypatch):
        def fails_with(error):
            def failing(*args, **kwargs):
                raise error

            monkeypatch.setattr(fsspec.filesystem("memory"), "info", failing)
            return remote

        return fails_with

    @pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
    def test_a_full_storage_is_told(self, failing, number):
        stored = failing(OSError(number, "No space left on device"))
        with pytest.raises(StorageFullError, match=r"no space left for memory://"):
            stored.size()

    @pytest.mark.parametrize(
        "error",
        [
            PermissionError(errno.EACCES, "Permission denied"),
            _StoreError("An error occurred (AccessDenied) when calling PutObject"),
            _StoreError("This request is not authorized. ErrorCode:AuthorizationPermissionMismatch"),
            _StoreError("Forbidden, 403: no storage.objects.create access"),
        ],
    )
    def test_a_refusal_says_whose_rights_are_missing(self, failing, error):
        with pytest.raises(StorageDeniedError, match="Grant the worker's own credentials the rights"):
            failing(error).size()

    def test_a_full_disk_is_told_when_it_is_published(self, local, tmp_path, monkeypatch):
        def full(*args, **kwargs):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(StorageFullError, match=f"no space left for .*{tmp_path}/a.mp4"):
            publish(local, b"a video", tmp_path)
        assert local.size() is None

    def test_a_refusal_of_a_file_is_about_the_task(self, local, tmp_path):
        with pytest.raises(StorageDeniedError, match="Grant the task access"), local.asking():
            raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path))

    @pytest.mark.parametrize("ask", ["size", "version", "piece", "publish"])
    def test_every_method_tells_them(self, remote, tmp_path, monkeypatch, ask):
        publish(remote, b"a video", tmp_path)

        def failing(*args, **kwargs):
            raise _StoreError("reset")

        for name in ("info", "checksum", "cat_file", "put_file"):
            monkeypatch.setattr(fsspec.filesystem("memory"), name, failing)
        asked = {
            "size": remote.size,
            "version": remote.version,
            "piece": lambda: remote.piece(0, 1),
            "publish": lambda: publish(remote, b"new", tmp_path),
        }
        with pytest.raises(StorageError, match=r"memory:///?bucket/videos/a\.mp4 failed: _StoreError: reset"):
            asked[ask]()

    @pytest.mark.parametrize("told", [StorageFullError("full"), ConnectionLostError("reset")])
    def test_what_is_explained_already_is_passed_on(self, remote, told):
        with pytest.raises(type(told)) as caught, remote.asking():
            raise told
        assert caught.value is told

    def test_a_refusal_names_the_connection(self):
        stored = StoredFile.at("s3://aws_default@bucket/a.mp4")
        with pytest.raises(StorageDeniedError, match="Grant the connection 'aws_default' the rights"), stored.asking():
            raise PermissionError(errno.EACCES, "Access Denied")

    def test_anything_else_is_tried_again(self, failing):
        with pytest.raises(StorageError, match="failed: _StoreError: reset") as caught:
            failing(_StoreError("reset")).size()
        assert type(caught.value) is StorageError

    @pytest.mark.parametrize(
        "error",
        [
            _StoreError("An error occurred (PreconditionFailed) when calling the PutObject operation"),
            _StoreError("conditionNotMet", 412),
            _StoreError("conditionNotMet", "412"),
            FileExistsError(errno.EEXIST, "File exists"),
        ],
    )
    def test_a_store_that_has_one_already_says_it_in_its_own_words(self, failing, error):
        with pytest.raises(FileExistsError):
            failing(error).size()

    def test_also_if_the_library_could_not_clean_up_afterwards(self, failing):
        error = _StoreError("no answer to the end of the upload")
        error.__context__ = FileExistsError(errno.EEXIST, "File exists")
        with pytest.raises(FileExistsError):
            failing(error).size()

    @pytest.mark.parametrize(
        ("code", "message", "status"),
        [
            ("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412),
            (
                "ConditionalRequestConflict",
                "The conditional request cannot succeed due to a conflicting operation",
                409,
            ),
        ],
    )
    def test_also_if_the_library_keeps_only_the_words_of_its_answer(self, failing, code, message, status):
        answer = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
        said = ClientError(answer, "CompleteMultipartUpload")
        error = translate_boto_error(said)
        error.__cause__ = said
        with pytest.raises(FileExistsError):
            failing(error).size()
