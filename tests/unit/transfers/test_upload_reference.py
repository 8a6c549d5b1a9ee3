"""From a file to a URL that a video can refer to, at a real emulator."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import requests
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException
from airflow.sdk import ObjectStoragePath

from seedance_provider.emulator.server import running_emulator
from seedance_provider.emulator.settings import DEFAULT_KEY, Settings
from seedance_provider.transfers.upload_reference import UploadReferenceOperator
from tests.support.task_context import StateStore, context

PICTURE = b"\x89PNG" + b"x" * 100_000


def connect(monkeypatch, host, password=DEFAULT_KEY):
    connection = {"conn_type": "seedance", "host": host, "password": password}
    monkeypatch.setenv("AIRFLOW_CONN_SEEDANCE_DEFAULT", json.dumps(connection))


@pytest.fixture
def emulator(monkeypatch):
    with running_emulator(Settings()) as running:
        connect(monkeypatch, running.base_url)
        yield running


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "a bud.png"
    path.write_bytes(PICTURE)
    return path


def execute(source, **options):
    given = context(StateStore())
    return UploadReferenceOperator(task_id="upload", source=source, **options).execute(given), given


@pytest.mark.usefixtures("emulator")
@pytest.mark.parametrize(
    "spelling", [lambda path: f"file://{path}", str, Path, lambda path: ObjectStoragePath(f"file://{path}")]
)
def test_the_file_is_at_the_api(picture, spelling):
    uploaded, given = execute(spelling(picture))
    assert requests.get(uploaded["url"], timeout=10).content == PICTURE
    assert (uploaded["size"], uploaded["content_type"]) == (len(PICTURE), "image/png")
    assert given["ti"].xcoms == {"url": uploaded["url"]}
    json.dumps(uploaded)


@pytest.mark.usefixtures("emulator")
@pytest.mark.parametrize(("name", "content"), [("gone.png", None), ("a.txt", b"text"), ("empty.png", b""), (".", None)])
def test_what_can_not_be_a_reference_fails_for_good(tmp_path, name, content):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(AirflowFailException, match="charged"):
        execute(f"file://{tmp_path / name}")


@pytest.mark.usefixtures("emulator")
@pytest.mark.parametrize("spelling", ["a bud.png", Path("a bud.png"), "file://a bud.png"])
def test_a_relative_path_fails_for_good_with_the_absolute_one(picture, monkeypatch, spelling):
    monkeypatch.chdir(picture.parent)
    with pytest.raises(AirflowFailException, match=f"must be absolute.* here '{picture}'. Nothing was sent or charged"):
        execute(spelling)


def test_a_refused_key_fails_for_good_and_says_what_to_do(picture, emulator, monkeypatch):
    connect(monkeypatch, emulator.base_url, "wrong")
    with pytest.raises(AirflowFailException, match=r"was not uploaded, and nothing was charged.*Put a valid key"):
        execute(f"file://{picture}")


def test_an_api_that_is_away_is_tried_again(picture, monkeypatch):
    connect(monkeypatch, "http://127.0.0.1:9/api/v1")
    with pytest.raises(AirflowException) as caught:
        execute(f"file://{picture}")
    assert not isinstance(caught.value, AirflowFailException)
