"""The emulator in a thread."""

import threading

import pytest
import requests

from seedance_provider.emulator.server import running_emulator
from seedance_provider.emulator.settings import Settings


def test_runs_until_the_end_of_the_block():
    with running_emulator(Settings()) as emulator:
        assert emulator.base_url == f"{emulator.url}/api/v1"
        assert requests.get(f"{emulator.url}/emulator/health", timeout=5).ok
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{emulator.url}/emulator/health", timeout=5)
    assert "seedance-emulator" not in [thread.name for thread in threading.enumerate()]


def test_a_port_that_is_taken_is_an_error():
    with running_emulator(Settings()) as one, running_emulator(Settings()) as other:
        assert one.url != other.url
        port = int(one.url.rpartition(":")[2])
        with pytest.raises(RuntimeError, match="did not start"), running_emulator(Settings(port=port)):
            pass
