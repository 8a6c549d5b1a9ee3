"""Who may see what: users with different rights, nobody at all, and what somebody writes into a DAG."""

from __future__ import annotations

import re

import pytest
import requests
from playwright.sync_api import expect

from tests.ui.conftest import ADMIN, Login, card_of, open_framed, open_videos, password_of, token

KITE = "A kite rises over a windy beach"
CAR = "A car that nobody has seen yet"
SECONDS = 30


def stored(airflow, run_id: str, dag_id: str = "secret_campaign") -> str:
    return f"{airflow.base_url}/seedance/stored?dag_id={dag_id}&run_id={requests.utils.quote(run_id)}&task_id=upload"


def as_user(airflow, user: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(airflow, Login(user, password_of(user)))}"}


@pytest.fixture
def secret_run(run_of):
    run_of("public_campaign")
    return run_of("secret_campaign")


class TestWithoutALogin:
    @pytest.mark.parametrize(
        "path", ["videos/", "videos/main.js", "videos/videos.css", "videos/gone", "stored", "", "docs", "openapi.json"]
    )
    def test_there_is_nothing(self, airflow, path):
        answer = requests.get(f"{airflow.base_url}/seedance/{path}", timeout=SECONDS)
        assert answer.status_code in (401, 404)
        assert len(answer.content) < 100

    @pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer nonsense"}, {"Cookie": "_token=nonsense"}])
    def test_no_video_is_shown(self, airflow, secret_run, headers):
        answer = requests.get(stored(airflow, secret_run), headers=headers, timeout=SECONDS)
        assert answer.status_code in (401, 403)


class TestUsers:
    def test_an_insider_sees_and_plays_it(self, airflow, page_of, secret_run):
        frame = open_videos(page_of("insider"), airflow)
        expect(card_of(frame, CAR).locator("video")).to_be_visible()
        expect(card_of(frame, KITE).locator("video")).to_be_visible()
        answer = requests.get(stored(airflow, secret_run), headers=as_user(airflow, "insider"), timeout=SECONDS)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "video/mp4")
        assert answer.content[4:8] == b"ftyp"

    def test_an_outsider_sees_only_the_other_one(self, airflow, page_of, secret_run):
        frame = open_videos(page_of("outsider"), airflow)
        expect(card_of(frame, KITE).locator("video")).to_be_visible()
        expect(frame.get_by_role("article")).to_have_count(1)
        expect(frame.get_by_text("secret", exact=False)).to_have_count(0)

    @pytest.mark.parametrize("user", ["outsider", "nobody"])
    def test_others_get_nothing_of_it(self, airflow, secret_run, user):
        headers = as_user(airflow, user)
        for request in (requests.get, requests.head):
            answer = request(stored(airflow, secret_run), headers=headers, timeout=SECONDS)
            assert answer.status_code == 403
        forged = f"{stored(airflow, secret_run, 'public_campaign')}&dag_id=secret_campaign"
        assert requests.get(forged, headers=headers, timeout=SECONDS).status_code == 403
        any_dag = stored(airflow, secret_run, "~")
        assert requests.get(any_dag, headers=headers, timeout=SECONDS).status_code in (403, 404)

    def test_who_may_see_tasks_but_not_what_they_push_sees_no_video(self, airflow, page_of, run_of):
        run_id = run_of("public_campaign")
        card = card_of(open_videos(page_of("onlooker"), airflow), KITE)
        expect(card.get_by_text("finished", exact=True)).to_be_visible()
        expect(card.get_by_text("It can't be played here.")).to_be_visible()
        url = stored(airflow, run_id, "public_campaign")
        assert requests.get(url, headers=as_user(airflow, "onlooker"), timeout=SECONDS).status_code == 403

    def test_an_outsider_who_asks_for_it_by_name_is_told(self, airflow, page_of, secret_run):
        frame = open_videos(page_of("outsider"), airflow, "dag_id=secret_campaign")
        expect(frame.get_by_role("alert")).to_have_text(re.compile("You may not see task instances here"))

    def test_who_may_see_nothing_is_told(self, airflow, page_of):
        page = page_of("nobody")
        page.goto(f"{airflow.base_url}/seedance/videos/")
        expect(page.get_by_role("alert")).to_have_text(re.compile("You may not see task instances here"))
        expect(page.get_by_role("article")).to_have_count(0)


class TestWhatADagSays:
    def test_a_hostile_prompt_is_text(self, airflow, page_of, run_of):
        run_of("hostile_prompt")
        page = page_of()
        page.on("dialog", lambda dialog: pytest.fail(dialog.message))
        frame = open_framed(page, airflow, "dag=hostile")
        title = frame.get_by_role("article").get_by_role("heading")
        expect(title).to_have_text(re.compile(r"^<script>document\.title = 'stolen'</script><img src=x"))
        expect(frame.locator("video")).to_be_visible()
        assert frame.locator("b, img, script:not([src])").count() == 0
        assert "stolen" not in page.title()
        assert frame.locator("html").evaluate("() => document.title") == "Videos"

    def test_nothing_else_is_ever_run(self, airflow, page_of):
        page = page_of()
        answer = page.goto(f"{airflow.base_url}/seedance/videos/")
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        page.evaluate("""() => {
            const script = document.createElement("script");
            script.textContent = "document.title = 'stolen'";
            document.body.append(script);
        }""")
        assert page.title() == "Videos"

    @pytest.mark.parametrize(
        "path", ["/etc/passwd", "file:///etc/passwd", "/proc/self/environ", "http://127.0.0.1/a.mp4", "/dev/zero"]
    )
    def test_another_file_than_a_video_is_not_shown(self, airflow, run_of, path):
        run_id = run_of("no_videos")
        size = 1000
        entries = f"/dags/no_videos/dagRuns/{run_id}/taskInstances/nothing/xcomEntries"
        airflow.request("DELETE", f"{entries}/landed")
        airflow.call("POST", entries, json={"key": "landed", "value": {"path": path, "size": size, "uri": path}})
        url = stored(airflow, run_id, "no_videos").replace("task_id=upload", "task_id=nothing")
        answer = requests.get(url, headers=as_user(airflow, ADMIN.user), timeout=SECONDS)
        assert answer.status_code == 404
        assert b"root:" not in answer.content
