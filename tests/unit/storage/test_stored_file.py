"""Files in the storages that Airflow knows: which values name one, and what goes wrong with them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from airflow.sdk import ObjectStoragePath

from seedance_provider.api.errors import ConnectionLostError, FileUnavailableError, InvalidRequestError
from seedance_provider.storage.stored_file import StoredFile, names_a_file


@pytest.mark.parametrize(
    "value",
    [
        "/data/a.png",
        "file:///data/a.png",
        "s3://bucket/a.png",
        "S3://conn@bucket/a.png",
        "gs://bucket/a.png",
        Path("a.png"),
        ObjectStoragePath("file:///data/a.png"),
    ],
)
def test_what_names_a_file(value):
    assert names_a_file(value)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "https://media.example/a.png",
        "HTTP://media.example/a.png",
        "a.png",
        "media.example/a.png",
        5,
        b"/a",
        "see: https://media.example",
        "://a",
        {"path": "/a"},
        ["/a"],
    ],
)
def test_what_names_none(value):
    assert not names_a_file(value)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a bud.png"
    path.write_bytes(b"content")
    return path


@pytest.mark.parametrize(
    "named", [str, Path, lambda path: f"file://{path}", lambda p: ObjectStoragePath(f"file://{p}")]
)
def test_it_can_be_read(file, named):
    stored = StoredFile.of(named(file))
    assert (stored.name, stored.size()) == ("a bud.png", 7)
    with stored.opened() as opened:
        assert opened.read() == b"content"
    assert StoredFile.of(str(stored)).size() == 7


def test_its_version_tells_whether_it_has_changed(file):
    before = StoredFile.of(file).version()
    assert StoredFile.of(file).version() == before
    file.write_bytes(b"changed")
    os.utime(file, (1, 1))
    assert StoredFile.of(file).version() != before


@pytest.mark.parametrize("asked", ["size", "version"])
def test_what_is_not_there(tmp_path, asked):
    with pytest.raises(InvalidRequestError, match=r"There is no file .*gone.png. Nothing was sent or charged"):
        getattr(StoredFile.of(tmp_path / "gone.png"), asked)()


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(InvalidRequestError, match="There is no file"), StoredFile.of(tmp_path).opened():
        pass


def test_a_storage_that_is_not_known():
    with pytest.raises(InvalidRequestError, match=r"cloud:///?a/b.png is in no storage that this Airflow knows"):
        StoredFile.of("cloud://a/b.png").size()


def test_a_storage_that_fails_may_do_better_later(file):
    unavailable = pytest.raises(FileUnavailableError, match=r"can't be read: OSError: .*Nothing was sent or charged")
    with unavailable, StoredFile.of(file).opened():
        raise OSError("the disk is away")


def test_errors_of_the_api_go_through(file):
    with pytest.raises(ConnectionLostError), StoredFile.of(file).opened():
        raise ConnectionLostError("reset")
