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
    ExtensionFailedError,
    ForbiddenError,
    GenerationFailedError,
    InputModerationError,
    InsufficientCreditsError,
    InternalServerError,
    InvalidVideoInputError,
    OutputModerationError,
    RateLimitedError,
    ReferenceMediaError,
    SeedanceError,
    TaskAccessDeniedError,
    TaskNotFoundError,
    UnexplainedFailureError,
    Verdict,
)
from seedance_provider.api.http_errors import HTTP_ERRORS, classify_http_error
from seedance_provider.api.protocol import Protocol
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

PERMANENT, TRANSIENT, WAIT_FOR_SLOT = Verdict.PERMANENT, Verdict.TRANSIENT, Verdict.WAIT_FOR_SLOT
KITE = VideoRequest(prompt="A kite", duration=4)
RECORDED = Submission(SubmissionState.SUBMITTING, "a fingerprint", "2026-11-24T00:00:00Z", 3, 160)

#: The refusal that the emulator gives: its class, verdict and reason when creating; what a person is told.
REFUSED = {
    "invalid_parameters": (
        BadRequestError,
        PERMANENT,
        "invalid_parameters",
        "Invalid request parameters",
        "the inputs",
    ),
    "invalid_inputs": (BadRequestError, PERMANENT, "invalid_inputs", "(duration: Duration must be", "the inputs"),
    "unknown_model": (BadRequestError, PERMANENT, "unknown_model", "Unknown model", "Use a model"),
    "missing_task_id": (TaskNotFoundError, PERMANENT, "missing_task_id", "Missing taskId", "Check the id"),
    "invalid_task_id": (TaskNotFoundError, PERMANENT, "invalid_task_id", "Invalid taskId", "Check the id"),
    "missing_key": (AuthenticationError, PERMANENT, "missing_key", "Missing Authorization", "a valid key"),
    "invalid_key": (AuthenticationError, PERMANENT, "invalid_key", "Invalid API Key", "a valid key"),
    "inactive_key": (AuthenticationError, PERMANENT, "inactive_key", "is inactive", "Activate the key"),
    "expired_key": (AuthenticationError, PERMANENT, "expired_key", "has expired", "a valid key"),
    "insufficient_credits": (
        InsufficientCreditsError,
        PERMANENT,
        "insufficient_credits",
        "(200 needed, 12.5 available)",
        "Add credits",
    ),
    "no_api_access": (ApiAccessDisabledError, PERMANENT, "no_api_access", "API access not enabled", "API access, or"),
    "access_denied": (TaskAccessDeniedError, PERMANENT, "access_denied", "Access denied", "key of the account"),
    "task_not_found": (TaskNotFoundError, PERMANENT, "task_not_found", "Task not found", "key of the account"),
    "concurrency_limit": (
        ConcurrencyLimitError,
        WAIT_FOR_SLOT,
        "concurrency_limit",
        "Concurrency limit",
        "no free slot",
    ),
    "rate_limited": (RateLimitedError, TRANSIENT, "rate_limited", "Too many requests", "The next try submits"),
    "internal_error": (InternalServerError, TRANSIENT, "internal_error", "Internal server", "The next try submits"),
    "unlisted_400": (BadRequestError, PERMANENT, "unlisted", "undocumented", "the inputs"),
    "unlisted_401": (AuthenticationError, PERMANENT, "unlisted", "undocumented", "a valid key"),
    "unlisted_402": (InsufficientCreditsError, PERMANENT, "unlisted", "undocumented", "Add credits"),
    "unlisted_403": (ForbiddenError, PERMANENT, "unlisted", "undocumented", "Ask the vendor"),
    "unlisted_404": (TaskNotFoundError, PERMANENT, "unlisted", "undocumented", "base URL"),
}

#: The failure that the emulator lets happen: its class, reason, and what a person is told to do.
FAILED = {
    "text_moderation": (InputModerationError, "text_moderation", "Revise the prompt"),
    "image_moderation": (InputModerationError, "image_moderation", "different image"),
    "face_detected": (InputModerationError, "face_detected", "without human faces"),
    "output_review": (OutputModerationError, "output_review", "Adjust the prompt"),
    "server_error": (GenerationFailedError, "server_error", "try again"),
    "content_moderation": (InputModerationError, "content_moderation", "Revise the prompt and the images"),
    "output_audio": (OutputModerationError, "output_review", "without sound"),
    "output_content": (OutputModerationError, "output_review", "Adjust the prompt"),
    "timeout": (GenerationFailedError, "server_timeout", "try again"),
    "server_busy": (GenerationFailedError, "server_error", "try again"),
    "not_processed": (InputModerationError, "content_rejected", "another prompt"),
    "task_execution": (UnexplainedFailureError, "unexplained", "clear the Airflow task"),
    "invalid_prompt": (InvalidVideoInputError, "invalid_prompt", "Revise the prompt"),
    "reference_image_review": (ReferenceMediaError, "reference_review", "anybody can fetch it"),
    "reference_video_review": (ReferenceMediaError, "reference_review", "anybody can fetch it"),
    "reference_audio_review": (ReferenceMediaError, "reference_review", "anybody can fetch it"),
    "audio_only": (InvalidVideoInputError, "audio_only", "Add a reference image"),
    "reference_video_length": (ReferenceMediaError, "reference_length", "shorter reference videos"),
    "content_parameter": (ReferenceMediaError, "reference_length", "too long together"),
    "reference_download": (ReferenceMediaError, "reference_download", "anybody can fetch"),
    "reference_download_newer": (ReferenceMediaError, "reference_download", "anybody can fetch"),
    "backend_error": (GenerationFailedError, "server_error", "try again"),
    "sensitive_image": (InputModerationError, "image_moderation", "different image"),
    "sensitive_video": (InputModerationError, "video_moderation", "different video"),
    "output_video_review": (OutputModerationError, "output_review", "Adjust the prompt"),
    "output_audio_review": (OutputModerationError, "output_review", "without sound"),
    "output_copyright": (OutputModerationError, "output_review", "Adjust the prompt"),
    "unavailable": (GenerationFailedError, "unavailable", "try again"),
    "extension_parameters": (ExtensionFailedError, "invalid_extension", "once more"),
    "editing_parameters": (InvalidVideoInputError, "invalid_edit", "4 to 30 seconds"),
    "unlisted": (UnexplainedFailureError, "unlisted", "not documented"),
}
ENDS = {
    PERMANENT: Action.FAIL,
    TRANSIENT: Action.WAIT_FOR_API,
    WAIT_FOR_SLOT: Action.WAIT_FOR_SLOT,
}


def test_the_tables_leave_nothing_out():
    assert REFUSED.keys() == REFUSALS.keys()
    assert FAILED.keys() == FAILURES.keys()


def test_the_emulator_can_give_every_answer_that_is_documented():
    refusals = [made() for made in REFUSALS.values()]
    assert set(HTTP_ERRORS) == {classify_http_error(refusal.status, refusal.body["message"]) for refusal in refusals}
    assert set(task_failures.FAILURES) <= {
        task_failures.classify_failure(failure.message, failure.code) for failure in FAILURES.values()
    }


def seedance(client, key=DEFAULT_KEY, wire_format="auto"):
    return SeedanceClient(Protocol(key, client.base_url, wire_format))


def refuse(client, place, name):
    body = {"faults": [{"fault": name, "on": place}]}
    client.session.post(f"{client.url}/emulator/faults", json=body, timeout=10).raise_for_status()


def error_of(call, *arguments):
    with pytest.raises(SeedanceError) as caught:
        call(*arguments)
    return caught.value


def charged(client):
    return sum(account["charged"] for account in client.ledger()["credits"].values())


class TestRefusals:
    @pytest.mark.parametrize("name", [name for name in REFUSALS if "createTask" in FAULTS[name].places])
    def test_a_video_that_is_refused_costs_nothing_and_a_person_hears_what_to_do(self, client, name):
        error_class, verdict, reason, cause, next_step = REFUSED[name]
        refuse(client, "createTask", name)
        with seedance(client) as opened:
            error = error_of(opened.create_task, KITE)

        assert (type(error), error.create_verdict, error.reason) == (error_class, verdict, reason)
        assert error.is_listed is not name.startswith("unlisted")
        plan = plan_from_refusal(error, RECORDED)
        assert plan.action is ENDS[verdict]
        for said in ("Nothing was submitted or charged", str(error.status), cause, next_step):
            assert said in plan.message
        assert (client.ledger()["submissionCount"], charged(client)) == (0, 0)

    @pytest.mark.parametrize("name", [name for name in REFUSALS if "recordInfo" in FAULTS[name].places])
    def test_a_look_that_is_refused_changes_nothing_and_a_person_hears_why(self, client, name):
        error_class, _, reason, cause, _ = REFUSED[name]
        if error_class is BadRequestError:
            error_class = TaskNotFoundError  # the id is all that a look sends
        with seedance(client) as opened:
            task_id = opened.create_task(KITE)
            refuse(client, "recordInfo", name)
            error = error_of(opened.get_task, task_id)

        assert (type(error), error.reason, error.was_reading) == (error_class, reason, True)
        passing = error_class in (RateLimitedError, InternalServerError)
        assert error.verdict is (TRANSIENT if passing else PERMANENT)
        plan = plan_from_wait(result_of_error(error, task_id))
        gone = error_class in (TaskNotFoundError, TaskAccessDeniedError)
        assert plan.action is (Action.RETRY if passing else Action.ABANDON if gone else Action.FAIL)
        assert task_id in plan.message
        assert cause in plan.message
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

    def test_one_too_many(self, start):
        client = start(concurrency_limit=1)
        with seedance(client) as opened:
            opened.create_task(KITE)
            error = error_of(opened.create_task, KITE)
        assert (type(error), error.limit, error.current) == (ConcurrencyLimitError, 1, 1)
        assert client.ledger()["submissionCount"] == 1

    @pytest.mark.parametrize(
        ("task_id", "reason"),
        [("", "missing_task_id"), ("kite", "invalid_task_id"), (f"task_{'a' * 24}", "task_not_found")],
    )
    def test_ids(self, client, task_id, reason):
        with seedance(client) as opened:
            error = error_of(opened.get_task, task_id)
        assert (type(error), error.reason) == (TaskNotFoundError, reason)

    def test_the_video_of_another_account(self, start):
        client = start(keys={DEFAULT_KEY: 1000, "another": 1000})
        with seedance(client) as opened, seedance(client, "another") as another:
            error = error_of(another.get_task, opened.create_task(KITE))
        assert (type(error), error.reason) == (TaskAccessDeniedError, "access_denied")


@pytest.mark.parametrize("generation", ["quickstart", "docs", "models"])
def test_every_failed_video_is_refunded_and_a_person_hears_what_to_do(start, clock, generation):
    client = start(generation=generation)
    with seedance(client, wire_format=generation) as opened:
        created = {
            name: opened.create_task(VideoRequest(prompt=f"A kite [fail:{name}]", duration=4)) for name in FAILED
        }
        assert charged(client) > 0
        clock.advance(60)
        tasks = {name: opened.get_task(task_id) for name, task_id in created.items()}

    assert charged(client) == 0
    assert len(client.ledger()["submissions"]) == len(FAILED)
    for name, task in tasks.items():
        error_class, reason, next_step = FAILED[name]
        error = failure_of(task)
        assert (name, task.status, type(error), error.reason) == (name, TaskStatus.FAIL, error_class, reason)
        assert error.is_listed is (name != "unlisted")
        assert error.api_code == (None if generation == "quickstart" else FAILURES[name].code)
        plan = plan_from_wait(WaitResult(Outcome.FINISHED, task=task))
        assert plan.action is (Action.RETRY if error.retryable else Action.ABANDON)
        for said in (task.video_task_id, reason, FAILURES[name].message, next_step, "refunds"):
            assert said in plan.message
