"""Landing on S3, with the ``s3`` extra in an environment of its own."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("s3")
    run(sys.executable, "-m", "venv", "venv", cwd=folder)
    python = folder / "venv/bin/python"
    constraints = ("--constraint", REPOSITORY / "constraints.txt")
    # moto's server is a real S3 over HTTP, as far as files go.
    run(
        python, "-m", "pip", "install", "--quiet", *constraints, f"{REPOSITORY}[s3]", "moto[server]>=5.1,<6", cwd=folder
    )
    said = run(python, REPOSITORY / "tests/slow/land_on_s3.py", folder / "airflow", cwd=folder)
    return json.loads(said.splitlines()[-1])


def test_a_video_lands_whole(found):
    assert found["first"] == {"uri": "s3://s3@videos/2026/a.mp4", "was_there": False}
    assert found["whole"]


def test_landing_again_does_nothing(found):
    assert found["again"] == {"uri": "s3://s3@videos/2026/a.mp4", "was_there": True}


def test_a_broken_download_leaves_nothing_under_the_name(found):
    assert found["broken"] == {"error": "LandingError"}
    assert found["keys"] == ["2026/a.mp4", "taken.mp4"]


def test_another_object_is_not_overwritten(found):
    assert found["taken"] == {"error": "DestinationTakenError"}
    assert found["untouched"]


def test_a_picture_in_a_bucket_can_be_a_reference(found):
    assert found["file"] == {
        "source": "s3://s3@pictures/2026/a.png",
        "name": "a.png",
        "size": 9,
        "sha256": hashlib.sha256(b"a picture").hexdigest(),
    }


def test_what_is_not_there_is_said_for_free(found):
    assert "There is no file s3://s3@pictures/2026/b.png. Nothing was sent or charged." in found["no_file"]["error"]
    assert "is in no storage that this Airflow knows" in found["no_storage"]["error"]


def test_a_listed_bucket_names_its_files_with_their_connection(found):
    assert found["listed"] == ["s3://s3@pictures/2026/a.png"]
