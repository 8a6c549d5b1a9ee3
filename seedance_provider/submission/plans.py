"""
What a try does, given the record of the submission and what the API says. Decisions only.

An error that ends the task for good leaves the record as ``abandoned``: until a person clears the Airflow task no
try may submit again, even if a worker died before Airflow heard of the failure. A clear is told from an automatic
retry by ``max_tries``, which Airflow changes when a task instance is cleared and at no other time. (It can come out
the same if ``retries`` was lowered meanwhile; then a second clear is needed, and nothing is paid by accident.)
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from seedance_provider.api.errors import FileUnavailableError, SeedanceError, Verdict
from seedance_provider.api.pricing import format_credits
from seedance_provider.api.task_failures import REFUNDED, failure_of
from seedance_provider.api.video_task import TaskStatus, VideoTask
from seedance_provider.reporting.kill_notice import CLEARING, no_record_advice
from seedance_provider.submission.options import OnRerun, OnUnknownSubmission
from seedance_provider.submission.record import RECORD_KEY, Submission, SubmissionState
from seedance_provider.waiting.result import Outcome, WaitResult

if TYPE_CHECKING:
    from seedance_provider.submission.task_state import SubmissionRecordError, SubmissionStoreError

__all__ = [
    "Action",
    "Plan",
    "plan_after_unrecorded_refusal",
    "plan_from_record",
    "plan_from_record_error",
    "plan_from_refusal",
    "plan_from_store_error",
    "plan_from_upload_error",
    "plan_from_video_task",
    "plan_from_wait",
    "plan_without_record",
]


class Action(StrEnum):
    """What a try does next."""

    #: Pay for a new video.
    SUBMIT = "submit"
    #: Ask the API about the recorded video task first.
    LOOK_UP = "look_up"
    #: Wait for the recorded video task.
    WAIT = "wait"
    #: The video is there.
    USE = "use"
    #: Submit again when the account has a free slot; nothing was charged.
    WAIT_FOR_SLOT = "wait_for_slot"
    #: Submit again when the API answers; nothing was charged.
    WAIT_FOR_API = "wait_for_api"
    #: Fail, and let Airflow retry.
    RETRY = "retry"
    #: Fail for good; the record stays as it is.
    FAIL = "fail"
    #: Fail for good; only a person's clear may submit again.
    ABANDON = "abandon"


@dataclass(frozen=True)
class Plan:
    """
    What a try does next, and why, in the words that the person on call reads.

    :param action: what to do.
    :param happened: one sentence; empty if there is nothing to say.
    :param money: what became of the credits and of the video.
    :param advice: what a person can do.
    :param next_try: what the next try does, such as ``submits again``. A clear does the same.
    :param error: what led to it, to be raised as the cause, so that
        :func:`~seedance_provider.retry_policy.seedance_retry_policy` can read it.
    :param reason: short name of the reason, where the error has none.
    """

    action: Action
    happened: str = ""
    money: str = ""
    advice: str = ""
    next_try: str = ""
    error: SeedanceError | None = field(default=None, compare=False)
    reason: str = field(default="", compare=False)

    @property
    def message(self) -> str:
        """The whole story in one line."""
        return " ".join(part for part in self.story() if part)

    def story(self, *, retries_left: bool = True) -> tuple[str, str, str]:
        """
        Return what happened, what became of the money, and what to do.

        :param retries_left: whether there will be a next try, of which a message may speak.
        """
        if not self.next_try:
            return self.happened, self.money, self.advice
        who = "The next try" if retries_left else f"No retries are left; {CLEARING}"
        return self.happened, self.money, " ".join(part for part in (self.advice, f"{who} {self.next_try}.") if part)


def plan_from_record(
    record: Submission | None,
    *,
    fingerprint: str,
    max_tries: int,
    on_unknown: OnUnknownSubmission = OnUnknownSubmission.FAIL,
) -> Plan:
    """
    Decide from the record alone.

    :param record: what earlier tries left.
    :param fingerprint: of the request that this try would send.
    :param max_tries: Airflow's, of this try.
    :param on_unknown: whether to pay again if it is unknown whether an earlier try has paid.
    """
    if record is None:
        return Plan(Action.SUBMIT)
    if record.state is SubmissionState.ABANDONED:
        return _plan_from_abandoned(record, fingerprint, max_tries)
    if record.fingerprint != fingerprint:
        return Plan(Action.SUBMIT, _inputs_changed(record))
    if record.state is SubmissionState.SUBMITTED:
        return Plan(Action.LOOK_UP)
    if on_unknown is OnUnknownSubmission.RESUBMIT:
        return Plan(Action.SUBMIT, _unknown(record), advice="on_unknown_submission says: submit again.")
    return Plan(Action.ABANDON, _unknown(record), *_unknown_advice(record), reason=_UNKNOWN_OUTCOME)


def plan_from_video_task(task: VideoTask, record: Submission, *, max_tries: int, on_rerun: OnRerun) -> Plan:
    """
    Decide from what the API says of the recorded video task, before waiting for it.

    :param task: the API's answer.
    :param record: the submission that it belongs to.
    :param max_tries: Airflow's, of this try.
    :param on_rerun: whether a person's re-run wants a new video.
    """
    if not task.status.is_final:
        return Plan(
            Action.WAIT, f"Re-attaching to {task.video_task_id}, which is {task.raw_status}; nothing is submitted."
        )
    if task.status is TaskStatus.FAIL:
        plan = _plan_from_failure(task)
        wanted_anew = plan.action is Action.RETRY or record.state is SubmissionState.ABANDONED
        return replace(plan, action=Action.SUBMIT, next_try="") if wanted_anew else plan
    if on_rerun is OnRerun.REGENERATE and record.delivered and record.was_cleared_since(max_tries):
        return Plan(
            Action.SUBMIT, f"The task was cleared: {task.video_task_id} is left as it is, and a new video is made."
        )
    # WAIT and not USE where the API has not named the video yet.
    action = Action.USE if task.video_url else Action.WAIT
    return Plan(action, f"{task.video_task_id} is already paid for and is used; nothing is submitted.")


def plan_from_wait(result: WaitResult, *, recorded: bool = True) -> Plan:
    """
    Decide from the end of a wait, or of a single failed poll.

    :param result: how it ended.
    :param recorded: whether the next try will know of the video task. If not, it would pay for another one, so
        there must be no next try while this one may be charged.
    """
    paid = f"Video task {result.video_task_id} is paid for unless it fails; the API can't cancel it."
    reason = str(result.outcome)
    match result.outcome:
        case Outcome.FINISHED if result.task is not None and result.task.status is TaskStatus.SUCCESS:
            return Plan(Action.USE)
        case Outcome.FINISHED if result.task is not None:
            return _plan_from_failure(result.task)
        case Outcome.GONE:
            return Plan(
                Action.ABANDON,
                result.message,
                "It is recorded as paid for." if recorded else paid,
                f"{result.advice} {_TO_SUBMIT_AGAIN}",
                error=result.error,
                reason=reason,
            )
        case Outcome.REFUSED if recorded:
            return Plan(Action.FAIL, result.message, paid, _FIX_AND_CLEAR, error=result.error, reason=reason)
        case _ if recorded:
            return Plan(Action.RETRY, result.message, paid, next_try=_REATTACHES, error=result.error, reason=reason)
        case _:
            return Plan(
                Action.FAIL,
                result.message,
                paid,
                no_record_advice(result.video_task_id),
                error=result.error,
                reason=reason,
            )


def plan_from_refusal(
    error: SeedanceError,
    submission: Submission,
    on_unknown: OnUnknownSubmission = OnUnknownSubmission.FAIL,
) -> Plan:
    """
    Decide after a request for a video that brought no video task.

    :param error: what came instead.
    :param submission: the submission as it was recorded before the request was sent.
    :param on_unknown: whether to pay again if it is unknown whether this request has paid.
    """
    match error.create_verdict:
        case Verdict.WAIT_FOR_SLOT:
            return Plan(
                Action.WAIT_FOR_SLOT, f"The account has no free slot: {_sentence(error)}", _NOT_CHARGED, error=error
            )
        case Verdict.TRANSIENT:
            happened = f"No video was requested: {_sentence(error)}"
            return Plan(Action.WAIT_FOR_API, happened, _NOT_CHARGED, next_try="submits", error=error)
        case Verdict.PERMANENT:
            return Plan(
                Action.FAIL, f"The API refused the video: {_sentence(error)}", _NOT_CHARGED, error.advice, error=error
            )
        # Without the error: its verdict is not to submit again, and the author of the DAG has decided otherwise.
        case Verdict.UNKNOWN_OUTCOME if on_unknown is OnUnknownSubmission.RESUBMIT:
            happened = f"{_sentence(error)} {_unknown(submission)}"
            return Plan(Action.RETRY, happened, next_try="submits again", reason=_UNKNOWN_OUTCOME)
        case Verdict.UNKNOWN_OUTCOME:
            return Plan(
                Action.ABANDON, _sentence(error), _unknown(submission), _unknown_advice(submission)[1], error=error
            )


def plan_from_upload_error(error: SeedanceError) -> Plan:
    """
    Decide when a file could not be uploaded, before the video was requested.

    :param error: what went wrong.
    """
    said = f"A file could not be uploaded, so no video was requested: {_sentence(error)}"
    if isinstance(error, FileUnavailableError):
        return Plan(Action.RETRY, said, _NOT_CHARGED, next_try="reads it again", error=error)
    if error.read_verdict is Verdict.TRANSIENT:
        return Plan(Action.WAIT_FOR_API, said, _NOT_CHARGED, next_try="uploads it again", error=error)
    return Plan(Action.FAIL, said, _NOT_CHARGED, error.advice, error=error)


def plan_from_store_error(error: SubmissionStoreError) -> Plan:
    """
    Decide when the store failed before a request was sent.

    :param error: what went wrong.
    """
    said = "This try has submitted nothing."
    return Plan(Action.RETRY, _sentence(error), said, next_try="reads the record again", reason="state_store_down")


def plan_from_record_error(error: SubmissionRecordError) -> Plan:
    """
    Decide when the record can't be understood, or is gone.

    :param error: what is wrong with it.
    """
    return Plan(
        Action.FAIL,
        _sentence(error),
        "Nothing was submitted, because it may stand for a video that is already paid for.",
        f"Look for the video in the log of the earlier try and in the vendor's web account. To submit, and pay, again: "
        f"delete {RECORD_KEY!r} from the task state of this task instance (REST API), then clear the task.",
        reason="record_unreadable",
    )


def plan_without_record(submission: Submission, error: SubmissionStoreError) -> Plan:
    """
    Decide when the store failed after the API had accepted a request.

    It fails for good: the record still says that the outcome is unknown, which only a person can set right.

    :param submission: the submission as it should have been recorded.
    :param error: what went wrong.
    """
    return Plan(
        Action.FAIL,
        f"Video task {submission.video_task_id} was submitted, but its id could not be recorded. {_sentence(error)}",
        f"It is paid for, {format_credits(submission.estimated_credits)}.",
        "Fetch the video by this id with VideoSensor. A clear of this Airflow task will say that the outcome is "
        "unknown, and a second one pays again.",
        reason="id_not_recorded",
    )


def plan_after_unrecorded_refusal(plan: Plan, error: SubmissionStoreError) -> Plan:
    """
    Decide when the store failed after the API had refused a request, so that the record still calls it unknown.

    :param plan: for the refusal itself.
    :param error: what went wrong.
    """
    return Plan(
        Action.FAIL,
        f"{plan.happened} That could not be recorded: {_sentence(error)}",
        plan.money,
        "A clear of this Airflow task will say that the outcome is unknown, which it is not; clear it once more to "
        "submit.",
        reason="refusal_not_recorded",
    )


_UNKNOWN_OUTCOME = "unknown_outcome"
_NOT_CHARGED = "Nothing was submitted or charged."
#: Other inputs are another video, and nobody knows now what the templates will say then.
_REATTACHES = "re-attaches to it, if the inputs are still the same, and submits nothing"
_FIX_AND_CLEAR = f"Fix the connection; then {CLEARING} re-attaches to it."
_TO_SUBMIT_AGAIN = "To submit, and pay, again: clear the Airflow task."


def _sentence(error: Exception) -> str:
    return f"{str(error).rstrip('. ')}."


def _plan_from_failure(task: VideoTask) -> Plan:
    failure = failure_of(task)
    if failure.retryable:
        submits = "submits a new one"
        return Plan(Action.RETRY, failure.happened, REFUNDED, failure.advice, next_try=submits, error=failure)
    advice = f"{failure.advice} Retrying the same can't help. {_TO_SUBMIT_AGAIN}".strip()
    return Plan(Action.ABANDON, failure.happened, REFUNDED, advice, error=failure)


def _plan_from_abandoned(record: Submission, fingerprint: str, max_tries: int) -> Plan:
    if record.was_cleared_since(max_tries):
        if record.video_task_id is not None and record.fingerprint == fingerprint:
            # What was not shown may be by now: the connection may have held another account's key.
            return Plan(Action.LOOK_UP)
        return Plan(Action.SUBMIT, f"The task was cleared after this end: {record.reason}")
    happened, money, advice = [*(record.reason or "The submission was abandoned.").split("\n"), "", ""][:3]
    return Plan(Action.FAIL, happened, money, advice, reason="abandoned")


def _inputs_changed(record: Submission) -> str:
    if record.video_task_id is None:
        return (
            f"The inputs changed since {record.submitted_at}, when a request was sent whose outcome is unknown; it "
            "may have been paid for. Look for it in the vendor's web account. A new video is submitted."
        )
    return (
        f"The inputs changed, so a new video is submitted. The earlier one, {record.video_task_id} of "
        f"{record.submitted_at}, stays fetchable by its id."
    )


def _unknown(record: Submission) -> str:
    return (
        f"It is unknown whether a video was paid for: a request of {format_credits(record.estimated_credits)} was "
        f"sent at {record.submitted_at}, and no answer was recorded."
    )


def _unknown_advice(record: Submission) -> tuple[str, str]:
    """What became of the money, and what to do."""
    return (
        f"At stake: {format_credits(record.estimated_credits)}.",
        "Check the task logs and the credits in the vendor's web account for that time. If the video is there, fetch "
        f"it by its id with VideoSensor. {_TO_SUBMIT_AGAIN}",
    )
