"""A disk without space: nothing is accepted that could not be written down, and all is well when there is space."""

from __future__ import annotations

import resource

import psutil
import pytest
import requests

from tests.emulator.conftest import create
from tools.emulator_process import EmulatorProcess
from tools.waiting import wait_until

HEADERS = {"Authorization": "Bearer emulator-key"}


@pytest.fixture
def emulator(tmp_path):
    with EmulatorProcess(tmp_path / "emulator", waiting_seconds=0, generation_seconds=0) as running:
        yield running


def record(emulator, task_id):
    address = f"{emulator.base_url}/jobs/recordInfo"
    return requests.get(address, params={"taskId": task_id}, headers=HEADERS, timeout=10).json()


def let_files_grow(emulator, size):
    """To a process, files that may not grow any further are a full disk."""
    hard = resource.RLIM_INFINITY
    psutil.Process(emulator.pid).rlimit(psutil.RLIMIT_FSIZE, (size, hard))


@pytest.mark.parametrize("faults", [[], [{"fault": "slow", "on": "createTask", "probability": 0}]])
def test_a_submission_that_cannot_be_written_down_is_refused(emulator, faults):
    emulator.set_faults(faults)
    assert create(emulator).ok
    let_files_grow(emulator, 1)
    answers = [create(emulator, f"number {number}") for number in range(3)]
    assert [(answer.status_code, answer.json()) for answer in answers] == [
        (500, {"message": "Internal server error"})
    ] * 3
    assert emulator.ledger()["submissionCount"] == 1

    let_files_grow(emulator, resource.RLIM_INFINITY)
    assert create(emulator).ok
    assert emulator.ledger()["submissionCount"] == 2
    # What was refused is not found later either.
    emulator.kill()
    emulator.start()
    assert emulator.ledger()["submissionCount"] == 2


def test_a_video_that_cannot_be_written_is_rendered_when_there_is_space(emulator):
    task_id = create(emulator).json()["taskId"]
    ended = wait_until(lambda: finished(emulator, task_id), timeout=10, what="the video")
    url = ended["output"][0]["url"]
    let_files_grow(emulator, 1)
    assert requests.get(url, timeout=30).status_code == 500
    assert list(emulator.media_folder.iterdir()) == []

    let_files_grow(emulator, resource.RLIM_INFINITY)
    assert requests.get(url, timeout=30).content[4:8] == b"ftyp"


def finished(emulator, task_id):
    answer = record(emulator, task_id)
    return answer if answer["status"] == "success" else None
