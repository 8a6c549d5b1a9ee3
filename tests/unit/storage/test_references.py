"""Files that stand where a video expects a URL: which values name one, and what goes wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from airflow.sdk import ObjectStoragePath

from seedance_provider.api.errors import ConnectionLostError, FileUnavailableError, InvalidRequestError
from seedance_provider.storage.errors import FileMissingError, StorageDeniedError, StorageError, UnknownStorageError
from seedance_provider.storage.references import names_a_file, reading_reference


@pytest.mark.parametrize(
    "value",
    [
        "/data/a.png",
        "file:///data/a.png",
        "s3://bucket/a.png",
        "S3://conn@bucket/a.png",
        "gs://bucket/a.png",
        Path("/data/a.png"),
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


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (FileMissingError, InvalidRequestError),
        (UnknownStorageError, InvalidRequestError),
        # Rights can be granted, and disks come back, while Airflow retries.
        (StorageDeniedError, FileUnavailableError),
        (StorageError, FileUnavailableError),
    ],
)
def test_errors_of_the_storage_say_that_nothing_was_charged(error, expected):
    with pytest.raises(expected, match=r"^What happened\. Nothing was sent or charged\.$"), reading_reference():
        raise error("What happened.")


def test_errors_of_the_api_go_through():
    with pytest.raises(ConnectionLostError), reading_reference():
        raise ConnectionLostError("reset")
