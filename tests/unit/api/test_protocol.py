"""The API's HTTP without a socket: what is asked, and what every answer means."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import seedance_provider
from seedance_provider.api.errors import (
    ApiAccessDisabledError,
    ApiError,
    AuthenticationError,
    BadRequestError,
    ConcurrencyLimitError,
    ConnectionLostError,
    ForbiddenError,
    InsufficientCreditsError,
    InternalServerError,
    InvalidRequestError,
    RateLimitedError,
    TaskAccessDeniedError,
    TaskNotFoundError,
    UnexpectedResponseError,
    Verdict,
)
from seedance_provider.api.protocol import DEFAULT_BASE_URL, HttpResponse, Protocol, address_problem, reading
from seedance_provider.api.video_request import VideoRequest
from seedance_provider.api.video_task import TaskStatus
from tests.support.scripted_api import record

KEY = "sk-test-3f9a"
HTML = b"<!DOCTYPE html><html><title>Bad gateway</title></html>"

PERMANENT, TRANSIENT, UNKNOWN = Verdict.PERMANENT, Verdict.TRANSIENT, Verdict.UNKNOWN_OUTCOME

FIELD_ERRORS = [{"code": "custom", "message": "Duration must be between 4 and 30 seconds", "path": ["duration"]}]
BUSY = "Concurrency limit reached (3). You have 3 tasks in progress. Please wait."

#: status, body, class when creating, its verdict when creating, class when reading, its verdict when reading.
DOCUMENTED_ERRORS = [
    (400, {"message": "Invalid request parameters"}, BadRequestError, PERMANENT, TaskNotFoundError, PERMANENT),
    (
        400,
        {"message": "Invalid inputs for model", "errors": FIELD_ERRORS},
        BadRequestError,
        PERMANENT,
        TaskNotFoundError,
        PERMANENT,
    ),
    (400, {"message": "Unknown model"}, BadRequestError, PERMANENT, TaskNotFoundError, PERMANENT),
    (400, {"message": "Missing taskId parameter"}, TaskNotFoundError, PERMANENT, TaskNotFoundError, PERMANENT),
    (400, {"message": "Invalid taskId"}, TaskNotFoundError, PERMANENT, TaskNotFoundError, PERMANENT),
    *[
        (401, {"message": message}, AuthenticationError, PERMANENT, AuthenticationError, PERMANENT)
        for message in (
            "Missing Authorization header",
            "Invalid API Key",
            "API Key is inactive",
            "API Key has expired",
        )
    ],
    (
        402,
        {"message": "Insufficient credits", "required": 200, "available": 20},
        InsufficientCreditsError,
        PERMANENT,
        InsufficientCreditsError,
        PERMANENT,
    ),
    *[
        (403, {"message": message}, ApiAccessDisabledError, PERMANENT, ApiAccessDisabledError, PERMANENT)
        for message in ("API access not enabled for this account", "API access not enabled")
    ],
    (403, {"message": "Access denied"}, TaskAccessDeniedError, PERMANENT, TaskAccessDeniedError, PERMANENT),
    (404, {"message": "Task not found"}, TaskNotFoundError, PERMANENT, TaskNotFoundError, PERMANENT),
    (
        429,
        {"message": BUSY, "limit": 3, "current": 3},
        ConcurrencyLimitError,
        Verdict.WAIT_FOR_SLOT,
        ConcurrencyLimitError,
        TRANSIENT,
    ),
    (429, {"message": "Too many requests"}, RateLimitedError, TRANSIENT, RateLimitedError, TRANSIENT),
    (500, {"message": "Internal server error"}, InternalServerError, TRANSIENT, InternalServerError, TRANSIENT),
]

UNDOCUMENTED_ANSWERS = {
    "an empty 200": (200, b""),
    "a 200 that is no JSON": (200, b"{"),
    "a 200 that is no object": (200, b"[]"),
    "a 200 that is no text": (200, b"\xff\xfe\x00"),
    "a 200 nested too deeply to be read": (200, b"[" * 200_000),
    "an HTML 200": (200, HTML),
    "a 201": (201, b'{"taskId": "task_a"}'),
    "a redirect": (302, b""),
    "a 400 without a message": (400, b"{}"),
    "a 403 page of a firewall": (403, HTML),
    "a 404 page of a proxy": (404, HTML),
    "a 400 with its message elsewhere": (400, b'{"error": {"code": "400", "message": "Unknown model"}}'),
    "a 400 with its message in a data object": (400, b'{"code": 400, "data": {"message": "Unknown model"}}'),
    "a 401 with a text as its error": (401, b'{"error": "Invalid API Key"}'),
    "a 405": (405, b'{"message": "Method not allowed"}'),
    "a 408": (408, b'{"message": "Request timeout"}'),
    "a 429 whose message is no text": (429, b'{"message": {"text": "slow down"}}'),
    "a 500 without a message": (500, b"{}"),
    "an HTML 500": (500, HTML),
    "a 502": (502, HTML),
    "a 503 with a message": (503, b'{"message": "Service unavailable"}'),
    "a 504": (504, b""),
}


def a_protocol(**fields):
    return Protocol(**{"api_key": KEY} | fields)


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

    def test_every_request_carries_the_key_what_is_spoken_and_who_asks(self):
        protocol = a_protocol()
        for asked in (*protocol.create_task(VideoRequest("A garden")).values(), protocol.record_info("task_a")):
            assert asked.headers == {
                "Authorization": f"Bearer {KEY}",
                "Content-Type": "application/json",
                "Accept": "application/json",
                "User-Agent": f"airflow-provider-seedance/{seedance_provider.__version__}",
            }

    def test_requests_go_to_the_given_address(self):
        protocol = a_protocol(base_url="http://127.0.0.1:8080/api/v1")
        assert protocol.record_info("task_a").url == "http://127.0.0.1:8080/api/v1/jobs/recordInfo"

    def test_the_default_address_is_the_vendors(self):
        assert a_protocol().base_url == DEFAULT_BASE_URL == "https://kinovi.ai/api/v1"


class TestRecordUrl:
    def test_is_where_the_record_is_asked_for(self):
        asked = a_protocol().record_info("task_a")
        assert a_protocol().record_url("task_a") == f"{asked.url}?taskId=task_a"

    def test_has_no_key(self):
        assert KEY not in a_protocol().record_url("task_a")

    @pytest.mark.parametrize("task_id", ["a&b=c", "a/../b", "a b+c%20d", "ä#?"])
    def test_has_any_id_whole(self, task_id):
        parts = urlsplit(a_protocol().record_url(task_id))
        assert parse_qs(parts.query, strict_parsing=True) == {"taskId": [task_id]}
        assert parts.fragment == ""


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

    @pytest.mark.parametrize(
        "base_url",
        [
            "",
            "kinovi.ai",
            "/api/v1",
            "ftp://kinovi.ai",
            "file:///etc/passwd",
            "https://",
            "https:///api",
            "http://[::1",
        ],
    )
    def test_an_address_that_is_not_http_is_refused(self, base_url):
        with pytest.raises(InvalidRequestError, match="http"):
            a_protocol(base_url=base_url)


class TestAddressProblem:
    @pytest.mark.parametrize("url", ["http://a", "https://a.example:1/v1", "https://a.example:65535"])
    def test_an_address_of_the_web_has_none(self, url):
        assert address_problem(url) is None

    @pytest.mark.parametrize(
        ("url", "problem"),
        [
            ("ftp://a", "is 'ftp://a', and an http(s) URL is needed"),
            ("https://a:0", "is 'https://a:0', and an http(s) URL is needed"),
            ("https://a:many", "is 'https://a:many', and an http(s) URL is needed"),
            ("ftp://key@a", "is not a URL, and an http(s) URL is needed"),
            ("https://key@a:many", "is not a URL, and an http(s) URL is needed"),
            ("https://:key@a", "holds credentials, and the key belongs into the password of the connection"),
        ],
    )
    def test_it_is_named_without_credentials(self, url, problem):
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
        assert (task.task_id, task.raw_status) == ("task_a", "refused ***")
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
    @pytest.mark.parametrize(
        "body",
        [
            {"taskId": "task_clxxxxxx"},
            {"code": 200, "message": "success", "data": {"taskId": "task_clxxxxxx"}},
            {"taskId": "task_clxxxxxx", "data": None, "more": 1},
        ],
    )
    def test_the_id_is_read_flat_or_enveloped(self, body):
        assert a_protocol().read_created(a_response(200, body)) == "task_clxxxxxx"

    @pytest.mark.parametrize(
        "body", [{}, {"taskId": ""}, {"taskId": None}, {"taskId": 7}, {"data": {}}, {"message": "ok"}]
    )
    def test_a_200_without_an_id_may_have_cost_money(self, body):
        error = error_on_create(a_response(200, body))
        assert type(error) is UnexpectedResponseError
        assert error.on_create is UNKNOWN
        assert str(error).startswith("HTTP 200: the answer holds no taskId (")


class TestReadRecord:
    def test_the_record_is_read(self):
        task = a_protocol().read_record(a_response(200, record("generating")), "task_a")
        assert (task.task_id, task.status) == ("task_a", TaskStatus.GENERATING)

    def test_the_id_that_was_asked_for_stands_in_for_a_missing_one(self):
        assert a_protocol().read_record(a_response(200, {"status": "waiting"}), "task_b").task_id == "task_b"

    def test_a_failed_video_task_is_an_answer_and_not_an_error(self):
        task = a_protocol().read_record(a_response(200, record("fail", error="Server error")), "task_a")
        assert (task.status, task.error_message) == (TaskStatus.FAIL, "Server error")


class TestDocumentedErrors:
    @pytest.mark.parametrize(("status", "body", "created", "on_create", "read", "on_read"), DOCUMENTED_ERRORS)
    def test_each_has_its_class_and_verdict(self, status, body, created, on_create, read, on_read):
        response = a_response(status, body)
        when_creating, when_reading = error_on_create(response), error_on_read(response)
        assert (type(when_creating), when_creating.on_create) == (created, on_create)
        assert (type(when_reading), when_reading.on_read) == (read, on_read)
        for error in (when_creating, when_reading):
            assert error.status == status
            assert error.message.startswith(body["message"])

    def test_insufficient_credits_names_both_figures(self):
        body = {"message": "Insufficient credits", "required": 200, "available": 7.5}
        error = error_on_create(a_response(402, body))
        assert (error.required, error.available) == (200, 7.5)

    def test_the_concurrency_limit_names_both_figures(self):
        error = error_on_create(a_response(429, {"message": BUSY, "limit": 5, "current": 4}))
        assert (error.limit, error.current) == (5, 4)

    @pytest.mark.parametrize("figure", ["200", True, [200], {}, None])
    def test_what_is_no_number_is_no_figure(self, figure):
        error = error_on_create(a_response(402, {"message": "Insufficient credits", "required": figure}))
        assert error.required is None

    def test_missing_figures_are_none(self):
        assert error_on_create(a_response(402, {"message": "Insufficient credits"})).available is None
        assert error_on_create(a_response(429, {"message": BUSY})).limit is None

    def test_errors_of_single_fields_are_part_of_the_message(self):
        odd = [{"message": "Bad"}, {"message": "Odd", "path": 7}]
        errors = [*FIELD_ERRORS, {"message": "Required", "path": ["inputs", "urls", 0]}, *odd]
        error = error_on_create(a_response(400, {"message": "Invalid inputs for model", "errors": errors}))
        assert error.message == (
            "Invalid inputs for model (duration: Duration must be between 4 and 30 seconds; "
            "inputs.urls.0: Required; ?: Bad; ?: Odd)"
        )

    @pytest.mark.parametrize(
        "errors", [None, [], {}, "text", 7, ["text"], [{"path": 7}], [{"path": {"a": 1}}], [{"path": None}]]
    )
    def test_field_errors_of_another_shape_do_not_hide_the_refusal(self, errors):
        error = error_on_create(a_response(400, {"message": "Invalid inputs for model", "errors": errors}))
        assert type(error) is BadRequestError
        assert error.message.startswith("Invalid inputs for model")

    @pytest.mark.parametrize("errors", [[], ["text"]])
    def test_no_field_errors_add_nothing_to_the_message(self, errors):
        error = error_on_create(a_response(400, {"message": "Invalid inputs for model", "errors": errors}))
        assert error.message == "Invalid inputs for model"

    def test_a_path_that_is_a_text_is_shown_as_it_is(self):
        errors = [{"message": "Too short", "path": "duration"}]
        error = error_on_create(a_response(400, {"message": "Invalid inputs for model", "errors": errors}))
        assert error.message == "Invalid inputs for model (duration: Too short)"

    def test_the_table_of_http_errors_says_why_and_what_to_do(self):
        error = error_on_create(a_response(401, {"message": "API Key has expired"}))
        assert (error.reason, error.is_listed) == ("expired_key", True)
        assert "Put a valid key into" in error.advice

    def test_an_envelope_with_the_message_is_the_documented_refusal(self):
        error = error_on_create(a_response(401, {"code": 401, "message": "Invalid API Key", "data": None}))
        assert (type(error), error.reason) == (AuthenticationError, "invalid_key")

    def test_an_unlisted_text_is_shown_and_reported(self):
        error = error_on_read(a_response(403, {"message": "Not from here"}))
        assert (type(error), error.reason, error.is_listed) == (ForbiddenError, "unlisted", False)
        assert str(error) == "HTTP 403: Not from here (a text that is documented nowhere)"
        error = error_on_read(a_response(403, {"message": "Not from here. "}))
        assert str(error) == "HTTP 403: Not from here (a text that is documented nowhere)"

    def test_a_wrong_id_keeps_what_the_table_says(self):
        error = error_on_read(a_response(400, {"message": "Invalid taskId"}))
        assert (type(error), error.reason, error.message) == (TaskNotFoundError, "invalid_task_id", "Invalid taskId")


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
        assert error_on_create(response).on_create is UNKNOWN
        assert type(error_on_read(response)) is UnexpectedResponseError
        assert error_on_read(response).on_read is TRANSIENT
        assert error_on_read(response).status == status

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

    def test_the_message_says_that_the_kind_of_the_answer_is_missing(self):
        assert "(no content type, an empty body)" in error_on_create(a_response(502)).message

    def test_a_long_body_is_cut(self):
        assert len(str(error_on_create(a_response(502, b"x" * 100_000)))) < 400


class TestRetryAfter:
    @pytest.mark.parametrize(
        ("value", "seconds"), [("7", 7.0), (" 120 ", 120.0), ("0", 0.0), ("soon", None), ("", None), ("-3", None)]
    )
    def test_seconds_are_read_and_anything_else_is_none(self, value, seconds):
        response = a_response(429, {"message": "Too many requests"}, Retry_After=value)
        assert error_on_create(response).retry_after == seconds

    def test_a_date_becomes_the_seconds_until_then(self):
        then = datetime.now(UTC) + timedelta(seconds=90)
        response = a_response(503, b"", retry_after=format_datetime(then, usegmt=True))
        assert error_on_create(response).retry_after == pytest.approx(90, abs=5)

    @pytest.mark.parametrize("value", ["Wed, 21 Oct 2099 07:28:00", "Wed, 21 Oct 2099 07:28:00 -0000"])
    def test_a_date_without_a_time_zone_is_none(self, value):
        response = a_response(429, {"message": "Too many requests"}, retry_after=value)
        assert error_on_create(response).retry_after is None

    def test_a_date_that_has_passed_is_now(self):
        response = a_response(429, {"message": "Too many requests"}, retry_after="Wed, 21 Oct 2015 07:28:00 GMT")
        assert error_on_create(response).retry_after == 0.0

    def test_without_the_header_it_is_none(self):
        assert error_on_create(a_response(500, {"message": "Internal server error"})).retry_after is None

    def test_the_name_of_the_header_is_found_in_any_case(self):
        response = a_response(429, {"message": BUSY}, RETRY_AFTER="4")
        assert error_on_read(response).retry_after == 4.0

    @given(value=st.text())
    @example(value="Wed, 21 Oct 99999999999999999999 07:28:00 GMT")
    @example(value="Wed, 21 Oct 2015 07:28:00 +99999999999999999999")
    @example(value="9" * 400)
    @settings(deadline=None)
    def test_no_value_hides_the_refusal_itself(self, value):
        response = HttpResponse(429, {"Retry-After": value}, b'{"message": "Too many requests"}')
        assert type(error_on_create(response)) is RateLimitedError
