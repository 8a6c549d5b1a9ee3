"""A triggerer that is killed in the middle of five hundred waits and started again: none is lost, and none hurries."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import pytest
from aiohttp import web

from tests.support.scripted_api import ANY_TIME, record
from tools.airflow_stack import AirflowStack
from tools.waiting import wait_until

pytestmark = pytest.mark.long

if TYPE_CHECKING:
    from types import TracebackType

WAITS = 500
#: Long enough for all polls to have room in one pause, far below the limit: 17 a second.
POLL_INTERVAL = 30
MAX_POLLS_PER_SECOND = 50
#: Pauses are up to 10 % longer, and Airflow takes 10 s to believe that the killed triggerer is gone.
ONE_ROUND = 120

DAG = f"""
from airflow.sdk import DAG

from seedance_provider.sensors.seedance import VideoSensor

with DAG(dag_id="many_waits", schedule=None, max_active_tasks={WAITS}):
    wait = VideoSensor.partial(task_id="wait", poke_interval={POLL_INTERVAL})
    wait.expand(video_task_id=[f"task_{{number}}" for number in range({WAITS})])
"""


@dataclass(frozen=True)
class Poll:
    """One request for the state of a video task, and when it came."""

    task_id: str
    at: float


class ManyVideosApi:
    """A Seedance API on which all videos get ready at the same moment. It notes every poll of one of them."""

    def __init__(self) -> None:
        self.polls: list[Poll] = []
        self.submissions: list[str] = []
        self.are_ready = False
        self.base_url = ""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        app = web.Application()
        app.add_routes([web.get("/api/v1/jobs/recordInfo", self._poll), web.post("/{path:.*}", self._submit)])
        self._runner = web.AppRunner(app, access_log=None)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _start(self) -> None:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, backlog=WAITS).start()
        host, port = self._runner.addresses[0][:2]
        self.base_url = f"http://{host}:{port}/api/v1"

    async def _poll(self, request: web.Request) -> web.Response:
        task_id = request.query["taskId"]
        self.polls.append(Poll(task_id, time.monotonic()))
        return web.json_response(record("success" if self.are_ready else "generating", task_id))

    async def _submit(self, request: web.Request) -> web.Response:
        self.submissions.append(request.path)
        return web.json_response({"message": "Nobody is to submit anything here."}, status=400)


@pytest.fixture
def videos():
    with ManyVideosApi() as running:
        yield running


@pytest.fixture
def airflow(tmp_path, videos):
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "many_waits.py").write_text(DAG)
    connection = {"conn_type": "seedance", "host": videos.base_url, "password": "sk-many-waits"}
    extra = {"max_polls_per_second": MAX_POLLS_PER_SECOND, "typical_seconds": ANY_TIME}
    env = {
        "AIRFLOW_CONN_SEEDANCE_DEFAULT": json.dumps(connection | {"extra": extra}),
        "AIRFLOW__CORE__PARALLELISM": "8",
        # By default a triggerer takes up 50 triggers at a time: it is to take all of them up in the same second.
        "AIRFLOW__TRIGGERER__MAX_TRIGGER_TO_SELECT_PER_LOOP": str(WAITS),
    }
    with AirflowStack(tmp_path / "home", tmp_path / "dags", env=env) as running:
        running.wait_for_dag("many_waits")
        running.unpause("many_waits")
        yield running


def test_a_restart_in_the_middle_of_many_waits_loses_none_and_does_not_poll_all_of_them_at_once(airflow, videos):
    run_id = airflow.trigger("many_waits")
    wait_for_all(airflow, run_id, {"deferred"})
    # The worker has polled each of them once before it deferred, so that the second poll is the triggerer's.
    wait_until(lambda: polled_at(videos.polls, times=2) == WAITS, timeout=ONE_ROUND, what="a poll of every video")

    airflow.kill("triggerer")
    before = len(videos.polls)
    airflow.restart("triggerer")
    wait_until(
        lambda: polled_at(videos.polls[before:]) == WAITS,
        timeout=ONE_ROUND,
        what=lambda: f"polls after the restart, of {polled_at(videos.polls[before:])} videos only",
    )
    polls = videos.polls[before:]
    # A little more than the limit, because what was sent evenly can arrive unevenly.
    busiest = busiest_second([poll.at for poll in polls])
    assert busiest <= MAX_POLLS_PER_SECOND * 1.1
    # The limit alone would let all of them go within 10 seconds, after the whole pause that each wait begins with.
    most_took = most_of_the_time(first_polls(polls))
    assert most_took >= POLL_INTERVAL / 2

    videos.are_ready = True
    # To resume all of them takes Airflow a minute or two, and shows nothing of the triggerer.
    instances = wait_for_all(airflow, run_id, {"scheduled", "queued", "running", "success"})
    assert {instance["try_number"] for instance in instances} == {1}
    wait_until(lambda: succeeded(airflow, run_id) >= 20, timeout=180, what="the first tasks to succeed")
    assert videos.submissions == []


def wait_for_all(airflow, run_id, states):
    """Wait until all tasks are in one of the states, and return them."""
    seen = Counter()

    def instances_if_all():
        airflow.check()
        instances = airflow.task_instances("many_waits", run_id)
        seen.clear()
        seen.update(str(instance["state"]) for instance in instances)
        return instances if len(instances) == WAITS and set(seen) <= states else None

    # Airflow takes time that the workers need to answer with all of them.
    return wait_until(instances_if_all, timeout=400, what=lambda: f"{WAITS} {states}, and not {seen}", interval=2)


def succeeded(airflow, run_id):
    """How many tasks have ended well."""
    return sum(instance["state"] == "success" for instance in airflow.task_instances("many_waits", run_id))


def polled_at(polls, *, times=1):
    """How many videos were looked at so often."""
    return sum(count >= times for count in Counter(poll.task_id for poll in polls).values())


def first_polls(polls):
    """When each video was looked at for the first time."""
    first = {}
    for poll in polls:
        first.setdefault(poll.task_id, poll.at)
    return list(first.values())


def busiest_second(moments):
    """The most moments that lie within one second, wherever it begins."""
    ordered = sorted(moments)
    return max(bisect_left(ordered, moment + 1) - number for number, moment in enumerate(ordered))


def most_of_the_time(moments):
    """The seconds in which the middle 80 % of the moments lie."""
    ordered = sorted(moments)
    tenth = len(ordered) // 10
    return ordered[-1 - tenth] - ordered[tenth]
