"""
The durable record of a paid submission, and what to do when there already is one.

The API has no idempotency key, no cancel and no list call, so a submission that is forgotten is money lost, and one
that is repeated is money spent twice. Every task instance therefore keeps one record in Airflow's task state store,
which all its tries share: it says ``submitting`` before the request is sent, and ``submitted`` with the id of the
video task as soon as that is known. The next try reads it, and the functions here decide.

An error that ends the task for good leaves the record as ``abandoned``: until a person clears the Airflow task no
try may submit again, even if a worker died before Airflow heard of the failure. A clear is told from an automatic
retry by ``max_tries``, which Airflow sets anew when a task instance is cleared and at no other time. (It can come out
the same if ``retries`` was lowered meanwhile; then a second clear is needed, and nothing is paid by accident.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol

from seedance_provider.api.errors import SeedanceError, Verdict
from seedance_provider.api.pricing import in_words
from seedance_provider.api.task_failures import failure_of
from seedance_provider.api.video_task import TaskStatus, VideoTask
from seedance_provider.choices import OnRerun, OnUnknownSubmission
from seedance_provider.waiting import Outcome, WaitResult

__all__ = [
    "Action",
    "Plan",
    "Submission",
    "SubmissionRecordError",
    "SubmissionState",
    "SubmissionStore",
    "SubmissionStoreError",
    "asking",
    "plan_after_unrecorded_refusal",
    "plan_from_record",
    "plan_from_refusal",
    "plan_from_store_error",
    "plan_from_upload_error",
    "plan_from_video_task",
    "plan_from_wait",
    "plan_without_record",
]

_KEY = "seedance_submission"
_SCHEMA_VERSION = 1


class SubmissionState(StrEnum):
    """How far a submission has come."""

    SUBMITTING = "submitting"
    SUBMITTED = "submitted"
    ABANDONED = "abandoned"


class SubmissionRecordError(Exception):
    """The record of a submission can't be understood. Nothing was submitted."""


class SubmissionStoreError(Exception):
    """Airflow's task state store can't be used at the moment. The record is as it was, whatever that is."""


@dataclass(frozen=True)
class Submission:
    """
    What is known of the one submission of a task instance.

    :param state: how far it has come.
    :param fingerprint: what was asked for and who pays, see
        :meth:`~seedance_provider.api.video_request.VideoRequest.fingerprint`.
    :param submitted_at: when, as ISO 8601.
    :param max_tries: Airflow's ``max_tries`` of the try that last dealt with it.
    :param estimated_credits: what it was expected to cost; ``None`` if that was not known.
    :param task_id: the video task, once known.
    :param reason: why it was abandoned.
    :param delivered: whether Airflow got the result, so that a clear is a re-run and not a rescue.
    :param counted: whether the end of its video is in the metrics.
    """

    state: SubmissionState
    fingerprint: str
    submitted_at: str
    max_tries: int
    estimated_credits: float | None
    task_id: str | None = None
    reason: str | None = None
    delivered: bool = False
    counted: bool = False
    schema_version: int = _SCHEMA_VERSION

    def accepted(self, task_id: str) -> Submission:
        """Return the record for a request that the API accepted."""
        return replace(self, state=SubmissionState.SUBMITTED, task_id=task_id, reason=None)

    def abandoned(self, reason: str, max_tries: int) -> Submission:
        """Return the record for a submission that ended the task for good, as of the present try."""
        return replace(self, state=SubmissionState.ABANDONED, reason=reason, max_tries=max_tries)

    def handed_over(self) -> Submission:
        """Return the record for a submission whose result Airflow is about to get."""
        return replace(self, delivered=True)

    def in_the_metrics(self) -> Submission:
        """Return the record for a submission whose end is about to be counted."""
        return replace(self, counted=True)

    def taken_over(self, max_tries: int) -> Submission:
        """Return the record as of the present try, which goes on with it."""
        return replace(self, max_tries=max_tries)

    def was_cleared_since(self, max_tries: int) -> bool:
        """Whether a person cleared the task after this record was written."""
        return self.max_tries != max_tries

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self) | {"state": str(self.state)}

    @classmethod
    def from_json(cls, value: Any) -> Submission:
        """
        Read what :meth:`to_json` wrote.

        :raises SubmissionRecordError: if it is anything else: an unreadable record is not the same as no record.
        """
        if not isinstance(value, Mapping) or value.get("schema_version") != _SCHEMA_VERSION:
            raise SubmissionRecordError(
                f"The state store holds {value!r} under {_KEY!r}, which this release can't read (was it written by a "
                "newer one?). Nothing was submitted, because it may stand for a video that is already paid for."
            )
        try:
            return cls(**dict(value) | {"state": SubmissionState(value["state"])})
        except (KeyError, TypeError, ValueError) as error:
            raise SubmissionRecordError(
                f"The state store holds a damaged record under {_KEY!r} ({error}): {value!r}. Nothing was submitted, "
                "because it may stand for a video that is already paid for."
            ) from None


class _TaskStateStore(Protocol):
    """The part of Airflow's ``context["task_state_store"]`` that is used here."""

    def get(self, key: str, default: Any = None) -> Any: ...

    def set(self, key: str, value: Any, *, retention: Any = None) -> None: ...

    def delete(self, key: str) -> None: ...


class SubmissionStore:
    """
    Where a task instance keeps its submission. An error of the store is raised, as :class:`SubmissionStoreError`, and
    never read as "no record".

    :param task_state_store: Airflow's, or ``None`` below Airflow 3.3, where nothing can be kept.
    """

    def __init__(self, task_state_store: _TaskStateStore | None) -> None:
        self._store = task_state_store

    def weakness(self) -> str | None:
        """Return what this store can't do that the promise needs, or ``None``."""
        if self._store is None:
            return (
                "This Airflow has no task state store (3.3 and newer have one), so a retry can't know what this try "
                "pays for. Use wait_for_completion=False with retries=0, and VideoSensor to wait."
            )
        from airflow.providers.common.compat.sdk import conf

        if conf.getboolean("state_store", "clear_on_success", fallback=False):
            return (
                "[state_store] clear_on_success is on, so Airflow forgets what this task pays for as soon as it has "
                "succeeded. Retries are safe, but clearing the task after that pays for a new video."
            )
        return None

    def load(self) -> Submission | None:
        """Return the record, or ``None`` if nothing was ever submitted."""
        with asking("read"):
            value = self._store.get(_KEY) if self._store is not None else None
        return None if value is None else Submission.from_json(value)

    def save(self, submission: Submission) -> None:
        """Write the record, to be kept for as long as Airflow keeps the task instance."""
        if self._store is not None:
            from airflow.sdk import NEVER_EXPIRE  # type: ignore[attr-defined]  # missing in the stub

            with asking("written"):
                self._store.set(_KEY, submission.to_json(), retention=NEVER_EXPIRE)

    def restore(self, previous: Submission | None) -> None:
        """Undo a :meth:`save`, because the API certainly did not accept the request."""
        if previous is not None:
            self.save(previous)
        elif self._store is not None:
            with asking("written"):
                self._store.delete(_KEY)


@contextmanager
def asking(done: str) -> Iterator[None]:
    """
    Raise whatever goes wrong with the store as :class:`SubmissionStoreError`.

    :param done: what is done with the record: ``read`` or ``written``.
    """
    try:
        yield
    except Exception as error:
        # With its cause in the text, because Airflow's own error names neither the task nor what it means.
        raise SubmissionStoreError(
            f"The record in Airflow's task state store can't be {done}: {type(error).__name__}: {error}"
        ) from error


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
    #: Fail, and let Airflow retry.
    RETRY = "retry"
    #: Fail for good; the record stays as it is.
    FAIL = "fail"
    #: Fail for good; only a person's clear may submit anew.
    ABANDON = "abandon"


@dataclass(frozen=True)
class Plan:
    """
    What a try does next, and why.

    :param action: what to do.
    :param message: for the log or the error; empty if there is nothing to say.
    :param error: what led to it, to be raised as the cause, so that
        :func:`~seedance_provider.retry_policy.seedance_retry_policy` can look at it.
    """

    action: Action
    message: str = ""
    error: SeedanceError | None = field(default=None, compare=False)


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
        return Plan(Action.SUBMIT, _unknown_submission(record) + " on_unknown_submission says: submit again.")
    return Plan(Action.ABANDON, _unknown_submission(record) + _TO_SUBMIT_ANEW)


def plan_from_video_task(task: VideoTask, record: Submission, *, max_tries: int, on_rerun: OnRerun) -> Plan:
    """
    Decide from what the API says of the recorded video task, before waiting for it.

    :param task: the API's answer.
    :param record: the submission that it belongs to.
    :param max_tries: Airflow's, of this try.
    :param on_rerun: whether a person's re-run wants a new video.
    """
    if not task.status.is_final:
        return Plan(Action.WAIT, f"Re-attaching to {task.task_id}, which is {task.raw_status}; nothing is submitted.")
    if task.status is TaskStatus.FAIL:
        plan = _plan_from_failure(task)
        wanted_anew = plan.action is Action.RETRY or record.state is SubmissionState.ABANDONED
        return Plan(Action.SUBMIT, plan.message) if wanted_anew else plan
    if on_rerun is OnRerun.REGENERATE and record.delivered and record.was_cleared_since(max_tries):
        return Plan(Action.SUBMIT, f"The task was cleared: {task.task_id} is left as it is, and a new video is made.")
    # WAIT and not USE where the API has not named the video yet.
    action = Action.USE if task.video_url else Action.WAIT
    return Plan(action, f"{task.task_id} is already paid for and is used; nothing is submitted.")


def plan_from_wait(result: WaitResult) -> Plan:
    """
    Decide from the end of a wait, or of a single failed look.

    :param result: how it ended.
    """
    match result.outcome:
        case Outcome.FINISHED if result.task is not None and result.task.status is TaskStatus.SUCCESS:
            return Plan(Action.USE)
        case Outcome.FINISHED if result.task is not None:
            return _plan_from_failure(result.task)
        case Outcome.GONE:
            return Plan(Action.ABANDON, result.message + _TO_SUBMIT_ANEW, result.error)
        case Outcome.REFUSED:
            return Plan(Action.FAIL, f"{result.message} {_MEND_AND_CLEAR}", result.error)
        case _:
            return Plan(Action.RETRY, f"{result.message.rstrip('.')}. {_REATTACHES}", result.error)


def plan_from_refusal(
    error: SeedanceError, submission: Submission, on_unknown: OnUnknownSubmission = OnUnknownSubmission.FAIL
) -> Plan:
    """
    Decide after a request for a video that brought no video task.

    :param error: what came instead.
    :param submission: the submission as it was recorded before the request was sent.
    :param on_unknown: whether to pay again if it is unknown whether this request has paid.
    """
    match error.on_create:
        case Verdict.WAIT_FOR_SLOT:
            return Plan(Action.WAIT_FOR_SLOT, f"The account has no free slot, nothing was charged: {error}", error)
        case Verdict.TRANSIENT:
            said = f"No video was requested and nothing was charged: {_sentence(error)} The next try submits."
            return Plan(Action.RETRY, said, error)
        case Verdict.PERMANENT:
            said = f"The API refused the video and nothing was charged: {_sentence(error)} {error.advice}"
            return Plan(Action.FAIL, said.rstrip(), error)
        # Without the error: its verdict is not to try again, and the author of the DAG has decided otherwise.
        case Verdict.UNKNOWN_OUTCOME if on_unknown is OnUnknownSubmission.RESUBMIT:
            return Plan(
                Action.RETRY, f"{_sentence(error)} {_unknown_submission(submission)} The next try submits again."
            )
        case Verdict.UNKNOWN_OUTCOME:
            said = f"{_sentence(error)} {_unknown_submission(submission)}{_TO_SUBMIT_ANEW}"
            return Plan(Action.ABANDON, said, error)


def plan_from_upload_error(error: SeedanceError) -> Plan:
    """
    Decide when a file could not be handed to the API, before the video was requested.

    :param error: what went wrong.
    """
    said = f"A file could not be handed to the API, so no video was requested and nothing was charged: {error}"
    if error.on_read is Verdict.TRANSIENT:
        return Plan(Action.RETRY, f"{said.rstrip('. ')}. The next try does it again.", error)
    return Plan(Action.FAIL, f"{said.rstrip('. ')}. {error.advice}".rstrip(), error)


def plan_from_store_error(error: SubmissionStoreError) -> Plan:
    """
    Decide when the store failed before a request was sent.

    :param error: what went wrong.
    """
    said = "This try has submitted nothing. The next one reads the record again."
    return Plan(Action.RETRY, f"{_sentence(error)} {said}")


def plan_without_record(submission: Submission, error: SubmissionStoreError) -> Plan:
    """
    Decide when the store failed after the API had accepted a request.

    It fails for good: the record still says that the outcome is unknown, which only a person can set right.

    :param submission: the submission as it should have been recorded.
    :param error: what went wrong.
    """
    return Plan(
        Action.FAIL,
        f"Video task {submission.task_id} was submitted and is paid for, {in_words(submission.estimated_credits)}, "
        f"but its id could not be recorded. {_sentence(error)} Fetch the video by this id with VideoSensor. "
        "A clear of this Airflow task will say that the outcome is unknown, and a second one pays anew.",
    )


def plan_after_unrecorded_refusal(plan: Plan, error: SubmissionStoreError) -> Plan:
    """
    Decide when the store failed after the API had refused a request, so that the record still calls it unknown.

    :param plan: for the refusal itself.
    :param error: what went wrong.
    """
    return Plan(
        Action.FAIL,
        f"{plan.message} But that could not be recorded. {_sentence(error)} A clear of this Airflow task will say that "
        "the outcome is unknown, which it is not; clear it once more to submit.",
    )


_REATTACHES = "Nothing is lost: the next try re-attaches to it and submits nothing."
_MEND_AND_CLEAR = (
    "Mend the connection and clear the Airflow task: it will re-attach, from Airflow 3.4 on if its task state is kept."
)
_TO_SUBMIT_ANEW = " To submit, and pay, anew: clear the Airflow task."


def _sentence(error: Exception) -> str:
    return f"{str(error).rstrip('. ')}."


def _plan_from_failure(task: VideoTask) -> Plan:
    failure = failure_of(task)
    if failure.retryable:
        return Plan(Action.RETRY, f"{failure} The next try submits a new one.", failure)
    return Plan(Action.ABANDON, f"{failure} Retrying the same can't help.{_TO_SUBMIT_ANEW}", failure)


def _plan_from_abandoned(record: Submission, fingerprint: str, max_tries: int) -> Plan:
    if record.was_cleared_since(max_tries):
        if record.task_id is not None and record.fingerprint == fingerprint:
            # What was not shown may be by now: the connection may have held another account's key.
            return Plan(Action.LOOK_UP)
        return Plan(Action.SUBMIT, f"The task was cleared after this end: {record.reason}")
    return Plan(Action.FAIL, record.reason or "The submission was abandoned.")


def _inputs_changed(record: Submission) -> str:
    if record.task_id is None:
        return (
            f"The inputs changed since {record.submitted_at}, when a request was sent whose outcome is unknown; it "
            "may have been paid for. Look for it in the vendor's web account. A new video is submitted."
        )
    return (
        f"The inputs changed, so a new video is submitted. The earlier one, {record.task_id} of "
        f"{record.submitted_at}, stays fetchable by its id."
    )


def _unknown_submission(record: Submission) -> str:
    return (
        f"It is unknown whether a video was paid for: a request of {in_words(record.estimated_credits)} was "
        f"sent at {record.submitted_at}, and no answer was recorded. Check the task logs and the credits in the "
        "vendor's web account for that time. If the video is there, fetch it by its id with VideoSensor."
    )
