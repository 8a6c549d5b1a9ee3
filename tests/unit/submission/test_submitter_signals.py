"""A submission in a real process that gets real signals, at the moment when they cost most."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from seedance_provider.api.client import SeedanceClient
from seedance_provider.api.protocol import SeedanceProtocol
from seedance_provider.api.video_request import VideoRequest
from seedance_provider.submission.plans import Action
from seedance_provider.submission.record import SubmissionState
from seedance_provider.submission.store import SubmissionStore
from seedance_provider.submission.submitter import Submitter
from tests.support.scripted_api import Answer
from tests.support.task_context import StateStore

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Tries once, as a task does whose handlers are those of Airflow: SIGTERM calls on_kill and goes on, SIGALRM raises,
#: SIGINT is nobody's. What it keeps is in a file.
CHILD = """
import json, os, pathlib, signal, sys
import airflow.sdk
from seedance_provider.api.client import SeedanceClient
from seedance_provider.api.protocol import SeedanceProtocol
from seedance_provider.api.video_request import VideoRequest
from seedance_provider.reporting.kill_notice import KillNotice
from seedance_provider.submission.store import SubmissionStore
from seedance_provider.submission.submitter import Submitter

class Store:
    def get(self, key, default=None):
        return json.loads(FILE.read_text()).get(key, default) if FILE.exists() else default
    def set(self, key, value, retention=None):
        FILE.write_text(json.dumps({key: value}))
    def delete(self, key):
        FILE.unlink()

class Log:
    def warning(self, text, *values):
        os.write(1, f"task says {text % values}\\n".encode())
    info = warning

class TimeoutOfAirflow(BaseException):
    pass

def time_out(number, frame):
    raise TimeoutOfAirflow

def kill(number, frame):
    log.warning("on_kill: %s", notice.message)

if not hasattr(airflow.sdk, "NEVER_EXPIRE"):  # below Airflow 3.3, as in tests/support/task_context.py
    airflow.sdk.NEVER_EXPIRE = "never"
FILE, notice, log = pathlib.Path(sys.argv[2]), KillNotice(), Log()
signal.signal(signal.SIGTERM, kill)
signal.signal(signal.SIGALRM, time_out)
signal.signal(signal.SIGINT, signal.SIG_DFL)
with SeedanceClient(SeedanceProtocol("key", sys.argv[1])) as client:
    submitter = Submitter(SubmissionStore(Store()), 3, log, notice=notice)
    submitter.obtain(client, VideoRequest(prompt="A kite"), "abc")
log.info("The try went on.")
"""
ON_ITS_WAY = "A request for about 200 credits ($1.00) is on its way"
GOES_ON = "on_kill: Video task task_a continues at the API, which can't cancel it; about 200 credits"


class Sending:
    """A try whose request has arrived at the API, and is answered when the test says so."""

    def __init__(self, api, folder) -> None:
        self.file = folder / "store.json"
        self._arrived, self._may_answer = threading.Event(), threading.Event()
        api.creations.append(Answer(body={"taskId": "task_a"}))
        answer = api.next_answer

        def answer_when_told(asked):
            self._arrived.set()
            assert self._may_answer.wait(30)
            return answer(asked)

        api.next_answer = answer_when_told
        self.process = subprocess.Popen(
            [sys.executable, "-c", CHILD, api.base_url, str(self.file)], stdout=subprocess.PIPE, text=True
        )
        assert self._arrived.wait(60)

    def get(self, number: signal.Signals) -> str:
        """Send a signal, and return what the process says at once."""
        self.process.send_signal(number)
        return next(self._said())

    def end(self) -> list[str]:
        """Answer, and return what else the process says."""
        self._may_answer.set()
        said = list(self._said())
        self.process.wait(60)
        return said

    def stop(self) -> None:
        self._may_answer.set()
        self.process.kill()
        self.process.wait(60)
        self.process.stdout.close()

    def _said(self) -> Iterator[str]:
        """What the task logs; Airflow writes lines of its own."""
        return (
            line.removeprefix("task says ").rstrip() for line in self.process.stdout if line.startswith("task says ")
        )

    @property
    def store(self) -> StateStore:
        """What the next try finds."""
        store = StateStore()
        store.values = {key: json.dumps(value) for key, value in json.loads(self.file.read_text()).items()}
        return store

    @property
    def kept(self):
        return SubmissionStore(self.store).load()


@pytest.fixture
def sending(api, tmp_path):
    running = Sending(api, tmp_path)
    yield running
    running.stop()


def test_sigterm_is_answered_at_once_and_delivered_when_the_id_is_recorded(sending):
    assert ON_ITS_WAY in sending.get(signal.SIGTERM)
    said = sending.end()
    assert said[0].startswith("Submitted video task task_a")
    assert said[1].startswith(GOES_ON)
    assert said[2] == "The try went on."
    assert sending.kept.video_task_id == "task_a"


def test_execution_timeout_ends_the_try_when_the_id_is_recorded(sending):
    assert ON_ITS_WAY in sending.get(signal.SIGALRM)
    assert "The try went on." not in sending.end()
    assert sending.process.returncode == 1
    assert sending.kept.video_task_id == "task_a"


def test_sigint_ends_the_process_when_the_id_is_recorded(sending):
    assert ON_ITS_WAY in sending.get(signal.SIGINT)
    assert "The try went on." not in sending.end()
    assert sending.process.returncode == -signal.SIGINT
    assert sending.kept.video_task_id == "task_a"


def test_sigkill_leaves_a_record_that_keeps_the_next_try_from_paying(api, sending):
    # As Airflow does if there is no answer five seconds after SIGTERM.
    assert ON_ITS_WAY in sending.get(signal.SIGTERM)
    sending.process.kill()
    assert sending.end() == []
    assert sending.kept.state is SubmissionState.SUBMITTING
    submitter = Submitter(SubmissionStore(sending.store), 3, logging.getLogger(__name__))
    with SeedanceClient(SeedanceProtocol("key", api.base_url)) as client:
        plan = submitter.obtain(client, VideoRequest(prompt="A kite"), "abc")
    assert plan.action is Action.ABANDON
    assert "It is unknown whether a video was paid for: a request of about 200 credits" in plan.message
    assert len(api.created) == 1
