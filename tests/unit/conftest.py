"""The network of this machine, without proxies and CAs that the environment names."""

from __future__ import annotations

import socket

import pytest

from seedance_provider.network.environment import CA_VARIABLES


@pytest.fixture(autouse=True)
def _no_proxies_and_no_ca(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in CA_VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def refused_url():
    """An address at which nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
