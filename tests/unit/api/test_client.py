"""The API over requests, against a real server on loopback."""

from __future__ import annotations

import gzip
import re
import threading
import time
import traceback
import tracemalloc

import pytest

from seedance_provider.api import client as client_module
from seedance_provider.api.client import SeedanceClient
from seedance_provider.api.errors import (
    BadRequestError,
    ConcurrencyLimitError,
    ConnectionLostError,
    ConnectionNotEstablishedError,
    InternalServerError,
    SeedanceError,
    TaskNotFoundError,
    TransportError,
    UndocumentedRefusalError,
    UnexpectedResponseError,
    Verdict,
)
from seedance_provider.api.protocol import SeedanceProtocol
from seedance_provider.api.video_request import VideoRequest
from seedance_provider.api.video_task import TaskStatus
from seedance_provider.api.wire_formats import encode_bodies
from tests.support.dribbling_server import DRIBBLES, DRIBBLES_BEFORE, FLOOD, dribbling_server
from tests.support.scripted_api import Answer, record

KEY = "sk-test-3f9a"
GARDEN = VideoRequest("A garden")
EDIT = VideoRequest("A park", model="seedance2-5-edit", reference_videos=["https://media.example/walk.mp4"])
CREATED = Answer(200, {"taskId": "task_a"})

#: Answers after which nobody knows whether the API accepted the request.
BROKEN_ANSWERS = {
    "hangs up after the request": Answer(hang_up=True),
    "cuts the body": Answer(200, b'{"taskId": "task_', promised=9999),
}


@pytest.fixture
def client(api):
    with SeedanceClient(SeedanceProtocol(KEY, api.base_url)) as client:
        yield client


def error_of(call, *args):
    with pytest.raises(SeedanceError) as caught:
        call(*args)
    return caught.value


class TestCreateTask:
    def test_it_returns_the_id(self, api, client):
        api.creations.append(CREATED)
        assert client.create_task(GARDEN) == "task_a"

    def test_the_request_that_arrives_is_the_newest(self, api, client):
        api.creations.append(CREATED)
        client.create_task(GARDEN)
        (asked,) = api.asked
        assert (asked.method, asked.path, asked.query) == ("POST", "/api/v1/jobs/createTask", {})
        assert asked.headers["Authorization"] == f"Bearer {KEY}"
        assert asked.headers["Content-Type"] == "application/json"
        assert asked.json == encode_bodies(GARDEN)["models"]

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

    @pytest.mark.parametrize(
        "answer",
        [
            *BROKEN_ANSWERS.values(),
            Answer(429, {"message": "Too many requests"}, headers={"Retry-After": "0"}),
            Answer(500, {"message": "Internal server error"}),
            Answer(503, b""),
            Answer(200, b""),
        ],
        ids=[*BROKEN_ANSWERS, "429", "500", "503", "empty 200"],
    )
    def test_it_is_sent_exactly_once_whatever_comes_back(self, api, client, answer):
        api.creations.append(answer)
        error_of(client.create_task, GARDEN)
        assert len(api.created) == 1

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_a_redirect_is_not_followed(self, api, client, status):
        api.creations.append(Answer(status, headers={"Location": f"{api.url}/elsewhere"}))
        error = error_of(client.create_task, GARDEN)
        assert type(error) is UndocumentedRefusalError
        assert f"a redirect to {api.url}/elsewhere, not followed" in str(error)
        assert [asked.path for asked in api.asked] == ["/api/v1/jobs/createTask"]

    def test_an_id_that_has_arrived_is_used_though_more_was_promised(self, api, client):
        api.creations.append(Answer(200, {"taskId": "task_a"}, promised=9999))
        assert client.create_task(GARDEN) == "task_a"

    @pytest.mark.parametrize("status", [403, 429])
    def test_a_refusal_is_certain_though_its_body_is_cut(self, api, client, status):
        api.creations.append(Answer(status, b"<html>", promised=9999))
        assert error_of(client.create_task, GARDEN).create_verdict in (Verdict.PERMANENT, Verdict.TRANSIENT)

    def test_what_is_packed_is_not_unpacked(self, api, client):
        body = gzip.compress(b'{"taskId": "task_a"}')
        api.creations.append(Answer(200, body, headers={"Content-Encoding": "gzip"}))
        error = error_of(client.create_task, GARDEN)
        assert (type(error), error.create_verdict) == (UnexpectedResponseError, Verdict.UNKNOWN_OUTCOME)
        assert api.asked[0].headers["Accept-Encoding"] == "identity"

    @pytest.mark.parametrize("answer", BROKEN_ANSWERS.values(), ids=BROKEN_ANSWERS)
    def test_after_a_broken_answer_the_outcome_is_unknown(self, api, client, answer):
        api.creations.append(answer)
        error = error_of(client.create_task, GARDEN)
        assert type(error) is ConnectionLostError
        assert error.create_verdict is Verdict.UNKNOWN_OUTCOME

    def test_after_no_answer_in_time_the_outcome_is_unknown(self, silent_url, monkeypatch):
        monkeypatch.setattr(client_module, "_CREATE_SECONDS", 0.05)
        with SeedanceClient(SeedanceProtocol(KEY, silent_url)) as client:
            error = error_of(client.create_task, GARDEN)
        assert type(error) is ConnectionLostError
        assert str(error) == f"{silent_url} did not answer completely: timed out."

    def test_a_refused_port_means_that_nothing_was_sent(self, refused_url):
        with SeedanceClient(SeedanceProtocol(KEY, refused_url)) as client:
            error = error_of(client.create_task, GARDEN)
        assert type(error) is ConnectionNotEstablishedError
        assert error.create_verdict is Verdict.TRANSIENT
        assert str(error) == f"{refused_url} could not be reached: Connection refused. Nothing was sent."

    def test_a_certificate_that_is_not_trusted_means_that_nothing_was_sent(self, untrusted_url):
        with SeedanceClient(SeedanceProtocol(KEY, untrusted_url)) as client:
            error = error_of(client.create_task, GARDEN)
        assert type(error) is ConnectionNotEstablishedError
        why = "certificate verify failed: self-signed certificate"
        assert str(error) == f"{untrusted_url} could not be reached: {why}. Nothing was sent."

    def test_a_name_that_nobody_knows_means_that_nothing_was_sent(self):
        with SeedanceClient(SeedanceProtocol(KEY, "http://kinovi.invalid:81/v1")) as client:
            error = error_of(client.create_task, GARDEN)
        assert type(error) is ConnectionNotEstablishedError
        assert re.fullmatch(
            r"http://kinovi\.invalid:81 could not be reached: [A-Z][a-z ]+\. Nothing was sent\.", str(error)
        )

    @pytest.mark.parametrize("variable", ["http_proxy", "https_proxy"])
    def test_a_proxy_that_refuses_means_that_nothing_was_sent(self, refused_url, monkeypatch, variable):
        monkeypatch.setenv(variable, refused_url)
        scheme = variable.removesuffix("_proxy")
        with SeedanceClient(SeedanceProtocol(KEY, f"{scheme}://kinovi.invalid/api/v1")) as client:
            error = error_of(client.create_task, GARDEN)
        assert type(error) is ConnectionNotEstablishedError
        assert str(error).startswith(f"{scheme}://kinovi.invalid could not be reached: proxy: Connection refused.")

    def test_a_proxy_that_loses_the_answer_leaves_the_outcome_unknown(self, api, monkeypatch):
        monkeypatch.setenv("http_proxy", api.url)
        api.creations.append(Answer(hang_up=True))
        with SeedanceClient(SeedanceProtocol(KEY, "http://kinovi.invalid/api/v1")) as client:
            error = error_of(client.create_task, GARDEN)
        assert len(api.created) == 1
        assert error.create_verdict is Verdict.UNKNOWN_OUTCOME
        assert error.verdict is Verdict.UNKNOWN_OUTCOME

    def test_a_proxy_that_refuses_to_connect_us_means_that_nothing_was_sent(self, api, monkeypatch):
        monkeypatch.setenv("https_proxy", api.url)
        with SeedanceClient(SeedanceProtocol(KEY, "https://kinovi.invalid/api/v1")) as client:
            error = error_of(client.create_task, GARDEN)
        assert api.asked == []
        assert type(error) is ConnectionNotEstablishedError
        assert "proxy: Tunnel connection failed: 501" in str(error)

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
    str(status): Answer(status, {"message": "No."})
    for status in (302, 401, 402, 403, 404, 408, 413, 422, 429, 500, 503)
} | BROKEN_ANSWERS


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

    def test_what_is_accepted_at_once_is_sent_once_and_not_spoken_of(self, api, client, caplog):
        caplog.set_level("INFO")
        api.creations.append(CREATED)
        client.create_task(GARDEN)
        assert (len(api.asked), caplog.messages) == (1, [])

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
    def test_it_returns_the_video_task(self, api, client):
        api.readings.append(Answer(200, record("success")))
        task = client.get_task("task_a")
        assert (task.status, task.video_url) == (TaskStatus.SUCCESS, "https://media.example/a.mp4")

    def test_the_id_that_was_asked_for_stands_in_for_a_missing_one(self, api, client):
        api.readings.append(Answer(200, {"status": "waiting"}))
        assert client.get_task("task_b").video_task_id == "task_b"

    def test_the_request_that_arrives_is_the_quickstarts(self, api, client):
        api.readings.append(Answer(200, record()))
        error_of(client.get_task, "task a&b=\N{CHERRY BLOSSOM}")
        (asked,) = api.asked
        assert (asked.method, asked.path) == ("GET", "/api/v1/jobs/recordInfo")
        assert asked.query == {"taskId": ["task a&b=\N{CHERRY BLOSSOM}"]}
        assert asked.headers["Authorization"] == f"Bearer {KEY}"

    def test_looks_share_a_connection(self, api, client):
        api.readings.append(Answer(200, record("waiting")))
        client.get_task("task_a")
        client.get_task("task_a")
        assert len({asked.client for asked in api.read}) == 1

    @pytest.mark.parametrize("answer", BROKEN_ANSWERS.values(), ids=BROKEN_ANSWERS)
    def test_after_a_broken_answer_it_can_be_asked_again(self, api, client, answer):
        api.readings.extend([answer, Answer(200, record())])
        error = error_of(client.get_task, "task_a")
        assert type(error) is ConnectionLostError
        assert error.read_verdict is Verdict.TRANSIENT
        assert client.get_task("task_a").status is TaskStatus.SUCCESS

    def test_no_answer_in_time_is_a_lost_connection(self, silent_url, monkeypatch):
        monkeypatch.setattr(client_module, "_READ_SECONDS", 0.05)
        with SeedanceClient(SeedanceProtocol(KEY, silent_url)) as client:
            assert type(error_of(client.get_task, "task_a")) is ConnectionLostError

    def test_a_refused_port_is_a_connection_that_was_not_established(self, refused_url):
        with SeedanceClient(SeedanceProtocol(KEY, refused_url)) as client:
            assert type(error_of(client.get_task, "task_a")) is ConnectionNotEstablishedError

    def test_a_redirect_is_not_followed(self, api, client):
        api.readings.append(Answer(302, headers={"Location": f"{api.url}/elsewhere"}))
        assert type(error_of(client.get_task, "task_a")) is UndocumentedRefusalError
        assert [asked.path for asked in api.asked] == ["/api/v1/jobs/recordInfo"]

    @pytest.mark.parametrize(
        ("answer", "error_class"),
        [
            (Answer(404, {"message": "Task not found"}), TaskNotFoundError),
            (Answer(400, {"message": "Invalid taskId"}), TaskNotFoundError),
            (Answer(500, {"message": "Internal server error"}), InternalServerError),
        ],
    )
    def test_errors_of_the_api_come_through_and_nothing_is_repeated(self, api, client, answer, error_class):
        api.readings.append(answer)
        assert type(error_of(client.get_task, "task_a")) is error_class
        assert len(api.asked) == 1


def no_watchdog_is_left():
    return not any(isinstance(thread, threading.Timer) for thread in threading.enumerate())


class TestDeadline:
    @pytest.fixture(autouse=True)
    def _soon(self, monkeypatch):
        for name in ("_CREATE_SECONDS", "_READ_SECONDS"):
            monkeypatch.setattr(client_module, name, 0.3)

    @pytest.mark.parametrize(("first", "again"), DRIBBLES.values(), ids=DRIBBLES)
    def test_whatever_a_server_dribbles_both_calls_end_in_time(self, first, again):
        with dribbling_server(first, again) as host, SeedanceClient(SeedanceProtocol(KEY, f"http://{host}")) as client:
            for call, argument in ((client.create_task, GARDEN), (client.get_task, "task_a")):
                started = time.monotonic()
                error = error_of(call, argument)
                assert 0.2 < time.monotonic() - started < 5
                assert type(error) is ConnectionLostError
                assert str(error) == f"http://{host} did not answer completely: timed out."
        assert no_watchdog_is_left()

    @pytest.mark.parametrize(("first", "again"), DRIBBLES_BEFORE.values(), ids=DRIBBLES_BEFORE)
    def test_whatever_dribbles_before_a_connection_is_there_nothing_was_sent(self, first, again, monkeypatch, request):
        # Python does not close what is cut off before its handshake has begun, and certificates take time to load.
        monkeypatch.setattr(client_module, "_CREATE_SECONDS", 1)
        with dribbling_server(first, again) as host:
            url = f"https://{host}"
            if "proxy" in request.node.callspec.id:
                monkeypatch.setenv("https_proxy", f"http://{host}")
                url = "https://kinovi.invalid"
            with SeedanceClient(SeedanceProtocol(KEY, url)) as client:
                started = time.monotonic()
                error = error_of(client.create_task, GARDEN)
        assert time.monotonic() - started < 5
        assert type(error) is ConnectionNotEstablishedError
        assert str(error).endswith("timed out. Nothing was sent.")
        assert no_watchdog_is_left()

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
        assert (type(error), error.reason, error.create_verdict) == (
            UndocumentedRefusalError,
            "web_page",
            Verdict.PERMANENT,
        )


class TestSize:
    @pytest.fixture
    def memory(self):
        """The most that Python has held since, in bytes."""
        tracemalloc.start()
        yield lambda: tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

    def test_a_page_without_end_is_cut_off(self, memory):
        with (
            dribbling_server(*FLOOD, pause=0) as host,
            SeedanceClient(SeedanceProtocol(KEY, f"http://{host}")) as client,
        ):
            created, polled = error_of(client.create_task, GARDEN), error_of(client.get_task, "task_a")
        assert {type(created), type(polled)} == {UnexpectedResponseError}
        assert "more than 4,194,304 bytes" in str(created)
        assert memory() < 40_000_000

    def test_what_is_packed_takes_no_more_memory_than_what_was_sent(self, api, client, memory):
        body = gzip.compress(b" " * 200_000_000, compresslevel=1)
        api.creations.append(Answer(200, body, headers={"Content-Encoding": "gzip"}))
        tracemalloc.reset_peak()
        assert type(error_of(client.create_task, GARDEN)) is UnexpectedResponseError
        assert memory() < 40_000_000


class TestSurroundings:
    @pytest.mark.parametrize("machine", ["machine 127.0.0.1", "default"])
    def test_a_netrc_file_does_not_replace_the_key(self, api, client, tmp_path, monkeypatch, machine):
        netrc = tmp_path / "netrc"
        netrc.write_text(f"{machine} login somebody password else\n")
        monkeypatch.setenv("NETRC", str(netrc))
        api.readings.append(Answer(200, record()))
        api.creations.append(CREATED)
        client.get_task("task_a")
        client.create_task(GARDEN)
        assert {asked.headers["Authorization"] for asked in api.asked} == {f"Bearer {KEY}"}

    def test_the_proxy_of_the_environment_is_used(self, api, monkeypatch):
        monkeypatch.setenv("http_proxy", api.url)
        api.readings.append(Answer(200, record()))
        api.creations.append(CREATED)
        with SeedanceClient(SeedanceProtocol(KEY, "http://kinovi.invalid/api/v1")) as client:
            client.get_task("task_a")
            client.create_task(GARDEN)
        assert {asked.headers["Host"] for asked in api.asked} == {"kinovi.invalid"}

    def test_no_proxy_is_used_for_an_address_that_the_environment_excepts(self, api, client, refused_url, monkeypatch):
        monkeypatch.setenv("http_proxy", refused_url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        api.readings.append(Answer(200, record()))
        assert client.get_task("task_a").status is TaskStatus.SUCCESS


class TestKeyStaysSecret:
    @pytest.mark.parametrize("answer", BROKEN_ANSWERS.values(), ids=BROKEN_ANSWERS)
    def test_no_traceback_of_a_broken_answer_shows_it(self, api, client, answer):
        api.creations.append(answer)
        error = error_of(client.create_task, GARDEN)
        assert KEY not in "".join(traceback.format_exception(error)) + repr(error)

    def test_no_traceback_of_a_refused_connection_shows_it(self, refused_url):
        with SeedanceClient(SeedanceProtocol(KEY, refused_url)) as client:
            error = error_of(client.create_task, GARDEN)
        assert KEY not in "".join(traceback.format_exception(error)) + repr(error)

    def test_a_key_in_the_address_is_not_shown_either(self, refused_url):
        try:
            protocol = SeedanceProtocol("another-key", refused_url.replace("://", f"://:{KEY}@"))
        except SeedanceError as error:
            shown = str(error)
        else:
            with SeedanceClient(protocol) as client:
                error = error_of(client.create_task, GARDEN)
            assert isinstance(error, TransportError)
            shown = "".join(traceback.format_exception(error))
        assert KEY not in shown

    def test_the_repr_of_the_client_does_not_show_it(self, client):
        assert KEY not in repr(client)
