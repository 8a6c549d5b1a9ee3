"""An Airflow below a path, as behind a proxy that serves other things, too, and with XComs in an object store."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.ui.conftest import DAGS, card_of, plays, run_path
from tools.airflow_stack import AirflowStack

PATH = "/team/airflow"


@pytest.fixture(scope="module")
def below(tmp_path_factory, emulator):
    """An Airflow below a path, in which everybody is an admin, with one finished run, whose XComs are files."""
    xcoms = tmp_path_factory.mktemp("xcoms")
    folder = tmp_path_factory.mktemp("dags")
    (folder / "kite.py").write_text((DAGS / "kite.py").read_text())
    env = {
        "AIRFLOW_CONN_SEEDANCE_DEFAULT": emulator.connection,
        "SEEDANCE_VIDEO_FOLDER": tmp_path_factory.mktemp("videos").as_uri(),
        "AIRFLOW__CORE__XCOM_BACKEND": "airflow.providers.common.io.xcom.backend.XComObjectStorageBackend",
        "AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_PATH": xcoms.as_uri(),
        "AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_THRESHOLD": "0",
    }
    home = tmp_path_factory.mktemp("below") / "home"
    with AirflowStack(home, folder, env=env, url_path=PATH) as running:
        run_id = running.start_run("kite")
        running.wait_for_run("kite", run_id)
        assert any(xcoms.rglob("*/create/*")), "The XComs are in the database."
        yield running, run_id


def test_page_tab_video_and_links_are_below_it(below, browser):
    airflow, run_id = below
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    outside: list[str] = []
    context.on("request", lambda request: outside.append(request.url) if is_outside(request.url, airflow) else None)
    page = context.new_page()
    page.goto(f"{airflow.base_url}/")
    page.get_by_role("button", name="Browse").click()
    page.get_by_role("menuitem", name="Videos").click()
    card = card_of(page.frame_locator("iframe[title=Videos]"), "A kite")
    player = card.locator("video")
    plays(player)
    assert f"{PATH}/seedance/stored?" in player.evaluate("video => video.currentSrc")
    card.get_by_role("link", name=re.compile("kite")).first.click()
    page.wait_for_url(f"**{PATH}{run_path('kite', run_id)}/tasks/create**")
    page.goto(f"{airflow.base_url}{run_path('kite', run_id)}/plugin/run_videos")
    expect(card_of(page.frame_locator("iframe[title=Videos]"), "A kite").locator("video")).to_be_visible()
    page.goto(f"{airflow.base_url}{run_path('kite', run_id)}/tasks/upload/details")
    link = page.get_by_role("link", name="Stored video")
    expect(link).to_have_attribute("href", re.compile(f"^{re.escape(airflow.base_url)}/seedance/stored"))
    context.close()
    assert outside == []


def test_what_an_xcom_backend_keeps_is_read_by_it(below, browser):
    airflow, _ = below
    page = browser.new_page()
    page.goto(f"{airflow.base_url}/seedance/videos/?dag=kite")
    expect(page.get_by_text("160 credits for 1 video.")).to_be_visible()
    page.close()


def is_outside(url: str, airflow) -> bool:
    origin = airflow.base_url.removesuffix(PATH)
    return url.startswith(f"{origin}/") and not url.startswith(f"{airflow.base_url}/")
