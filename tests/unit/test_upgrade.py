"""What every earlier release has left in Airflow's database is understood by this one, and pays for nothing again."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
import time
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from airflow.models.taskinstancekey import TaskInstanceKey
from airflow.providers.common.compat.module_loading import import_string
from airflow.providers.common.compat.sdk import AirflowFailException, TaskDeferred

import seedance_provider.plugins
from seedance_provider.api.errors import GenerationFailedError
from seedance_provider.api.video_request import VideoRequest
from seedance_provider.landing.known_video import KnownVideo
from seedance_provider.landing.record import LandingRecords
from seedance_provider.links.seedance import StoredVideoLink, VideoLink, VideoTaskLink
from seedance_provider.plugins.stored_video import StoredVideo
from seedance_provider.submission.plans import Action
from seedance_provider.submission.record import Submission, SubmissionState
from seedance_provider.submission.spending import BUDGET_KEY, RunBudget
from seedance_provider.submission.task_state import SubmissionRecordError
from tests.support.recorded import RELEASES, dag_of, situations
from tests.support.scripted_api import Answer, record
from tests.support.task_context import StateStore, TaskInstance, context

CONNECTIONS = ("seedance_default", "slow", "small")


def named_like(placeholder_of: str) -> str:
    return f"task_{placeholder_of.replace('_', '0'):0<24}"[:29]


def cases(**wanted) -> Any:
    """Parameters: the situations of all releases, or those that hold what is wanted."""
    found = [
        pytest.param((release, name), id=f"{release.name}-{name}")
        for release in RELEASES
        for name, situation in situations(release).items()
        if all(is_wanted(situation.row[part]) for part, is_wanted in wanted.items())
    ]
    assert found
    return pytest.mark.parametrize("case", found)


def holds(key: str, **values) -> Any:
    """Whether an object with some values is kept under a key."""
    return lambda kept: isinstance(kept.get(key), dict) and kept[key] | values == kept[key]


@pytest.fixture
def addresses(api, monkeypatch, tmp_path) -> dict[str, str]:
    """What the placeholders stand for."""
    texts = {f"<{name}>": api.url for name in CONNECTIONS}
    texts |= {"<images>": "file:///nobody/has/them", "<videos>": tmp_path.as_uri(), "<run>": "manual__1", "<key>": "k"}
    for name in CONNECTIONS:
        connection = {"conn_type": "seedance", "host": api.base_url, "password": "sk-test"}
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(connection))
    monkeypatch.setenv("SEEDANCE_IMAGE_FOLDER", texts["<images>"])
    return texts


@pytest.fixture
def row(case, addresses) -> dict[str, Any]:
    """What is left of one task instance, as if it were written now."""
    release, name = case
    found = situations(release)
    ids = {f"<video of {each.row['task_id']}>": named_like(each.row["task_id"]) for each in found.values()}
    return found[name].filled(addresses | ids, time.time())


@pytest.fixture
def task(case, row):
    """The task of the same DAG, made by the code of today."""
    release, _ = case
    return dag_of(release).get_task(row["task_id"])


@pytest.fixture
def next_try(row, task) -> dict[str, Any]:
    """The context of the next try, which finds what the release has kept."""
    store = StateStore()
    for key, value in row["state_store"].items():
        store.set(key, value)
    made = context(store, row["max_tries"])
    made["ti"].task_id, made["ti"].map_index = row["task_id"], -1
    return made | {"dag": task.dag}


class TestRecordings:
    @pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.name)
    def test_every_release_is_recorded_in_every_situation(self, release):
        found = situations(release)
        assert {situation.release for situation in found.values()} == {release.name}
        triggers = {name for name, situation in found.items() if situation.row["trigger"]}
        assert {"waits_for_video", "waits_for_submitted", "waits_for_slot", "waits_for_api"} <= triggers
        kept = {key for situation in found.values() for key in situation.row["state_store"]}
        assert {"seedance_submission", "seedance_landing", "seedance_files", "seedance_inputs"} <= kept
        submissions = [situation.row["state_store"].get("seedance_submission") for situation in found.values()]
        assert {record["state"] for record in submissions if record} == set(SubmissionState)

    @cases()
    def test_nothing_of_the_machine_or_a_key_is_in_them(self, case):
        release, name = case
        text = (release / f"{name}.json").read_text()
        assert [found for found in ("127.0.0.1", "/tmp", "/home", "/root", "sk-") if found in text] == []


@cases(trigger=lambda trigger: trigger is not None)
def test_what_was_deferred_is_made_again_as_it_was_and_can_resume(row, task):
    trigger = import_string(row["trigger"]["classpath"])(**row["trigger"]["kwargs"])
    classpath, kwargs = trigger.serialize()
    assert classpath == row["trigger"]["classpath"]
    assert kwargs | row["trigger"]["kwargs"] == kwargs
    method = getattr(task, row["next_method"])
    inspect.signature(method).bind({}, event={}, **row["next_kwargs"])


class TestResuming:
    """The trigger of the release has fired, and the worker is of today."""

    @cases(next_method=lambda method: method == "execute_complete", trigger=lambda trigger: trigger is None)
    def test_a_finished_video_is_the_result_with_all_that_it_had(self, api, case, row, task, next_try):
        result = task.execute_complete(next_try, **row["next_kwargs"])
        assert result["status"] == "success"
        assert result["video_url"].startswith(api.url)
        results = [each.row["xcoms"].get("return_value") for each in situations(case[0]).values()]
        promised = [each for each in results if isinstance(each, dict) and each.get("status") == "success"]
        own = {"estimated_credits", "prompt", "inputs", "mismatches"} if task.task_type == "VideoSensor" else set()
        assert promised
        assert all(each.keys() - own <= result.keys() for each in promised)
        assert api.asked == []

    @cases(
        next_method=lambda method: method in ("resume_after_slot", "resume_after_outage"),
        trigger=lambda trigger: trigger is None,
    )
    def test_what_may_be_asked_again_is_asked_once(self, api, row, task, next_try):
        api.creations.append(Answer(body={"taskId": "task_a"}))
        with pytest.raises(TaskDeferred):
            getattr(task, row["next_method"])(next_try, **row["next_kwargs"])
        assert len(api.created) == 1


class TestRetries:
    """The worker or the trigger of the release is gone, and today's next try finds its record."""

    @cases(state_store=lambda kept: "seedance_submission" in kept)
    def test_the_record_means_what_it_meant(self, row):
        kept = row["state_store"]["seedance_submission"]
        again = Submission.from_json(kept).to_json()
        assert again | kept == again

    @cases(state_store=holds("seedance_submission", state="submitted", delivered=False))
    def test_a_paid_video_is_waited_for_and_none_is_submitted(self, api, row, task, next_try):
        video = row["state_store"]["seedance_submission"]["video_task_id"]
        api.readings.append(Answer(body=record("generating", video)))
        with pytest.raises(TaskDeferred) as caught:
            task.execute(next_try)
        assert caught.value.trigger.video_task_id == video
        assert api.created == []

    @cases(state_store=holds("seedance_submission", state="submitted", delivered=True))
    def test_a_delivered_video_is_used_and_none_is_submitted(self, api, row, task, next_try):
        video = row["state_store"]["seedance_submission"]["video_task_id"]
        api.readings.append(Answer(body=record("success", video)))
        # Also if a person has cleared it.
        next_try["ti"].max_tries += 1
        assert task.execute(next_try)["video_task_id"] == video
        assert api.created == []

    @cases(state_store=holds("seedance_submission", state="submitting"))
    def test_one_whose_outcome_is_unknown_is_left_to_a_person(self, api, task, next_try):
        with pytest.raises(AirflowFailException, match="It is unknown whether a video was paid for"):
            task.execute(next_try)
        assert api.asked == []

    @cases(state_store=holds("seedance_submission", state="abandoned"))
    def test_one_that_has_failed_for_good_is_not_submitted_again(self, api, task, next_try):
        with pytest.raises(AirflowFailException):
            task.execute(next_try)
        assert api.created == []

    @cases(state_store=lambda kept: "seedance_inputs" in kept)
    def test_a_function_is_not_called_again(self, api, row, task, next_try):
        api.readings.append(Answer(body=record("generating", taskId=None)))
        task.python_callable = lambda: pytest.fail("it was called")
        with pytest.raises(TaskDeferred):
            task.execute(next_try)
        kept = row["state_store"]["seedance_inputs"]["inputs"]
        assert {name: getattr(task, name) for name in kept} == kept

    @cases(state_store=lambda kept: "seedance_files" in kept)
    def test_a_file_that_is_gone_is_known_and_was_uploaded(self, api, row, task, next_try):
        from seedance_provider.api.client import SeedanceClient
        from seedance_provider.hooks.seedance import SeedanceHook
        from seedance_provider.submission.reference_files import ReferenceFiles

        files = ReferenceFiles(next_try["task_state_store"], task.log)
        request = VideoRequest(prompt=task.prompt, **files.described(first_frame=task.first_frame))
        with SeedanceClient(SeedanceHook("slow").get_settings().protocol()) as client:
            uploaded = files.uploaded(client, request)
        (kept,) = row["state_store"]["seedance_files"].values()
        assert uploaded.first_frame.url == kept["file"]["url"]
        assert api.asked == []

    @cases(state_store=lambda kept: "seedance_landing" in kept)
    def test_what_has_landed_is_remembered(self, row, next_try):
        kept = row["state_store"]["seedance_landing"]
        found = LandingRecords(next_try["task_state_store"], None).load()
        assert found is not None
        assert asdict(found) | kept == asdict(found)


class TestXComs:
    """What other tasks and the UI read of it."""

    @pytest.fixture
    def pushed(self, row, monkeypatch):
        xcoms = row["xcoms"]
        monkeypatch.setattr("seedance_provider.links.seedance.XCom.get_value", lambda *, ti_key, key: xcoms.get(key))
        return xcoms

    @staticmethod
    def link(kind: type) -> str:
        return kind().get_link(None, ti_key=TaskInstanceKey("dag", "task", "run", 1, -1))

    @cases(xcoms=holds("return_value", status="success"))
    def test_a_result_can_be_landed_and_opened(self, case, pushed):
        video = KnownVideo.of(pushed["return_value"])
        assert (video.url, video.video_task_id) == (pushed["return_value"]["video_url"], pushed["video_task_id"])
        assert video.moment is not None
        assert None not in [video.facts[name] for name in ("model", "prompt", "credits_used", "generation_seconds")]
        assert self.link(VideoLink) == video.url
        landed = situations(case[0])["has_landed"].row["state_store"]["seedance_landing"]
        assert landed["video"] == f"<video of {case[1]}>"
        assert video.identity == named_like(case[1])

    @cases(xcoms=lambda xcoms: "submitted" in xcoms)
    def test_the_record_of_the_api_is_linked_to(self, api, pushed):
        assert self.link(VideoTaskLink).startswith(api.base_url)

    @cases(xcoms=lambda xcoms: "landed" in xcoms)
    def test_a_landed_video_is_shown(self, pushed, tmp_path):
        size = pushed["landed"]["size"]
        (tmp_path / Path(pushed["landed"]["path"]).name).write_bytes(b"\0\0\0\x18ftypisom".ljust(size, b"\0"))
        with StoredVideo.recorded(pushed["landed"]) as video:
            assert video.size == size
        assert "/seedance/stored?" in self.link(StoredVideoLink)

    @cases(xcoms=lambda xcoms: "failure" in xcoms)
    def test_a_failure_has_what_a_branch_looks_at(self, pushed):
        today = GenerationFailedError("a", video_task_id="b").summary()
        assert {name: type(value) for name, value in pushed["failure"].items()}.items() <= {
            name: type(value) for name, value in today.items()
        }.items()

    @cases(xcoms=lambda xcoms: "url" in xcoms)
    def test_an_upload_can_be_referred_to(self, pushed):
        assert VideoRequest(prompt="A kite", first_frame=pushed["url"]).first_frame == pushed["return_value"]["url"]

    @cases(xcoms=lambda xcoms: BUDGET_KEY in xcoms)
    def test_what_is_reserved_of_a_budget_counts(self, pushed):
        reserved = pushed[BUDGET_KEY]["credits"]

        class Ti(TaskInstance):
            id, task_id, map_index, task = "another", "another", -1, None

            def xcom_pull(self, *, task_ids, key):
                return [pushed[BUDGET_KEY]]

        assert reserved > 0
        assert RunBudget(reserved + 100, ["a"], Ti()).reserve(100) is None
        refused = RunBudget(reserved + 100, ["a"], Ti()).reserve(101)
        assert refused is not None
        assert refused.action is Action.FAIL

    @cases(xcoms=lambda xcoms: "submitted" in xcoms)
    def test_the_videos_page_knows_the_video(self, row):
        shown = described(json.dumps([row]))[0]
        assert shown["videoTask"] == row["xcoms"]["submitted"]["video_task_id"]
        assert shown.get("prompt") == row["xcoms"]["submitted"].get("prompt")
        assert shown["typicalSeconds"] == row["xcoms"]["submitted"]["typical_seconds"]
        assert shown.get("vendorUrl") == (row["xcoms"].get("return_value") or {}).get("video_url")

    @cases(trigger=lambda trigger: trigger is not None)
    def test_the_videos_page_knows_what_is_waited_for(self, row):
        labels = {"waits_for_slot": "waiting for a free slot", "waits_for_api": "API unreachable since "}
        assert described(json.dumps([row]))[0]["label"].startswith(labels.get(row["task_id"], "in progress"))


@cache
def described(rows: str) -> list[dict[str, Any]]:
    """What the Videos page has to say about tasks."""
    script = (Path(seedance_provider.plugins.__file__).with_name("videos_page") / "video.js").as_uri()
    program = (
        f"import {{ describe }} from {json.dumps(script)};"
        f"console.log(JSON.stringify({rows}.map((row) => describe(row, row.xcoms))));"
    )
    node = Path(sys.executable).with_name("node")
    command = [node, "--input-type=module", "--eval", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class TestGoingBack:
    """A newer release has left something, and this one is put back in its place."""

    @cases(state_store=lambda kept: "seedance_submission" in kept)
    def test_a_record_of_a_newer_release_submits_nothing_and_says_why(self, api, task, row, next_try):
        kept = row["state_store"]["seedance_submission"]
        newer = kept | {"schema_version": kept["schema_version"] + 1, "another": True}
        next_try["task_state_store"].set("seedance_submission", newer)
        with pytest.raises(SubmissionRecordError, match=r"was it written by a newer one\?\)\. Nothing was submitted"):
            Submission.from_json(newer)
        with pytest.raises(AirflowFailException, match="Nothing was submitted"):
            task.execute(next_try)
        assert api.asked == []
        # The newer release, put back again, finds what it has left.
        assert next_try["task_state_store"].get("seedance_submission") == newer
