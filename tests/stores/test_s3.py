"""Landing on S3, and files on S3 as references."""

from __future__ import annotations

import hashlib
import json
import logging
from concurrent.futures import ThreadPoolExecutor

import pytest

from seedance_provider.api.errors import InvalidRequestError
from seedance_provider.landing.addresses import AddressKind, AddressRule
from seedance_provider.landing.download import DownloadLimits
from seedance_provider.landing.errors import (
    DestinationTakenError,
    InvalidDestinationError,
    LandingError,
    StorageDeniedError,
    StorageError,
)
from seedance_provider.landing.landing import Landing
from seedance_provider.landing.media_check import check_video
from seedance_provider.landing.media_session import media_session
from seedance_provider.landing.storage import StoredObject
from seedance_provider.reference_files import ReferenceFiles
from seedance_provider.transfers.video_to_object_storage import VideoToObjectStorageOperator
from tests.support import media
from tests.support.media_server import Serving
from tests.support.scripted_api import Answer
from tests.support.task_context import StateStore, context

LOG = logging.getLogger(__name__)
LIMITS = DownloadLimits(stall_seconds=5, pause=0.001, attempts=2)


@pytest.fixture
def land(server, bucket):
    def landed(key="2026/a.mp4", *, overwrite=False, check=check_video, conn_id="s3", into=bucket):
        with media_session(AddressRule(frozenset({AddressKind.LOOPBACK}))) as session:
            destination = StoredObject.at(f"s3://{into}/{key}", conn_id)
            return Landing(session, LOG, LIMITS, overwrite).land(server.url, destination, check)

    return landed


class TestLanding:
    @pytest.mark.parametrize("name", ["small", "large"])
    def test_a_video_lands_byte_for_byte(self, request, land, server, s3, bucket, name):
        server.content = request.getfixturevalue(name)
        assert not land().was_there
        assert s3.keys(bucket) == ["2026/a.mp4"]
        assert s3.content(bucket, "2026/a.mp4") == server.content
        assert s3.client.head_object(Bucket=bucket, Key="2026/a.mp4")["ContentType"] == "video/mp4"

    def test_a_large_one_goes_in_parts(self, land, server, s3, bucket, large):
        server.content = large
        land()
        assert s3.client.head_object(Bucket=bucket, Key="2026/a.mp4")["ETag"].endswith('-9"')
        assert s3.unfinished(bucket) == []

    @pytest.mark.parametrize("name", ["small", "large"])
    def test_landing_again_does_nothing(self, request, land, server, s3, bucket, name):
        server.content = request.getfixturevalue(name)
        land()
        before = s3.client.head_object(Bucket=bucket, Key="2026/a.mp4")["LastModified"]
        assert land().was_there
        assert land(overwrite=True).was_there
        assert s3.client.head_object(Bucket=bucket, Key="2026/a.mp4")["LastModified"] == before

    def test_a_broken_download_leaves_nothing(self, land, server, s3, bucket, large):
        server.content = large
        server.script.extend([Serving(stop_after=10_000_000), Serving(404, body=b"")])
        with pytest.raises(LandingError):
            land()
        assert s3.keys(bucket) == []
        assert s3.unfinished(bucket) == []


class TestTaken:
    def test_another_object_stays(self, land, server, s3, bucket, small):
        server.content = small
        s3.client.put_object(Bucket=bucket, Key="2026/a.mp4", Body=b"precious")
        with pytest.raises(DestinationTakenError, match="it has 8 bytes"):
            land()
        assert s3.content(bucket, "2026/a.mp4") == b"precious"

    def test_also_one_of_the_same_size(self, land, server, s3, bucket, small):
        server.content = small
        s3.client.put_object(Bucket=bucket, Key="2026/a.mp4", Body=small[::-1])
        with pytest.raises(DestinationTakenError, match="it has another object"):
            land()
        assert s3.content(bucket, "2026/a.mp4") == small[::-1]

    def test_it_is_replaced_on_demand(self, land, server, s3, bucket, small):
        server.content = small
        s3.client.put_object(Bucket=bucket, Key="2026/a.mp4", Body=b"old")
        assert not land(overwrite=True).was_there
        assert s3.content(bucket, "2026/a.mp4") == small

    @pytest.mark.parametrize("name", ["small", "large"])
    def test_s3_itself_refuses_to_replace_what_came_in_the_last_moment(
        self, request, land, server, s3, bucket, monkeypatch, name
    ):
        server.content = request.getfixturevalue(name)
        publish = StoredObject.publish

        def too_late(stored, *args, **kwargs):
            s3.client.put_object(Bucket=bucket, Key="2026/a.mp4", Body=b"precious")
            publish(stored, *args, **kwargs)

        monkeypatch.setattr(StoredObject, "publish", too_late)
        with pytest.raises(DestinationTakenError):
            land()
        assert s3.content(bucket, "2026/a.mp4") == b"precious"
        assert s3.unfinished(bucket) == []

    @pytest.mark.parametrize("name", ["small", "large"])
    def test_two_tasks_at_once_leave_one_good_object(self, request, land, server, s3, bucket, name):
        server.content = request.getfixturevalue(name)
        with ThreadPoolExecutor(2) as threads:
            landed = list(threads.map(lambda _: land(), range(2)))
        assert {item.size for item in landed} == {len(server.content)}
        assert s3.keys(bucket) == ["2026/a.mp4"]
        assert s3.content(bucket, "2026/a.mp4") == server.content
        assert s3.unfinished(bucket) == []


class TestErrors:
    def test_a_bucket_that_is_not_there(self, land, server, small):
        server.content = small
        with pytest.raises(StorageError, match=r"s3://s3@no-such-bucket/2026/a\.mp4"):
            land(into="no-such-bucket")

    def test_an_account_that_may_only_read(self, land, server, s3, small, bucket, monkeypatch):
        server.content = small
        monkeypatch.setenv("AIRFLOW_CONN_READER", s3.readers_connection)
        with pytest.raises(StorageDeniedError, match="read, list and write there, with the connection 'reader'"):
            land(conn_id="reader")
        assert s3.keys(bucket) == []

    def test_an_account_that_may_nothing(self, land, server, s3, small, bucket, monkeypatch):
        server.content = small
        stranger = json.loads(s3.connection) | {"login": "stranger"}
        monkeypatch.setenv("AIRFLOW_CONN_STRANGER", json.dumps(stranger))
        with pytest.raises(StorageDeniedError, match="read, list and write there, with the connection 'stranger'"):
            land(conn_id="stranger")
        assert s3.keys(bucket) == []

    def test_a_storage_whose_provider_is_not_installed(self):
        with pytest.raises(InvalidDestinationError, match="Is the provider of that storage installed"):
            StoredObject.at("abfs://videos/a.mp4")


@pytest.mark.usefixtures("seedance_default")
class TestOperator:
    def test_everything_about_a_video_lands(self, api, s3, bucket, small, tmp_path):
        png = media.picture(tmp_path / "a.png").read_bytes()
        api.readings.extend([Answer(200, small, "video/mp4"), Answer(200, png, "image/png")])
        video = {"task_id": "task_a", "video_url": f"{api.url}/a.mp4", "last_frame_url": f"{api.url}/a.png"}
        store = StateStore()
        for _ in range(2):
            task = VideoToObjectStorageOperator(
                task_id="upload", video=video, destination=f"s3://s3@{bucket}/kites/", sidecar=True, last_frame=True
            )
            made = context(store)
            assert task.execute(made) == f"s3://s3@{bucket}/kites/task_a.mp4"
        assert len(api.asked) == 2
        assert s3.keys(bucket) == ["kites/task_a-last-frame.png", "kites/task_a.json", "kites/task_a.mp4"]
        assert s3.content(bucket, "kites/task_a-last-frame.png") == png
        described = json.loads(s3.content(bucket, "kites/task_a.json"))
        assert described["uri"] == f"s3://{bucket}/kites/task_a.mp4"
        assert made["ti"].xcoms["landed"]["uri"] == f"s3://{bucket}/kites/task_a.mp4"
        assert made["ti"].xcoms["landed"]["was_there"]
        head = s3.client.head_object(Bucket=bucket, Key="kites/task_a.json")
        assert head["ContentType"] == "application/json"


class TestReferences:
    @pytest.fixture(autouse=True)
    def _picture(self, s3, bucket):
        s3.client.put_object(Bucket=bucket, Key="2026/a.png", Body=b"a picture")

    def described(self, uri):
        return ReferenceFiles(None, LOG).described({"first_frame": uri})["first_frame"]

    def test_a_picture_in_a_bucket_can_be_one(self, bucket):
        file = self.described(f"s3://s3@{bucket}/2026/a.png")
        assert (file.source, file.name, file.size) == (f"s3://s3@{bucket}/2026/a.png", "a.png", 9)
        assert file.sha256 == hashlib.sha256(b"a picture").hexdigest()

    def test_what_is_not_there_is_said_for_free(self, bucket):
        uri = f"s3://s3@{bucket}/2026/b.png"
        with pytest.raises(InvalidRequestError, match=f"There is no file {uri}. Nothing was sent or charged"):
            self.described(uri)

    def test_a_listed_bucket_names_its_files_with_their_connection(self, bucket):
        from airflow.sdk import ObjectStoragePath

        listed = [str(path) for path in ObjectStoragePath(f"s3://s3@{bucket}/2026").iterdir()]
        assert listed == [f"s3://s3@{bucket}/2026/a.png"]
