"""Landing on S3, and files on S3 as references."""

from __future__ import annotations

import hashlib
import json
import logging
from concurrent.futures import ThreadPoolExecutor

import pytest

from seedance_provider.api.errors import InvalidRequestError
from seedance_provider.landing.errors import DestinationTakenError
from seedance_provider.storage.errors import StorageDeniedError, UnknownStorageError
from seedance_provider.storage.stored_file import StoredFile
from seedance_provider.submission.reference_files import ReferenceFiles
from seedance_provider.transfers.video_to_object_storage import VideoToObjectStorageOperator
from tests.support import media
from tests.support.scripted_api import Answer
from tests.support.task_context import StateStore, context

LOG = logging.getLogger(__name__)


class TestParts:
    def test_a_large_video_goes_in_some(self, land, server, s3, s3_bucket, large):
        server.content = large
        land(f"s3://s3@{s3_bucket}/2026/a.mp4")
        assert s3.client.head_object(Bucket=s3_bucket, Key="2026/a.mp4")["ETag"].endswith('-9"')
        assert s3.unfinished(s3_bucket) == []

    def test_none_are_left_of_one_that_came_too_late(self, land, server, s3, s3_bucket, large, in_the_last_moment):
        server.content = large
        in_the_last_moment(lambda: s3.client.put_object(Bucket=s3_bucket, Key="2026/a.mp4", Body=b"precious"))
        with pytest.raises(DestinationTakenError):
            land(f"s3://s3@{s3_bucket}/2026/a.mp4")
        assert s3.content(s3_bucket, "2026/a.mp4") == b"precious"
        assert s3.unfinished(s3_bucket) == []

    def test_nor_when_two_tasks_land_the_same_at_once(self, land, server, s3, s3_bucket, large):
        server.content = large
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(land, [f"s3://s3@{s3_bucket}/2026/a.mp4"] * 2))
        assert s3.unfinished(s3_bucket) == []


class TestRights:
    def test_an_account_that_may_only_read(self, land, server, s3, small, s3_bucket, monkeypatch):
        server.content = small
        monkeypatch.setenv("AIRFLOW_CONN_READER", s3.readers_connection)
        with pytest.raises(StorageDeniedError, match="the connection 'reader' the rights"):
            land(f"s3://reader@{s3_bucket}/2026/a.mp4")
        assert s3.keys(s3_bucket) == []

    def test_an_account_that_s3_does_not_know(self, land, server, s3, small, s3_bucket, monkeypatch):
        server.content = small
        stranger = json.loads(s3.connection) | {"login": "stranger"}
        monkeypatch.setenv("AIRFLOW_CONN_STRANGER", json.dumps(stranger))
        with pytest.raises(StorageDeniedError, match="the connection 'stranger' the rights"):
            land(f"s3://stranger@{s3_bucket}/2026/a.mp4")
        assert s3.keys(s3_bucket) == []

    def test_a_storage_whose_provider_is_not_installed(self):
        with pytest.raises(UnknownStorageError, match="Is the provider of that storage installed"):
            StoredFile.at("abfs://videos/a.mp4").size()


@pytest.mark.usefixtures("seedance_default")
class TestOperator:
    def test_everything_about_a_video_lands(self, api, s3, s3_bucket, small, tmp_path):
        png = media.picture(tmp_path / "a.png").read_bytes()
        api.readings.extend([Answer(200, small, "video/mp4"), Answer(200, png, "image/png")])
        video = {"video_task_id": "task_a", "video_url": f"{api.url}/a.mp4", "last_frame_url": f"{api.url}/a.png"}
        store = StateStore()
        for _ in range(2):
            task = VideoToObjectStorageOperator(
                task_id="upload", video=video, destination=f"s3://s3@{s3_bucket}/kites/", sidecar=True, last_frame=True
            )
            made = context(store)
            assert task.execute(made) == f"s3://s3@{s3_bucket}/kites/task_a.mp4"
        assert len(api.asked) == 2
        assert s3.keys(s3_bucket) == ["kites/task_a-last-frame.png", "kites/task_a.json", "kites/task_a.mp4"]
        assert s3.content(s3_bucket, "kites/task_a-last-frame.png") == png
        described = json.loads(s3.content(s3_bucket, "kites/task_a.json"))
        assert described["uri"] == f"s3://{s3_bucket}/kites/task_a.mp4"
        assert made["ti"].xcoms["landed"]["uri"] == f"s3://{s3_bucket}/kites/task_a.mp4"
        assert made["ti"].xcoms["landed"]["was_there"]
        head = s3.client.head_object(Bucket=s3_bucket, Key="kites/task_a.json")
        assert head["ContentType"] == "application/json"


class TestReferences:
    @pytest.fixture(autouse=True)
    def _picture(self, s3, s3_bucket):
        s3.client.put_object(Bucket=s3_bucket, Key="2026/a.png", Body=b"a picture")

    def described(self, uri):
        return ReferenceFiles(None, LOG).described(first_frame=uri)["first_frame"]

    def test_a_picture_in_a_bucket_can_be_one(self, s3_bucket):
        file = self.described(f"s3://s3@{s3_bucket}/2026/a.png")
        assert (file.source, file.name, file.size) == (f"s3://s3@{s3_bucket}/2026/a.png", "a.png", 9)
        assert file.sha256 == hashlib.sha256(b"a picture").hexdigest()

    def test_what_is_not_there_is_said_for_free(self, s3_bucket):
        uri = f"s3://s3@{s3_bucket}/2026/b.png"
        with pytest.raises(InvalidRequestError, match=f"There is no file {uri}. Nothing was sent or charged"):
            self.described(uri)
