"""A real Airflow and a real emulator for the integration tests."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from seedance_provider.emulator.settings import DEMO_KEY
from tools.airflow_stack import AirflowStack
from tools.emulator_process import EmulatorProcess

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def emulator(tmp_path_factory):
    """An emulator that finishes a video in about 2.5 seconds."""
    with EmulatorProcess(tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.fixture(scope="session")
def small_emulator(tmp_path_factory):
    """An emulator whose account may have two videos in progress."""
    with EmulatorProcess(tmp_path_factory.mktemp("small"), options=("--concurrency-limit", "2")) as running:
        yield running


@pytest.fixture(scope="session")
def video_folder(tmp_path_factory):
    """Where the example DAGs put their videos."""
    return tmp_path_factory.mktemp("videos")


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
def airflow_stack(tmp_path_factory, dags_folder, emulator, small_emulator, video_folder):
    """An Airflow with connections to the emulators. Starting it takes about 10 seconds."""
    env = {
        "AIRFLOW_CONN_SEEDANCE_DEFAULT": emulator.connection,
        "AIRFLOW_CONN_SMALL": small_emulator.connection,
        "AIRFLOW_CONN_DEMO_KEY": json.dumps(json.loads(emulator.connection) | {"password": DEMO_KEY}),
        "SEEDANCE_VIDEO_FOLDER": video_folder.as_uri(),
    }
    with AirflowStack(tmp_path_factory.mktemp("airflow") / "home", dags_folder, env=env) as running:
        yield running
