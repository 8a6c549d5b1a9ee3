"""
An Airflow of its own for a module; one with the CeleryExecutor and two of most components, and the servers that it
needs; and the packages, as ``make build`` makes them.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from tests.support.commands import run
from tests.support.scripted_api import ANY_TIME
from tools.airflow_layout import celery_layout
from tools.airflow_stack import AirflowStack
from tools.emulator_process import EmulatorProcess
from tools.postgres_server import PostgresServer
from tools.redis_server import RedisServer


@pytest.fixture(scope="session")
def database():
    """The metadata database."""
    with PostgresServer() as running:
        yield running


@pytest.fixture(scope="session")
def broker():
    """The queue to the workers."""
    with RedisServer() as running:
        yield running


@pytest.fixture(scope="session")
def slow_emulator(tmp_path_factory):
    """An emulator that leaves time to do something while it generates a video: about 25 seconds."""
    with EmulatorProcess(tmp_path_factory.mktemp("slow"), generation_seconds=25) as running:
        yield running


@pytest.fixture(scope="session")
def celery_dags(tmp_path_factory):
    """The folder of its DAGs, in which the tests write."""
    return tmp_path_factory.mktemp("dags")


@pytest.fixture(scope="session")
def celery_airflow(tmp_path_factory, celery_dags, database, broker, slow_emulator):
    """The Airflow. Starting it takes about 20 seconds."""
    home = tmp_path_factory.mktemp("celery") / "home"
    connection = json.loads(slow_emulator.connection)
    env = {
        "AIRFLOW_CONN_SEEDANCE_DEFAULT": slow_emulator.connection,
        "AIRFLOW_CONN_POLLED_AT_ONCE": json.dumps(connection | {"extra": {"typical_seconds": ANY_TIME}}),
    }
    layout = celery_layout(database.url, broker.url)
    with AirflowStack(home, celery_dags, env=env, layout=layout) as running:
        yield running


@pytest.fixture(scope="module")
def dags_folder(tmp_path_factory):
    """The folder of the DAGs of a module, in which its tests write."""
    return tmp_path_factory.mktemp("dags")


@pytest.fixture(scope="module")
def airflow_stack(tmp_path_factory, dags_folder):
    """An Airflow of the LocalExecutor that the tests of a module have to themselves."""
    with AirflowStack(tmp_path_factory.mktemp("airflow") / "home", dags_folder) as running:
        yield running


@pytest.fixture(scope="session")
def sources(tmp_path_factory):
    """What a clone of the repository would have, with the changes that are not committed."""
    repository, folder = Path(__file__).parents[2], tmp_path_factory.mktemp("sources")
    for name in _names(repository):
        if (repository / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(repository / name, folder / name)
    return folder


@pytest.fixture(scope="session")
def built(sources, tmp_path_factory):
    """The folder with the sdist, and the wheel that was made of it."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--installer", "uv", "--outdir", folder, sources, cwd=folder)
    return folder


def _names(repository):
    if (repository / ".git").exists():
        return run("git", "ls-files", "--cached", "--others", "--exclude-standard", cwd=repository).splitlines()
    # An unpacked sdist, in which tests may have run.
    files = [path.relative_to(repository) for path in repository.rglob("*")]
    return [str(name) for name in files if not {"__pycache__", ".pytest_cache", ".venv"} & set(name.parts)]
