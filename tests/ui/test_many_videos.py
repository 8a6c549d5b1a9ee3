"""Thousands of videos: the page asks for little at a time."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from playwright.sync_api import expect

from tests.ui.conftest import open_videos
from tools.cloned_videos import clone_videos

COUNT = 2000


@pytest.fixture(scope="module")
def crowd(airflow, run_of):
    run_of("crowd")
    # Long ago, so that they come after those of other tests.
    clone_videos(airflow.home / "airflow.db", "crowd", "create", COUNT, latest=datetime(2025, 6, 1))  # noqa: DTZ001 - as SQLite has it


class Requests:
    """Counts what a page asks of Airflow's API, and of ours."""

    def __init__(self, page) -> None:
        self.count = 0
        self.open = 0
        self.most = 0
        page.on("request", lambda request: self._change(request, 1))
        page.on("requestfinished", lambda request: self._change(request, -1))
        page.on("requestfailed", lambda request: self._change(request, -1))

    def _change(self, request, by: int) -> None:
        # Of the page alone, not of Airflow's own around it.
        is_asked = "/api/v2/" in request.url or "/seedance/pushed?" in request.url
        if is_asked and "/seedance/videos/" in request.frame.url:
            self.count += by > 0
            self.open += by
            self.most = max(self.most, self.open)


@pytest.mark.usefixtures("crowd")
class TestMany:
    def test_one_page_of_them_takes_few_requests(self, airflow, page_of):
        page = page_of()
        requests = Requests(page)
        frame = open_videos(page, airflow, "dag=crowd")
        expect(frame.get_by_role("status").first).to_have_text(f"1 to 24 of {COUNT + 1:,}")
        expect(frame.get_by_role("button", name=f"Add up {COUNT + 1:,} finished videos")).to_be_visible()
        expect(frame.locator("video").nth(2)).to_be_visible()
        assert requests.most <= 4
        # The list, the number of all, what each card pushed, and for the cards in view where the video is stored.
        assert requests.count <= 2 + 24 + 3 * 24

    def test_one_can_go_through_all_of_them(self, airflow, page_of):
        page = page_of()
        frame = open_videos(page, airflow, "dag=crowd&page=83")
        expect(frame.get_by_role("status").first).to_have_text(f"1,969 to 1,992 of {COUNT + 1:,}")
        frame.get_by_role("link", name="Older").click()
        expect(frame.get_by_role("status").first).to_have_text(f"1,993 to 2,001 of {COUNT + 1:,}")
        expect(frame.get_by_role("article")).to_have_count(9)
        expect(frame.get_by_role("link", name="Older")).to_be_hidden()
        frame.get_by_role("link", name="Newer").click()
        expect(frame.get_by_role("article")).to_have_count(24)

    def test_their_credits_are_added_up_when_asked_for(self, airflow, page_of):
        page = page_of()
        requests = Requests(page)
        frame = open_videos(page, airflow, "dag=crowd&run=copy-2&state=done")
        frame.get_by_role("button", name=re.compile("^Add up 100 finished")).click()
        expect(frame.get_by_text(re.compile("^Added up 50 of 100 videos"))).to_be_visible(timeout=120_000)
        # All copies name the same video, which counts once.
        expect(frame.get_by_text("160 credits for 1 video.")).to_be_visible(timeout=120_000)
        assert requests.most <= 4
