"""Whether and when Airflow tries again, for every error of this package."""

from __future__ import annotations

from datetime import timedelta

import pytest
from airflow.providers.common.compat.sdk import AirflowException

from seedance_provider.api.errors import (
    ApiError,
    ConcurrencyLimitError,
    ConnectionLostError,
    ConnectionNotEstablishedError,
    ExtensionFailedError,
    GenerationFailedError,
    InternalServerError,
    InvalidRequestError,
    RateLimitedError,
    UnexpectedResponseError,
)
from seedance_provider.api.http_errors import HTTP_ERRORS
from seedance_provider.api.task_failures import FAILURES, UNLISTED, UNLISTED_BY_CODE
from seedance_provider.retry_policy import seedance_retry_policy

RetryAction = pytest.importorskip(
    "airflow.sdk.definitions.retry_policy", reason="needs the retry policies of Airflow 3.3"
).RetryAction

POLICY = seedance_retry_policy(delay=10, slot_delay=60, longest_delay=100, longest_wait=1000)
PASSING = {RateLimitedError, ConcurrencyLimitError, InternalServerError}


def decide(error, try_number=1, policy=POLICY):
    return policy.evaluate(error, try_number, 5)


def caused_by(error):
    try:
        raise AirflowException("No video was requested.") from error
    except AirflowException as caught:
        return caught


@pytest.mark.parametrize("wrapped", [lambda error: error, caused_by, lambda error: caused_by(caused_by(error))])
class TestAction:
    @pytest.mark.parametrize("known", HTTP_ERRORS, ids=lambda known: f"{known.status} {known.prefix}")
    def test_every_http_error(self, known, wrapped):
        error = known.error_class(known.prefix, status=known.status, reason=known.reason)
        decision = decide(wrapped(error))
        expected = RetryAction.RETRY if known.error_class in PASSING else RetryAction.FAIL
        assert decision.action is expected
        assert known.reason in decision.reason

    @pytest.mark.parametrize(
        "known", [*FAILURES, *UNLISTED_BY_CODE.values(), UNLISTED], ids=lambda known: known.prefix or known.reason
    )
    def test_every_task_failure(self, known, wrapped):
        error = known.error_class("It failed.", reason=known.reason)
        decision = decide(wrapped(error))
        passing = known.error_class in (GenerationFailedError, ExtensionFailedError)
        assert decision.action is (RetryAction.RETRY if passing else RetryAction.FAIL)
        assert known.reason in decision.reason

    @pytest.mark.parametrize(
        ("error", "action"),
        [
            (InvalidRequestError("no prompt"), RetryAction.FAIL),
            (ConnectionNotEstablishedError("refused"), RetryAction.RETRY),
            # A look costs nothing.
            (ConnectionLostError("reset", was_reading=True), RetryAction.RETRY),
            (UnexpectedResponseError("reset", was_reading=True), RetryAction.RETRY),
        ],
    )
    def test_every_other_error(self, error, action, wrapped):
        assert decide(wrapped(error)).action is action

    @pytest.mark.parametrize("error_class", [ConnectionLostError, UnexpectedResponseError])
    def test_an_unknown_outcome_is_never_paid_for_again(self, error_class, wrapped):
        decision = decide(wrapped(error_class("reset")))
        assert decision.action is RetryAction.FAIL
        assert "unknown outcome" in decision.reason


class TestOtherErrors:
    @pytest.mark.parametrize("error", [AirflowException("any"), KeyError("x"), ValueError("y"), KeyboardInterrupt()])
    def test_they_have_airflows_own_retries(self, error):
        decision = decide(error)
        assert (decision.action, decision.retry_delay) == (RetryAction.DEFAULT, None)

    def test_what_was_only_being_handled_does_not_count(self):
        error = KeyError("x")
        error.__context__ = InvalidRequestError("no prompt")
        assert decide(error).action is RetryAction.DEFAULT

    def test_causes_that_run_in_a_circle_end(self):
        first, second = KeyError("a"), KeyError("b")
        first.__cause__, second.__cause__ = second, first
        assert decide(first).action is RetryAction.DEFAULT


def test_an_extension_is_tried_once_more():
    error = ExtensionFailedError("It failed.", reason="invalid_extension")
    actions = [decide(error, number).action for number in (1, 2, 3)]
    assert actions == [RetryAction.RETRY, RetryAction.FAIL, RetryAction.FAIL]


class TestPause:
    def test_it_doubles_up_to_a_limit(self):
        error = InternalServerError("Internal server error", status=500)
        pauses = [decide(error, number).retry_delay.total_seconds() for number in (1, 2, 3, 4, 5, 50, 5000)]
        assert pauses == [10, 20, 40, 80, 100, 100, 100]

    def test_a_first_pause_above_the_limit_stays(self):
        error = InternalServerError("Internal server error", status=500)
        assert decide(error, 3, seedance_retry_policy(delay=900)).retry_delay == timedelta(seconds=900)

    def test_a_slot_takes_longer(self):
        error = ConcurrencyLimitError("Concurrency limit reached (3).", status=429)
        assert decide(error).retry_delay == timedelta(seconds=60)

    @pytest.mark.parametrize(
        ("asked", "seconds"), [(None, 10), (0.0, 10), (5.0, 10), (11.5, 11.5), (999, 999), (1e9, 1000), (-1.0, 10)]
    )
    def test_the_apis_wish_is_heard_within_reason(self, asked, seconds):
        error = RateLimitedError("Too many requests", status=429, retry_after=asked)
        assert decide(caused_by(error)).retry_delay == timedelta(seconds=seconds)

    def test_an_api_error_without_a_wish(self):
        assert decide(ApiError("anything", status=499)).retry_delay is None
