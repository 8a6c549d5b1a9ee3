"""The DAG runs against the emulator, and lands one video that was paid for once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import requests
from conftest import HOME

from seedance_provider.emulator.server import running_emulator
from seedance_provider.emulator.settings import DEFAULT_KEY, Settings

if TYPE_CHECKING:
    import pytest


def test_the_kite_is_made_and_landed_for_160_credits(monkeypatch: pytest.MonkeyPatch) -> None:
    import kite

    with running_emulator(Settings(generation_seconds=1)) as emulator:
        account = {"conn_type": "seedance", "host": emulator.base_url, "password": DEFAULT_KEY}
        connection = account | {"extra": {"typical_seconds": [2, 3]}}
        monkeypatch.setenv("AIRFLOW_CONN_SEEDANCE_DEFAULT", json.dumps(connection))
        run = kite.dag.test()
        ledger = requests.get(f"{emulator.url}/emulator/ledger", timeout=10).json()

    assert run.state == "success"
    assert [video["creditsCharged"] for video in ledger["submissions"]] == [160]
    assert len(list((HOME / "videos").glob("*.mp4"))) == 1
