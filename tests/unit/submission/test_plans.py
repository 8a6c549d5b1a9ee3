"""The decision table: a test for every row."""

from __future__ import annotations

import dataclasses
import json
import re

import pytest

from seedance_provider.api.errors import (
    AuthenticationError,
    BadRequestError,
    ConcurrencyLimitError,
    ConnectionLostError,
    ConnectionNotEstablishedError,
    FileUnavailableError,
    InsufficientCreditsError,
    InternalServerError,
    RateLimitedError,
    UnexpectedResponseError,
)
from seedance_provider.api.video_task import TaskStatus, VideoTask
from seedance_provider.submission.options import OnRerun, OnUnknownSubmission
from seedance_provider.submission.plans import (
    Action,
    Plan,
    plan_after_unrecorded_refusal,
    plan_from_record,
    plan_from_record_error,
    plan_from_refusal,
    plan_from_store_error,
    plan_from_upload_error,
    plan_from_video_task,
    plan_from_wait,
    plan_without_record,
)
from seedance_provider.submission.record import Submission, SubmissionState
from seedance_provider.submission.store import SubmissionStore
from seedance_provider.submission.task_state import SubmissionRecordError, SubmissionStoreError
from seedance_provider.waiting.result import Outcome, WaitResult
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
    @pytest.mark.parametrize(
        ("record", "max_tries", "action"),
        [
            (None, 3, Action.SUBMIT),
            (SUBMITTED, 3, Action.LOOK_UP),
            (SUBMITTED, 4, Action.LOOK_UP),
            # Once cleared, a video that was given up is looked at once more.
            (SUBMITTED.abandoned("not shown", max_tries=3), 4, Action.LOOK_UP),
            # The task was cleared while its worker was sending: a person is told before a clear may pay.
            (SUBMITTING, 4, Action.ABANDON),
        ],
    )
    def test_for_the_same_inputs(self, record, max_tries, action):
        assert plan_from_record(record, fingerprint="abc", max_tries=max_tries).action is action

    def test_other_inputs_submit_and_name_the_old_video(self):
        plan = plan_from_record(SUBMITTED, fingerprint="other", max_tries=3)
        assert plan.action is Action.SUBMIT
        assert "task_a" in plan.message

    def test_other_inputs_after_an_unknown_outcome_submit_and_say_what_to_check(self):
        plan = plan_from_record(SUBMITTING, fingerprint="other", max_tries=3)
        assert plan.action is Action.SUBMIT
        assert plan.message == (
            "The inputs changed since 2026-01-02T03:04:05.678+00:00, when a request was sent whose outcome is unknown; "
            "it may have been paid for. Look for it in the vendor's web account. A new video is submitted."
        )

    def test_an_unknown_outcome_is_abandoned_naming_time_credits_and_what_to_check(self):
        plan = plan_from_record(SUBMITTING, fingerprint="abc", max_tries=3)
        assert plan.action is Action.ABANDON
        for said in ("2026-01-02T03:04:05.678+00:00", "200 credits", "web account", "clear"):
            assert said in plan.message

    def test_resubmit_opts_into_paying_after_an_unknown_outcome(self):
        plan = plan_from_record(SUBMITTING, fingerprint="abc", max_tries=3, on_unknown=OnUnknownSubmission.RESUBMIT)
        assert plan == Plan(Action.SUBMIT, UNKNOWN, advice="on_unknown_submission says: submit again.")

    @pytest.mark.parametrize("fingerprint", ["abc", "other"])
    def test_an_automatic_retry_of_an_abandoned_submission_fails_again_with_the_same_reason(self, fingerprint):
        record = SUBMITTED.abandoned("moderation", max_tries=3)
        plan = plan_from_record(record, fingerprint=fingerprint, max_tries=3)
        assert (plan.action, plan.message) == (Action.FAIL, "moderation")

    def test_an_abandoned_submission_without_a_reason_says_at_least_that(self):
        record = dataclasses.replace(SUBMITTED, state=SubmissionState.ABANDONED)
        plan = plan_from_record(record, fingerprint="abc", max_tries=3)
        assert plan == Plan(Action.FAIL, "The submission was abandoned.")

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
        assert self.plan(task, max_tries=max_tries, on_rerun=on_rerun) == Plan(
            Action.WAIT, "Re-attaching to task_a, which is queued; nothing is submitted."
        )

    @pytest.mark.parametrize("max_tries", [3, 4])
    def test_a_finished_video_is_used(self, max_tries):
        assert self.plan(SUCCESS, max_tries=max_tries) == Plan(
            Action.USE, "task_a is already paid for and is used; nothing is submitted."
        )

    def test_a_finished_video_without_its_url_is_waited_for(self):
        assert self.plan(dataclasses.replace(SUCCESS, video_url=None)).action is Action.WAIT

    def test_regenerate_makes_a_new_video_after_a_clear_of_a_task_that_had_delivered(self):
        plan = plan_from_video_task(SUCCESS, SUBMITTED.with_delivered(), max_tries=4, on_rerun=OnRerun.REGENERATE)
        assert plan.action is Action.SUBMIT
        assert "task_a" in plan.message

    @pytest.mark.parametrize(("record", "max_tries"), [(SUBMITTED, 3), (SUBMITTED, 4), (SUBMITTED.with_delivered(), 3)])
    def test_regenerate_uses_a_video_that_airflow_never_got_and_that_of_an_automatic_retry(self, record, max_tries):
        plan = plan_from_video_task(SUCCESS, record, max_tries=max_tries, on_rerun=OnRerun.REGENERATE)
        assert plan.action is Action.USE

    def test_a_passing_failure_is_submitted_again_and_says_why(self):
        plan = self.plan(failed("Video generation failed. Please try again."))
        assert plan.action is Action.SUBMIT
        assert "Video generation failed. Please try again." in plan.message

    @pytest.mark.parametrize("text", ["Your input text violates platform rules.", "Something new", None])
    def test_a_lasting_failure_is_abandoned(self, text):
        plan = self.plan(failed(text))
        assert plan.action is Action.ABANDON
        assert "task_a" in plan.message
        assert "refunds" in plan.message


CAUSE = AuthenticationError("Invalid API Key", status=401)


class TestPlanFromWait:
    def test_success_is_used(self):
        assert plan_from_wait(WaitResult(Outcome.FINISHED, task=SUCCESS)).action is Action.USE

    def test_a_passing_failure_is_retried_by_airflow(self):
        result = WaitResult(Outcome.FINISHED, task=failed("Video generation failed. Please try again."))
        plan = plan_from_wait(result)
        assert plan.action is Action.RETRY
        assert plan.next_try == "submits a new one"
        assert plan.error is not None
        assert plan.error.retryable

    def test_a_lasting_failure_is_abandoned_with_the_text_of_the_api_and_advice(self):
        plan = plan_from_wait(WaitResult(Outcome.FINISHED, task=failed("Face detected in uploaded media. Adjust.")))
        assert plan.action is Action.ABANDON
        assert "Face detected in uploaded media. Adjust." in plan.message
        assert "without human faces" in plan.message
        assert plan.error is not None
        assert plan.error.reason == "face_detected"

    @pytest.mark.parametrize("outcome", [Outcome.TIMED_OUT, Outcome.UNREACHABLE])
    def test_a_wait_that_ended_early_is_retried_and_reattaches(self, outcome):
        plan = plan_from_wait(WaitResult(outcome, "What happened.", video_task_id="task_a", error=CAUSE))
        assert (plan.action, plan.error, plan.reason) == (Action.RETRY, CAUSE, str(outcome))
        assert plan.happened == "What happened."
        assert "task_a is paid for" in plan.money
        assert plan.next_try == "re-attaches to it, if the inputs are still the same, and submits nothing"

    def test_a_video_that_is_not_shown_is_abandoned(self):
        plan = plan_from_wait(WaitResult(Outcome.GONE, "Gone.", advice="Whose key is it?", error=CAUSE))
        assert (plan.action, plan.error, plan.reason) == (Action.ABANDON, CAUSE, "gone")
        assert plan.advice == "Whose key is it? To submit, and pay, again: clear the Airflow task."

    def test_a_refused_account_fails_for_good_and_keeps_the_record(self):
        plan = plan_from_wait(WaitResult(Outcome.REFUSED, "The key is rejected.", error=CAUSE))
        assert (plan.action, plan.error, plan.reason) == (Action.FAIL, CAUSE, "refused")
        assert "Fix the connection" in plan.advice
        assert "re-attaches to it" in plan.advice


class TestPlanFromWaitWithoutARecord:
    """Below Airflow 3.3 the next try would pay for another video, so there must be none."""

    @pytest.mark.parametrize("outcome", [Outcome.TIMED_OUT, Outcome.UNREACHABLE, Outcome.REFUSED, Outcome.GONE])
    def test_every_end_that_leaves_a_paid_video_is_permanent_and_names_it(self, outcome):
        plan = plan_from_wait(WaitResult(outcome, "It is over.", video_task_id="task_a", error=CAUSE), recorded=False)
        assert plan.action in (Action.FAIL, Action.ABANDON)
        assert "task_a is paid for" in plan.money
        assert "re-attaches" not in plan.message
        # What is gone no sensor finds either.
        assert ("VideoSensor(video_task_id='task_a')" in plan.advice) is (outcome is not Outcome.GONE)

    def test_a_video_that_was_refunded_is_submitted_again_all_the_same(self):
        result = WaitResult(Outcome.FINISHED, task=failed("Video generation failed. Please try again."))
        assert plan_from_wait(result, recorded=False).action is Action.RETRY


class TestStory:
    PLAN = Plan(Action.RETRY, "It is over.", "It is paid for.", next_try="re-attaches")

    def test_speaks_of_a_next_try_only_if_there_is_one(self):
        happened, money, advice = self.PLAN.story(retries_left=True)
        assert (happened, money, advice) == ("It is over.", "It is paid for.", "The next try re-attaches.")
        advice = self.PLAN.story(retries_left=False)[2]
        assert "next try" not in advice
        assert advice.endswith("clearing the Airflow task (from Airflow 3.4 on: keeping its task state) re-attaches.")

    def test_what_a_person_can_do_comes_first(self):
        plan = dataclasses.replace(self.PLAN, advice="Use a pool.")
        assert plan.story()[2] == "Use a pool. The next try re-attaches."

    def test_is_one_line_where_only_one_fits(self):
        assert self.PLAN.message == "It is over. It is paid for. The next try re-attaches."
        assert Plan(Action.USE).message == ""


UNKNOWN = (
    "It is unknown whether a video was paid for: a request of about 200 credits ($1.00) was sent at "
    "2026-01-02T03:04:05.678+00:00, and no answer was recorded."
)


class TestPlanFromRefusal:
    @pytest.mark.parametrize(
        ("error", "action"),
        [
            (BadRequestError("Unknown model", status=400, advice=""), Action.FAIL),
            (AuthenticationError("Invalid API Key", status=401), Action.FAIL),
            (InsufficientCreditsError("Insufficient credits", status=402), Action.FAIL),
            (ConcurrencyLimitError("Concurrency limit reached (3).", status=429), Action.WAIT_FOR_SLOT),
            (InternalServerError("Internal error", status=500), Action.WAIT_FOR_API),
            (RateLimitedError("Too many requests", status=429), Action.WAIT_FOR_API),
            (ConnectionNotEstablishedError("refused"), Action.WAIT_FOR_API),
            (ConnectionLostError("reset"), Action.ABANDON),
            (UnexpectedResponseError("an HTML page", status=502), Action.ABANDON),
        ],
    )
    def test_the_verdict_of_the_error_decides(self, error, action):
        plan = plan_from_refusal(error, SUBMITTING)
        assert (plan.action, plan.error) == (action, error)
        assert error.message in plan.message
        assert plan.money == (UNKNOWN if action is Action.ABANDON else "Nothing was submitted or charged.")

    def test_resubmit_lets_airflow_retry_after_an_unknown_outcome(self):
        plan = plan_from_refusal(ConnectionLostError("reset. "), SUBMITTING, OnUnknownSubmission.RESUBMIT)
        assert (plan.action, plan.error) == (Action.RETRY, None)
        assert (plan.happened, plan.next_try) == (f"reset. {UNKNOWN}", "submits again")
        assert plan.reason == "unknown_outcome"

    def test_an_unknown_outcome_names_what_to_check(self):
        plan = plan_from_refusal(ConnectionLostError("reset"), SUBMITTING)
        assert plan.happened == "reset."
        assert "web account" in plan.advice
        assert "VideoSensor" in plan.advice
        assert plan.advice.endswith("To submit, and pay, again: clear the Airflow task.")


@pytest.mark.parametrize(
    ("error", "action"),
    [
        (InternalServerError("Internal server error.", status=500), Action.WAIT_FOR_API),
        (FileUnavailableError("The storage is down."), Action.RETRY),
        (AuthenticationError("Invalid API Key.", status=401, advice="Fix the key."), Action.FAIL),
    ],
)
def test_plan_from_an_error_of_an_upload(error, action):
    plan = plan_from_upload_error(error)
    assert (plan.action, plan.error, plan.money) == (action, error, "Nothing was submitted or charged.")
    assert str(error) in plan.happened
    assert plan.advice == (error.advice if action is Action.FAIL else "")


class TestPlanWhenTheStoreFails:
    ERROR = SubmissionStoreError("The database is down")

    def test_before_a_request_is_sent_airflow_retries(self):
        plan = plan_from_store_error(self.ERROR)
        assert plan.action is Action.RETRY
        assert plan.message == (
            "The database is down. This try has submitted nothing. The next try reads the record again."
        )

    def test_a_record_that_can_not_be_used_says_how_a_person_gets_past_it(self):
        plan = plan_from_record_error(SubmissionRecordError("It is damaged."))
        assert plan.action is Action.FAIL
        assert "it may stand for a video that is already paid for" in plan.money
        assert "delete 'seedance_submission'" in plan.advice

    def test_after_the_api_accepted_the_video_it_is_named_for_a_person(self):
        plan = plan_without_record(SUBMITTED, self.ERROR)
        assert plan.action is Action.FAIL
        assert "task_a was submitted" in plan.happened
        assert "about 200 credits ($1.00)" in plan.money
        assert "VideoSensor" in plan.advice

    def test_after_the_api_refused_the_video_a_person_hears_how_to_go_on(self):
        refusal = Plan(Action.RETRY, "It was refused.", "Nothing was charged.")
        plan = plan_after_unrecorded_refusal(refusal, self.ERROR)
        assert (plan.action, plan.money) == (Action.FAIL, "Nothing was charged.")
        assert "The database is down." in plan.happened
        assert "clear it once more" in plan.advice


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
        said = "Nothing was submitted, because it may stand for a video that is already paid for."
        with pytest.raises(SubmissionRecordError, match=f"{re.escape(repr(value))}.* {said}$"):
            Submission.from_json(value)

    def test_one_that_is_abandoned_after_a_clear_belongs_to_the_try_that_did_so(self):
        # Or else the next automatic retry would take that clear for one of its own, and pay.
        abandoned = SUBMITTED.abandoned("because", max_tries=4)
        assert (abandoned.state, abandoned.reason) == (SubmissionState.ABANDONED, "because")
        assert not abandoned.was_cleared_since(4)

    def test_one_that_is_accepted_after_all_has_no_reason_to_be_abandoned(self):
        accepted = SUBMITTING.abandoned("unknown", max_tries=3).accepted("task_b")
        assert (accepted.state, accepted.video_task_id, accepted.reason) == (SubmissionState.SUBMITTED, "task_b", None)

    def test_knows_what_the_task_instance_has_spent(self):
        second = dataclasses.replace(SUBMITTED, earlier_credits=150)
        assert SUBMITTED.spent() == 200
        assert second.spent() == 350
        assert second.spent(99.5) == 249.5
        assert second.spent(-30) == 150
        assert second.failed().spent() == second.failed().spent(99.5) == 150
        assert dataclasses.replace(second, estimated_credits=None).spent() == 150

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

    def test_a_record_whose_content_is_gone_is_no_missing_record(self):
        kept = StateStore()
        kept.values["seedance_submission"] = "null"
        with pytest.raises(SubmissionRecordError, match="is gone"):
            SubmissionStore(kept).load()

    @pytest.mark.parametrize("left", [{}, {"seedance_submission": json.dumps(SUBMITTED.to_json())}])
    def test_a_claim_that_the_store_has_lost_is_an_error(self, left):
        kept = StateStore()
        kept.set = lambda *_, **__: kept.values.update(left)
        with pytest.raises(SubmissionStoreError, match="is not what was just written"):
            SubmissionStore(kept).claim(SUBMITTING)

    @pytest.mark.parametrize("previous", [None, SUBMITTED])
    def test_can_undo_a_claim(self, previous):
        kept = StateStore()
        SubmissionStore(kept).claim(SUBMITTING)
        assert SubmissionStore(kept).load() == SUBMITTING
        SubmissionStore(kept).restore(previous)
        assert SubmissionStore(kept).load() == previous

    @pytest.mark.parametrize(
        ("method", "use", "done"),
        [
            ("get", lambda store: store.load(), "read"),
            ("set", lambda store: store.save(SUBMITTING), "written"),
            ("delete", lambda store: store.restore(None), "written"),
        ],
    )
    def test_a_store_that_is_down_is_an_error(self, method, use, done):
        kept = StateStore()
        kept.fail = method
        with pytest.raises(SubmissionStoreError, match=f"can't be {done}: ConnectionError: the metadata database is"):
            use(SubmissionStore(kept))

    def test_without_a_store_nothing_is_kept(self):
        store = SubmissionStore(None)
        store.save(SUBMITTED)
        store.restore(None)
        store.claim(SUBMITTING)
        assert "no task state store" in store.missing_guarantee()
        assert not store.keeps_records
        assert store.load() is None

    def test_a_store_that_airflow_empties_on_success_is_told_of(self, monkeypatch):
        assert SubmissionStore(StateStore()).missing_guarantee() is None
        monkeypatch.setenv("AIRFLOW__STATE_STORE__CLEAR_ON_SUCCESS", "True")
        assert SubmissionStore(StateStore()).missing_guarantee() == (
            "[state_store] clear_on_success is on, so Airflow forgets what this task pays for as soon as it has "
            "succeeded. Retries are safe, but clearing the task after that pays for a new video."
        )
