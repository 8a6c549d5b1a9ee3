"""A real Airflow with real users, seen through a real browser."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
from playwright.sync_api import expect

from tools.airflow_api import AirflowApi, Login
from tools.airflow_stack import AirflowStack
from tools.browser import chromium, log_in
from tools.emulator_process import EmulatorProcess
from tools.s3_server import S3Server

# The machine may have other tests to run.
expect.set_options(timeout=30_000)

DAGS = Path(__file__).with_name("dags")
ADMIN = Login("admin", "the admin's password")
FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
#: What every user may do, but for reading XComs, which onlookers may not; which DAGs one may read is said by the DAGs.
READER = (
    ("can_read", "Website"),
    ("menu_access", "Browse"),
    ("menu_access", "DAGs"),
    ("can_read", "DAG Runs"),
    ("can_read", "Task Instances"),
    ("can_read", "Task Logs"),
    ("menu_access", "Plugins"),
    ("can_read", "Plugins"),
)
#: What most tests look at.
BEFOREHAND = ("public_campaign", "secret_campaign", "many_ways", "on_s3", "own_operator")
USERS = {"insider": "insiders", "outsider": "outsiders", "onlooker": "onlookers", "nobody": "Public"}


@pytest.fixture(scope="session")
def emulator(tmp_path_factory):
    """An emulator that leaves time to look at a video that is generated."""
    with EmulatorProcess(tmp_path_factory.mktemp("emulator"), generation_seconds=12) as running:
        yield running


@pytest.fixture(scope="session")
def small_emulator(tmp_path_factory):
    """An emulator whose account may have one video in progress, for long enough to see who waits for it."""
    options = ("--concurrency-limit", "1")
    with EmulatorProcess(tmp_path_factory.mktemp("small"), generation_seconds=60, options=options) as running:
        yield running


@pytest.fixture(scope="session")
def video_folder(tmp_path_factory):
    """Where the videos land."""
    return tmp_path_factory.mktemp("videos")


@pytest.fixture(scope="session")
def s3():
    """A store with a bucket ``videos``."""
    with S3Server() as running:
        running.client.create_bucket(Bucket="videos")
        yield running


@pytest.fixture(scope="session")
def airflow(tmp_path_factory, emulator, small_emulator, video_folder, s3):
    """An Airflow whose users may read different DAGs. Starting it takes about 25 seconds."""
    env = {
        "AIRFLOW_CONN_SEEDANCE_DEFAULT": emulator.connection,
        "AIRFLOW_CONN_SMALL": small_emulator.connection,
        "AIRFLOW_CONN_AWAY": json.dumps(json.loads(emulator.connection) | {"host": "http://127.0.0.1:9/api/v1"}),
        "AIRFLOW__SEEDANCE__VIDEO_OPERATORS": "BrandVideoOperator",
        "SEEDANCE_VIDEO_FOLDER": video_folder.as_uri(),
        "AIRFLOW__CORE__AUTH_MANAGER": FAB,
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        # On a busy machine, Airflow fails a task that resumes before its scheduler has heard that it deferred.
        "AIRFLOW__CORE__DEFAULT_TASK_RETRIES": "3",
        "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "1",
    }
    home = tmp_path_factory.mktemp("airflow") / "home"
    folder = tmp_path_factory.mktemp("dags")
    with AirflowStack(home, folder, env=env, admin=ADMIN) as running:
        add_users(running)
        # In the database, where people keep connections, and only the API server may look by itself.
        store = json.loads(s3.connection)
        extra = store["extra"] if isinstance(store["extra"], str) else json.dumps(store["extra"])
        running.call("POST", "/connections", json={**store, "connection_id": "s3", "extra": extra})
        # Not before: a DAG that names a role that is not there is refused.
        for file in DAGS.glob("*.py"):
            (folder / file.name).symlink_to(file)
        yield running


def add_users(airflow: AirflowApi) -> None:
    reading = [{"action": {"name": action}, "resource": {"name": resource}} for action, resource in READER]
    values = {"action": {"name": "can_read"}, "resource": {"name": "XComs"}}
    for role in ("insiders", "outsiders", "onlookers"):
        actions = reading if role == "onlookers" else [*reading, values]
        call_fab(airflow, "roles", {"name": role, "actions": actions})
    for user, role in USERS.items():
        who = {"username": user, "password": password_of(user), "email": f"{user}@example.org"}
        names = {"first_name": user, "last_name": user, "roles": [{"name": role}]}
        call_fab(airflow, "users", who | names)


def call_fab(airflow: AirflowApi, path: str, body: dict) -> None:
    headers = {"Authorization": f"Bearer {token(airflow, ADMIN)}"}
    requests.post(f"{airflow.base_url}/auth/fab/v1/{path}", json=body, headers=headers, timeout=30).raise_for_status()


def password_of(user: str) -> str:
    return ADMIN.password if user == ADMIN.user else f"the password of {user}"


def token(airflow: AirflowApi, login: Login) -> str:
    who = {"username": login.user, "password": login.password}
    response = requests.post(f"{airflow.base_url}/auth/token", json=who, timeout=30)
    response.raise_for_status()
    return response.json()["access_token"]


@pytest.fixture(scope="session")
def run_of(airflow):
    """Returns the run of a DAG, which is started when it is first asked for, and with it those of all others."""
    runs: dict[str, str] = {}

    def run(dag_id: str, *, finished: bool = True) -> str:
        for started in [dag_id, *BEFOREHAND]:
            if started not in runs:
                runs[started] = airflow.start_run(started)
        if finished:
            airflow.wait_for_run(dag_id, runs[dag_id])
        return runs[dag_id]

    return run


@pytest.fixture(scope="session")
def browser():
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def sessions():
    """Who has logged in has so for all tests."""
    return {}


@pytest.fixture
def page_of(airflow, browser, sessions):
    """Returns a page of a user that has logged in. Errors of our scripts fail the test."""
    contexts = []
    errors: list[str] = []

    def page(user: str = ADMIN.user, **options):
        known = sessions.get(user)
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, "storage_state": known} | options)
        contexts.append(context)
        context.set_default_timeout(40_000)
        made = context.new_page()
        if known is None:
            log_in(made, airflow.base_url, user, password_of(user))
            sessions[user] = context.storage_state()
        context.on("weberror", lambda error: errors.append(str(error.error)) if is_ours(error) else None)
        return made

    yield page
    for context in contexts:
        context.close()
    assert errors == []


def is_ours(error) -> bool:
    return "/seedance/" in (error.error.stack or "")


def open_videos(page, airflow, query: str = ""):
    """Open the Videos page by itself, which is quicker than inside Airflow's."""
    page.goto(f"{airflow.base_url}/seedance/videos/?{query}")
    return page


def open_framed(page, airflow, query: str = ""):
    """Open the Videos page inside Airflow's, and return its frame."""
    path = f"/plugin/videos/seedance/videos/?{query}" if query else "/plugin/videos"
    page.goto(f"{airflow.base_url}{path}")
    return page.frame_locator("iframe[title=Videos]")


def run_path(dag_id: str, run_id: str) -> str:
    return f"/dags/{dag_id}/runs/{quote(run_id, safe='')}"


def card_of(frame, prompt: str):
    """The card with a prompt."""
    return frame.get_by_role("article", name=re.compile(f"^{re.escape(prompt)}$"))


def plays(player) -> None:
    """Play a video until its time has advanced."""
    player.evaluate(
        """async (video) => {
            video.muted = true;
            await video.play();
            const start = video.currentTime;
            await new Promise((resolve, reject) => {
                const late = setTimeout(() => reject(new Error(`at ${video.currentTime} s`)), 10000);
                video.addEventListener("timeupdate", () => {
                    if (video.currentTime > start + 0.3) { clearTimeout(late); resolve(); }
                });
            });
            video.pause();
        }"""
    )


@pytest.fixture(scope="session")
def screenshot(tmp_path_factory):
    """Takes the pictures of README and guides, into the folder ``SCREENSHOTS`` if that is set."""
    folder = Path(os.environ.get("SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))

    def take(page, name: str) -> None:
        path = folder / f"{name}.png"
        page.screenshot(path=path, animations="disabled")
        assert path.stat().st_size > 10_000

    return take
