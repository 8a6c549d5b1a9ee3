"""The table of HTTP errors: complete, unambiguous, and never laxer than its status."""

from __future__ import annotations

import pytest

from seedance_provider.api.errors import (
    ApiAccessDisabledError,
    AuthenticationError,
    BadRequestError,
    ConcurrencyLimitError,
    ForbiddenError,
    InsufficientCreditsError,
    InternalServerError,
    RateLimitedError,
    TaskAccessDeniedError,
    TaskNotFoundError,
)
from seedance_provider.api.http_errors import (
    HTTP_ERRORS,
    REDIRECTED,
    UNDOCUMENTED_REFUSAL,
    WEB_PAGE,
    classify_http_error,
    is_refusal,
)

#: Every text of the documentation.
DOCUMENTED = [
    (400, "Invalid request parameters", "invalid_parameters", BadRequestError),
    (400, "Invalid inputs for model", "invalid_inputs", BadRequestError),
    (400, "Unknown model", "unknown_model", BadRequestError),
    (400, "Missing taskId parameter", "missing_task_id", TaskNotFoundError),
    (400, "Invalid taskId", "invalid_task_id", TaskNotFoundError),
    (401, "Missing Authorization header", "missing_key", AuthenticationError),
    (401, "Invalid API Key", "invalid_key", AuthenticationError),
    (401, "API Key is inactive", "inactive_key", AuthenticationError),
    (401, "API Key has expired", "expired_key", AuthenticationError),
    (402, "Insufficient credits", "insufficient_credits", InsufficientCreditsError),
    (403, "API access not enabled for this account", "no_api_access", ApiAccessDisabledError),
    (403, "API access not enabled", "no_api_access", ApiAccessDisabledError),
    (403, "Access denied", "access_denied", TaskAccessDeniedError),
    (404, "Task not found", "task_not_found", TaskNotFoundError),
    (429, "Concurrency limit reached (3). You have 3 tasks in progress.", "concurrency_limit", ConcurrencyLimitError),
    (429, "Too many requests", "rate_limited", RateLimitedError),
    (500, "Internal server error", "internal_error", InternalServerError),
    (500, "Anything, for any text is documented", "internal_error", InternalServerError),
]
NO_SUCH_TEXT = "A text that nobody has written yet"
UNLISTED = [
    (400, BadRequestError),
    (401, AuthenticationError),
    (402, InsufficientCreditsError),
    (403, ForbiddenError),
    (404, TaskNotFoundError),
]


@pytest.mark.parametrize(("status", "text", "reason", "error_class"), DOCUMENTED)
def test_every_documented_text_has_one_class_and_reason(status, text, reason, error_class):
    known = classify_http_error(status, f"  {text.upper()}, and more")
    assert (known.reason, known.error_class, known.is_listed) == (reason, error_class, True)


@pytest.mark.parametrize(("status", "error_class"), UNLISTED)
def test_another_text_keeps_the_class_of_its_status_and_is_unlisted(status, error_class):
    known = classify_http_error(status, NO_SUCH_TEXT)
    assert (known.reason, known.error_class, known.is_listed) == ("unlisted", error_class, False)


@pytest.mark.parametrize("status", [100, 200, 204, 301, 405, 408, 409, 413, 422, 451, 501, 502, 503, 504, 520])
def test_no_other_status_is_a_known_refusal(status):
    assert all(classify_http_error(status, known.prefix or NO_SUCH_TEXT) is None for known in HTTP_ERRORS)


@pytest.mark.parametrize("known", HTTP_ERRORS, ids=lambda known: f"{known.status} {known.prefix}")
def test_no_entry_is_hidden_by_an_earlier_one_and_all_advise_a_person(known):
    assert classify_http_error(known.status, known.prefix or NO_SUCH_TEXT) is known
    assert known.advice.endswith((".", "?", ".)"))


def test_a_status_that_refuses_says_that_nothing_was_accepted():
    known = [status for status in range(100, 601) if is_refusal(status)]
    assert known == [status for status in range(300, 500) if status != 408]


def test_every_way_to_refuse_has_its_own_reason_and_advises_a_person():
    ways = [REDIRECTED, WEB_PAGE, UNDOCUMENTED_REFUSAL]
    assert len({way.reason for way in ways} - {known.reason for known in HTTP_ERRORS}) == 3
    assert all(way.advice.endswith(".") for way in ways)
