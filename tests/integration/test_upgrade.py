"""
What earlier releases have left in Airflow's database, in a real one: today's triggerer and workers finish it.

The database is what a release has left, the video tasks are real ones of the emulator, and its ledger is the referee.
"""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from seedance_provider.api.client import SeedanceClient
from seedance_provider.api.video_request import VideoRequest
from seedance_provider.emulator.settings import DEFAULT_KEY
from seedance_provider.hooks.connection_settings import ConnectionSettings
from tests.support.airflow_versions import needs_state_store
from tests.support.recorded import RELEASES, situations

# The recordings are of an Airflow that has one.
pytestmark = needs_state_store

ROWS = Path(__file__).parents[2] / "tools" / "record_release" / "rows.py"
#: By task, the situation in which the first run finds it: what the triggers wait for has not come yet.
WAITING = {
    "waits_for_video": "waits_for_video",
    "waits_with_file": "waits_with_file",
    "waits_in_taskflow": "waits_in_taskflow",
    "submitted_only": "submitted_only",
    "waits_for_submitted": "waits_for_submitted",
    "waits_for_slot": "waits_for_slot",
    "waits_for_api": "waits_for_api",
}
#: And the second one: it has come, and no worker has seen it yet, or the worker or trigger is gone.
GOING_ON = {
    "waits_for_video": "waits_for_video_resumes",
    "submitted_only": "submitted_only",
    "waits_for_submitted": "waits_for_submitted_resumes",
    "waits_for_slot": "waits_for_slot_resumes",
    "waits_for_api": "waits_for_api_resumes",
    "waits_in_taskflow": "waits_in_taskflow",
    "has_delivered": "has_delivered",
    "is_submitting": "is_submitting",
}
#: The third one: a newer release has left something that this one does not know, and was taken back.
GOING_BACK = {"waits_for_video": "waits_for_video", "has_delivered": "has_delivered"}
#: In the last two: the tasks whose next try begins, as after a lost worker.
TRIED_AGAIN = ("waits_in_taskflow", "has_delivered", "is_submitting")
NOTHING = {"trigger": None, "next_method": None, "next_kwargs": None}


@dataclass
class Upgraded:
    """A run that began with an earlier release, and has ended with this one."""

    airflow: Any
    dag_id: str
    run_id: str
    #: The video tasks that the earlier release has paid for, by placeholder.
    videos: dict[str, str]

    def state(self, task_id: str) -> tuple[str, int]:
        instances = {each["task_id"]: each for each in self.airflow.task_instances(self.dag_id, self.run_id)}
        lost = self.airflow.lost_tries(self.dag_id, self.run_id)[task_id, -1]
        return instances[task_id]["state"], instances[task_id]["try_number"] - lost

    def result(self, task_id: str) -> Any:
        return self.airflow.xcom(self.dag_id, self.run_id, task_id)


@pytest.fixture(scope="module")
def accounts(emulator, slow_emulator, small_emulator):
    return {"seedance_default": emulator, "slow": slow_emulator, "small": small_emulator}


@pytest.fixture(scope="module", params=RELEASES, ids=lambda path: path.name)
def release(request) -> Path:
    return request.param


@pytest.fixture(scope="module")
def upgraded(release, airflow_stack, dags_folder, accounts, image_folder, video_folder) -> dict[str, Upgraded]:
    """The runs, waited for."""
    dag_id = f"release_{release.name.replace('.', '_')}"
    shutil.copy(release / "dag.py", dags_folder / f"{dag_id}.py")
    airflow_stack.wait_for_dag(dag_id)
    texts = {"<images>": image_folder.as_uri(), "<videos>": video_folder.as_uri(), "<key>": DEFAULT_KEY}
    texts |= {f"<{name}>": account.base_url.partition("/api/")[0] for name, account in accounts.items()}
    runs = {}
    # What leaves a trigger that fails comes last, with videos that have ended by then.
    ended = paid_for_earlier(release, GOING_BACK, accounts)
    for together in ({"waiting": WAITING, "going on": GOING_ON}, {"going back": GOING_BACK}):
        # The DAG is paused, so that nobody but this test touches its tasks.
        airflow_stack.pause(dag_id)
        for name, wanted in together.items():
            run_id = airflow_stack.trigger(dag_id)
            videos = ended if wanted is GOING_BACK else paid_for_earlier(release, wanted, accounts)
            left = left_behind(release, wanted, texts | videos | {"<run>": run_id})
            airflow_stack.python(str(ROWS), "write", dag_id, run_id, stdin=json.dumps(left))
            runs[name] = Upgraded(airflow_stack, dag_id, run_id, videos)
        airflow_stack.unpause(dag_id)
        for name in together:
            airflow_stack.wait_for_run(dag_id, runs[name].run_id)
    return runs


def paid_for_earlier(release, wanted, accounts) -> dict[str, str]:
    """Real video tasks in the place of those that are recorded."""
    text = json.dumps([situations(release)[name].row for name in wanted.values()])
    # The account of each does not matter to who made it, only to who looks for it.
    owners = {"has_delivered": "seedance_default"}
    made = {}
    for situation in situations(release):
        if (placeholder := f"<video of {situation}>") in text:
            account = accounts[owners.get(situation, "slow")]
            settings = ConnectionSettings(DEFAULT_KEY, base_url=account.base_url)
            with SeedanceClient(settings.protocol()) as client:
                made[placeholder] = client.create_task(VideoRequest(prompt=f"{situation} as then", duration=4))
    return made


def left_behind(release, wanted, texts) -> list[dict[str, Any]]:
    """The rows of the tasks that are looked at, and of the others as if they were done."""
    found = situations(release)
    task_ids = {situation.row["task_id"] for situation in found.values()} | {"occupies_slot"}
    made = []
    for task_id in task_ids:
        if task_id not in wanted:
            made.append(NOTHING | {"task_id": task_id, "state": "success", "try_number": 1, "max_tries": 2})
            made[-1] |= {"state_store": {}, "xcoms": {}}
            continue
        row = found[wanted[task_id]].filled(texts, time.time())
        if task_id in TRIED_AGAIN and wanted is not WAITING:
            row |= NOTHING | {"state": None}
        made.append(of_a_newer_release(row) if wanted is GOING_BACK else row)
    return made


def of_a_newer_release(row) -> dict[str, Any]:
    """What is known by its version, in a newer version; and what has none, with something more."""
    if row["trigger"] is not None:
        row["trigger"]["kwargs"]["surprise"] = 1
        # SQLite gives a number that is free again to the next trigger, and Airflow's triggerer, which has seen it fail,
        # never starts that one: no trigger of another test may get this one's.
        row["trigger"]["id"] = 1_000_000
    else:
        row["state_store"]["seedance_submission"]["schema_version"] += 1
    return row


@pytest.mark.parametrize("task_id", ["waits_for_video", "waits_with_file", "waits_in_taskflow"])
def test_a_trigger_of_then_is_run_and_its_video_delivered(upgraded, task_id):
    run = upgraded["waiting"]
    assert run.state(task_id) == ("success", 1)
    assert run.result(task_id)["video_task_id"] == run.videos[f"<video of {task_id}>"]
    assert run.result(task_id)["status"] == "success"


@pytest.mark.parametrize("name", ["waiting", "going on"])
def test_a_sensor_of_then_ends_with_its_video(upgraded, name):
    assert upgraded[name].state("waits_for_submitted") == ("success", 1)
    assert upgraded[name].result("waits_for_submitted")["status"] == "success"


def test_a_video_that_was_there_is_delivered(upgraded):
    run = upgraded["going on"]
    assert run.state("waits_for_video") == ("success", 1)
    assert run.result("waits_for_video")["video_task_id"] == run.videos["<video of waits_for_video>"]


@pytest.mark.parametrize("task_id", ["waits_in_taskflow", "has_delivered"])
def test_the_next_try_finds_the_video_of_the_one_before(upgraded, task_id):
    run = upgraded["going on"]
    assert run.state(task_id) == ("success", 2)
    assert run.result(task_id)["video_task_id"] == run.videos[f"<video of {task_id}>"]


def test_the_next_try_leaves_to_a_person_what_nobody_can_know(upgraded):
    run = upgraded["going on"]
    assert run.state("is_submitting") == ("failed", 2)
    said = run.airflow.task_log(run.dag_id, run.run_id, "is_submitting", try_number=2)
    assert "It is unknown whether a video was paid for" in said


@pytest.mark.parametrize("name", ["waiting", "going on"])
def test_a_place_in_the_queue_of_then_is_kept(upgraded, name):
    assert upgraded[name].state("waits_for_slot") == ("success", 1)
    assert upgraded[name].result("waits_for_slot")["prompt"] == "A queue in the rain"


@pytest.mark.parametrize("name", ["waiting", "going on"])
def test_an_outage_of_then_is_survived(upgraded, name):
    assert upgraded[name].state("waits_for_api") == ("success", 1)
    assert upgraded[name].result("waits_for_api")["prompt"] == "A message in a bottle"


def test_a_trigger_of_a_newer_release_ends_the_try_and_the_next_one_finds_the_video(upgraded):
    run = upgraded["going back"]
    assert run.state("waits_for_video") == ("success", 2)
    assert run.result("waits_for_video")["video_task_id"] == run.videos["<video of waits_for_video>"]


def test_a_record_of_a_newer_release_is_refused_for_good_and_left_as_it_is(upgraded):
    run = upgraded["going back"]
    assert run.state("has_delivered") == ("failed", 2)
    said = run.airflow.task_log(run.dag_id, run.run_id, "has_delivered", try_number=2)
    assert "was it written by a newer one?" in said
    kept = run.airflow.state_store(run.dag_id, run.run_id, "has_delivered", "seedance_submission")
    assert kept["schema_version"] == 2
    assert kept["video_task_id"] == run.videos["<video of has_delivered>"]


def test_only_who_had_submitted_nothing_has_paid(release, upgraded, accounts):
    """One video for each of the four that had not submitted yet, and none for all the others."""
    text = "".join(path.read_text() for path in release.iterdir())
    listed = [each["prompt"] for account in accounts.values() for each in account.ledger()["submissions"]]
    assert sorted(prompt for prompt in listed if prompt in text) == [
        *["A message in a bottle"] * 2,
        *["A queue in the rain"] * 2,
    ]
    earlier = [prompt for prompt in listed if prompt.endswith(" as then")]
    assert len(earlier) == sum(len(run.videos) for run in upgraded.values())
