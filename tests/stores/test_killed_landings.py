"""What a landing leaves behind whose worker was killed with -9: nothing that anybody could take for a video."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.media_server import Serving
from tools.large_video import large_video
from tools.processes import inherited_environment

REPOSITORY = Path(__file__).parents[2]
#: Of each kind; a hundred take minutes.
KILLS = int(os.environ.get("KILLS", "30"))


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """In five parts, where it has to be sent in parts."""
    return large_video(tmp_path_factory.mktemp("media") / "a.mp4", 20).read_bytes()


@pytest.fixture
def kill(server, video, tmp_path):
    def killed(destination, *options, kills=KILLS, seconds=0.1, **environment):
        server.content = video
        server.usual = Serving(seconds=seconds)
        (tmp_path / "temporary").mkdir()
        done = subprocess.run(
            [sys.executable, "-m", "tests.stores.killed_landings", server.url, destination, str(kills), *options],
            cwd=REPOSITORY,
            env={
                **inherited_environment(),
                "AIRFLOW_HOME": str(tmp_path / "airflow"),
                "TMPDIR": str(tmp_path / "temporary"),
                **environment,
            },
            capture_output=True,
            text=True,
            # A minute or two by itself; it may have to do with what other tests leave of the processors.
            timeout=900,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        found = json.loads(done.stdout.splitlines()[-1])
        assert found["whole"] == hashlib.sha256(video).hexdigest()
        # Or it would have shown nothing.
        assert sum(found["phases"].get(name, 0) for name in ("downloading", "publishing")) > kills / 3, found
        return found

    return killed


def only_whole_videos(found) -> bool:
    return set(found["under_the_name"]) <= {"whole"}


def test_on_a_file_system_nothing_is_left(kill, tmp_path, video):
    folder = tmp_path / "videos"
    found = kill(f"file://{folder}/a.mp4")
    assert only_whole_videos(found), found
    assert [path.name for path in folder.iterdir()] == ["a.mp4"]
    assert (folder / "a.mp4").read_bytes() == video


def test_where_every_file_has_a_name_only_hidden_ones_are_left(kill, tmp_path, video):
    folder = tmp_path / "videos"
    found = kill(f"file://{folder}/a.mp4", "--hidden-names")
    assert only_whole_videos(found), found
    left = {path.name for path in folder.iterdir()} - {"a.mp4"}
    assert left
    # What the documentation says may be deleted.
    assert all(name.startswith(".seedance-") and name.endswith(".part") for name in left)
    assert (folder / "a.mp4").read_bytes() == video


def test_on_s3_only_uploads_are_left_that_the_rule_of_the_bucket_removes(kill, s3, s3_bucket, tmp_path, video):
    found = kill(f"s3://s3@{s3_bucket}/a.mp4", AIRFLOW_CONN_S3=s3.connection)
    assert only_whole_videos(found), found
    assert list((tmp_path / "temporary").iterdir()) == []
    for upload in s3.unfinished(s3_bucket):
        # As AbortIncompleteMultipartUpload does after some days.
        s3.client.abort_multipart_upload(Bucket=s3_bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    assert s3.unfinished(s3_bucket) == []
    assert s3.keys(s3_bucket) == ["a.mp4"]
    assert s3.content(s3_bucket, "a.mp4") == video
