"""
Every error of the documentation, over real HTTP through the provider's own client: what it becomes, what it costs, and
what a person is told.
"""

from __future__ import annotations

import pytest

from seedance_provider.api import task_failures
from seedance_provider.api.client import SeedanceClient
from seedance_provider.api.errors import (
    ApiAccessDisabledError,
    AuthenticationError,
    BadRequestError,
    ConcurrencyLimitError,
    InsufficientCreditsError,
    InternalServerError,
    RateLimitedError,
    SeedanceError,
    TaskAccessDeniedError,
    TaskNotFoundError,
    Verdict,
)
from seedance_provider.api.http_errors import HTTP_ERRORS, classify_http_error
from seedance_provider.api.protocol import SeedanceProtocol
from seedance_provider.api.task_failures import failure_of
from seedance_provider.api.video_request import VideoRequest
from seedance_provider.api.video_task import TaskStatus
from seedance_provider.emulator.failures import FAILURES
from seedance_provider.emulator.faults import FAULTS
from seedance_provider.emulator.refusals import REFUSALS
from seedance_provider.emulator.settings import DEFAULT_KEY, DEMO_KEY
from seedance_provider.submission.plans import Action, plan_from_refusal, plan_from_wait
from seedance_provider.submission.record import Submission, SubmissionState
from seedance_provider.waiting.result import Outcome, WaitResult, result_of_error

KITE = VideoRequest(prompt="A kite", duration=4)
RECORDED = Submission(SubmissionState.SUBMITTING, "a fingerprint", "2026-11-24T00:00:00Z", 3, 160)

#: What follows from a refusal, and what a person is told besides its advice.
ENDS = {
    Verdict.PERMANENT: (Action.FAIL, ""),
    Verdict.TRANSIENT: (Action.WAIT_FOR_API, "The next try submits"),
    Verdict.WAIT_FOR_SLOT: (Action.WAIT_FOR_SLOT, "no free slot"),
}


def known_refusal(name):
    """What docs/errors.md says of the answer; tests/unit/test_errors_guide.py compares it."""
    refusal = REFUSALS[name]()
    return classify_http_error(refusal.status, refusal.body["message"]), refusal.body["message"]


def test_the_emulator_can_give_every_answer_that_is_documented():
    refusals = [made() for made in REFUSALS.values()]
    assert set(HTTP_ERRORS) == {classify_http_error(refusal.status, refusal.body["message"]) for refusal in refusals}
    assert set(task_failures.FAILURES) <= {
        task_failures.classify_failure(failure.message, failure.code) for failure in FAILURES.values()
    }


def seedance(client, key=DEFAULT_KEY, wire_format="auto"):
    return SeedanceClient(SeedanceProtocol(key, client.base_url, wire_format))


def error_of(call, *arguments):
    with pytest.raises(SeedanceError) as caught:
        call(*arguments)
    return caught.value


def charged(client):
    return sum(account["charged"] for account in client.ledger()["credits"].values())


class TestRefusals:
    @pytest.mark.parametrize("name", [name for name in REFUSALS if "createTask" in FAULTS[name].places])
    def test_a_video_that_is_refused_costs_nothing_and_a_person_hears_what_to_do(self, client, name):
        known, text = known_refusal(name)
        client.set_faults({"fault": name, "on": "createTask"})
        with seedance(client) as opened:
            error = error_of(opened.create_task, KITE)

        assert (type(error), error.reason) == (known.error_class, known.reason)
        assert error.is_listed is not name.startswith("unlisted")
        plan = plan_from_refusal(error, RECORDED)
        action, next_step = ENDS[error.create_verdict]
        assert plan.action is action
        for said in (
            "Nothing was submitted or charged",
            str(error.status),
            text.rstrip("."),
            next_step or known.advice,
        ):
            assert said in plan.message
        assert (client.ledger()["submissionCount"], charged(client)) == (0, 0)

    @pytest.mark.parametrize("name", [name for name in REFUSALS if "recordInfo" in FAULTS[name].places])
    def test_a_poll_that_is_refused_changes_nothing_and_a_person_hears_why(self, client, name):
        known, text = known_refusal(name)
        # The id is all that a poll sends.
        error_class = TaskNotFoundError if known.error_class is BadRequestError else known.error_class
        with seedance(client) as opened:
            task_id = opened.create_task(KITE)
            client.set_faults({"fault": name, "on": "recordInfo"})
            error = error_of(opened.get_task, task_id)

        assert (type(error), error.reason, error.was_reading) == (error_class, known.reason, True)
        is_transient = error_class in (RateLimitedError, InternalServerError)
        assert error.verdict is (Verdict.TRANSIENT if is_transient else Verdict.PERMANENT)
        plan = plan_from_wait(result_of_error(error, task_id))
        gone = error_class in (TaskNotFoundError, TaskAccessDeniedError)
        assert plan.action is (Action.RETRY if is_transient else Action.ABANDON if gone else Action.FAIL)
        assert task_id in plan.message
        assert text.rstrip(".") in plan.message
        assert client.ledger()["submissionCount"] == 1


class TestRefusalsOfTheirOwnAccord:
    """The same without an order to refuse: the emulator finds the reason by itself."""

    @pytest.mark.parametrize(
        ("key", "error_class", "reason"),
        [
            ("unknown", AuthenticationError, "invalid_key"),
            ("inactive", AuthenticationError, "inactive_key"),
            ("expired", AuthenticationError, "expired_key"),
            ("without-access", ApiAccessDisabledError, "no_api_access"),
            (DEMO_KEY, InsufficientCreditsError, "insufficient_credits"),
            ("poor", InsufficientCreditsError, "insufficient_credits"),
        ],
    )
    def test_keys(self, start, key, error_class, reason):
        client = start(
            keys={DEFAULT_KEY: 1000, "poor": 3},
            inactive_keys=("inactive",),
            expired_keys=("expired",),
            no_access_keys=("without-access",),
        )
        with seedance(client, key) as opened:
            error = error_of(opened.create_task, KITE)
            if error_class is not InsufficientCreditsError:
                assert error_of(opened.get_task, "demo_task_t2v_success").reason == reason
        assert (type(error), error.reason, error.is_listed) == (error_class, reason, True)
        assert (client.ledger()["submissionCount"], charged(client)) == (0, 0)

    @pytest.mark.parametrize(
        ("wrong", "generation", "reason", "field"),
        [
            ({"model": "seedance-3", "allow_unknown_model": True}, "models", "unknown_model", ""),
            ({"extra_inputs": {"upscaleResolution": "8k"}}, "docs", "invalid_inputs", "upscaleResolution"),
        ],
    )
    def test_inputs(self, start, wrong, generation, reason, field):
        client = start(generation=generation)
        with seedance(client, wire_format=generation) as opened:
            error = error_of(opened.create_task, VideoRequest(prompt="A kite", **wrong))
        assert (type(error), error.reason) == (BadRequestError, reason)
        assert field in str(error)
        assert charged(client) == 0

    def test_one_too_many(self, start, clock):
        client = start(concurrency_limit=1)
        with seedance(client) as opened:
            opened.create_task(KITE)
            error = error_of(opened.create_task, KITE)
            assert (type(error), error.limit, error.current) == (ConcurrencyLimitError, 1, 1)
            assert client.ledger()["submissionCount"] == 1
            clock.advance(6)
            opened.create_task(KITE)

    @pytest.mark.parametrize(
        ("task_id", "reason"),
        [
            ("", "missing_task_id"),
            ("kite", "invalid_task_id"),
            ("1' OR '1'='1", "invalid_task_id"),
            (f"task_{'a' * 24}", "task_not_found"),
            ("demo_task_other", "task_not_found"),
        ],
    )
    def test_ids(self, client, task_id, reason):
        with seedance(client) as opened:
            error = error_of(opened.get_task, task_id)
        assert (type(error), error.reason) == (TaskNotFoundError, reason)

    @pytest.mark.parametrize("key", ["another", DEMO_KEY])
    def test_the_video_of_another_account(self, start, key):
        client = start(keys={DEFAULT_KEY: 1000, "another": 1000})
        with seedance(client) as opened, seedance(client, key) as another:
            error = error_of(another.get_task, opened.create_task(KITE))
        assert (type(error), error.reason) == (TaskAccessDeniedError, "access_denied")


@pytest.mark.parametrize("generation", ["quickstart", "docs", "models"])
def test_every_failed_video_is_refunded_and_a_person_hears_what_to_do(start, clock, generation):
    client = start(generation=generation)
    with seedance(client, wire_format=generation) as opened:
        created = {
            name: opened.create_task(VideoRequest(prompt=f"A kite [fail:{name}]", duration=4)) for name in FAILURES
        }
        assert charged(client) > 0
        clock.advance(60)
        tasks = {name: opened.get_task(task_id) for name, task_id in created.items()}

    assert charged(client) == 0
    assert len(client.ledger()["submissions"]) == len(FAILURES)
    for name, task in tasks.items():
        known = task_failures.classify_failure(FAILURES[name].message, FAILURES[name].code)
        error = failure_of(task)
        expected = (name, TaskStatus.FAIL, known.error_class, known.reason)
        assert (name, task.status, type(error), error.reason) == expected
        assert error.is_listed is (name != "unlisted")
        assert error.api_code == (None if generation == "quickstart" else FAILURES[name].code)
        plan = plan_from_wait(WaitResult(Outcome.FINISHED, task=task))
        assert plan.action is (Action.RETRY if error.retryable else Action.ABANDON)
        for said in (task.video_task_id, known.reason, FAILURES[name].message, known.advice, "refunds"):
            assert said in plan.message
