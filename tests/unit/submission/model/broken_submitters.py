"""Submitters with one mistake each, every one of which the model has to find."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from seedance_provider.api.errors import TaskAccessDeniedError
from seedance_provider.api.video_task import TaskStatus, VideoTask
from seedance_provider.submission import submitter
from seedance_provider.submission.options import OnUnknownSubmission
from seedance_provider.submission.plans import Action, Plan
from seedance_provider.submission.record import Submission, SubmissionState
from seedance_provider.submission.store import SubmissionStore
from seedance_provider.submission.submitter import Submitter
from seedance_provider.submission.task_state import SubmissionStoreError
from seedance_provider.waiting.result import Outcome, WaitResult
from tests.unit.submission.model.machine import SubmissionMachine

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from seedance_provider.api.video_request import VideoRequest
    from seedance_provider.submission.submitter import VideoClient

__all__ = ["BROKEN_MACHINES", "BROKEN_PLANS"]


class _NoRecordBeforeTheRequest(SubmissionStore):
    def claim(self, submission: Submission) -> None:
        pass


class _LostClaim(SubmissionStore):
    """Nor is it noticed that the store has lost it."""

    def save(self, submission: Submission) -> None:
        if submission.state is not SubmissionState.SUBMITTING:
            super().save(submission)

    def claim(self, submission: Submission) -> None:
        self.save(submission)


class _InventedIdBeforeTheRequest(SubmissionStore):
    def save(self, submission: Submission) -> None:
        known = submission.state is not SubmissionState.SUBMITTING
        super().save(submission if known else submission.accepted("task_pending"))


class _NoRecordAfterTheRequest(SubmissionStore):
    def save(self, submission: Submission) -> None:
        if submission.state is not SubmissionState.SUBMITTED:
            super().save(submission)


class _RefusalForgetsToRestore(SubmissionStore):
    def restore(self, previous: Submission | None) -> None:
        pass


class _RefusalDeletesTheRecord(SubmissionStore):
    def restore(self, previous: Submission | None) -> None:
        super().restore(None)


class _ErrorMeansNoRecord(SubmissionStore):
    def load(self) -> Submission | None:
        try:
            return super().load()
        except SubmissionStoreError:
            return None


class _ResubmitsUnknown(Submitter):
    def obtain(self, client: VideoClient, request: VideoRequest, fingerprint: str) -> VideoTask | Plan:
        careless = replace(self, on_unknown=OnUnknownSubmission.RESUBMIT)
        return Submitter.obtain(careless, client, request, fingerprint)


class _ForgetsAfterTimeout(Submitter):
    def conclude(self, result: WaitResult) -> VideoTask | Plan:
        if result.outcome is Outcome.TIMED_OUT:
            self.store.restore(None)
        return super().conclude(result)


class _RetriesAfterAbandoned(Submitter):
    def obtain(self, client: VideoClient, request: VideoRequest, fingerprint: str) -> VideoTask | Plan:
        record = self.store.load()
        if record is not None and record.state is SubmissionState.ABANDONED:
            self.store.restore(None)
        return super().obtain(client, request, fingerprint)


class _TakesHiddenForFailed(Submitter):
    def obtain(self, client: VideoClient, request: VideoRequest, fingerprint: str) -> VideoTask | Plan:
        return super().obtain(_HiddenIsFailed(client), request, fingerprint)


class _HiddenIsFailed:
    def __init__(self, client: VideoClient) -> None:
        self._client = client

    def create_task(self, request: VideoRequest) -> str:
        return self._client.create_task(request)

    def get_task(self, video_task_id: str) -> VideoTask:
        try:
            return self._client.get_task(video_task_id)
        except TaskAccessDeniedError:
            return VideoTask(video_task_id, status=TaskStatus.FAIL, error_message="Video generation failed.")


def _machine(**parts: Any) -> type[SubmissionMachine]:
    return type("BrokenMachine", (SubmissionMachine,), parts)


#: By the name of the mistake.
BROKEN_MACHINES: dict[str, type[SubmissionMachine]] = {
    "no record before the request": _machine(store_class=_NoRecordBeforeTheRequest),
    "a claim is not read back": _machine(store_class=_LostClaim),
    "an invented id before the request": _machine(store_class=_InventedIdBeforeTheRequest),
    "no record after the request": _machine(store_class=_NoRecordAfterTheRequest),
    "a refusal forgets to restore": _machine(store_class=_RefusalForgetsToRestore),
    "a refusal deletes the record": _machine(store_class=_RefusalDeletesTheRecord),
    "a store error means no record": _machine(store_class=_ErrorMeansNoRecord),
    "an unknown outcome is submitted again": _machine(submitter_class=_ResubmitsUnknown),
    "a timeout forgets the video": _machine(submitter_class=_ForgetsAfterTimeout),
    "abandoned means no record": _machine(submitter_class=_RetriesAfterAbandoned),
    "a video that is not shown has failed": _machine(submitter_class=_TakesHiddenForFailed),
}


def _regenerates_undelivered(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = submitter.plan_from_video_task

    def broken(task: VideoTask, record: Submission, **options: Any) -> Plan:
        return plan(task, record.with_delivered(), **options)

    monkeypatch.setattr(submitter, "plan_from_video_task", broken)


def _resubmits_every_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = submitter.plan_from_video_task

    def broken(task: VideoTask, record: Submission, **options: Any) -> Plan:
        return Plan(Action.SUBMIT) if task.status is TaskStatus.FAIL else plan(task, record, **options)

    monkeypatch.setattr(submitter, "plan_from_video_task", broken)


def _takes_every_try_for_cleared(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(record: Submission, max_tries: int) -> bool:
        return True

    monkeypatch.setattr(Submission, "was_cleared_since", broken)


def _forgets_what_it_delivered(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = submitter.plan_from_record

    def broken(record: Submission | None, *, fingerprint: str, **options: Any) -> Plan:
        kept = None if record is not None and record.delivered else record
        return plan(kept, fingerprint=fingerprint, **options)

    monkeypatch.setattr(submitter, "plan_from_record", broken)


BROKEN_PLANS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "an undelivered video is regenerated": _regenerates_undelivered,
    "every failure is submitted again": _resubmits_every_failure,
    "every try counts as cleared": _takes_every_try_for_cleared,
    "a delivered video is forgotten": _forgets_what_it_delivered,
}
