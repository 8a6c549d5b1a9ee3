"""A real Airflow and a real emulator for the integration tests."""

from __future__ import annotations

import json
import os
from pathlib import Path
from urllib.parse import quote

import pytest
import requests

from seedance_provider.emulator.settings import DEFAULT_KEY, DEMO_KEY
from tests.support import media
from tests.support.scripted_api import Answer, scripted_api
from tests.support.statsd_server import StatsdServer
from tools.airflow_stack import AirflowStack
from tools.emulator_process import EmulatorProcess

REPOSITORY = Path(__file__).parents[2]
#: Of two more accounts.
NORTH_KEY, SOUTH_KEY = "north-key", "south-key"


@pytest.fixture(scope="session")
def emulator(tmp_path_factory):
    """An emulator that finishes a video in about 2.5 seconds."""
    options = ("--no-access-key", "no-access", "--key", f"{NORTH_KEY}=1000", "--key", f"{SOUTH_KEY}=1000")
    with EmulatorProcess(tmp_path_factory.mktemp("emulator"), credits=100_000, options=options) as running:
        yield running


@pytest.fixture(scope="session")
def small_emulator(tmp_path_factory):
    """An emulator whose account may have two videos in progress."""
    with EmulatorProcess(tmp_path_factory.mktemp("small"), options=("--concurrency-limit", "2")) as running:
        yield running


@pytest.fixture(scope="session")
def slow_emulator(tmp_path_factory):
    """An emulator that leaves time to do something while it generates a video."""
    with EmulatorProcess(tmp_path_factory.mktemp("slow"), generation_seconds=12) as running:
        yield running


@pytest.fixture(scope="session")
def video_folder(tmp_path_factory):
    """Where the example DAGs put their videos."""
    return tmp_path_factory.mktemp("videos")


@pytest.fixture(scope="session")
def image_folder(tmp_path_factory):
    """Where an example DAG finds its pictures."""
    folder = tmp_path_factory.mktemp("images")
    media.picture(folder / "navy.png", "navy")
    media.picture(folder / "red.jpg", "red")
    (folder / "notes.txt").write_text("no picture")
    return folder


@pytest.fixture(scope="session")
def prompt_file(tmp_path_factory):
    """Where an example DAG finds its prompts."""
    path = tmp_path_factory.mktemp("prompts") / "prompts.csv"
    path.write_text(
        'name,prompt,duration,resolution\nowl,An owl over a quiet street,4,720x1280\nfox,"A fox, asleep",,\n'
    )
    return path


@pytest.fixture(scope="session")
def dags_folder(tmp_path_factory):
    """
    The DAGs of the Airflow under test: the examples of the repository, and what the tests write in here.

    Airflow sees a file that is added while it is running within about two seconds.
    """
    folder = tmp_path_factory.mktemp("dags")
    for example in (REPOSITORY / "dags").glob("*.py"):
        os.symlink(example, folder / example.name)
    return folder


@pytest.fixture(scope="session")
def statsd():
    """What hears the metrics of the Airflow under test."""
    with StatsdServer() as server:
        yield server


@pytest.fixture(scope="session")
def webhook():
    """Hears what an example DAG posts."""
    with scripted_api() as running:
        running.creations.append(Answer(body={"ok": True}))
        yield running


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory):
    """The database where an example DAG keeps its table."""
    return tmp_path_factory.mktemp("catalogue") / "videos.db"


@pytest.fixture(scope="session")
def airflow_stack(
    tmp_path_factory,
    dags_folder,
    emulator,
    small_emulator,
    slow_emulator,
    video_folder,
    image_folder,
    prompt_file,
    statsd,
    webhook,
    catalogue,
):
    """An Airflow with connections to the emulators. Starting it takes about 10 seconds."""
    home = tmp_path_factory.mktemp("airflow") / "home"
    secrets = tmp_path_factory.mktemp("secrets") / "connections.json"
    secrets.write_text(json.dumps({"from_file": json.loads(emulator.connection)}))
    env = {
        "AIRFLOW_CONN_SEEDANCE_DEFAULT": emulator.connection,
        "AIRFLOW_CONN_THRIFTY": json.dumps(json.loads(emulator.connection) | {"extra": {"max_credits": 50}}),
        "AIRFLOW_CONN_AS_URI": f"seedance://:{DEFAULT_KEY}@{quote(emulator.base_url, safe='')}?typical_seconds=2-3",
        "AIRFLOW__SECRETS__BACKEND": "airflow.secrets.local_filesystem.LocalFilesystemBackend",
        "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps({"connections_file_path": str(secrets)}),
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        "AIRFLOW_CONN_SMALL": small_emulator.connection,
        "AIRFLOW_CONN_METERED": emulator.connection,
        "AIRFLOW_CONN_SLOW": slow_emulator.connection,
        "AIRFLOW_CONN_DEMO_KEY": json.dumps(json.loads(emulator.connection) | {"password": DEMO_KEY}),
        "AIRFLOW_CONN_SEEDANCE_NORTH": json.dumps(json.loads(emulator.connection) | {"password": NORTH_KEY}),
        "AIRFLOW_CONN_SEEDANCE_SOUTH": json.dumps(json.loads(emulator.connection) | {"password": SOUTH_KEY}),
        "AIRFLOW_CONN_VIDEO_WEBHOOK": json.dumps({"conn_type": "http", "host": webhook.url}),
        "AIRFLOW_CONN_VIDEO_CATALOGUE": json.dumps({"conn_type": "sqlite", "host": str(catalogue)}),
        "SEEDANCE_VIDEO_FOLDER": video_folder.as_uri(),
        "SEEDANCE_IMAGE_FOLDER": image_folder.as_uri(),
        "SEEDANCE_PROMPT_FILE": prompt_file.as_uri(),
        **statsd.settings,
    }
    with AirflowStack(home, dags_folder, env=env) as running:
        # An API server of Airflow 3.1 that tests a connection before it is asked for a form never knows its fields.
        forms = f"{running.base_url}/ui/connections/hook_meta"
        token = requests.get(f"{running.base_url}/auth/token", timeout=30).json()["access_token"]
        requests.get(forms, headers={"Authorization": f"Bearer {token}"}, timeout=60).raise_for_status()
        yield running
