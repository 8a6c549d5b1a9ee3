"""An object store, and videos that land in it."""

from __future__ import annotations

import pytest

from tests.support import media
from tests.support.media_server import media_server
from tools.large_video import large_video
from tools.s3_server import S3Server


@pytest.fixture(scope="session")
def s3():
    with S3Server() as running:
        yield running


@pytest.fixture
def bucket(s3, request, monkeypatch):
    """A new one, with an Airflow connection to it, ``s3``."""
    monkeypatch.setenv("AIRFLOW_CONN_S3", s3.connection)
    name = f"videos-{abs(hash(request.node.nodeid))}"
    s3.client.create_bucket(Bucket=name)
    return name


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    return media.video(tmp_path_factory.mktemp("media") / "small.mp4", seconds=1).read_bytes()


@pytest.fixture(scope="session")
def large(tmp_path_factory):
    """Too large for one request to S3: it goes in parts."""
    return large_video(tmp_path_factory.mktemp("media") / "large.mp4", 40).read_bytes()


@pytest.fixture
def server():
    with media_server() as running:
        yield running
