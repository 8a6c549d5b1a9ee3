"""What the tests of landing share: real files, and a real server that has one of them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from seedance_provider.landing.download import DownloadLimits
from tests.support import media

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
def log():
    return logging.getLogger("landing")


@pytest.fixture
def limits():
    return LIMITS
