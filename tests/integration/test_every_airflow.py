"""What has to work on every Airflow that is supported, and how it degrades below 3.3, on a real one."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import requests

from tests.support.airflow_versions import RELEASE, needs_state_store, without_state_store

pytestmark = pytest.mark.every_airflow

DAG = '''
import os
import signal
from datetime import timedelta

from airflow.sdk import DAG, get_current_context

from seedance_provider.operators.seedance import CreateVideoOperator
from seedance_provider.sensors.seedance import VideoSensor
from seedance_provider.transfers.video_to_object_storage import VideoToObjectStorageOperator

RETRIES = {"retries": 2, "retry_delay": timedelta(seconds=1)}
REQUEST = {"duration": 4, "poll_interval": 1}


def die_at_the_first_try():
    if get_current_context()["ti"].try_number == 1:
        os.kill(os.getpid(), signal.SIGKILL)


class KilledSensor(VideoSensor):
    """The video is there, and the try that has heard of it is killed."""

    def _conclude(self, *arguments):
        # Also where the video is there at the first poll, as on a machine that starts workers slowly.
        result = super()._conclude(*arguments)
        die_at_the_first_try()
        return result


class KilledCreation(CreateVideoOperator):
    """The video is paid for, and the try that has paid is killed."""

    def defer(self, **arguments):
        die_at_the_first_try()
        super().defer(**arguments)


with DAG(dag_id="split_form", schedule=None):
    create = CreateVideoOperator(
        task_id="create", prompt="split {{ run_id }}", wait_for_completion=False, retries=0, **REQUEST
    )
    wait = KilledSensor(task_id="wait", video_task_id=create.output["video_task_id"], poke_interval=1, **RETRIES)
    VideoToObjectStorageOperator(
        task_id="land", video=wait.output, destination="{{ dag_run.conf['folder'] }}/{video_task_id}.mp4", **RETRIES
    )

with DAG(dag_id="one_task", schedule=None):
    KilledCreation(task_id="create", prompt="one {{ run_id }}", **REQUEST, **RETRIES)

# A try gives up before the video is there.
IMPATIENT = REQUEST | {"seedance_conn_id": "slow", "timeout": 3, "retries": 3, "retry_delay": timedelta(seconds=1)}

with DAG(dag_id="impatient", schedule=None):
    CreateVideoOperator(task_id="create", prompt="impatient {{ run_id }}", **IMPATIENT)

with DAG(dag_id="impatient_in_worker", schedule=None):
    CreateVideoOperator(task_id="create", prompt="in worker {{ run_id }}", deferrable=False, **IMPATIENT)
'''


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("landed")


@pytest.fixture(scope="module")
def runs(airflow_stack, dags_folder, folder):
    """One run of each DAG, started together and waited for."""
    (dags_folder / "every_airflow.py").write_text(DAG)
    dag_ids = ("split_form", "one_task", "impatient", "impatient_in_worker")
    return airflow_stack.run_each(dag_ids, conf={"folder": folder.as_uri()})


def paid_for(emulator, run_id: str, word: str) -> list[int]:
    """The credits of every video that was made for a run."""
    listed = emulator.ledger()["submissions"]
    return [entry["creditsCharged"] for entry in listed if entry["prompt"] == f"{word} {run_id}"]


def tries(airflow_stack, runs, dag_id: str) -> dict[str, tuple[str, int]]:
    instances = airflow_stack.task_instances(dag_id, runs[dag_id])
    return {instance["task_id"]: (instance["state"], instance["try_number"]) for instance in instances}


def links(airflow_stack, runs, task_id: str) -> dict[str, str]:
    task = f"/dags/split_form/dagRuns/{runs['split_form']}/taskInstances/{task_id}"
    return airflow_stack.call("GET", f"{task}/links")["extra_links"]


def get(airflow_stack, url: str) -> requests.Response:
    """What the API server answers to somebody who is logged in."""
    token = requests.get(f"{airflow_stack.base_url}/auth/token", timeout=30).json()["access_token"]
    return requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=30)


def test_no_dag_file_breaks(airflow_stack, runs):
    assert airflow_stack.import_errors() == {}


class TestSplitForm:
    def test_pays_once_though_the_wait_is_killed(self, airflow_stack, emulator, runs):
        assert tries(airflow_stack, runs, "split_form") == {
            "create": ("success", 1),
            "wait": ("success", 2),
            "land": ("success", 1),
        }
        assert len(paid_for(emulator, runs["split_form"], "split")) == 1

    def test_lands_the_video(self, airflow_stack, runs, folder):
        landed = airflow_stack.xcom("split_form", runs["split_form"], "land")
        path = Path(unquote(urlsplit(landed).path))
        assert path.parent == folder
        assert path.stat().st_size > 10_000


class TestOneTask:
    """The try that has paid is killed, and there are retries."""

    @needs_state_store
    def test_the_retry_waits_for_what_is_paid_for(self, airflow_stack, emulator, runs):
        assert tries(airflow_stack, runs, "one_task") == {"create": ("success", 2)}
        assert len(paid_for(emulator, runs["one_task"], "one")) == 1

    @without_state_store
    def test_below_airflow_3_3_the_retry_pays_again(self, airflow_stack, emulator, runs):
        assert tries(airflow_stack, runs, "one_task") == {"create": ("success", 2)}
        assert len(paid_for(emulator, runs["one_task"], "one")) == 2

    @without_state_store
    def test_below_airflow_3_3_the_log_has_warned_of_it_before(self, airflow_stack, runs):
        said = airflow_stack.task_log("one_task", runs["one_task"], "create", try_number=1)
        assert said.count("This Airflow has no task state store") == 1
        assert "VideoSensor" in said
        assert said.index("This Airflow has no task state store") < said.index("Submitted video task")


@pytest.mark.parametrize(("dag_id", "word"), [("impatient", "impatient"), ("impatient_in_worker", "in worker")])
class TestTimeOut:
    """Of a try with retries left, while its video is being made."""

    def test_pays_once(self, airflow_stack, slow_emulator, runs, dag_id, word):
        assert len(paid_for(slow_emulator, runs[dag_id], word)) == 1

    @needs_state_store
    def test_a_retry_waits_for_what_is_paid_for(self, airflow_stack, runs, dag_id, word):
        state, try_number = tries(airflow_stack, runs, dag_id)["create"]
        assert state == "success"
        assert try_number > 1

    @without_state_store
    def test_below_airflow_3_3_there_is_no_retry_and_the_log_names_the_video(self, airflow_stack, runs, dag_id, word):
        assert tries(airflow_stack, runs, dag_id) == {"create": ("failed", 1)}
        said = airflow_stack.task_log(dag_id, runs[dag_id], "create")
        task_id = airflow_stack.xcom(dag_id, runs[dag_id], "create", key="video_task_id")
        assert f"VideoSensor(video_task_id='{task_id}')" in said


class TestInTheUi:
    def test_the_tasks_have_their_links(self, airflow_stack, runs):
        video = airflow_stack.xcom("split_form", runs["split_form"], "wait")["video_url"]
        assert links(airflow_stack, runs, "wait")["Video"] == video
        assert "/recordInfo?" in links(airflow_stack, runs, "create")["Video task"]
        assert "/seedance/" in links(airflow_stack, runs, "land")["Stored video"]

    def test_the_page_and_its_parts_are_served(self, airflow_stack):
        page = get(airflow_stack, f"{airflow_stack.base_url}/seedance/videos/")
        part = get(airflow_stack, f"{airflow_stack.base_url}/seedance/videos/main.js")
        assert (page.status_code, part.status_code) == (200, 200)
        assert "main.js" in page.text

    def test_the_menu_and_a_run_have_a_way_to_the_page(self, airflow_stack):
        plugins = airflow_stack.call("GET", "/plugins")["plugins"]
        (ours,) = [plugin for plugin in plugins if plugin["name"] == "seedance"]
        assert [view["destination"] for view in ours["external_views"]] == ["nav", "dag_run"]

    def test_what_has_landed_plays(self, airflow_stack, runs, folder):
        url = links(airflow_stack, runs, "land")["Stored video"]
        (landed,) = folder.glob("*.mp4")
        # Who may not see it is looked at in tests/unit/plugins: since 3.2 this Airflow takes everybody for its admin.
        assert get(airflow_stack, url).content == landed.read_bytes()

    def test_the_connection_has_a_form(self, airflow_stack):
        forms = get(airflow_stack, f"{airflow_stack.base_url}/ui/connections/hook_meta").json()
        (ours,) = [form for form in forms if form["connection_type"] == "seedance"]
        assert ours["standard_fields"]["password"]["title"] == "API key"
        assert ours["standard_fields"]["login"]["hidden"] is True
        assert {"wire_format", "max_credits"} <= set(ours["extra_fields"])


@pytest.mark.skipif(RELEASE >= (3, 2), reason="is about Airflow 3.1, whose command takes no additions of providers")
def test_airflow_3_1_has_no_pool_command(airflow_stack):
    assert "seedance" not in airflow_stack.command("--help")
