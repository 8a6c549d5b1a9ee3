"""Submitters with one mistake each, every one of which the model has to find."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from seedance_provider.api.errors import TaskAccessDeniedError
from seedance_provider.api.video_task import TaskStatus, VideoTask
from seedance_provider.submission import submitter
from seedance_provider.submission.options import OnUnknownSubmission
from seedance_provider.submission.plans import Action, Plan, plan_from_record, plan_from_video_task
from seedance_provider.submission.record import Submission, SubmissionState
from seedance_provider.submission.store import SubmissionStore
from seedance_provider.submission.submitter import Submitter
from seedance_provider.submission.task_state import SubmissionStoreError
from seedance_provider.waiting.result import Outcome, WaitResult
from tests.unit.submission.model.machine import SubmissionMachine

if TYPE_CHECKING:
    from collections.abc import Callable

    from seedance_provider.submission.submitter import VideoClient

__all__ = ["BROKEN_MACHINES", "BROKEN_PLANS"]


def _save_submitted_only(self: SubmissionStore, submission: Submission) -> None:
    if submission.state is not SubmissionState.SUBMITTING:
        SubmissionStore.save(self, submission)


def _save_submitting_only(self: SubmissionStore, submission: Submission) -> None:
    if submission.state is not SubmissionState.SUBMITTED:
        SubmissionStore.save(self, submission)


def _save_with_an_invented_id(self: SubmissionStore, submission: Submission) -> None:
    known = submission.state is not SubmissionState.SUBMITTING
    SubmissionStore.save(self, submission if known else submission.accepted("task_pending"))


def _load_nothing_while_it_is_down(self: SubmissionStore) -> Submission | None:
    try:
        return SubmissionStore.load(self)
    except SubmissionStoreError:
        return None


def _obtain_whatever_is_unknown(self: Submitter, *arguments: Any) -> VideoTask | Plan:
    return Submitter.obtain(replace(self, on_unknown=OnUnknownSubmission.RESUBMIT), *arguments)


def _obtain_without_what_was_abandoned(self: Submitter, *arguments: Any) -> VideoTask | Plan:
    record = self.store.load()
    if record is not None and record.state is SubmissionState.ABANDONED:
        self.store.restore(None)
    return Submitter.obtain(self, *arguments)


def _obtain_with_hidden_as_failed(self: Submitter, client: VideoClient, *arguments: Any) -> VideoTask | Plan:
    def get_task(video_task_id: str) -> VideoTask:
        try:
            return client.get_task(video_task_id)
        except TaskAccessDeniedError:
            return VideoTask(video_task_id, status=TaskStatus.FAIL, error_message="Video generation failed.")

    careless = SimpleNamespace(create_task=client.create_task, get_task=get_task)
    return Submitter.obtain(self, careless, *arguments)


def _conclude_without_what_timed_out(self: Submitter, result: WaitResult) -> VideoTask | Plan:
    if result.outcome is Outcome.TIMED_OUT:
        self.store.restore(None)
    return Submitter.conclude(self, result)


def _with_store(**methods: Any) -> type[SubmissionMachine]:
    store = type("BrokenStore", (SubmissionStore,), methods)
    return type("BrokenMachine", (SubmissionMachine,), {"store_class": store})


def _with_submitter(**methods: Any) -> type[SubmissionMachine]:
    submitter_class = type("BrokenSubmitter", (Submitter,), methods)
    return type("BrokenMachine", (SubmissionMachine,), {"submitter_class": submitter_class})


#: By the name of the mistake.
BROKEN_MACHINES: dict[str, type[SubmissionMachine]] = {
    "no record before the request": _with_store(claim=lambda self, submission: None),
    "a claim is not read back": _with_store(save=_save_submitted_only, claim=_save_submitted_only),
    "an invented id before the request": _with_store(save=_save_with_an_invented_id),
    "no record after the request": _with_store(save=_save_submitting_only),
    "a refusal forgets to restore": _with_store(restore=lambda self, previous: None),
    "a refusal deletes the record": _with_store(restore=lambda self, previous: SubmissionStore.restore(self, None)),
    "a store error means no record": _with_store(load=_load_nothing_while_it_is_down),
    "an unknown outcome is submitted again": _with_submitter(obtain=_obtain_whatever_is_unknown),
    "a timeout forgets the video": _with_submitter(conclude=_conclude_without_what_timed_out),
    "abandoned means no record": _with_submitter(obtain=_obtain_without_what_was_abandoned),
    "a video that is not shown has failed": _with_submitter(obtain=_obtain_with_hidden_as_failed),
}


def _regenerates_undelivered(task: VideoTask, record: Submission, **options: Any) -> Plan:
    return plan_from_video_task(task, record.with_delivered(), **options)


def _resubmits_every_failure(task: VideoTask, record: Submission, **options: Any) -> Plan:
    return Plan(Action.SUBMIT) if task.status is TaskStatus.FAIL else plan_from_video_task(task, record, **options)


def _forgets_what_it_delivered(record: Submission | None, **options: Any) -> Plan:
    return plan_from_record(None if record is not None and record.delivered else record, **options)


#: By the name of the mistake: where it is made, and what is there in place of what is right.
BROKEN_PLANS: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "an undelivered video is regenerated": (submitter, "plan_from_video_task", _regenerates_undelivered),
    "every failure is submitted again": (submitter, "plan_from_video_task", _resubmits_every_failure),
    "every try counts as cleared": (Submission, "was_cleared_since", lambda record, max_tries: True),
    "a delivered video is forgotten": (submitter, "plan_from_record", _forgets_what_it_delivered),
}
