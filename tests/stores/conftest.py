"""Object stores, and videos that land in them."""

from __future__ import annotations

import logging

import pytest

from seedance_provider.landing.download import DownloadLimits
from seedance_provider.landing.landing import Landing
from seedance_provider.landing.media_check import check_video
from seedance_provider.network.addresses import AddressKind, AddressRule
from seedance_provider.network.guarded_session import guarded_session
from seedance_provider.storage.stored_file import StoredFile
from tests.support import media
from tools.large_video import large_video
from tools.s3_server import S3Server

LIMITS = DownloadLimits(stall_seconds=5, pause=0.001, attempts=2)


@pytest.fixture(scope="session")
def s3():
    with S3Server() as running:
        yield running


@pytest.fixture
def bucket_name(request):
    """A new one."""
    return f"videos-{abs(hash(request.node.nodeid))}"


@pytest.fixture
def s3_bucket(s3, bucket_name, monkeypatch):
    """A new one, with an Airflow connection to it, ``s3``."""
    monkeypatch.setenv("AIRFLOW_CONN_S3", s3.connection)
    s3.client.create_bucket(Bucket=bucket_name)
    return bucket_name


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    return media.video(tmp_path_factory.mktemp("media") / "small.mp4", seconds=1).read_bytes()


@pytest.fixture(scope="session")
def large(tmp_path_factory):
    """Too large for one request: it goes in parts."""
    return large_video(tmp_path_factory.mktemp("media") / "large.mp4", 40).read_bytes()


@pytest.fixture
def in_the_last_moment(monkeypatch):
    """Does something when a landing is about to publish, and looks no more whether there is anything."""

    def do(action):
        publish = StoredFile.publish

        def too_late(stored, *args, **kwargs):
            action()
            publish(stored, *args, **kwargs)

        monkeypatch.setattr(StoredFile, "publish", too_late)

    return do


@pytest.fixture
def land(server):
    """Land what the server has."""

    def landed(uri, *, overwrite=False, check=check_video):
        with guarded_session(AddressRule(frozenset({AddressKind.LOOPBACK}))) as session:
            landing = Landing(session, logging.getLogger(__name__), LIMITS, overwrite)
            return landing.land(server.url, StoredFile.at(uri), check)

    return landed
