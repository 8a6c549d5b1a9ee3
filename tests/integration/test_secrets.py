"""
The keys are nowhere but in the connections, after a run of everything that this provider does.

An Airflow of its own, with whatever makes it talk: logs at DEBUG, metrics, OpenLineage. And without Airflow's masker
of secrets, which would hide a leak from the search, but not from whoever looks where it does not mask.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from tests.support import media
from tests.support.key_search import columns_of, files_in, holds, spellings
from tests.support.scripted_api import ANY_TIME, Answer, scripted_api
from tests.support.statsd_server import StatsdServer
from tools.airflow_stack import AirflowStack
from tools.emulator_process import EmulatorProcess
from tools.waiting import wait_until

#: With characters that URLs and JSON write otherwise.
IN_VARIABLE = "sk_variable/3f9a+7c21d0"
IN_DATABASE = "sk_database/b81e+44a9f2"
ROTATED = "sk_rotated/e0d2+915c77"
REFUSED = "sk_refused/77aa+02b1c3"
KEYS = (IN_VARIABLE, IN_DATABASE, ROTATED, REFUSED)

DAG = """
from datetime import timedelta

from airflow.sdk import DAG, Asset, AssetAlias, task

from seedance_provider.hooks.seedance import SeedanceHook
from seedance_provider.operators.seedance import CreateVideoOperator
from seedance_provider.sensors.seedance import VideoSensor
from seedance_provider.transfers.upload_reference import UploadReferenceOperator
from seedance_provider.transfers.video_to_object_storage import VideoToObjectStorageOperator

VIDEO = {{"duration": 4, "poll_interval": 1, "seedance_conn_id": "in_variable"}}
IN_WORKER = VIDEO | {{"deferrable": False}}

with DAG("secrets", schedule=None):
    create = CreateVideoOperator(task_id="create", prompt="A kite, deferred", **VIDEO)
    VideoToObjectStorageOperator(
        task_id="land",
        video=create.output,
        destination="{folder}/",
        sidecar=True,
        seedance_conn_id="in_variable",
        outlets=[AssetAlias("secret_videos"), Asset("file:///secret_videos")],
    )
    CreateVideoOperator(
        task_id="retried",
        prompt="[fail:server_error:1] A kite",
        retries=1,
        retry_delay=timedelta(seconds=1),
        **IN_WORKER,
    )
    CreateVideoOperator(task_id="moderated", prompt="[fail:text_moderation] A kite", **IN_WORKER)
    submit = CreateVideoOperator(
        task_id="submit", prompt="A file", first_frame="{picture}", wait_for_completion=False, **VIDEO
    )
    VideoSensor(task_id="wait", video_task_id=submit.output["video_task_id"], seedance_conn_id="in_variable")
    UploadReferenceOperator(task_id="upload", source="file://{picture}", seedance_conn_id="in_variable")
    CreateVideoOperator(task_id="echoed", prompt="A kite", seedance_conn_id="echoed")
    VideoSensor(
        task_id="babbled",
        video_task_id="task_a",
        seedance_conn_id="echoed",
        deferrable=False,
        poke_interval=1,
        error_tolerance=1,
    )
    # Cleared while it waits, and its key is rotated.
    CreateVideoOperator(task_id="rotated", prompt="A kite", **VIDEO | {{"seedance_conn_id": "in_database"}})

    @task.seedance_video(**IN_WORKER)
    def decorated():
        return "A decorated kite"

    @task
    def raises():
        with SeedanceHook("in_variable").get_conn() as client:
            try:
                client.get_task("no_such_task")
            except Exception as error:
                raise RuntimeError("from the hook") from error

    decorated()
    raises()

with DAG("planted", schedule=None):

    @task
    def plant():
        import base64
        import logging

        from airflow.sdk import get_current_context

        key = SeedanceHook("in_variable").get_settings().api_key
        logging.getLogger("a.library").debug("sends Authorization: Bearer %s", key)
        get_current_context()["ti"].xcom_push(key="basic", value=base64.b64encode(f"u:{{key}}".encode()).decode())
        return {{"headers": {{"Authorization": f"Bearer {{key}}"}}}}

    plant()
"""
EXPECTED = {
    "create": "success",
    "land": "success",
    "retried": "success",
    "moderated": "failed",
    "submit": "success",
    "wait": "success",
    "upload": "success",
    "echoed": "failed",
    "babbled": "failed",
    "rotated": "success",
    "decorated": "success",
    "raises": "failed",
}

Evidence = dict[str, bytes]


class Scene:
    """The Airflow, what is around it, and where all of it writes to."""

    def __init__(
        self, airflow: AirflowStack, folder: Path, fernet_key: str, statsd: StatsdServer, emulator: EmulatorProcess
    ) -> None:
        self.airflow = airflow
        self._emulator = emulator
        self.videos = folder / "videos"
        self.lineage = folder / "lineage.json"
        self._fernet_key = fernet_key
        self._statsd = statsd

    def rotate_key(self) -> None:
        self._emulator.rotate_key(IN_DATABASE, ROTATED)
        body = in_database(self._emulator.base_url, ROTATED)
        self.airflow.call("PATCH", "/connections/in_database", json=body)

    def database(self) -> Evidence:
        return columns_of(self.airflow.home / "airflow.db", self._fernet_key)

    def processes(self) -> Evidence:
        """Whatever ``ps`` shows of all processes of this Airflow."""
        found = {}
        for pid in self.airflow.alive():
            try:
                found[f"argv of {pid}"] = Path(f"/proc/{pid}/cmdline").read_bytes()
            except OSError:  # it has ended meanwhile
                continue
        return found

    def written(self) -> Evidence:
        """Every file: logs, the database as it is, what OpenLineage sends, what has landed, and what it lies beside."""
        self._statsd.received()
        lineage = {"lineage": self.lineage.read_bytes()}
        return (
            files_in(self.airflow.home) | files_in(self.videos) | lineage | {"statsd": b"\n".join(self._statsd.lines)}
        )

    def answered(self, dag_id: str, run_id: str) -> Evidence:
        """What the REST API and the pages of the UI show of a run."""
        run = f"/dags/{dag_id}/dagRuns/{run_id}"
        paths = [
            "/connections",
            "/assets",
            "/assets/events",
            "/eventLogs?limit=100",
            f"/dags/{dag_id}/details",
            f"/dagSources/{dag_id}",
            run,
            f"{run}/taskInstances",
        ]
        for instance in self.airflow.task_instances(dag_id, run_id):
            task = f"{run}/taskInstances/{instance['task_id']}"
            paths += [f"{task}/tries", f"{task}/links", f"{task}/state-store", f"{task}/xcomEntries"]
            paths += [f"{task}/logs/{number}?full_content=true" for number in range(1, instance["try_number"] + 1)]
            entries = self.airflow.call("GET", f"{task}/xcomEntries")["xcom_entries"]
            paths += [f"{task}/xcomEntries/{entry['key']}" for entry in entries]
        return {path: self.airflow.request("GET", path).content for path in paths} | {
            page: self.airflow.request("GET", f"/../..{page}").content for page in ("/", "/seedance/videos/")
        }


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    folder = tmp_path_factory.mktemp("secrets")
    for name in ("dags", "videos"):
        (folder / name).mkdir()
    picture = media.picture(folder / "garden.png")
    (folder / "dags" / "secrets.py").write_text(DAG.format(folder=folder / "videos", picture=picture))
    options = ("--key", f"{IN_VARIABLE}=10000", "--key", f"{IN_DATABASE}=10000")
    fernet_key = Fernet.generate_key().decode()
    with (
        EmulatorProcess(folder / "quick", generation_seconds=1, options=options) as quick,
        EmulatorProcess(folder / "slow", generation_seconds=12, options=options) as slow,
        scripted_api() as echo,
        StatsdServer() as statsd,
    ):
        echo.creations.append(Answer(401, {"message": f"Invalid API Key: Bearer {REFUSED}"}))
        echo.readings.append(Answer(418, f"What is Authorization: Bearer {REFUSED}?".encode(), "text/plain"))
        lineage = {"type": "file", "log_file_path": str(folder / "lineage.json"), "append": True}
        env = {
            "AIRFLOW_CONN_IN_VARIABLE": connection(quick.base_url, IN_VARIABLE),
            "AIRFLOW_CONN_ECHOED": connection(echo.base_url, REFUSED),
            "AIRFLOW__CORE__FERNET_KEY": fernet_key,
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "DEBUG",
            # What is shorter is not masked: that is every key.
            "AIRFLOW__LOGGING__MIN_LENGTH_MASKED_SECRET": "100000",
            "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(lineage),
            "AIRFLOW__OPENLINEAGE__DEBUG_MODE": "True",
            # On a busy machine an event takes longer than the 10 s after which Airflow drops it.
            "AIRFLOW__OPENLINEAGE__EXECUTION_TIMEOUT": "120",
            **statsd.settings,
        }
        with AirflowStack(folder / "home", folder / "dags", env=env) as airflow:
            airflow.call("POST", "/connections", json=in_database(slow.base_url, IN_DATABASE))
            for dag_id in ("secrets", "planted"):
                airflow.wait_for_dag(dag_id)
                airflow.unpause(dag_id)
            yield Scene(airflow, folder, fernet_key, statsd, slow)


def connection(base_url: str, key: str) -> str:
    return json.dumps({"conn_type": "seedance", "host": base_url, "password": key, "extra": {"typical_seconds": "2-3"}})


def in_database(base_url: str, key: str) -> dict[str, str]:
    fields = {"connection_id": "in_database", "conn_type": "seedance", "host": base_url, "password": key}
    return fields | {"extra": json.dumps({"typical_seconds": ANY_TIME})}


@pytest.fixture(scope="module")
def run(scene):
    """All that is to be searched, after the run and in the middle of it, when tasks are deferred."""
    airflow = scene.airflow
    run_id = airflow.trigger("secrets")
    evidence: Evidence = {}

    def trigger_rows() -> bool:
        rows = scene.database().get("trigger.kwargs", b"")
        return b"in_database" in rows

    wait_until(trigger_rows, timeout=180, what="a deferred task")
    evidence |= {f"{name} while it waits": content for name, content in scene.database().items()}
    airflow.clear("secrets", run_id, ["rotated"])
    evidence |= scene.processes()
    scene.rotate_key()
    airflow.wait_for_run("secrets", run_id, on_change=lambda _: evidence.update(scene.processes()))
    # Airflow hears of the end of a task first, and OpenLineage second.
    wait_until(lambda: b"seedance_video" in scene.lineage.read_bytes(), timeout=180, what="an event of the landing")
    evidence |= scene.database() | scene.written() | scene.answered("secrets", run_id)
    return airflow, run_id, evidence


def found_in(evidence: Evidence) -> list[str]:
    return sorted(name for name, content in evidence.items() if any(holds(content, key) for key in KEYS))


def test_everything_has_run_and_was_written_down(run):
    """So that the search is one: each of the places has what is to be expected there."""
    airflow, run_id, evidence = run
    instances = airflow.task_instances("secrets", run_id)
    assert {instance["task_id"]: instance["state"] for instance in instances} == EXPECTED
    tries = {instance["task_id"]: instance["try_number"] for instance in instances}
    assert (tries["retried"], tries["rotated"]) == (2, 2)

    def text(part: str) -> str:
        return "\n".join(content.decode(errors="replace") for name, content in evidence.items() if part in name)

    run_of = f"/dags/secrets/dagRuns/{run_id}/taskInstances"
    assert "in_database" in text("trigger.kwargs while it waits")
    assert "seedance_submission" in text("task_state_store.key")
    assert "A kite, deferred" in text("rendered_task_instance_fields.rendered_fields")
    assert "A kite, deferred" in text("xcom.value")
    assert "A kite, deferred" in text("asset_event.extra")
    assert "A kite, deferred" in text("lineage")
    assert "A kite, deferred" in text("/videos/task_")
    assert "A kite, deferred" in text(f"{run_of}/create/xcomEntries/return_value")
    assert "Invalid API Key: Bearer ***" in text(f"{run_of}/echoed/xcomEntries/failure")
    assert "What is Authorization: Bearer ***?" in text(f"{run_of}/babbled/xcomEntries/failure")
    assert "from the hook" in text(f"{run_of}/raises/logs/1")
    assert "/api/v1/jobs/createTask" in text(f"{run_of}/create/logs/1"), "urllib3 is to talk"
    assert "seedance.video.created" in text("statsd")
    assert "serve-logs" in text("argv of")
    assert "<title>" in text("/seedance/videos/")


def test_the_keys_are_in_the_connections_only(run):
    _, _, evidence = run
    # As the file that it is, the database holds it encrypted; what is decrypted is the password alone.
    places = ["connection.password", "connection.password while it waits"]
    assert found_in(evidence) == places
    assert holds(evidence["connection.password"], ROTATED)
    assert holds(evidence["connection.password while it waits"], IN_DATABASE)


def test_a_key_that_somebody_writes_down_is_found(run, scene):
    """The search itself is put to the test, with a task that does what must not be done."""
    airflow, _, _ = run
    run_id = airflow.trigger("planted")
    assert airflow.wait_for_run("planted", run_id)["state"] == "success"
    evidence = scene.database() | scene.written() | scene.answered("planted", run_id)
    found = found_in(evidence)
    task = f"/dags/planted/dagRuns/{run_id}/taskInstances/plant"
    assert "xcom.value" in found
    assert {f"{task}/xcomEntries/return_value", f"{task}/xcomEntries/basic", f"{task}/logs/1?full_content=true"} <= {
        *found
    }
    assert [name for name in found if name.endswith("attempt=1.log")]
    # Or the file beside it, in which SQLite keeps what is new.
    assert [name for name in found if Path(name).name.startswith("airflow.db")]


@pytest.mark.parametrize("before", ["", "a", "ab", "user:", "Bearer "])
def test_every_spelling_is_looked_for(before):
    import base64
    from urllib.parse import quote

    raw = f"{before}{IN_VARIABLE} and more"
    assert holds(raw, IN_VARIABLE)
    assert holds(quote(raw), IN_VARIABLE)
    assert holds(base64.b64encode(raw.encode()), IN_VARIABLE)
    assert holds(json.dumps(raw).replace("/", "\\/"), IN_VARIABLE)
    assert not holds(raw.replace("7c21", "7c22"), IN_VARIABLE)
    assert min(map(len, spellings(IN_VARIABLE))) > 20
    assert os.environ.get("AIRFLOW_CONN_IN_VARIABLE") is None
