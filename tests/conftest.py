"""What tests of every kind use."""

from __future__ import annotations

import json
import os
import tempfile
from typing import TYPE_CHECKING

import pytest

# Before anything imports Airflow: no test may see, or make, a person's own Airflow.
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="airflow-home-")
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
# Airflow refuses to run an operator's execute() outside a task, except in this mode.
os.environ["AIRFLOW__CORE__UNIT_TEST_MODE"] = "True"

from seedance_provider.network.addresses import AddressKind, AddressRule
from seedance_provider.network.guarded_session import guarded_session
from tests.support.media_server import MediaServer, media_server
from tests.support.scripted_api import ANY_TIME, ScriptedApi, scripted_api

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests


@pytest.fixture
def api() -> Iterator[ScriptedApi]:
    """A Seedance API that answers what the test tells it to, over real HTTP."""
    with scripted_api() as running:
        yield running


@pytest.fixture
def seedance_default(api: ScriptedApi, monkeypatch: pytest.MonkeyPatch) -> str:
    """
    The default connection, which leads to the scripted API; the value is the key. As its answers come at once and its
    records are years old, videos are expected at any time.
    """
    key = "sk-test-1234567890"
    connection = {
        "conn_type": "seedance",
        "host": api.base_url,
        "password": key,
        "extra": {"typical_seconds": ANY_TIME},
    }
    monkeypatch.setenv("AIRFLOW_CONN_SEEDANCE_DEFAULT", json.dumps(connection))
    return key


@pytest.fixture
def documented_times(api: ScriptedApi, monkeypatch: pytest.MonkeyPatch, seedance_default: str) -> None:
    """The default connection leaves it to the models how long videos take."""
    connection = {"conn_type": "seedance", "host": api.base_url, "password": seedance_default}
    monkeypatch.setenv("AIRFLOW_CONN_SEEDANCE_DEFAULT", json.dumps(connection))


@pytest.fixture
def server() -> Iterator[MediaServer]:
    """A host of videos, over real HTTP."""
    with media_server() as running:
        yield running


@pytest.fixture
def session() -> Iterator[requests.Session]:
    """What fetches from there: as for an API on this machine."""
    with guarded_session(AddressRule(frozenset({AddressKind.LOOPBACK}))) as opened:
        yield opened
