"""The page and the videos over HTTP. Real logins and real DAG runs are in the UI tests."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import pytest
from airflow.models.dag import DagModel

import seedance_provider.plugins

PAGE = Path(seedance_provider.plugins.__file__).with_name("videos_page")
STORED = {"dag_id": "films", "run_id": "manual__2026-03-01T00:00:00+00:00", "task_id": "land"}
VIDEO = b"\x00\x00\x00\x14ftypisom" + bytes(range(88))


@pytest.fixture
def module(application) -> Any:
    """Where the routes look things up."""
    from seedance_provider.plugins import application as module

    return module


@pytest.fixture
def logged_in(application, module, monkeypatch) -> None:
    """Somebody whose login Airflow has checked."""
    monkeypatch.setitem(application.dependency_overrides, module.get_user, lambda: SimpleNamespace(name="viewer"))


@pytest.fixture
def rights(logged_in, monkeypatch) -> list[dict[str, Any]]:
    """What Airflow was asked about rights: there is one DAG that the viewer may see."""
    asked: list[dict[str, Any]] = []

    def is_authorized_dag(**question):
        asked.append(question)
        return question["details"].id == STORED["dag_id"]

    security = "airflow.api_fastapi.core_api.security"
    monkeypatch.setattr(f"{security}.get_auth_manager", lambda: SimpleNamespace(is_authorized_dag=is_authorized_dag))
    monkeypatch.setattr(DagModel, "get_team_name", lambda _: None)
    return asked


@pytest.fixture
def land(rights, module, monkeypatch):
    """Have a task land something, or record what it likes."""

    def landing(value):
        asked = []
        monkeypatch.setattr(module, "pushed_value", lambda _, key, **place: asked.append(place) or value)
        return asked

    return landing


@pytest.fixture
def landed(land, tmp_path) -> list[dict[str, Any]]:
    """A small video that has landed, and the places that were asked for."""
    (tmp_path / "a film.mp4").write_bytes(VIDEO)
    return land({"path": f"file://{tmp_path}/a film.mp4", "size": len(VIDEO)})


class TestWithoutALogin:
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    async def test_every_route_asks_for_one(self, application, client, method):
        paths = [(route.path.replace("{name}", "main.js"), route.methods) for route in application.routes]
        assert len(paths) == 4
        for path in [path for path, methods in paths if method in methods]:
            answer = await client.request(method, path, params=STORED)
            assert (path, answer.status_code) == (path, 401)
        # Nothing is said about what there is.
        for path in ("/videos/index.html", "/videos/gone.js", "/videos/application.py"):
            assert (await client.get(path)).status_code == 401

    @pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
    async def test_the_application_does_not_describe_itself(self, client, path):
        assert (await client.get(path)).status_code == 404


@pytest.mark.usefixtures("logged_in")
class TestPage:
    async def test_is_served(self, client):
        for name, content_type in [("videos.css", "text/css"), ("main.js", "text/javascript")]:
            answer = await client.get(f"/videos/{name}")
            assert (answer.status_code, answer.headers["content-type"]) == (200, f"{content_type}; charset=utf-8")
            assert answer.content == (PAGE / name).read_bytes()

    async def test_no_part_of_it_is_looked_for(self, client):
        answer = await client.get("/videos/main.js", headers={"Range": "bytes=" + "0-0," * 50 + "1-5"})
        assert (answer.status_code, answer.content) == (200, (PAGE / "main.js").read_bytes())
        assert "accept-ranges" not in answer.headers

    @pytest.mark.parametrize(
        ("names", "content"), [("", ""), ("Brand, Trailer", "Brand,Trailer"), ('"><b>', "&quot;&gt;&lt;b&gt;")]
    )
    async def test_the_page_knows_the_operators_of_the_users_own(self, client, monkeypatch, names, content):
        monkeypatch.setenv("AIRFLOW__SEEDANCE__VIDEO_OPERATORS", names)
        answer = await client.get("/videos/")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert f'<meta name="own-operators" content="{content}">' in answer.text

    async def test_every_file_of_it_is_served_and_runs_nothing_but_its_own(self, client):
        for path in PAGE.iterdir():
            answer = await client.get(f"/videos/{path.name.removeprefix('index.html')}")
            assert (path.name, answer.status_code) == (path.name, 200)
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert answer.headers["cache-control"] == "private, no-cache"
            policy = answer.headers["content-security-policy"]
            rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
            assert (rules["default-src"], rules["script-src"], rules["base-uri"]) == ("'none'", "'self'", "'none'")
            assert (rules["connect-src"], rules["frame-ancestors"]) == ("'self'", "'self'")
            assert "unsafe" not in policy

    @pytest.mark.parametrize(
        "path",
        [
            "/videos/index.html",
            "/videos/application.py",
            "/videos/__init__.py",
            "/videos/gone.js",
            "/videos/MAIN.JS",
            "/videos/main.js%00",
            "/videos/..",
            "/videos/../application.py",
            "/videos/%2e%2e",
            "/videos/%2e%2e/application.py",
            "/videos/%2e%2e%2fapplication.py",
            "/videos/..%5capplication.py",
            "/videos/%2e%2e%2fvideos_page%2fmain.js",
            "/videos/.%2fmain.js",
            "/videos/%2fetc%2fpasswd",
            "/videos//etc/passwd",
            "/videos/%252e%252e%252fapplication.py",
        ],
    )
    async def test_no_name_leads_elsewhere(self, application, path):
        # Sent as it is: an HTTP client would tidy up such a path.
        assert (await status_of(application, path)) == 404


async def status_of(application, raw_path: str) -> int:
    sent: list[dict[str, Any]] = []
    scope = {
        "type": "http",
        "method": "GET",
        "path": unquote(raw_path),
        "raw_path": raw_path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "server": ("airflow.example", 80),
        "headers": [(b"host", b"airflow.example")],
        "http_version": "1.1",
    }
    received = deque([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive():
        return received.popleft() if received else {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    await application(scope, receive, send)
    return sent[0]["status"]


class TestRights:
    async def test_whoever_may_see_the_xcoms_may_see_the_video(self, client, landed, rights):
        assert (await client.get("/stored", params=STORED)).status_code == 200
        (question,) = rights
        assert (question["method"], question["access_entity"].value) == ("GET", "XCOM")
        assert (question["details"].id, question["user"].name) == ("films", "viewer")
        assert landed == [STORED | {"map_index": -1}]

    @pytest.mark.parametrize("dag_id", ["secret", "~", "films "])
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    async def test_nobody_else_may(self, client, landed, dag_id, method):
        answer = await client.request(method, "/stored", params=STORED | {"dag_id": dag_id})
        assert answer.status_code == 403
        assert landed == []

    @pytest.mark.parametrize(("order", "status"), [(("films", "secret"), 403), (("secret", "films"), 200)])
    async def test_the_dag_whose_video_is_shown_is_the_one_that_was_asked_about(self, client, landed, order, status):
        parameters = [*[("dag_id", dag_id) for dag_id in order], ("run_id", "r"), ("task_id", "land")]
        assert (await client.get("/stored", params=parameters)).status_code == status
        assert [place["dag_id"] for place in landed] == ["films"] * (status == 200)


class TestStored:
    async def test_all_of_it(self, client, landed):
        answer = await client.get("/stored", params=STORED | {"map_index": 3})
        assert (answer.status_code, answer.content) == (200, VIDEO)
        headers = answer.headers
        assert (headers["content-type"], headers["content-length"]) == ("video/mp4", "100")
        assert (headers["accept-ranges"], headers["cache-control"]) == ("bytes", "private, no-cache")
        assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")
        assert headers["content-disposition"] == "inline; filename*=UTF-8''a%20film.mp4"
        assert "content-range" not in headers
        assert landed[0]["map_index"] == 3

    @pytest.mark.parametrize(
        ("asked", "status", "told", "part"),
        [
            ("bytes=0-", 206, "bytes 0-99/100", VIDEO),
            ("bytes=0-11", 206, "bytes 0-11/100", VIDEO[:12]),
            ("bytes=90-", 206, "bytes 90-99/100", VIDEO[90:]),
            ("bytes=-1", 206, "bytes 99-99/100", VIDEO[99:]),
            ("bytes=50-5000", 206, "bytes 50-99/100", VIDEO[50:]),
            ("bytes=100-", 416, "bytes */100", b""),
            # What is no part is all of it.
            *((asked, 200, None, VIDEO) for asked in ("bytes=0-0,5-9", "nonsense", f"bytes={'9' * 5000}-")),
        ],
    )
    async def test_a_part_of_it(self, client, landed, asked, status, told, part):
        answer = await client.get("/stored", params=STORED, headers={"Range": asked})
        assert (answer.status_code, answer.headers.get("content-range")) == (status, told)
        if part:
            assert (answer.content, answer.headers["content-length"]) == (part, str(len(part)))

    @pytest.mark.parametrize("asked", [{}, {"Range": "bytes=5-9"}, {"Range": "bytes=100-"}])
    async def test_to_be_told_of_it_reads_nothing_of_it(self, client, landed, module, monkeypatch, asked):
        monkeypatch.setattr(module.StoredVideo, "pieces", None)
        answer = await client.head("/stored", params=STORED, headers=asked)
        assert (answer.status_code, answer.headers["content-length"], answer.content) == (200, "100", b"")
        assert answer.headers["accept-ranges"] == "bytes"

    async def test_a_name_stays_within_its_header(self, client, land, tmp_path):
        path = tmp_path / 'a"; filename=b.html; ä.mp4'
        path.write_bytes(VIDEO)
        land({"path": str(path), "size": len(VIDEO)})
        answer = await client.get("/stored", params=STORED)
        name = "a%22%3B%20filename%3Db.html%3B%20%C3%A4.mp4"
        assert answer.headers["content-disposition"] == f"inline; filename*=UTF-8''{name}"

    @pytest.mark.parametrize(
        "value",
        [
            None,
            "a text",
            [],
            {"path": "/etc/passwd", "size": Path("/etc/passwd").stat().st_size},
            {"path": "http://169.254.169.254/", "size": 7},
            {"path": "s3://[bucket/a.mp4", "size": 7},
            {"path": "/nowhere/a.mp4", "size": 7},
            {"path": "/dev/zero", "size": 0},
        ],
    )
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    async def test_what_is_not_shown_is_not_there(self, client, land, value, method):
        land(value)
        answer = await client.request(method, "/stored", params=STORED)
        assert answer.status_code == 404
        assert b"root:" not in answer.content

    @pytest.mark.parametrize(("name", "status"), [("dag_id", 403), ("run_id", 422), ("task_id", 422)])
    async def test_a_place_has_all_its_names(self, client, landed, name, status):
        without = {key: value for key, value in STORED.items() if key != name}
        for place in (without, STORED | {name: ""}):
            assert (await client.get("/stored", params=place)).status_code == status
        assert landed == []

    @pytest.mark.parametrize(
        "wrong",
        [
            *({"map_index": value} for value in ("99999999999999999999", str(2**31), "-2", "1.5", "", "9" * 5000)),
            {"run_id": "a\0"},
            {"task_id": "a\0"},
        ],
    )
    async def test_what_no_database_can_look_up_is_refused(self, client, landed, wrong):
        assert (await client.get("/stored", params=STORED | wrong)).status_code == 422
        assert landed == []

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
    async def test_nothing_can_be_changed(self, client, landed, method):
        assert (await client.request(method, "/stored", params=STORED)).status_code == 405


class TestPushed:
    """What the page asks for about a task instance."""

    ASKED = STORED | {"task_id": "make", "key": "return_value", "map_index": 3}

    @pytest.fixture
    def push(self, rights, module, monkeypatch):
        """Have a task push something, or an error instead."""

        def pushing(value):
            asked = []

            def read(_, key, **place):
                asked.append({"key": key} | place)
                if isinstance(value, Exception):
                    raise value
                return value

            monkeypatch.setattr(module, "pushed_value", read)
            return asked

        return pushing

    @pytest.mark.parametrize("value", [None, {"video_task_id": "task_a"}, "2026-03-01T12:00:00Z"])
    async def test_is_told_to_whoever_may_see_xcoms(self, client, push, rights, value):
        asked = push(value)
        answer = await client.get("/pushed", params=self.ASKED)
        assert (answer.status_code, answer.json()) == (200, {"value": value})
        assert (answer.headers["cache-control"], answer.headers["x-content-type-options"]) == ("no-store", "nosniff")
        assert asked == [self.ASKED]
        assert rights[0]["access_entity"].value == "XCOM"
        assert (await client.get("/pushed", params=self.ASKED | {"dag_id": "secret"})).status_code == 403
        assert len(asked) == 1

    async def test_a_value_that_is_no_json_is_told_as_text(self, client, push):
        push({"completed_at": datetime(2026, 3, 1, tzinfo=UTC)})
        answer = await client.get("/pushed", params=self.ASKED)
        assert answer.json() == {"value": {"completed_at": "2026-03-01 00:00:00+00:00"}}

    @pytest.mark.parametrize("value", [{"credits_used": float("nan")}, {(1, 2): 3}])
    async def test_what_no_page_can_read_is_told(self, client, push, value):
        push(value)
        answer = await client.get("/pushed", params=self.ASKED)
        assert (answer.status_code, list(answer.json())) == (200, ["problem"])

    async def test_what_can_not_be_read_is_told(self, client, push, module):
        push(module.UnreadableXComError("It can't be read."))
        answer = await client.get("/pushed", params=self.ASKED)
        assert (answer.status_code, answer.json()) == (200, {"problem": "It can't be read."})
        answer = await client.get("/stored", params=STORED)
        assert (answer.status_code, answer.json()) == (404, {"detail": "It can't be read."})

    @pytest.mark.parametrize("wrong", [{"key": "password"}, {"key": ""}, {"map_index": 2**63}, {"run_id": ""}])
    async def test_nothing_else_is_read(self, client, push, wrong):
        asked = push({})
        assert (await client.get("/pushed", params=self.ASKED | wrong)).status_code == 422
        assert asked == []
