"""The API's HTTP without a socket: what is asked, and what every answer means."""

from __future__ import annotations

import gzip
import json
import re
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import seedance_provider
from seedance_provider.api.errors import (
    ApiError,
    AuthenticationError,
    BadRequestError,
    ConcurrencyLimitError,
    ConnectionLostError,
    ConnectionNotEstablishedError,
    ForbiddenError,
    InvalidRequestError,
    RateLimitedError,
    TaskNotFoundError,
    UndocumentedRefusalError,
    UnexpectedResponseError,
    Verdict,
)
from seedance_provider.api.http_errors import HTTP_ERRORS
from seedance_provider.api.protocol import (
    MAX_ANSWER_BYTES,
    HttpRequest,
    HttpResponse,
    SeedanceProtocol,
    address_problem,
    reading,
)
from seedance_provider.api.video_request import VideoRequest
from seedance_provider.api.video_task import TaskStatus
from tests.support.scripted_api import record

KEY = "sk-test-3f9a"
HTML = b"<!DOCTYPE html><html><title>Bad gateway</title></html>"

PERMANENT, TRANSIENT, UNKNOWN = Verdict.PERMANENT, Verdict.TRANSIENT, Verdict.UNKNOWN_OUTCOME

BUSY = "Concurrency limit reached (3). You have 3 tasks in progress. Please wait."

UNDOCUMENTED_ANSWERS = {
    "an empty 200": (200, b""),
    "a 200 that is no JSON": (200, b"{"),
    "a 200 that is no object": (200, b"[]"),
    "a 200 that is no text": (200, b"\xff\xfe\x00"),
    "a 200 nested too deeply to be read": (200, b"[" * 200_000),
    "an HTML 200": (200, HTML),
    "a 201 without a body": (201, b""),
    "a 204": (204, b""),
    "an object without end": (200, b'{"taskId": "task_a"}' + b" " * MAX_ANSWER_BYTES),
    "a packed 200": (200, gzip.compress(b'{"taskId": "task_a", "status": "success"}')),
    "a 103": (103, b""),
    "a 408": (408, b'{"message": "Request timeout"}'),
    "a 408 page": (408, HTML),
    "a 500 without a message": (500, b"{}"),
    "an HTML 500": (500, HTML),
    "a 502": (502, HTML),
    "a 503 with a message": (503, b'{"message": "Service unavailable"}'),
    "a 504": (504, b""),
    "a 520 page": (520, HTML),
}

#: status, body, reason.
UNDOCUMENTED_REFUSALS = {
    "a redirect": (302, b"", "redirected"),
    "a page that says where else it is": (301, HTML, "redirected"),
    "a 400 without a message": (400, b"{}", "undocumented_refusal"),
    "a 400 with its message elsewhere": (
        400, b'{"error": {"code": "400", "message": "Unknown model"}}', "undocumented_refusal"
    ),
    "a 400 with its message in a data object": (
        400, b'{"code": 400, "data": {"message": "Unknown model"}}', "undocumented_refusal"
    ),
    "a 401 with a text as its error": (401, b'{"error": "Invalid API Key"}', "undocumented_refusal"),
    "a 403 page of a firewall": (403, HTML, "web_page"),
    "a 404 page of a proxy": (404, HTML, "web_page"),
    "a 405": (405, b'{"message": "Method not allowed"}', "undocumented_refusal"),
    "a 407 of a proxy": (407, b"Proxy authentication required", "undocumented_refusal"),
    "a 409": (409, b'{"message": "Conflict"}', "undocumented_refusal"),
    "a 413 page": (413, HTML, "web_page"),
    "a 422": (422, b'{"detail": []}', "undocumented_refusal"),
    "a 425": (425, b"", "undocumented_refusal"),
    "a 451 without end": (451, b"x" * (MAX_ANSWER_BYTES + 1), "undocumented_refusal"),
    "a 499": (499, b"\xff\xfe", "undocumented_refusal"),
}  # fmt: skip


def a_protocol(**fields):
    return SeedanceProtocol(**{"api_key": KEY} | fields)


def a_response(status=200, body=b"", **headers):
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpResponse(status, {name.replace("_", "-"): value for name, value in headers.items()}, payload)


def error_on_create(response):
    with pytest.raises(ApiError) as caught:
        a_protocol().read_created(response)
    return caught.value


def error_on_read(response):
    with pytest.raises(ApiError) as caught:
        a_protocol().read_record(response, "task_a")
    return caught.value


class TestRequests:
    def test_create_task_is_asked_for_in_the_newest_words_first(self):
        requests = a_protocol().create_task(VideoRequest("A garden"))
        assert list(requests) == ["models", "docs", "quickstart"]
        for request in requests.values():
            assert (request.method, request.url) == ("POST", "https://kinovi.ai/api/v1/jobs/createTask")
        assert json.loads(requests["models"].body) == {
            "model": "seedance-20",
            "inputs": {
                "prompt": "A garden",
                "duration": 5,
                "outputResolution": "720p",
                "aspectRatio": "16:9",
                "resolution": "1280x720",
            },
        }

    def test_create_task_uses_the_wire_format_of_the_account_and_no_other(self):
        requests = a_protocol(wire_format="quickstart").create_task(VideoRequest("A garden"))
        assert {name: json.loads(request.body) for name, request in requests.items()} == {
            "quickstart": {
                "model": "seedance-20",
                "inputs": {"prompt": "A garden", "resolution": "1280x720", "duration": "5s"},
            }
        }

    def test_a_prompt_in_any_language_arrives_as_it_is(self):
        prompt = "Ein Garten \N{EM DASH} \N{CHERRY BLOSSOM} \u5ead\u5712"
        for request in a_protocol().create_task(VideoRequest(prompt)).values():
            assert json.loads(request.body)["inputs"]["prompt"] == prompt

    def test_record_info_is_the_request_of_the_vendors_quickstart(self):
        request = a_protocol().record_info("task_a")
        assert (request.method, request.url) == ("GET", "https://kinovi.ai/api/v1/jobs/recordInfo")
        assert (request.params, request.body) == ({"taskId": "task_a"}, None)
        elsewhere = a_protocol(base_url="http://127.0.0.1:8080/api/v1").record_info("task_a")
        assert elsewhere.url == "http://127.0.0.1:8080/api/v1/jobs/recordInfo"

    def test_every_request_carries_the_key_what_is_spoken_and_who_asks(self):
        protocol = a_protocol()
        for asked in (*protocol.create_task(VideoRequest("A garden")).values(), protocol.record_info("task_a")):
            assert asked.headers == {
                "Authorization": f"Bearer {KEY}",
                "Content-Type": "application/json",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "User-Agent": f"airflow-provider-seedance/{seedance_provider.__version__}",
            }


@pytest.mark.parametrize("video_task_id", ["task_a", "a&b=c", "a/../b", "a b+c%20d", "ä#?"])
def test_the_url_of_a_record_has_any_id_whole_and_no_key(video_task_id):
    url = a_protocol().record_url(video_task_id)
    address, _, query = url.partition("?")
    assert address == a_protocol().record_info(video_task_id).url
    assert parse_qs(query, strict_parsing=True) == {"taskId": [video_task_id]}
    assert urlsplit(url).fragment == ""
    assert KEY not in url


class TestChecks:
    @pytest.mark.parametrize(
        "key",
        ["", " ", "two words", "line\nbreak", "trailing\r\n", "tab\tbed", "nul\0", "sch\N{LATIN SMALL LETTER U}\xf6n"],
    )
    def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(self, key):
        with pytest.raises(InvalidRequestError) as caught:
            a_protocol(api_key=key)
        assert str(caught.value) == "The API key is empty, or has spaces or characters that no key has."

    def test_a_key_of_any_sign_that_a_header_can_carry_is_fine(self):
        key = "".join(map(chr, range(ord("!"), ord("~") + 1)))
        assert a_protocol(api_key=key).record_info("task_a").headers["Authorization"] == f"Bearer {key}"


class TestAddressProblem:
    @pytest.mark.parametrize("url", ["http://a", "https://a.example:1/v1", "https://a.example:65535"])
    def test_an_address_of_the_web_has_none(self, url):
        assert address_problem(url) is None

    @pytest.mark.parametrize(
        "url",
        ["", "kinovi.ai", "/api/v1", "ftp://a", "file:///etc/passwd", "https://", "https:///api", "http://[::1",
         "https://a:0", "https://a:many"],
    )  # fmt: skip
    def test_what_is_no_address_of_the_web_is_shown_and_refused(self, url):
        problem = f"is {url!r}, and an http(s) URL is needed"
        assert address_problem(url) == problem
        with pytest.raises(InvalidRequestError, match=re.escape(problem)):
            a_protocol(base_url=url)

    @pytest.mark.parametrize(
        ("url", "problem"),
        [
            ("ftp://key@a", "is not a URL, and an http(s) URL is needed"),
            ("https://key@a:many", "is not a URL, and an http(s) URL is needed"),
            ("https://:key@a", "holds credentials, and the key belongs into the password of the connection"),
        ],
    )
    def test_credentials_are_not_shown(self, url, problem):
        assert address_problem(url) == problem


class TestWithoutKey:
    KEY = 'sk-a/b"c\\+9-and-so-on'

    @pytest.mark.parametrize(
        "spell",
        [
            lambda key: key,
            lambda key: json.dumps(key)[1:-1],
            lambda key: json.dumps(key)[1:-1].replace("/", "\\/"),
            lambda key: quote(key, safe=""),
        ],
        ids=["as it is", "in JSON", "in JSON with escaped slashes", "in a URL"],
    )
    def test_it_is_left_out_in_every_spelling(self, spell):
        assert a_protocol(api_key=self.KEY).without_key(f"<{spell(self.KEY)}> twice: {spell(self.KEY)}.") == (
            "<***> twice: ***."
        )

    @pytest.mark.parametrize(("key", "shown"), [("as-12-signs-", "Key is ***"), ("as-11-signs", "Key is as-11-signs")])
    def test_what_is_shorter_than_any_real_key_may_be_a_part_of_a_word(self, key, shown):
        assert a_protocol(api_key=key).without_key(f"Key is {key}") == shown

    def test_a_record_that_repeats_it_keeps_all_else(self):
        error = {"code": f"code of {KEY}", "message": f"No {KEY} here"}
        said = record("fail", error=error) | {"status": f"refused {KEY}"}
        task = a_protocol().read_record(a_response(200, said), "task_a")
        assert (task.video_task_id, task.raw_status) == ("task_a", "refused ***")
        assert (task.error_code, task.error_message) == ("code of ***", "No *** here")


class TestKeyStaysSecret:
    def test_no_repr_or_str_shows_it(self):
        protocol = a_protocol()
        request = protocol.create_task(VideoRequest("A garden"))
        for shown in (protocol, request, protocol.record_info("task_a")):
            assert KEY not in f"{shown!r} {shown!s}"

    @pytest.mark.parametrize(
        "base_url",
        [
            f"https://:{KEY}@kinovi.ai/api/v1",
            f"https://{KEY}@kinovi.ai/api/v1",
            f"ftp://:{KEY}@kinovi.ai/api/v1",
            f"https://:{KEY}@",
            f"https://:{KEY}@kinovi.ai:port",
            f"https://:{KEY}@[::1",
        ],
    )
    def test_a_key_in_the_address_is_shown_neither_in_a_refusal_nor_in_a_repr(self, base_url):
        try:
            shown = repr(a_protocol(api_key="another-key", base_url=base_url).record_info("task_a"))
        except ValueError as error:
            shown = str(error)
        assert KEY not in shown


class TestReadCreated:
    @pytest.mark.parametrize("status", [200, 201, 202, 203, 206, 299])
    @pytest.mark.parametrize(
        "body",
        [
            {"taskId": "task_a"},
            {"code": 200, "message": "success", "data": {"taskId": "task_a"}},
            {"taskId": "task_a", "data": None, "more": 1},
        ],
    )
    def test_any_success_with_an_id_flat_or_enveloped_is_a_creation(self, status, body):
        assert a_protocol().read_created(a_response(status, body)) == "task_a"

    def test_an_id_that_has_arrived_counts_whatever_happened_behind_it(self):
        response = HttpResponse(200, {}, b'{"taskId": "task_a"}', ConnectionLostError("cut"))
        assert a_protocol().read_created(response) == "task_a"

    @pytest.mark.parametrize("status", [200, 500, 502, 408])
    def test_what_has_not_arrived_as_a_whole_may_have_cost_money(self, status):
        lost = ConnectionLostError("cut")
        response = HttpResponse(status, {}, b'{"taskId": "task_', lost)
        with pytest.raises(ConnectionLostError) as caught:
            a_protocol().read_created(response)
        assert caught.value is lost

    @pytest.mark.parametrize(("status", "error_class"), [(403, UndocumentedRefusalError), (429, RateLimitedError)])
    def test_a_status_that_refuses_needs_no_whole_body(self, status, error_class):
        response = HttpResponse(status, {}, b'{"mess', ConnectionLostError("cut"))
        assert type(error_on_create(response)) is error_class

    @pytest.mark.parametrize("video_task_id", ["a", "x" * 256, "task_\N{CHERRY BLOSSOM}", "a/../b?c#d"])
    def test_any_text_that_can_be_shown_is_an_id(self, video_task_id):
        assert a_protocol().read_created(a_response(200, {"taskId": video_task_id})) == video_task_id

    @pytest.mark.parametrize(
        "video_task_id",
        ["x" * 257, "a b", " ", "a\n", "a\0", "\x1b[31m", "a\u202eb", "a\u00a0b", "\ud800", "y" * 1_000_000],
    )
    def test_an_id_that_could_not_be_kept_leaves_the_outcome_unknown_and_is_shown(self, video_task_id):
        error = error_on_create(a_response(201, {"taskId": video_task_id}))
        assert (type(error), error.create_verdict) == (UnexpectedResponseError, UNKNOWN)
        assert str(error).startswith(
            f"HTTP 201: the answer holds no taskId that can be one: {video_task_id[:150]!r}"[:-1]
        )
        assert len(str(error)) < 800
        assert str(error).isprintable()

    @pytest.mark.parametrize(
        "body", [{}, {"taskId": ""}, {"taskId": None}, {"taskId": 7}, {"data": {}}, {"message": "ok"}]
    )
    def test_a_200_without_an_id_may_have_cost_money(self, body):
        error = error_on_create(a_response(200, body))
        assert type(error) is UnexpectedResponseError
        assert error.create_verdict is UNKNOWN
        assert str(error).startswith("HTTP 200: the answer holds no taskId (")


class TestNoAnswer:
    @pytest.mark.parametrize("was_sent", [True, False])
    def test_it_names_the_host_and_the_cause_but_neither_the_key_nor_a_signed_address(self, was_sent):
        request = HttpRequest("PUT", "http://a.example:81/put?signature=1", {})
        error = a_protocol().no_answer(request, f"reset by {KEY}", was_sent=was_sent)
        assert type(error) is (ConnectionLostError if was_sent else ConnectionNotEstablishedError)
        said = "did not answer completely" if was_sent else "could not be reached"
        assert str(error).startswith(f"http://a.example:81 {said}: reset by ***.")
        assert ("Nothing was sent" in str(error)) is not was_sent


class TestReadRecord:
    def test_an_answer_about_another_video_task_is_none(self):
        error = error_on_read(a_response(200, record("success", "task_b")))
        assert (type(error), error.read_verdict) == (UnexpectedResponseError, TRANSIENT)
        assert str(error).startswith("HTTP 200: the answer is not about task_a, but about another video task (")

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"taskId": "task_a"},
            {"taskId": "task_a", "status": None},
            {"taskId": "task_a", "status": ""},
            {"taskId": "task_a", "status": 2},
            {"code": 500, "message": "No database"},
            {"error": "No database"},
            {"code": 200, "message": "success", "data": None},
            {"code": 404, "message": "No such task", "data": {}},
        ],
    )
    def test_an_answer_without_a_status_is_none_and_its_words_are_shown(self, body):
        error = error_on_read(a_response(200, body))
        assert (type(error), error.read_verdict) == (UnexpectedResponseError, TRANSIENT)
        assert str(error) == f"HTTP 200: the answer holds no status (no content type, {json.dumps(body)!r})"

    @pytest.mark.parametrize("code", [200, 201, 203])
    @pytest.mark.parametrize(
        ("word", "status"),
        [
            ("success", TaskStatus.SUCCESS),
            ("fail", TaskStatus.FAIL),
            # Documented by nobody.
            *((word, TaskStatus.UNKNOWN) for word in ("queuing", "completed", "SUCCEEDED", "2")),
        ],
    )
    def test_any_success_with_a_status_is_an_answer(self, code, word, status):
        task = a_protocol().read_record(a_response(code, {"status": word, "error": "Server error"}), "task_a")
        assert (task.video_task_id, task.status, task.raw_status) == ("task_a", status, word)
        assert task.error_message == "Server error"

    def test_a_text_without_end_is_cut(self):
        error = {"code": "y" * 5000, "message": "x" * 1_000_000}
        task = a_protocol().read_record(a_response(200, record("fail", error=error)), "task_a")
        assert task.error_message.startswith("x" * 1000)
        assert max(len(task.error_message), len(task.error_code)) < 1100


class TestDocumentedErrors:
    @pytest.mark.parametrize("known", HTTP_ERRORS, ids=lambda known: f"{known.status} {known.prefix}")
    def test_each_has_its_class_and_reason(self, known):
        response = a_response(known.status, {"message": f"{known.prefix}, as it happens"})
        when_creating, when_reading = error_on_create(response), error_on_read(response)
        assert (type(when_creating), when_creating.reason) == (known.error_class, known.reason)
        # The id is all that a look sends.
        read_as = TaskNotFoundError if known.error_class is BadRequestError else known.error_class
        assert (type(when_reading), when_reading.reason) == (read_as, known.reason)
        for error in (when_creating, when_reading):
            assert error.status == known.status
            assert error.message.startswith(known.prefix)
            assert (error.is_listed, error.advice) == (known.is_listed, known.advice)

    @pytest.mark.parametrize(
        ("status", "body", "figures"),
        [
            (402, {"message": "Insufficient credits", "required": 200, "available": 7.5}, (200, 7.5)),
            (402, {"message": "Insufficient credits"}, (None, None)),
            (429, {"message": BUSY, "limit": 5, "current": 4}, (5, 4)),
            (429, {"message": BUSY}, (None, None)),
        ],
    )
    def test_figures_are_read_where_there_are_some(self, status, body, figures):
        error = error_on_create(a_response(status, body))
        names = ("required", "available") if status == 402 else ("limit", "current")
        assert tuple(getattr(error, name) for name in names) == figures

    @pytest.mark.parametrize("figure", ["200", True, [200], {}, None])
    def test_what_is_no_number_is_no_figure(self, figure):
        error = error_on_create(a_response(402, {"message": "Insufficient credits", "required": figure}))
        assert error.required is None

    @pytest.mark.parametrize(
        ("errors", "shown"),
        [
            (
                [
                    {"code": "custom", "message": "Duration must be between 4 and 30 seconds", "path": ["duration"]},
                    {"message": "Required", "path": ["inputs", "urls", 0]},
                    {"message": "Bad"},
                    {"message": "Odd", "path": 7},
                ],
                " (duration: Duration must be between 4 and 30 seconds; inputs.urls.0: Required; ?: Bad; ?: Odd)",
            ),
            ([{"message": "Too short", "path": "duration"}], " (duration: Too short)"),
            ([], ""),
            (["text"], ""),
        ],
    )
    def test_errors_of_single_fields_are_part_of_the_message(self, errors, shown):
        error = error_on_create(a_response(400, {"message": "Invalid inputs for model", "errors": errors}))
        assert error.message == f"Invalid inputs for model{shown}"

    @pytest.mark.parametrize("errors", [None, {}, "text", 7, [{"path": 7}], [{"path": {"a": 1}}], [{"path": None}]])
    def test_field_errors_of_another_shape_do_not_hide_the_refusal(self, errors):
        error = error_on_create(a_response(400, {"message": "Invalid inputs for model", "errors": errors}))
        assert type(error) is BadRequestError
        assert error.message.startswith("Invalid inputs for model")

    def test_an_envelope_with_the_message_is_the_documented_refusal(self):
        error = error_on_create(a_response(401, {"code": 401, "message": "Invalid API Key", "data": None}))
        assert (type(error), error.reason) == (AuthenticationError, "invalid_key")

    @pytest.mark.parametrize("end", ["", ". "])
    def test_an_unlisted_text_is_shown_and_reported(self, end):
        error = error_on_read(a_response(403, {"message": f"Not from here{end}"}))
        assert (type(error), error.reason, error.is_listed) == (ForbiddenError, "unlisted", False)
        assert str(error) == "HTTP 403: Not from here (undocumented error)"


class TestReading:
    def test_an_error_knows_that_it_comes_from_a_look(self):
        with pytest.raises(ConnectionLostError) as caught, reading():
            raise ConnectionLostError("reset")
        assert caught.value.was_reading


class TestUndocumentedAnswers:
    @pytest.mark.parametrize(("status", "body"), UNDOCUMENTED_ANSWERS.values(), ids=UNDOCUMENTED_ANSWERS)
    def test_the_outcome_of_a_creation_is_unknown_and_a_look_can_be_repeated(self, status, body):
        response = a_response(status, body)
        assert type(error_on_create(response)) is UnexpectedResponseError
        assert error_on_create(response).create_verdict is UNKNOWN
        assert type(error_on_read(response)) is UnexpectedResponseError
        assert error_on_read(response).read_verdict is TRANSIENT
        assert error_on_read(response).status == status

    @pytest.mark.parametrize(("status", "body", "reason"), UNDOCUMENTED_REFUSALS.values(), ids=UNDOCUMENTED_REFUSALS)
    def test_a_status_that_refuses_is_certain_and_a_look_can_be_repeated(self, status, body, reason):
        response = a_response(status, body)
        when_creating, when_reading = error_on_create(response), error_on_read(response)
        for error in (when_creating, when_reading):
            assert (type(error), error.reason, error.status) == (UndocumentedRefusalError, reason, status)
            assert str(error).startswith(f"HTTP {status}: ")
            assert error.advice
        assert when_creating.create_verdict is PERMANENT
        assert when_reading.read_verdict is TRANSIENT

    @pytest.mark.parametrize(
        ("target", "shown"),
        [
            ("https://login.example/?next=1", "https://login.example/?next=1"),
            (f"/?key={KEY}", "/?key=***"),
            ("/" + "x" * 5000, "/" + "x" * 199 + "…"),
            ("", "nowhere"),
        ],
    )
    def test_a_redirect_names_its_target(self, target, shown):
        error = error_on_create(a_response(308, HTML, Location=target, content_type="text/html"))
        assert str(error) == f"HTTP 308: a redirect to {shown}, not followed"

    @pytest.mark.parametrize(
        ("title", "shown"),
        [
            ("Attention Required! | Cloudflare", ", 'Attention Required! | Cloudflare'"),
            ("  Just\n a &amp; moment\t", ", 'Just a & moment'"),
            (f"No {KEY} here", ", 'No *** here'"),
            ("x" * 1000, f", '{'x' * 80}'"),
            ("", ""),
        ],
    )
    def test_a_page_is_called_that_with_the_first_words_of_its_title(self, title, shown):
        body = f"<html><head><TITLE lang=en>{title}</TITLE></head></html>".encode()
        error = error_on_create(a_response(403, body))
        assert str(error).startswith(f"HTTP 403: a page of a firewall, a gateway or a web site{shown}. Is the host ")
        assert error.looks_like_html

    def test_a_page_of_nothing_but_beginnings_is_read_quickly(self):
        started = time.monotonic()
        error_on_create(a_response(403, b"<html>" + b"<title " * 500_000))
        assert time.monotonic() - started < 2

    @pytest.mark.parametrize(
        ("body", "error_class", "said"),
        [
            (b"slow down", RateLimitedError, "slow down"),
            (HTML, RateLimitedError, "Bad gateway"),
            (b"", RateLimitedError, "too many requests"),
            (b"{}", RateLimitedError, "{}"),
            (b'{"error": "slow down"}', RateLimitedError, '{"error": "slow down"}'),
            (b"Concurrency limit reached (3).", ConcurrencyLimitError, "Concurrency limit reached (3)."),
            (b"x" * (MAX_ANSWER_BYTES + 1), RateLimitedError, "too many requests"),
        ],
    )
    def test_a_429_is_one_in_any_form(self, body, error_class, said):
        response = a_response(429, body)
        assert {type(error_on_create(response)), type(error_on_read(response))} == {error_class}
        assert error_on_create(response).message == said
        assert error_on_create(response).reason in ("rate_limited", "concurrency_limit")

    @pytest.mark.parametrize(
        ("body", "headers", "said"),
        [
            (gzip.compress(b"{}"), {"content_encoding": "gzip"}, "packed with gzip"),
            (b" " * (MAX_ANSWER_BYTES + 1), {}, "more than 4,194,304 bytes"),
            (b"", {}, "(no content type, an empty body)"),
        ],
        ids=["packed", "too large", "empty"],
    )
    def test_what_can_not_be_read_is_told(self, body, headers, said):
        assert said in str(error_on_create(a_response(200, body, **headers)))

    def test_an_answer_of_the_largest_size_is_read(self):
        body = b'{"taskId": "task_a"}'
        whole = body + b" " * (MAX_ANSWER_BYTES - len(body))
        assert a_protocol().read_created(a_response(200, whole)) == "task_a"

    def test_a_refusal_without_end_is_cut(self):
        error = error_on_create(a_response(400, {"message": "Unknown model" + "x" * 1_000_000}))
        assert type(error) is BadRequestError
        assert len(str(error)) < 1100

    @pytest.mark.parametrize(
        ("body", "content_type", "shown"),
        [
            (HTML, "text/html; charset=utf-8", "(text/html; charset=utf-8, an HTML page)"),
            (b"gone", "TEXT/HTML", "(TEXT/HTML, an HTML page)"),
            (b" <html>", "text/plain", "(text/plain, an HTML page)"),
            (b"<!DOCTYPE HTML>", "text/plain", "(text/plain, an HTML page)"),
            (b"error code: 1010", "text/plain", "(text/plain, 'error code: 1010')"),
            (b"\n", "application/json", "(application/json, an empty body)"),
        ],
    )
    def test_the_message_says_what_came_instead(self, body, content_type, shown):
        error = error_on_create(a_response(502, body, content_type=content_type))
        assert shown in error.message
        assert error.looks_like_html is ("HTML page" in shown)
        hint = ". Is the host of the connection the full base URL, path included?" if error.looks_like_html else ""
        assert error.message == f"an answer that the API's documentation does not know {shown}{hint}"

    def test_a_long_body_is_cut(self):
        assert len(str(error_on_create(a_response(502, b"x" * 100_000)))) < 400


class TestRetryAfter:
    @pytest.mark.parametrize(
        ("value", "seconds"),
        [
            ("7", 7.0),
            (" 120 ", 120.0),
            ("0", 0.0),
            ("soon", None),
            ("", None),
            ("-3", None),
            ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
            ("Wed, 21 Oct 2099 07:28:00", None),
            ("Wed, 21 Oct 2099 07:28:00 -0000", None),
        ],
    )
    @pytest.mark.parametrize("name", ["Retry-After", "retry-after", "RETRY-AFTER"])
    def test_a_header_tells_seconds_or_a_date_with_a_zone(self, name, value, seconds):
        response = a_response(429, {"message": "Too many requests"}, **{name: value})
        assert error_on_create(response).retry_after == error_on_read(response).retry_after == seconds

    @pytest.mark.parametrize(
        ("body", "seconds"),
        [
            ({"message": "Too many requests", "retry_after": 64.5}, 64.5),
            ({"retry_after": 0}, 0.0),
            ({}, None),
            ({"data": {"retry_after": 3}}, 3.0),
            ({"retry_after": "soon"}, None),
            ({"retry_after": True}, None),
            ({"retry_after": False}, None),
            ({"retry_after": -1}, None),
            (b'{"retry_after": 1e999}', None),
            (b'{"retry_after": NaN}', None),
        ],
    )
    def test_the_body_may_say_it_too(self, body, seconds):
        assert error_on_create(a_response(429, body)).retry_after == seconds
        assert error_on_create(a_response(429, body, Retry_After="7")).retry_after == 7.0

    def test_a_date_becomes_the_seconds_until_then(self):
        then = datetime.now(UTC) + timedelta(seconds=90)
        response = a_response(503, b"", retry_after=format_datetime(then, usegmt=True))
        assert error_on_create(response).retry_after == pytest.approx(90, abs=5)

    @given(value=st.text())
    @example(value="Wed, 21 Oct 99999999999999999999 07:28:00 GMT")
    @example(value="Wed, 21 Oct 2015 07:28:00 +99999999999999999999")
    @example(value="9" * 400)
    @settings(deadline=None)
    def test_no_value_hides_the_refusal_itself(self, value):
        response = HttpResponse(429, {"Retry-After": value}, b'{"message": "Too many requests"}')
        assert type(error_on_create(response)) is RateLimitedError
