"""The Videos page and the tab of a DAG run, as somebody sees them who may read all DAGs."""

from __future__ import annotations

import json
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.ui.conftest import card_of, open_framed, open_videos, plays, run_path

KITE = "A kite rises over a windy beach"


class TestWhileItIsMade:
    def test_a_card_shows_how_far_it_is_and_then_the_video(self, airflow, page_of, run_of, screenshot):
        run_id = run_of("kite", finished=False)
        page = page_of()
        page.goto(f"{airflow.base_url}{run_path('kite', run_id)}/plugin/run_videos")
        card = card_of(page.frame_locator("iframe[title=Videos]"), "A kite")
        expect(card.get_by_text("in progress", exact=True)).to_be_visible(timeout=120_000)
        expect(card.get_by_role("progressbar")).to_be_visible()
        elapsed = card.get_by_text(re.compile(r"^\d+ s so far, usually 1\d s to 1\d s$"))
        before = elapsed.inner_text()
        expect(elapsed).not_to_have_text(before)
        links = airflow.call("GET", f"/dags/kite/dagRuns/{run_id}/taskInstances/create/links")["extra_links"]
        assert "/seedance/videos/?dag_id=kite&" in links["Video"]
        assert "/jobs/recordInfo?taskId=task_" in links["Video task"]
        screenshot(page, "videos-tab")
        expect(card.get_by_text("finished", exact=True)).to_be_visible(timeout=120_000)
        expect(card.get_by_text("160", exact=True)).to_be_visible()
        plays(card.locator("video"))
        expect(card.get_by_text(re.compile(r"^file:///.*\.mp4$"))).to_be_visible(timeout=120_000)

    def test_what_plays_goes_on_when_another_card_comes(self, airflow, page_of, run_of):
        run_of("kite")
        page = open_videos(page_of(), airflow, "dag_id=kite")
        player = page.locator("video").last
        player.evaluate("video => { video.muted = true; video.loop = true; return video.play(); }")
        cards = page.get_by_role("article")
        before = cards.count()
        airflow.trigger("kite")
        expect(cards).to_have_count(before + 1, timeout=120_000)
        assert not player.evaluate("video => video.paused")

    def test_a_task_that_waits_for_a_slot_of_the_account_says_so(self, airflow, page_of, run_of):
        run_of("full_account", finished=False)
        cards = open_videos(page_of(), airflow, "dag=full_account").get_by_role("article")
        expect(cards.get_by_text("in progress", exact=True)).to_be_visible(timeout=120_000)
        expect(cards.get_by_text("waiting for a free slot", exact=True)).to_be_visible(timeout=120_000)

    def test_a_task_that_waits_for_an_api_that_does_not_answer_says_since_when(self, airflow, page_of, run_of):
        run_of("out_of_reach", finished=False)
        since = re.compile(r"^API unreachable since [0-2]\d:[0-5]\d$")
        card = card_of(open_videos(page_of(), airflow, "dag=out_of_reach"), "A ship in a bottle")
        expect(card.get_by_text(since)).to_be_visible(timeout=120_000)


@pytest.fixture
def all_runs(run_of):
    for dag_id in ("public_campaign", "secret_campaign", "many_ways"):
        run_of(dag_id)


@pytest.mark.usefixtures("all_runs")
class TestCards:
    def test_it_is_found_in_the_menu(self, airflow, page_of, screenshot):
        page = page_of()
        page.goto(f"{airflow.base_url}/")
        page.get_by_role("button", name="Browse").click()
        page.get_by_role("menuitem", name="Videos").click()
        frame = page.frame_locator("iframe[title=Videos]")
        # A video is loaded when its card comes into view, and those in progress are above it.
        frame.get_by_role("article", name=KITE).scroll_into_view_if_needed()
        expect(frame.locator("video").first).to_be_visible()
        expect(frame.get_by_role("status").first).to_have_text(re.compile(r"^1 to \d+ of [\d,]+"))
        screenshot(page, "videos-page")

    def test_a_card_says_what_the_video_is(self, airflow, page_of):
        card = card_of(open_videos(page_of(), airflow, "dag=public"), KITE)
        for fact in ("seedance-20", "1280 × 720, 4 s", "160"):
            expect(card.get_by_text(fact, exact=True)).to_be_visible()
        expect(card.get_by_text(re.compile(r"^1\d s$"))).to_be_visible()
        expect(card.get_by_text(re.compile(r"^(just now|\d+ minutes? ago)$"))).to_be_visible()
        expect(card.get_by_text(re.compile(r"^file:///.*/public/task_\w+\.mp4$"))).to_be_visible()

    def test_a_failed_one_shows_reason_and_advice(self, airflow, page_of):
        card = card_of(open_videos(page_of(), airflow, "state=failed"), "A knight [fail:text_moderation]")
        expect(card.get_by_text("failed", exact=True)).to_be_visible()
        expect(card.get_by_text(re.compile("violates platform rules"))).to_be_visible()
        expect(card.get_by_text("Revise the prompt.")).to_be_visible()
        expect(card.get_by_text("text_moderation", exact=True)).to_be_visible()

    def test_what_was_only_submitted_says_so_and_the_sensor_knows_the_prompt(self, airflow, page_of):
        cards = card_of(open_videos(page_of(), airflow, "dag=many"), "A boat in the fog")
        expect(cards).to_have_count(2)
        expect(cards.get_by_text("Another task waits for it")).to_be_visible()
        expect(cards.locator("video")).to_have_count(1)

    def test_every_mapped_task_has_its_own_card(self, airflow, page_of):
        frame = open_videos(page_of(), airflow, "task=mapped")
        for number, prompt in enumerate(("A red boat", "A blue boat")):
            expect(card_of(frame, prompt).get_by_role("link", name=f"many_ways › mapped [{number}]")).to_be_visible()

    def test_an_operator_that_derives_from_ours_has_one_if_it_is_named(self, airflow, page_of, run_of):
        run_of("own_operator")
        expect(card_of(open_videos(page_of(), airflow, "dag=own_operator"), "A bottle of olive oil")).to_be_visible()

    def test_a_retried_task_ends_with_the_video_of_its_first_try(self, airflow, page_of):
        card = card_of(open_videos(page_of(), airflow, "task=retried"), "A slow train")
        expect(card.get_by_text("finished", exact=True)).to_be_visible()
        expect(card.locator("video")).to_be_visible()


@pytest.mark.usefixtures("all_runs")
class TestPlaying:
    def test_the_stored_copy_comes_first(self, airflow, page_of):
        player = card_of(open_videos(page_of(), airflow, "dag=secret"), "A car that nobody has seen yet").locator(
            "video"
        )
        plays(player)
        assert "/seedance/stored?" in player.evaluate("video => video.currentSrc")

    def test_also_from_an_object_store(self, airflow, page_of, run_of):
        run_of("on_s3")
        card = card_of(open_videos(page_of(), airflow, "dag=on_s3"), "A lighthouse")
        player = card.locator("video")
        plays(player)
        assert "/seedance/stored?" in player.evaluate("video => video.currentSrc")
        expect(card.get_by_text("s3://videos/lighthouse.mp4", exact=True)).to_be_visible()

    def test_without_it_the_vendor_s_is_played(self, airflow, page_of, video_folder):
        (stored,) = (video_folder / "secret").glob("*.mp4")
        hidden = stored.rename(stored.with_suffix(".hidden"))
        try:
            card = card_of(open_videos(page_of(), airflow, "dag=secret"), "A car that nobody has seen yet")
            player = card.locator("video[src*='/media/']")
            plays(player)
        finally:
            hidden.rename(stored)

    def test_one_can_jump_into_the_middle_of_a_stored_one(self, airflow, page_of):
        player = card_of(open_videos(page_of(), airflow, "dag=secret"), "A car that nobody has seen yet").locator(
            "video"
        )
        expect(player).to_be_visible()
        at = player.evaluate(
            """video => new Promise((resolve) => {
                video.addEventListener("seeked", () => resolve(video.currentTime));
                video.currentTime = 3;
            })"""
        )
        assert at == pytest.approx(3, abs=0.1)


@pytest.mark.usefixtures("all_runs")
class TestFilters:
    def test_they_are_part_of_the_address(self, airflow, page_of):
        page = page_of()
        frame = open_framed(page, airflow)
        frame.get_by_label("DAG").fill("PUBLIC")
        frame.get_by_label("State").select_option("finished")
        frame.get_by_role("button", name="Filter").click()
        expect(frame.get_by_role("article")).to_have_count(1)
        page.wait_for_url("**/plugin/videos/seedance/videos/?dag=PUBLIC&state=done")
        page.reload()
        expect(frame.get_by_label("DAG")).to_have_value("PUBLIC")
        expect(frame.get_by_role("article")).to_have_count(1)
        frame.get_by_role("link", name="Reset").click()
        expect(frame.get_by_role("article").nth(1)).to_be_visible()

    def test_they_wait_until_the_page_is_ready(self, airflow, page_of):
        page = page_of()
        held = []
        # Playwright puts an attribute on the handler, which a built-in method can't have.
        page.route("**/main.js", lambda route: held.append(route), times=1)  # noqa: PLW0108
        page.goto(f"{airflow.base_url}/seedance/videos/", wait_until="commit")
        page.get_by_label("DAG").fill("public")
        expect(page.get_by_role("button", name="Filter")).to_be_disabled()
        page.get_by_label("DAG").press("Enter")
        assert page.url.endswith("/videos/")
        held.pop().continue_()
        page.get_by_role("button", name="Filter").click()
        page.wait_for_url("**/seedance/videos/?dag=public")

    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ("run=no-such-run", 0),
            ("task=mapped", 2),
            ("dag=campaign&state=active", 0),
            ("dag=many&state=failed", 1),
            ("dag=secret&state=failed", 0),
            ("from=2020-01-01&task=mapped", 2),
            ("to=2020-01-01", 0),
            ("from=2999-01-01", 0),
            ("dag_id=many_ways&task_id=mapped&map_index=1", 1),
            ("page=99", 0),
        ],
    )
    def test_what_they_leave(self, airflow, page_of, query, count):
        frame = open_videos(page_of(), airflow, query)
        if count:
            expect(frame.get_by_role("article")).to_have_count(count)
        else:
            expect(frame.get_by_role("alert")).to_have_text("No video fits these filters.")

    def test_a_run_has_its_own(self, airflow, page_of, run_of):
        page = page_of()
        page.goto(f"{airflow.base_url}{run_path('many_ways', run_of('many_ways'))}")
        page.get_by_role("link", name="Videos").click()
        frame = page.frame_locator("iframe[title=Videos]")
        expect(frame.get_by_role("article")).to_have_count(6)
        frame.get_by_label("State").select_option("failed")
        frame.get_by_role("button", name="Filter").click()
        expect(frame.get_by_role("article")).to_have_count(1)
        frame.get_by_role("link", name="Reset").click()
        expect(frame.get_by_role("article")).to_have_count(6)


@pytest.mark.usefixtures("all_runs")
class TestCredits:
    def test_they_are_added_up_by_day_and_dag(self, airflow, page_of):
        frame = open_videos(page_of(), airflow, "dag=campaign")
        table = frame.get_by_role("table")
        rows = table.get_by_role("row")
        expect(rows).to_have_count(4)
        assert rows.nth(1).inner_text().split()[1:] == ["public_campaign", "1", "160"]
        assert rows.nth(2).inner_text().split()[1:] == ["secret_campaign", "1", "160"]
        assert rows.nth(3).inner_text().split() == ["All", "2", "320"]

    def test_a_video_that_two_tasks_tell_of_counts_once(self, airflow, page_of):
        frame = open_videos(page_of(), airflow, "dag=many_ways")
        expect(frame.get_by_text("640 credits for 4 videos.")).to_be_visible()


@pytest.mark.usefixtures("all_runs")
class TestLinks:
    def test_a_card_leads_to_its_task_in_airflow(self, airflow, page_of, run_of):
        page = page_of()
        card_of(open_framed(page, airflow, "dag=public"), KITE).get_by_role(
            "link", name="public_campaign › create"
        ).click()
        page.wait_for_url(f"**{run_path('public_campaign', run_of('public_campaign'))}/tasks/create**")

    def test_a_card_leads_to_the_video_at_the_vendor_in_a_new_tab(self, airflow, page_of, emulator):
        page = page_of()
        card = card_of(open_framed(page, airflow, "dag=public"), KITE)
        with page.expect_popup() as popup:
            card.get_by_role("link", name="Video at the vendor").click()
        assert popup.value.url.endswith(".mp4")

    @pytest.mark.parametrize(
        ("task", "name", "address"),
        [
            ("tasks/mapped/mapped/1", "Video", r"/media/task_\w+\.mp4$"),
            ("tasks/wait", "Video", r"/media/task_\w+\.mp4$"),
            ("tasks/upload/mapped/0", "Stored video", r"/seedance/stored\?dag_id=many_ways&.*map_index=0$"),
            ("tasks/upload/mapped/0", "Video", r"/media/task_\w+\.mp4$"),
            ("tasks/refused", "Video", r"/seedance/videos/\?dag_id=many_ways&.*task_id=refused"),
        ],
    )
    def test_a_task_leads_to_its_video(self, airflow, page_of, run_of, task, name, address):
        page = page_of()
        page.goto(f"{airflow.base_url}{run_path('many_ways', run_of('many_ways'))}/{task}/details")
        link = page.get_by_role("link", name=name, exact=True)
        expect(link).to_have_attribute("href", re.compile(address))
        opened = page
        if link.get_attribute("target") == "_blank":
            with page.expect_popup() as popup:
                link.click()
            opened = popup.value
        else:
            link.click()
        opened.wait_for_url(re.compile(address))
        if "videos/" in opened.url:
            expect(opened.get_by_text("Revise the prompt.")).to_be_visible()
        else:
            plays(opened.locator("video"))


@pytest.mark.usefixtures("all_runs")
class TestForEverybody:
    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_nothing_keeps_others_out(self, airflow, page_of, theme):
        page = page_of(color_scheme=theme)
        page.goto(f"{airflow.base_url}/seedance/videos/?dag_id=many_ways")
        expect(page.locator("video").first).to_be_visible()
        expect(page.get_by_role("table")).to_be_visible()
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()

    def test_it_is_as_dark_as_airflow(self, airflow, page_of):
        page = page_of()
        frame = open_framed(page, airflow)
        root = frame.locator("html")
        expect(root).not_to_have_class(re.compile("dark"))
        page.evaluate("localStorage.setItem('theme', 'dark')")
        page.reload()
        expect(root).to_have_class(re.compile("dark"))
        page.evaluate("document.documentElement.classList.remove('dark')")
        expect(root).not_to_have_class(re.compile("dark"))

    def test_the_keyboard_is_enough(self, airflow, page_of):
        page = page_of()
        page.goto(f"{airflow.base_url}/seedance/videos/?dag=public")
        expect(page.locator("video")).to_be_visible()
        page.get_by_label("Task").focus()
        page.keyboard.type("create")
        page.keyboard.press("Enter")
        page.wait_for_url("**task=create**")
        expect(page.locator("video")).to_be_visible()
        reached = []
        for _ in range(20):
            page.keyboard.press("Tab")
            reached.append(page.evaluate("document.activeElement.tagName"))
        assert {"INPUT", "SELECT", "BUTTON", "A", "VIDEO"} <= set(reached)

    def test_it_fits_a_narrow_screen(self, airflow, page_of):
        page = page_of(viewport={"width": 340, "height": 700})
        page.goto(f"{airflow.base_url}/seedance/videos/")
        # A video is loaded when its card comes into view, and those in progress are above it.
        page.get_by_role("article", name="A kite rises over a windy beach").scroll_into_view_if_needed()
        expect(page.locator("video").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 340


class TestTaskPages:
    """What Airflow itself shows of a task."""

    def test_the_log_reads_like_a_story(self, airflow, page_of, run_of, screenshot):
        page = page_of(viewport={"width": 1600, "height": 700})
        page.goto(f"{airflow.base_url}{run_path('public_campaign', run_of('public_campaign'))}/tasks/create")
        lines = [
            r"Submitted video task task_\w+: seedance-20, 4 s, 1280x720, about 160 credits \(\$0\.80\)\.",
            r"task_\w+ is generating \(\d+ s\)\.",
            r"Video task task_\w+ succeeded after \d+(\.\d+)? s and cost 160 credits \(about 160 credits",
        ]
        for line in lines:
            expect(page.get_by_text(re.compile(line)).first).to_be_visible()
        screenshot(page, "task-log")
        page.goto(f"{airflow.base_url}{run_path('public_campaign', run_of('public_campaign'))}/tasks/upload")
        expect(page.get_by_text(re.compile(r"\.mp4 landed after \d+\.\d s \([\d,]+ bytes\)\.")).first).to_be_visible()

    def test_xcoms_are_small(self, airflow, run_of):
        run_id = run_of("many_ways")
        path = f"/dags/many_ways/dagRuns/{run_id}/taskInstances/~/xcomEntries"
        entries = airflow.call("GET", path, params={"limit": 100})["xcom_entries"]
        assert len(entries) > 20
        for entry in entries:
            place = (entry["task_id"], entry["key"], entry["map_index"])
            value = airflow.xcom("many_ways", run_id, place[0], key=place[1], map_index=place[2])
            assert len(json.dumps(value)) < 1000, place


class TestTrouble:
    def test_it_says_that_there_are_none(self, airflow, page_of, run_of):
        page = page_of()
        airflow.wait_for_dag("no_videos")
        run_id = run_of("no_videos")
        page.goto(f"{airflow.base_url}{run_path('no_videos', run_id)}/plugin/run_videos")
        notice = page.frame_locator("iframe[title=Videos]").get_by_role("alert")
        expect(notice).to_have_text(re.compile("This run has no video yet"))

    def test_it_says_that_what_was_pushed_can_t_be_read(self, airflow, page_of, run_of):
        run_of("public_campaign")
        page = page_of()
        said = {"problem": "The API server can't load the XCom backend."}
        page.route(re.compile(r"/seedance/pushed\?"), lambda route: route.fulfill(json=said))
        page.goto(f"{airflow.base_url}/seedance/videos/?dag=public")
        expect(page.get_by_role("article").first).to_contain_text(said["problem"])
        expect(page.locator("#credits-note")).to_have_text(re.compile(f"could not be read, .*{said['problem']}"))

    def test_it_says_that_airflow_can_t_be_asked_and_tries_again(self, airflow, page_of, run_of):
        run_of("public_campaign")
        page = page_of()
        page.route("**/api/v2/**", lambda route: route.abort())
        page.goto(f"{airflow.base_url}/seedance/videos/?dag=public")
        expect(page.get_by_role("alert")).to_have_text(re.compile("can't be asked at the moment"))
        page.unroute("**/api/v2/**")
        expect(card_of(page, KITE)).to_be_visible(timeout=120_000)
        expect(page.get_by_role("alert")).to_be_hidden()

    def test_it_says_that_the_session_is_over(self, airflow, page_of):
        page = page_of()
        page.route("**/api/v2/**", lambda route: route.fulfill(status=401))
        page.goto(f"{airflow.base_url}/seedance/videos/")
        expect(page.get_by_role("alert")).to_have_text(re.compile("You are not logged in any more"))

    def test_an_unknown_run_is_said(self, airflow, page_of):
        page = page_of()
        page.goto(f"{airflow.base_url}/seedance/videos/?dag_id=public_campaign&run_id=gone&view=run")
        expect(page.get_by_role("alert")).to_have_text("There is no such DAG run.")
