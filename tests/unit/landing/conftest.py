"""What the tests of landing share: real files, and a real server that has one of them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from seedance_provider.landing.download import DownloadLimits
from seedance_provider.network.addresses import AddressKind, AddressRule
from seedance_provider.network.guarded_session import guarded_session
from tests.support import media
from tests.support.media_server import media_server

if TYPE_CHECKING:
    from pathlib import Path

#: Nobody waits for a test, and none goes on for ever.
LIMITS = DownloadLimits(max_seconds=30, stall_seconds=5, pause=0.001)


@pytest.fixture(scope="session")
def mp4(tmp_path_factory) -> Path:
    return media.video(tmp_path_factory.mktemp("media") / "a.mp4", seconds=1)


@pytest.fixture(scope="session")
def another_mp4(tmp_path_factory) -> Path:
    return media.video(tmp_path_factory.mktemp("media") / "b.mp4", seconds=2)


@pytest.fixture
def server():
    with media_server() as running:
        yield running


@pytest.fixture
def session():
    """As for an API on this machine, where the server of the test is."""
    with guarded_session(AddressRule(frozenset({AddressKind.LOOPBACK}))) as opened:
        yield opened


@pytest.fixture
def log():
    return logging.getLogger("landing")


@pytest.fixture
def limits():
    return LIMITS
