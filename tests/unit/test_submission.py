"""The decision table: a test for every row."""

from __future__ import annotations

import dataclasses
import json

import pytest

from seedance_provider.api.errors import (
    AuthenticationError,
    BadRequestError,
    ConcurrencyLimitError,
    ConnectionLostError,
    ConnectionNotEstablishedError,
    InsufficientCreditsError,
    InternalServerError,
    UnexpectedResponseError,
)
from seedance_provider.api.video_task import TaskStatus, VideoTask
from seedance_provider.choices import OnRerun, OnUnknownSubmission
from seedance_provider.submission import (
    Action,
    Submission,
    SubmissionRecordError,
    SubmissionState,
    SubmissionStore,
    SubmissionStoreError,
    plan_from_record,
    plan_from_refusal,
    plan_from_video_task,
    plan_from_wait,
)
from seedance_provider.waiting import Outcome, WaitResult
from tests.support.task_context import StateStore

SUBMITTING = Submission(
    SubmissionState.SUBMITTING,
    fingerprint="abc",
    submitted_at="2026-01-02T03:04:05.678+00:00",
    max_tries=3,
    estimated_credits=200,
)
SUBMITTED = SUBMITTING.accepted("task_a")
SUCCESS = VideoTask("task_a", status=TaskStatus.SUCCESS, video_url="https://media.example/a.mp4")


def failed(text: str) -> VideoTask:
    return VideoTask("task_a", status=TaskStatus.FAIL, error_message=text)


class TestPlanFromRecord:
    def test_without_a_record_submits(self):
        assert plan_from_record(None, fingerprint="abc", max_tries=3).action is Action.SUBMIT

    def test_a_submitted_video_of_the_same_inputs_is_looked_up(self):
        assert plan_from_record(SUBMITTED, fingerprint="abc", max_tries=3).action is Action.LOOK_UP

    def test_it_is_looked_up_after_a_clear_too(self):
        assert plan_from_record(SUBMITTED, fingerprint="abc", max_tries=4).action is Action.LOOK_UP

    def test_other_inputs_submit_and_name_the_old_video(self):
        plan = plan_from_record(SUBMITTED, fingerprint="other", max_tries=3)
        assert plan.action is Action.SUBMIT
        assert "task_a" in plan.message

    def test_other_inputs_after_an_unknown_outcome_submit_and_say_what_to_check(self):
        plan = plan_from_record(SUBMITTING, fingerprint="other", max_tries=3)
        assert plan.action is Action.SUBMIT
        assert "2026-01-02T03:04:05.678+00:00" in plan.message
        assert "web account" in plan.message

    def test_an_unknown_outcome_is_abandoned_naming_time_credits_and_what_to_check(self):
        plan = plan_from_record(SUBMITTING, fingerprint="abc", max_tries=3)
        assert plan.action is Action.ABANDON
        for said in ("2026-01-02T03:04:05.678+00:00", "200 credits", "web account", "clear"):
            assert said in plan.message

    def test_an_unknown_outcome_is_told_to_a_person_before_a_clear_may_pay(self):
        # The task was cleared while its worker was sending: nobody has been told yet.
        assert plan_from_record(SUBMITTING, fingerprint="abc", max_tries=4).action is Action.ABANDON

    def test_resubmit_opts_into_paying_after_an_unknown_outcome(self):
        plan = plan_from_record(SUBMITTING, fingerprint="abc", max_tries=3, on_unknown=OnUnknownSubmission.RESUBMIT)
        assert plan.action is Action.SUBMIT
        assert "2026-01-02T03:04:05.678+00:00" in plan.message

    @pytest.mark.parametrize("fingerprint", ["abc", "other"])
    def test_an_automatic_retry_of_an_abandoned_submission_fails_again_with_the_same_reason(self, fingerprint):
        record = SUBMITTED.abandoned("moderation", max_tries=3)
        plan = plan_from_record(record, fingerprint=fingerprint, max_tries=3)
        assert (plan.action, plan.message) == (Action.FAIL, "moderation")

    def test_a_clear_of_an_abandoned_video_looks_at_it_once_more(self):
        record = SUBMITTED.abandoned("not shown", max_tries=3)
        assert plan_from_record(record, fingerprint="abc", max_tries=4).action is Action.LOOK_UP

    @pytest.mark.parametrize(("record", "fingerprint"), [(SUBMITTING, "abc"), (SUBMITTED, "other")])
    def test_a_clear_of_any_other_abandoned_submission_submits_anew(self, record, fingerprint):
        plan = plan_from_record(record.abandoned("unknown", max_tries=3), fingerprint=fingerprint, max_tries=4)
        assert plan.action is Action.SUBMIT
        assert "unknown" in plan.message


class TestPlanFromVideoTask:
    def plan(self, task: VideoTask, *, max_tries: int = 3, on_rerun: OnRerun = OnRerun.REUSE):
        return plan_from_video_task(task, SUBMITTED, max_tries=max_tries, on_rerun=on_rerun)

    @pytest.mark.parametrize("on_rerun", OnRerun)
    @pytest.mark.parametrize("max_tries", [3, 4])
    @pytest.mark.parametrize("status", [TaskStatus.WAITING, TaskStatus.GENERATING, TaskStatus.UNKNOWN])
    def test_an_unfinished_video_is_waited_for_always(self, status, max_tries, on_rerun):
        task = VideoTask("task_a", status=status, raw_status="queued")
        assert self.plan(task, max_tries=max_tries, on_rerun=on_rerun).action is Action.WAIT

    @pytest.mark.parametrize("max_tries", [3, 4])
    def test_a_finished_video_is_used(self, max_tries):
        assert self.plan(SUCCESS, max_tries=max_tries).action is Action.USE

    def test_a_finished_video_without_its_url_is_waited_for(self):
        assert self.plan(dataclasses.replace(SUCCESS, video_url=None)).action is Action.WAIT

    def test_regenerate_makes_a_new_video_after_a_clear_of_a_task_that_had_delivered(self):
        plan = plan_from_video_task(SUCCESS, SUBMITTED.handed_over(), max_tries=4, on_rerun=OnRerun.REGENERATE)
        assert plan.action is Action.SUBMIT
        assert "task_a" in plan.message

    def test_regenerate_uses_a_video_that_airflow_never_got(self):
        assert self.plan(SUCCESS, max_tries=4, on_rerun=OnRerun.REGENERATE).action is Action.USE

    def test_regenerate_does_not_pay_again_on_an_automatic_retry(self):
        assert self.plan(SUCCESS, on_rerun=OnRerun.REGENERATE).action is Action.USE

    def test_a_passing_failure_is_submitted_again(self):
        assert self.plan(failed("Video generation failed. Please try again.")).action is Action.SUBMIT

    @pytest.mark.parametrize("text", ["Your input text violates platform rules.", "Something new", None])
    def test_a_lasting_failure_is_abandoned(self, text):
        plan = self.plan(failed(text))
        assert plan.action is Action.ABANDON
        assert "task_a" in plan.message
        assert "refunds" in plan.message


class TestPlanFromWait:
    def test_success_is_used(self):
        assert plan_from_wait(WaitResult(Outcome.FINISHED, task=SUCCESS)).action is Action.USE

    def test_a_passing_failure_is_retried_by_airflow(self):
        result = WaitResult(Outcome.FINISHED, task=failed("Video generation failed. Please try again."))
        plan = plan_from_wait(result)
        assert plan.action is Action.RETRY
        assert "The next try submits a new one" in plan.message

    def test_a_lasting_failure_is_abandoned_with_the_text_of_the_api_and_advice(self):
        plan = plan_from_wait(WaitResult(Outcome.FINISHED, task=failed("Face detected in uploaded media. Adjust.")))
        assert plan.action is Action.ABANDON
        assert "Face detected in uploaded media. Adjust." in plan.message
        assert "without human faces" in plan.message

    @pytest.mark.parametrize("outcome", [Outcome.TIMED_OUT, Outcome.UNREACHABLE])
    def test_a_wait_that_ended_early_is_retried_and_reattaches(self, outcome):
        plan = plan_from_wait(WaitResult(outcome, "What happened"))
        assert plan.action is Action.RETRY
        assert "re-attaches" in plan.message

    def test_a_video_that_is_not_shown_is_abandoned(self):
        assert plan_from_wait(WaitResult(Outcome.GONE, "Gone.")).action is Action.ABANDON

    def test_a_refused_account_fails_for_good_and_keeps_the_record(self):
        plan = plan_from_wait(WaitResult(Outcome.REFUSED, "The key is rejected"))
        assert plan.action is Action.FAIL
        assert "re-attach" in plan.message


class TestPlanFromRefusal:
    @pytest.mark.parametrize(
        ("error", "action"),
        [
            (BadRequestError("Unknown model", status=400), Action.FAIL),
            (AuthenticationError("Invalid API Key", status=401), Action.FAIL),
            (InsufficientCreditsError("Insufficient credits", status=402), Action.FAIL),
            (ConcurrencyLimitError("Concurrency limit reached (3).", status=429), Action.WAIT_FOR_SLOT),
            (InternalServerError("Internal error", status=500), Action.RETRY),
            (ConnectionNotEstablishedError("refused"), Action.RETRY),
            (ConnectionLostError("reset"), Action.ABANDON),
            (UnexpectedResponseError("an HTML page", status=502), Action.ABANDON),
        ],
    )
    def test_the_verdict_of_the_error_decides(self, error, action):
        plan = plan_from_refusal(error, SUBMITTING)
        assert plan.action is action
        assert error.message in plan.message

    def test_resubmit_lets_airflow_retry_after_an_unknown_outcome(self):
        plan = plan_from_refusal(ConnectionLostError("reset"), SUBMITTING, OnUnknownSubmission.RESUBMIT)
        assert plan.action is Action.RETRY

    def test_what_was_not_charged_is_said(self):
        plan = plan_from_refusal(BadRequestError("Unknown model", status=400), SUBMITTING)
        assert "nothing was charged" in plan.message

    def test_an_unknown_outcome_names_the_time_and_what_to_check(self):
        plan = plan_from_refusal(ConnectionLostError("reset"), SUBMITTING)
        assert SUBMITTING.submitted_at in plan.message
        assert "web account" in plan.message


class TestSubmission:
    @pytest.mark.parametrize("record", [SUBMITTING, SUBMITTED, SUBMITTED.abandoned("because", 5)])
    def test_survives_the_store(self, record):
        assert Submission.from_json(json.loads(json.dumps(record.to_json()))) == record

    @pytest.mark.parametrize(
        "value",
        [
            "task_a",
            [],
            {},
            SUBMITTED.to_json() | {"schema_version": 2},
            SUBMITTED.to_json() | {"state": "paid"},
            SUBMITTED.to_json() | {"surprise": 1},
            {key: value for key, value in SUBMITTED.to_json().items() if key != "fingerprint"},
        ],
    )
    def test_what_can_not_be_read_is_an_error_and_never_no_record(self, value):
        with pytest.raises(SubmissionRecordError, match="Nothing was submitted"):
            Submission.from_json(value)

    def test_is_the_same_record_for_every_try_until_a_clear(self):
        assert not SUBMITTED.was_cleared_since(3)
        assert SUBMITTED.was_cleared_since(4)
        assert not SUBMITTED.taken_over(4).was_cleared_since(4)


class TestSubmissionStore:
    def test_an_empty_store_has_no_record(self):
        assert SubmissionStore(StateStore()).load() is None

    def test_keeps_the_record_for_ever(self):
        from airflow.sdk import NEVER_EXPIRE

        kept = StateStore()
        SubmissionStore(kept).save(SUBMITTED)
        assert SubmissionStore(kept).load() == SUBMITTED
        assert kept.retentions == [NEVER_EXPIRE]
        assert kept.retentions[0] is NEVER_EXPIRE

    @pytest.mark.parametrize("previous", [None, SUBMITTED])
    def test_can_undo(self, previous):
        kept = StateStore()
        SubmissionStore(kept).save(SUBMITTING)
        SubmissionStore(kept).restore(previous)
        assert SubmissionStore(kept).load() == previous

    def test_a_store_that_can_not_be_read_is_an_error(self):
        kept = StateStore()
        kept.fail = "get"
        with pytest.raises(SubmissionStoreError, match="can't be read: ConnectionError: the metadata database is down"):
            SubmissionStore(kept).load()

    def test_without_a_store_nothing_is_kept(self):
        store = SubmissionStore(None)
        store.save(SUBMITTED)
        store.restore(None)
        assert "VideoSensor" in store.weakness()
        assert store.load() is None

    def test_a_store_that_airflow_empties_on_success_is_told_of(self, monkeypatch):
        assert SubmissionStore(StateStore()).weakness() is None
        monkeypatch.setenv("AIRFLOW__STATE_STORE__CLEAR_ON_SUCCESS", "True")
        assert "clear_on_success" in SubmissionStore(StateStore()).weakness()
