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
    InsufficientCreditsError,
    InternalServerError,
    SeedanceError,
    UnexpectedResponseError,
)
from seedance_provider.api.video_task import TaskStatus, VideoTask
from seedance_provider.choices import OnRerun, OnUnknownSubmission
from seedance_provider.submission import (
    Action,
    Plan,
    Submission,
    SubmissionRecordError,
    SubmissionState,
    SubmissionStore,
    SubmissionStoreError,
    plan_after_unrecorded_refusal,
    plan_from_record,
    plan_from_refusal,
    plan_from_store_error,
    plan_from_upload_error,
    plan_from_video_task,
    plan_from_wait,
    plan_without_record,
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
        assert plan.message == (
            "The inputs changed since 2026-01-02T03:04:05.678+00:00, when a request was sent whose outcome is unknown; "
            "it may have been paid for. Look for it in the vendor's web account. A new video is submitted."
        )

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
        assert plan == Plan(Action.SUBMIT, f"{UNKNOWN} on_unknown_submission says: submit again.")

    @pytest.mark.parametrize("fingerprint", ["abc", "other"])
    def test_an_automatic_retry_of_an_abandoned_submission_fails_again_with_the_same_reason(self, fingerprint):
        record = SUBMITTED.abandoned("moderation", max_tries=3)
        plan = plan_from_record(record, fingerprint=fingerprint, max_tries=3)
        assert (plan.action, plan.message) == (Action.FAIL, "moderation")

    def test_an_abandoned_submission_without_a_reason_says_at_least_that(self):
        record = dataclasses.replace(SUBMITTED, state=SubmissionState.ABANDONED)
        plan = plan_from_record(record, fingerprint="abc", max_tries=3)
        assert plan == Plan(Action.FAIL, "The submission was abandoned.")

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
        plan = plan_from_video_task(SUCCESS, SUBMITTED.handed_over(), max_tries=4, on_rerun=OnRerun.REGENERATE)
        assert plan.action is Action.SUBMIT
        assert "task_a" in plan.message

    def test_regenerate_uses_a_video_that_airflow_never_got(self):
        assert self.plan(SUCCESS, max_tries=4, on_rerun=OnRerun.REGENERATE).action is Action.USE

    @pytest.mark.parametrize("record", [SUBMITTED, SUBMITTED.handed_over()], ids=["not delivered", "delivered"])
    def test_regenerate_does_not_pay_again_on_an_automatic_retry(self, record):
        plan = plan_from_video_task(SUCCESS, record, max_tries=3, on_rerun=OnRerun.REGENERATE)
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
        assert "The next try submits a new one" in plan.message
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
        plan = plan_from_wait(WaitResult(outcome, "What happened.", error=CAUSE))
        assert (plan.action, plan.error) == (Action.RETRY, CAUSE)
        assert plan.message == ("What happened. Nothing is lost: the next try re-attaches to it and submits nothing.")

    def test_a_video_that_is_not_shown_is_abandoned(self):
        plan = plan_from_wait(WaitResult(Outcome.GONE, "Gone.", error=CAUSE))
        assert (plan.action, plan.error) == (Action.ABANDON, CAUSE)
        assert plan.message == "Gone. To submit, and pay, anew: clear the Airflow task."

    def test_a_refused_account_fails_for_good_and_keeps_the_record(self):
        plan = plan_from_wait(WaitResult(Outcome.REFUSED, "The key is rejected.", error=CAUSE))
        assert (plan.action, plan.error) == (Action.FAIL, CAUSE)
        assert plan.message == (
            "The key is rejected. Mend the connection and clear the Airflow task: it will re-attach, "
            "from Airflow 3.4 on if its task state is kept."
        )


UNKNOWN = (
    "It is unknown whether a video was paid for: a request of about 200 credits ($1.00) was sent at "
    "2026-01-02T03:04:05.678+00:00, and no answer was recorded. Check the task logs and the credits in the vendor's "
    "web account for that time. If the video is there, fetch it by its id with VideoSensor."
)


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
        assert (plan.action, plan.error) == (action, error)
        assert error.message in plan.message

    def test_resubmit_lets_airflow_retry_after_an_unknown_outcome(self):
        plan = plan_from_refusal(ConnectionLostError("reset. "), SUBMITTING, OnUnknownSubmission.RESUBMIT)
        assert (plan.action, plan.error) == (Action.RETRY, None)
        assert plan.message == f"reset. {UNKNOWN} The next try submits again."

    def test_what_was_not_charged_is_said(self):
        plan = plan_from_refusal(BadRequestError("Unknown model", status=400, advice=""), SUBMITTING)
        assert plan.message == "The API refused the video and nothing was charged: HTTP 400: Unknown model."

    def test_an_unknown_outcome_names_the_time_and_what_to_check(self):
        plan = plan_from_refusal(ConnectionLostError("reset"), SUBMITTING)
        assert plan.message == f"reset. {UNKNOWN} To submit, and pay, anew: clear the Airflow task."


class TestPlanFromUploadError:
    def test_a_passing_error_is_retried_by_airflow(self):
        error = InternalServerError("Internal server error.", status=500)
        plan = plan_from_upload_error(error)
        assert (plan.action, plan.error) == (Action.RETRY, error)
        assert plan.message == (
            "A file could not be handed to the API, so no video was requested and nothing was charged: "
            "HTTP 500: Internal server error. The next try does it again."
        )

    def test_a_lasting_error_fails_for_good_with_advice(self):
        error = AuthenticationError("Invalid API Key.", status=401, advice="Mend the key.")
        plan = plan_from_upload_error(error)
        assert (plan.action, plan.error) == (Action.FAIL, error)
        assert plan.message == (
            "A file could not be handed to the API, so no video was requested and nothing was charged: "
            "HTTP 401: Invalid API Key. Mend the key."
        )

    def test_without_advice_the_error_is_all_that_is_said(self):
        assert plan_from_upload_error(SeedanceError("odd")).message.endswith("nothing was charged: odd.")


class TestPlanWhenTheStoreFails:
    ERROR = SubmissionStoreError("The database is down")

    def test_before_a_request_is_sent_airflow_retries(self):
        assert plan_from_store_error(self.ERROR) == Plan(
            Action.RETRY,
            "The database is down. This try has submitted nothing. The next one reads the record again.",
        )

    def test_after_the_api_accepted_the_video_it_is_named_for_a_person(self):
        assert plan_without_record(SUBMITTED, self.ERROR) == Plan(
            Action.FAIL,
            "Video task task_a was submitted and is paid for, about 200 credits ($1.00), but its id could not be "
            "recorded. The database is down. Fetch the video by this id with VideoSensor. A clear of this Airflow task "
            "will say that the outcome is unknown, and a second one pays anew.",
        )

    def test_after_the_api_refused_the_video_a_person_hears_how_to_go_on(self):
        assert plan_after_unrecorded_refusal(Plan(Action.RETRY, "Nothing was charged."), self.ERROR) == Plan(
            Action.FAIL,
            "Nothing was charged. But that could not be recorded. The database is down. A clear of this Airflow task "
            "will say that the outcome is unknown, which it is not; clear it once more to submit.",
        )


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
        assert SUBMITTED.was_cleared_since(4)

    def test_one_that_is_accepted_after_all_has_no_reason_to_be_abandoned(self):
        accepted = SUBMITTING.abandoned("unknown", max_tries=3).accepted("task_b")
        assert (accepted.state, accepted.task_id, accepted.reason) == (SubmissionState.SUBMITTED, "task_b", None)

    def test_notes_what_was_done_with_it(self):
        assert (SUBMITTED.delivered, SUBMITTED.counted) == (False, False)
        assert SUBMITTED.handed_over() == dataclasses.replace(SUBMITTED, delivered=True)
        assert SUBMITTED.in_the_metrics() == dataclasses.replace(SUBMITTED, counted=True)

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

    @pytest.mark.parametrize(
        ("method", "use"),
        [
            ("set", lambda store: store.save(SUBMITTING)),
            ("delete", lambda store: store.restore(None)),
        ],
    )
    def test_a_store_that_can_not_be_written_is_an_error(self, method, use):
        kept = StateStore()
        kept.fail = method
        with pytest.raises(SubmissionStoreError, match="can't be written: ConnectionError: the metadata database is"):
            use(SubmissionStore(kept))

    def test_a_store_that_can_not_be_read_is_an_error(self):
        kept = StateStore()
        kept.fail = "get"
        with pytest.raises(SubmissionStoreError, match="can't be read: ConnectionError: the metadata database is down"):
            SubmissionStore(kept).load()

    def test_without_a_store_nothing_is_kept(self):
        store = SubmissionStore(None)
        store.save(SUBMITTED)
        store.restore(None)
        assert store.weakness() == (
            "This Airflow has no task state store (3.3 and newer have one), so a retry can't know what this try pays "
            "for. Use wait_for_completion=False with retries=0, and VideoSensor to wait."
        )
        assert store.load() is None

    def test_a_store_that_airflow_empties_on_success_is_told_of(self, monkeypatch):
        assert SubmissionStore(StateStore()).weakness() is None
        monkeypatch.setenv("AIRFLOW__STATE_STORE__CLEAR_ON_SUCCESS", "True")
        assert SubmissionStore(StateStore()).weakness() == (
            "[state_store] clear_on_success is on, so Airflow forgets what this task pays for as soon as it has "
            "succeeded. Retries are safe, but clearing the task after that pays for a new video."
        )
