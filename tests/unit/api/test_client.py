"""The API over requests, against a real server on loopback."""

from __future__ import annotations

import threading
import time
import traceback

import pytest

from seedance_provider.api import client as client_module
from seedance_provider.api.client import SeedanceClient
from seedance_provider.api.errors import (
    BadRequestError,
    ConcurrencyLimitError,
    ConnectionLostError,
    SeedanceError,
    UndocumentedRefusalError,
    Verdict,
)
from seedance_provider.api.protocol import SeedanceProtocol
from seedance_provider.api.video_request import VideoRequest
from seedance_provider.api.video_task import TaskStatus
from seedance_provider.api.wire_formats import encode_bodies
from tests.support.dribbling_server import DRIBBLES, dribbling_server
from tests.support.scripted_api import Answer, record
from tests.unit.api.conftest import BROKEN_ANSWERS, KEY

GARDEN = VideoRequest("A garden")
EDIT = VideoRequest("A park", model="seedance2-5-edit", reference_videos=["https://media.example/walk.mp4"])
CREATED = Answer(200, {"taskId": "task_a"})


@pytest.fixture
def client(api):
    with SeedanceClient(SeedanceProtocol(KEY, api.base_url)) as client:
        yield client


def error_of(call, *args):
    with pytest.raises(SeedanceError) as caught:
        call(*args)
    return caught.value


class TestCreateTask:
    def test_the_request_that_arrives_is_the_newest(self, api, client, caplog):
        caplog.set_level("INFO")
        api.creations.append(CREATED)
        assert client.create_task(GARDEN) == "task_a"
        (asked,) = api.asked
        assert (asked.method, asked.path, asked.query) == ("POST", "/api/v1/jobs/createTask", {})
        assert asked.headers["Authorization"] == f"Bearer {KEY}"
        assert asked.headers["Content-Type"] == "application/json"
        assert asked.json == encode_bodies(GARDEN)["models"]
        assert caplog.messages == []

    def test_it_never_uses_a_connection_again(self, api, client):
        api.readings.append(Answer(200, record()))
        api.creations.append(CREATED)
        client.get_task("task_a")
        client.create_task(GARDEN)
        client.create_task(GARDEN)
        client.get_task("task_a")
        read, created = {asked.client for asked in api.read}, {asked.client for asked in api.created}
        assert (len(read), len(created)) == (1, 2)
        assert read.isdisjoint(created)

    def test_an_id_that_has_arrived_is_used_though_more_was_promised(self, api, client):
        api.creations.append(Answer(200, {"taskId": "task_a"}, promised=9999))
        assert client.create_task(GARDEN) == "task_a"

    @pytest.mark.parametrize("status", [403, 429])
    def test_a_refusal_is_certain_though_its_body_is_cut(self, api, client, status):
        api.creations.append(Answer(status, b"<html>", promised=9999))
        assert error_of(client.create_task, GARDEN).create_verdict in (Verdict.PERMANENT, Verdict.TRANSIENT)

    def test_a_proxy_that_loses_the_answer_leaves_the_outcome_unknown(self, api, monkeypatch):
        monkeypatch.setenv("http_proxy", api.url)
        api.creations.append(Answer(hang_up=True))
        with SeedanceClient(SeedanceProtocol(KEY, "http://kinovi.invalid/api/v1")) as client:
            error = error_of(client.create_task, GARDEN)
        assert len(api.created) == 1
        assert error.create_verdict is Verdict.UNKNOWN_OUTCOME
        assert error.verdict is Verdict.UNKNOWN_OUTCOME

    def test_errors_of_the_api_come_through(self, api, client):
        message = "Concurrency limit reached (3). You have 3 tasks in progress."
        api.creations.append(Answer(429, {"message": message, "limit": 3, "current": 3}, headers={"retry-after": "9"}))
        error = error_of(client.create_task, GARDEN)
        assert type(error) is ConcurrencyLimitError
        assert (error.limit, error.retry_after) == (3, 9.0)


def refusal(number):
    """One that can be told from the others."""
    return Answer(400, {"message": "Invalid inputs for model", "errors": [{"path": ["duration"], "message": number}]})


#: Answers after which a request in other words would be a second one, or of no use.
FINAL_ANSWERS = {
    **{
        str(status): Answer(status, {"message": "No."}, headers={"Retry-After": "0"})
        for status in (302, 401, 402, 403, 404, 408, 413, 422, 429, 500, 503)
    },
    "empty 200": Answer(200, b""),
    **BROKEN_ANSWERS,
}


class TestWireFormats:
    @pytest.mark.parametrize(("refusals", "accepted"), [(1, "docs"), (2, "quickstart")])
    def test_after_a_400_the_next_older_format_is_sent(self, api, client, caplog, refusals, accepted):
        caplog.set_level("INFO")
        api.creations.extend([*map(refusal, range(refusals)), CREATED])
        assert client.create_task(GARDEN) == "task_a"
        assert [asked.json for asked in api.asked] == list(encode_bodies(GARDEN).values())[: refusals + 1]
        assert len({asked.client for asked in api.asked}) == refusals + 1
        (told,) = caplog.messages
        assert f"wire_format to '{accepted}' in the connection" in told
        assert "duration: 0" in told

    @pytest.mark.parametrize(
        ("request_", "formats"), [(GARDEN, 3), (VideoRequest("A garden", resolution="720p"), 2), (EDIT, 1)]
    )
    def test_where_all_are_refused_each_was_sent_once_and_the_first_refusal_is_the_error(
        self, api, client, request_, formats
    ):
        api.creations.extend(map(refusal, range(9)))
        error = error_of(client.create_task, request_)
        assert (type(error), error.status, len(api.asked)) == (BadRequestError, 400, formats)
        assert "duration: 0" in str(error)

    @pytest.mark.parametrize("wire_format", ["models", "docs", "quickstart"])
    def test_a_pinned_format_is_the_only_one(self, api, wire_format):
        api.creations.extend([refusal(0), CREATED])
        with SeedanceClient(SeedanceProtocol(KEY, api.base_url, wire_format)) as pinned:
            error = error_of(pinned.create_task, GARDEN)
        assert (type(error), len(api.asked)) == (BadRequestError, 1)

    @pytest.mark.parametrize("answer", FINAL_ANSWERS.values(), ids=FINAL_ANSWERS)
    @pytest.mark.parametrize("refusals", [0, 1])
    def test_nothing_but_a_400_is_followed_by_another_one(self, api, client, answer, refusals):
        api.creations.extend([*map(refusal, range(refusals)), answer, CREATED])
        error = error_of(client.create_task, GARDEN)
        assert len(api.asked) == refusals + 1
        assert getattr(error, "status", None) != 400

    def test_the_error_of_a_refused_request_does_not_hold_what_was_answered(self, api, client):
        api.creations.append(Answer(400, {"message": f"Unknown key {KEY}"}))
        error = error_of(client.create_task, GARDEN)
        assert KEY not in "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


class TestGetTask:
    def test_looks_share_a_connection(self, api, client):
        api.readings.append(Answer(200, record("waiting")))
        client.get_task("task_a")
        client.get_task("task_a")
        assert len({asked.client for asked in api.read}) == 1

    @pytest.mark.parametrize("answer", BROKEN_ANSWERS.values(), ids=BROKEN_ANSWERS)
    def test_after_a_broken_answer_it_can_be_asked_again(self, api, client, answer):
        api.readings.extend([answer, Answer(200, record())])
        error_of(client.get_task, "task_a")
        assert client.get_task("task_a").status is TaskStatus.SUCCESS


class TestDeadline:
    @pytest.fixture(autouse=True)
    def _soon(self, monkeypatch):
        for name in ("_CREATE_SECONDS", "_READ_SECONDS"):
            monkeypatch.setattr(client_module, name, 0.3)

    def test_it_holds_in_a_thread_of_its_own_too(self):
        errors = []
        slow = dribbling_server(*DRIBBLES["slow headers"])
        with slow as host, SeedanceClient(SeedanceProtocol(KEY, f"http://{host}")) as client:
            thread = threading.Thread(target=lambda: errors.append(error_of(client.create_task, GARDEN)))
            thread.start()
            thread.join(5)
        assert [type(error) for error in errors] == [ConnectionLostError]

    def test_it_holds_on_a_connection_that_was_opened_for_an_earlier_look(self, api, client, monkeypatch):
        api.readings.extend([Answer(200, record()), Answer(200, b"", promised=9)])
        client.get_task("task_a")
        held = threading.Event()
        monkeypatch.setattr(type(api), "next_answer", lambda self, asked: held.wait(5) and None)
        started = time.monotonic()
        error = error_of(client.get_task, "task_a")
        held.set()
        assert time.monotonic() - started < 4
        assert type(error) is ConnectionLostError

    def test_an_id_that_came_before_the_time_was_up_is_used(self):
        body = b'{"taskId": "task_a"}'
        first = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n" % (len(body), body)
        endless = dribbling_server(first, b"X-Trailer: x\r\n")
        with endless as host, SeedanceClient(SeedanceProtocol(KEY, f"http://{host}")) as client:
            assert client.create_task(GARDEN) == "task_a"

    def test_a_firewall_that_dribbles_its_page_has_refused(self):
        first = b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\n\r\n<html><title>No</title>"
        with dribbling_server(first, b" ") as host, SeedanceClient(SeedanceProtocol(KEY, f"http://{host}")) as client:
            error = error_of(client.create_task, GARDEN)
        assert (type(error), error.reason) == (UndocumentedRefusalError, "web_page")
        assert error.create_verdict is Verdict.PERMANENT


def test_the_repr_of_a_client_does_not_show_the_key(client):
    assert KEY not in repr(client)
