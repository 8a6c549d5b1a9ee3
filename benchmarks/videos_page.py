"""How long somebody waits for the Videos page, in a real browser, with few videos and with many."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.results import measured_on, save_section, table
from tools.airflow_stack import AirflowStack
from tools.browser import chromium
from tools.cloned_videos import clone_videos
from tools.emulator_process import EmulatorProcess

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["measure_videos_page"]

ROUNDS = 7
COUNTS = (1, 2_000, 10_000)
_DAG_ID = "seedance_text_to_video"
_DAGS = Path(__file__).parents[1] / "dags"

_TEXT = """{measured_on}

From the request for the page to its first card, to all 24 of them with what they say, and to the first video that can
be played, in headless Chromium on the same machine as a whole Airflow (SQLite, one API server process). The requests
are those to Airflow's API, four at a time at most. Medians of {rounds} loads of a page, each in a new browser profile.

{rows}
"""
#: Parts of the addresses that the page asks: Airflow's API, and what tasks have pushed.
_ASKED = ("/api/v2/", "/seedance/pushed?")
_HEADS = ("videos", "first card", "all cards", "first player", "requests")


def measure_videos_page() -> None:
    """Measure, and write down what came out."""
    with _airflow() as airflow, chromium() as browser:
        rows: list[list[str]] = []
        there = 1
        for count in COUNTS:
            # The oldest last, so that what was copied before stays on the later pages.
            latest = datetime(2025 - len(rows), 1, 1, tzinfo=UTC)
            clone_videos(
                airflow.home / "airflow.db", _DAG_ID, "create", count - there, latest=latest, runs=f"of-{count}"
            )
            there = count
            rows.append([f"{count:,}", *_waits(browser, airflow.base_url)])
    text = _TEXT.format(measured_on=measured_on("apache-airflow"), rounds=ROUNDS, rows=table(_HEADS, rows))
    save_section("The Videos page", text)


@contextmanager
def _airflow() -> Iterator[AirflowStack]:
    """An Airflow with one finished video."""
    with tempfile.TemporaryDirectory() as name, EmulatorProcess(Path(name, "emulator")) as emulator:
        env = {
            "AIRFLOW_CONN_SEEDANCE_DEFAULT": emulator.connection,
            "SEEDANCE_VIDEO_FOLDER": Path(name, "videos").as_uri(),
        }
        with AirflowStack(Path(name, "airflow"), _DAGS, env=env) as airflow:
            airflow.wait_for_dag(_DAG_ID)
            run_id = airflow.trigger(_DAG_ID, logical_date=airflow.next_logical_date(_DAG_ID))
            airflow.unpause(_DAG_ID)
            airflow.wait_for_run(_DAG_ID, run_id)
            airflow.pause(_DAG_ID)
            yield airflow


def _waits(browser: Browser, base_url: str) -> list[str]:
    loads = [_load(browser, base_url) for _ in range(ROUNDS)]
    sys.stdout.write(f"{loads}\n")
    *seconds, requests = (median(values) for values in zip(*loads, strict=True))
    return [*(f"{value:.2f} s" for value in seconds), f"{requests:.0f}"]


def _load(browser: Browser, base_url: str) -> tuple[float, float, float, float]:
    """Seconds to the first card, to all cards and to the first player, and the number of requests."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    try:
        page = context.new_page()
        # Everybody is an admin here, but the browser has to be told so.
        page.goto(f"{base_url}/auth/token/login", wait_until="commit")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url) if any(map(request.url.count, _ASKED)) else None)
        began = time.perf_counter()
        page.goto(f"{base_url}/seedance/videos/", wait_until="commit")
        page.locator("article").first.wait_for()
        first_card = time.perf_counter() - began
        page.wait_for_function(
            "() => [...document.querySelectorAll('article')].every((card) => card.textContent.includes('Made in'))"
        )
        all_cards = time.perf_counter() - began
        page.wait_for_function("() => document.querySelector('video')?.readyState >= 1")
        return first_card, all_cards, time.perf_counter() - began, len(asked)
    finally:
        context.close()
