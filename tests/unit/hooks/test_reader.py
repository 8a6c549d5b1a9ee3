"""Reading from a worker while the connection changes."""

from __future__ import annotations

import json

import pytest

from seedance_provider.api.errors import AuthenticationError, ForbiddenError, TransportError, Verdict
from seedance_provider.hooks.connection_settings import ConnectionSettingsError
from seedance_provider.hooks.reader import ConnectionReader
from seedance_provider.hooks.seedance import SeedanceHook
from tests.support.scripted_api import Answer, record

pytestmark = pytest.mark.usefixtures("seedance_default")

VARIABLE = "AIRFLOW_CONN_SEEDANCE_DEFAULT"


def put_key(monkeypatch, api, key: str) -> None:
    monkeypatch.setenv(VARIABLE, json.dumps({"conn_type": "seedance", "host": api.base_url, "password": key}))


def test_reads_over_one_connection_and_with_one_look_up(api, monkeypatch):
    api.readings.append(Answer(body=record()))
    with ConnectionReader(SeedanceHook()) as reader:
        reader.get_task("task_a")
        monkeypatch.delenv(VARIABLE)
        assert reader.get_task("task_a").video_url == "https://media.example/a.mp4"
    assert len({asked.client for asked in api.read}) == 1


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (Answer(401, {"message": "Invalid API Key"}), AuthenticationError),
        (Answer(403, {"message": "Not with this key"}), ForbiddenError),
    ],
    ids=["as documented", "in words of tomorrow"],
)
def test_takes_the_key_that_the_connection_holds_after_a_refusal(api, monkeypatch, refusal, error):
    api.readings.extend([refusal, Answer(body=record())])
    with ConnectionReader(SeedanceHook()) as reader:
        with pytest.raises(error):
            reader.get_task("task_a")
        put_key(monkeypatch, api, "sk-new")
        reader.get_task("task_a")
    assert [asked.headers["Authorization"] for asked in api.read][1] == "Bearer sk-new"


def test_a_connection_that_is_gone_may_come_back(api, monkeypatch):
    api.readings.append(Answer(body=record()))
    with ConnectionReader(SeedanceHook()) as reader:
        monkeypatch.delenv(VARIABLE)
        with pytest.raises(TransportError, match="seedance_default") as caught:
            reader.get_task("task_a")
        assert caught.value.verdict is Verdict.TRANSIENT
        put_key(monkeypatch, api, "sk-new")
        assert reader.get_task("task_a").video_task_id == "task_a"


def test_a_connection_that_is_half_filled_says_so(api, monkeypatch):
    put_key(monkeypatch, api, "")
    with ConnectionReader(SeedanceHook()) as reader, pytest.raises(ConnectionSettingsError, match="no API key"):
        reader.get_task("task_a")
    assert api.asked == []
