"""Landing in every object store: S3 (SeaweedFS), Azure (Azurite) and Google Cloud Storage (an emulator)."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from airflow.sdk import ObjectStoragePath
from airflow.sdk.io import attach

from seedance_provider.landing.errors import DestinationTakenError, LandingError
from seedance_provider.plugins.byte_range import ByteRange
from seedance_provider.plugins.stored_video import NotShownError, StoredVideo
from seedance_provider.storage.errors import StorageDeniedError, StorageError
from seedance_provider.storage.stored_file import StoredFile
from tests.support.media_server import Serving
from tests.support.object_stores import AzureServer, Bucket, GcsServer

#: It looks for what only the newest kind of bucket has, by a protocol that no emulator speaks.
os.environ["GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT"] = "false"


@pytest.fixture(scope="session")
def azure():
    with AzureServer() as running:
        yield running


@pytest.fixture(scope="session")
def gcs():
    with GcsServer() as running:
        yield running


@pytest.fixture(params=["s3", "azure", "gcs"])
def store(request):
    return request.param


@pytest.fixture
def bucket(request, store):
    """A new one."""
    return request.getfixturevalue(f"in_{store}")


@pytest.fixture
def in_s3(s3_bucket):
    uri = f"s3://s3@{s3_bucket}"
    return Bucket(uri, ObjectStoragePath(uri).fs, s3_bucket)


@pytest.fixture
def in_azure(azure, bucket_name):
    from adlfs import AzureBlobFileSystem

    fs = AzureBlobFileSystem(connection_string=azure.connection_string())
    fs.mkdir(bucket_name)
    attach("abfs", "azure", fs=fs)
    return Bucket(f"abfs://azure@{bucket_name}", fs, bucket_name)


@pytest.fixture
def in_gcs(gcs, bucket_name):
    from gcsfs import GCSFileSystem

    fs = GCSFileSystem(project="1234", endpoint_url=gcs.url, token="anon")
    fs.mkdir(bucket_name)
    attach("gs", "gcs", fs=fs)
    return Bucket(f"gs://gcs@{bucket_name}", fs, bucket_name)


@pytest.fixture(params=["small", "large"])
def video(request, server):
    server.content = request.getfixturevalue(request.param)
    return server.content


@pytest.fixture
def uri(bucket):
    return f"{bucket.uri}/2026/a.mp4"


KEY = "2026/a.mp4"

# adlfs and gcsfs hand aiohttp the parts of a large video as they are.
pytestmark = pytest.mark.filterwarnings("ignore:Sending a large body directly with raw bytes:ResourceWarning")


class TestLanding:
    def test_a_video_lands_byte_for_byte(self, land, uri, bucket, video):
        assert not land(uri).was_there
        assert bucket.keys() == [KEY]
        assert bucket.content(KEY) == video
        assert bucket.media_type(KEY) == "video/mp4"

    def test_landing_again_does_nothing(self, land, uri, bucket, video):
        land(uri)
        before = bucket.changed(KEY)
        assert land(uri).was_there
        assert land(uri, overwrite=True).was_there
        assert bucket.changed(KEY) == before

    def test_a_broken_download_leaves_nothing(self, land, uri, bucket, server, large):
        server.content = large
        server.script.extend([Serving(stop_after=10_000_000), Serving(404, body=b"")])
        with pytest.raises(LandingError):
            land(uri)
        assert bucket.keys() == []


class TestShown:
    def test_what_has_landed_can_be_shown_in_parts(self, land, uri, bucket, video):
        landed = {"path": uri, "size": land(uri).size}
        with StoredVideo.recorded(landed) as shown:
            assert (shown.size, shown.media_type, shown.name) == (len(video), "video/mp4", "a.mp4")
            middle = ByteRange(len(video) // 2, 1000, len(video))
            assert b"".join(shown.pieces(middle)) == video[middle.start :][:1000]
            assert b"".join(shown.pieces(ByteRange.whole(len(video)))) == video

    def test_what_was_replaced_is_not_shown(self, land, uri, bucket, video):
        landed = {"path": uri, "size": land(uri).size}
        bucket.put(KEY, b"x" * len(video))
        with pytest.raises(NotShownError, match="not the video"):
            StoredVideo.recorded(landed)


class TestTaken:
    def test_another_object_stays(self, land, uri, bucket, video):
        bucket.put(KEY, b"precious")
        with pytest.raises(DestinationTakenError, match="it has 8 bytes"):
            land(uri)
        assert bucket.content(KEY) == b"precious"

    def test_also_one_of_the_same_size(self, land, uri, bucket, server, small):
        server.content = small
        bucket.put(KEY, small[::-1])
        with pytest.raises(DestinationTakenError, match="it has another object"):
            land(uri)
        assert bucket.content(KEY) == small[::-1]

    def test_it_is_replaced_on_demand(self, land, uri, bucket, video):
        bucket.put(KEY, b"old")
        assert not land(uri, overwrite=True).was_there
        assert bucket.content(KEY) == video

    def test_the_store_itself_refuses_to_replace_what_came_in_the_last_moment(
        self, land, uri, bucket, video, in_the_last_moment
    ):
        in_the_last_moment(lambda: bucket.put(KEY, b"precious"))
        with pytest.raises(DestinationTakenError):
            land(uri)
        assert bucket.content(KEY) == b"precious"

    def test_two_tasks_at_once_leave_one_good_object(self, land, uri, bucket, video):
        with ThreadPoolExecutor(2) as threads:
            landed = list(threads.map(land, [uri, uri]))
        assert {item.size for item in landed} == {len(video)}
        assert bucket.keys() == [KEY]
        assert bucket.content(KEY) == video


class TestVersion:
    def test_it_is_another_one_when_the_object_has_changed(self, land, uri, bucket, video):
        land(uri)
        before = StoredFile.at(uri).version()
        assert StoredFile.at(uri).version() == before
        bucket.put(KEY, b"other")
        assert StoredFile.at(uri).version() != before


class TestErrors:
    def test_a_bucket_that_is_not_there(self, land, bucket, video):
        elsewhere = bucket.uri.replace(bucket.name, "no-such-bucket")
        with pytest.raises(StorageError, match=f"{elsewhere}/a.mp4"):
            land(f"{elsewhere}/a.mp4")

    @pytest.mark.parametrize("store", ["azure"])
    def test_a_key_that_azure_does_not_know(self, land, azure, bucket, video):
        from adlfs import AzureBlobFileSystem

        attach("abfs", "stranger", fs=AzureBlobFileSystem(connection_string=azure.connection_string("c3RyYW5nZXI=")))
        with pytest.raises(StorageDeniedError, match="the connection 'stranger' the rights"):
            land(f"abfs://stranger@{bucket.name}/a.mp4")
        assert bucket.keys() == []
