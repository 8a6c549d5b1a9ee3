"""An Airflow database, an emulator and an S3 for what stands in the documents."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.docs import json_blocks, python_blocks, shell_blocks, text_blocks
from tests.docs.documents import REPOSITORY
from tests.support import media
from tools.emulator_process import EmulatorProcess
from tools.s3_server import S3Server

if TYPE_CHECKING:
    from types import SimpleNamespace

#: The bucket of all pages, with the pictures that some of them use.
BUCKET = "my-bucket"


@pytest.fixture(scope="session")
def database() -> Path:
    """The migrated metadata database of the Airflow of this process."""
    from airflow.configuration import conf
    from airflow.utils import db

    with warnings.catch_warnings():
        # Those of Airflow's own migrations.
        warnings.simplefilter("ignore")
        db.initdb()
    return Path(conf.get("database", "sql_alchemy_conn").removeprefix("sqlite:///"))


@pytest.fixture(scope="session")
def emulator(tmp_path_factory):
    """Makes videos at once."""
    folder = tmp_path_factory.mktemp("emulator")
    with EmulatorProcess(folder, waiting_seconds=0.1, generation_seconds=0.9) as running:
        yield running


@pytest.fixture(scope="session")
def s3(tmp_path_factory):
    with S3Server() as running:
        running.client.create_bucket(Bucket=BUCKET)
        picture = media.picture(tmp_path_factory.mktemp("pictures") / "garden.png").read_bytes()
        running.client.put_object(Bucket=BUCKET, Key="garden.png", Body=picture)
        yield running


@pytest.fixture
def connections(emulator, s3, monkeypatch):
    """What the connections of all pages lead to."""
    for name in ("SEEDANCE_DEFAULT", "MARKETING", "RESEARCH"):
        monkeypatch.setenv(f"AIRFLOW_CONN_{name}", emulator.connection)
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", s3.connection)
    # For addresses without a connection.
    account = json.loads(s3.connection)
    monkeypatch.setenv("AWS_ENDPOINT_URL", account["extra"]["endpoint_url"])
    monkeypatch.setenv("AWS_DEFAULT_REGION", account["extra"]["region_name"])
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", account["login"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", account["password"])


@pytest.fixture(scope="session")
def namespaces() -> dict[str, dict]:
    """The names that the blocks of a page have made so far, by page."""
    return {}


@pytest.fixture
def dags_folder(tmp_path, monkeypatch):
    folder = tmp_path / "dags"
    folder.mkdir()
    return folder


@pytest.fixture
def run_python(database, connections, namespaces, dags_folder, tmp_path, monkeypatch):
    """Execute a block, and run its DAGs."""
    monkeypatch.setenv("HOME", str(tmp_path))

    def run(block):
        names = namespaces.setdefault(block.page, python_blocks.granted_names())
        dags = python_blocks.execute(block, names)
        assert names.get("works", True), names.get("found")
        for dag in dags:
            if any(text in block.text for text in python_blocks.NOT_RUN):
                python_blocks.take(dag, dags_folder)
            else:
                assert python_blocks.run(dag, dags_folder).state == "success", f"{block}: {dag.dag_id}"

    return run


@pytest.fixture(scope="session")
def shells(database, tmp_path_factory):
    """A terminal for each page, which its blocks share."""
    with shell_blocks.Shells(database, tmp_path_factory.mktemp("shells")) as opened:
        yield opened


@pytest.fixture
def run_bash(shells):
    """Type a block into the terminal of its page."""
    return shells.run


@pytest.fixture
def run_json(request):
    """Compare a block with what it shows."""

    def run(block):
        json_blocks.check(block, request.getfixturevalue)

    return run


@pytest.fixture(scope="session")
def kept_results() -> list[SimpleNamespace]:
    return []


@pytest.fixture
def results(kept_results, database, connections, dags_folder, tmp_path) -> SimpleNamespace:
    """What tasks return and leave, from real ones, which ran once."""
    if not kept_results:
        kept_results.append(json_blocks.real_results(dags_folder, tmp_path / "landed"))
    return kept_results[0]


@pytest.fixture
def run_ini():
    """Airflow has to know these settings."""
    return text_blocks.check_settings


@pytest.fixture
def run_text():
    """Compare a block with what is printed."""
    return text_blocks.check


@pytest.fixture
def run_include():
    """Look for the file, and for the marks in it."""

    def run(block):
        path = (REPOSITORY / block.page).parent / block.argument
        content = path.read_text()
        for option in ("start-after", "end-before"):
            if mark := block.options.get(option, "").strip("\"'"):
                assert content.count(mark) == 1, f"{block}: {mark!r} is not once in {block.argument}"

    return run
