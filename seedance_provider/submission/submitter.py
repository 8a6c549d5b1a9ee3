"""Carries out the plans of :mod:`seedance_provider.submission.plans`: the only place that pays."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from seedance_provider.api.errors import SeedanceError, Verdict
from seedance_provider.api.pricing import estimate_credits, format_credits
from seedance_provider.api.task_failures import failure_of
from seedance_provider.api.video_task import TaskStatus, VideoTask
from seedance_provider.reporting.kill_notice import NOTHING_SUBMITTED, KillNotice, goes_on, on_its_way
from seedance_provider.reporting.metrics import VideoMetrics
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
from seedance_provider.submission.retries import retry_until
from seedance_provider.submission.signals import signals_held_back
from seedance_provider.submission.spending import Spending, Unlimited
from seedance_provider.submission.task_state import SubmissionRecordError, SubmissionStoreError
from seedance_provider.waiting.result import Outcome, WaitResult, result_of_error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from signal import Signals

    from seedance_provider.api.video_request import VideoRequest
    from seedance_provider.submission.store import SubmissionStore

__all__ = ["Submitter", "VideoClient"]


class VideoClient(Protocol):
    """The part of :class:`~seedance_provider.api.client.SeedanceClient` that is used here."""

    def create_task(self, request: VideoRequest) -> str: ...

    def get_task(self, video_task_id: str) -> VideoTask: ...


def _as_it_is(_: Any, request: VideoRequest) -> VideoRequest:
    return request


@dataclass(frozen=True)
class Submitter:
    """
    The one video of one task instance, over all its tries.

    :param store: where the tries keep what they know.
    :param max_tries: Airflow's ``max_tries``, by which a person's clear is told from a retry.
    :param log: where to tell the story.
    :param on_rerun: what a cleared task does that already has its video.
    :param on_unknown: what a try does if it is unknown whether the one before it has paid.
    :param notice: kept up to date with what it means if Airflow ends the task now.
    :param retry_until: records what the API has answered, however often that fails.
    :param spending: the limits on what may be paid; asked before every payment and told what came of it.
    :param metrics: told of every video once.
    :param prepare: makes a request ready to be sent, by uploading its files; called with the client and the request
        right before something is paid for.
    """

    store: SubmissionStore
    max_tries: int
    log: Any
    on_rerun: OnRerun = OnRerun.REUSE
    on_unknown: OnUnknownSubmission = OnUnknownSubmission.FAIL
    notice: KillNotice = field(default_factory=KillNotice)
    retry_until: Callable[..., None] = retry_until
    spending: Spending = field(default_factory=Unlimited)
    metrics: VideoMetrics = field(default_factory=VideoMetrics)
    prepare: Callable[[Any, VideoRequest], VideoRequest] = _as_it_is

    def obtain(self, client: VideoClient, request: VideoRequest, fingerprint: str) -> VideoTask | Plan:
        """
        Return the video task, which is paid for only if there is none yet, or what to do instead.

        :param client: for the account that pays.
        :param request: what to ask for.
        :param fingerprint: of the request and the account.
        """
        try:
            return self._obtained(client, request, fingerprint)
        except SubmissionStoreError as error:
            return plan_from_store_error(error)
        except SubmissionRecordError as error:
            return plan_from_record_error(error)

    def record(self) -> Submission | None:
        """Return the record, for what is said of a video; ``None`` if there is none, or it can't be read now."""
        try:
            return self.store.load()
        except (SubmissionStoreError, SubmissionRecordError) as error:
            self.log.warning("%s So less is said of the video.", error)
            return None

    def knows_a_video(self) -> bool:
        """
        Return whether the next try will know of the video: a task that was deferred below Airflow 3.3 has no record,
        also if it resumes on a newer one. A record that can't be read now is there.
        """
        try:
            return self.store.load() is not None
        except (SubmissionStoreError, SubmissionRecordError):
            return True

    def delivered(self, task: VideoTask | None = None, mismatches: Sequence[str] = ()) -> None:
        """
        Note that Airflow has the result: a clear after this is a re-run.

        :param task: the finished video task, if this try has waited for it.
        :param mismatches: how it differs from what was asked for.
        """
        record = None
        try:
            record = self.store.load()
            if record is not None:
                handed_over = record.with_delivered() if task is None else record.with_delivered().with_counted()
                if handed_over != record:
                    self.store.save(handed_over)
        except (SubmissionStoreError, SubmissionRecordError) as error:
            # The video is there, and must not be lost for this. At worst a clear uses it where it should make another.
            self.log.warning("%s A clear will use this video, also with on_rerun='regenerate'.", error)
        if task is not None:
            self._note_spending(task.credits_used, record)
            if record is None or not record.counted:
                self.metrics.succeeded(task)
                self.metrics.mismatched(mismatches)

    def withdrawn(self) -> None:
        """Note that this try will not submit anything after all."""
        self._note_nothing(self.record())

    def conclude(self, result: WaitResult) -> VideoTask | Plan:
        """
        Return the finished video task, or how the Airflow task has to end.

        :param result: how the wait ended.
        """
        recorded = result.outcome is Outcome.FINISHED or self.knows_a_video()
        plan = plan_from_wait(result, recorded=recorded)
        if plan.action is Action.USE and result.task is not None:
            return result.task
        failed = result.task if result.task is not None and result.task.status is TaskStatus.FAIL else None
        try:
            record = self.store.load() if failed is not None or plan.action is Action.ABANDON else None
            if failed is not None:
                record = self._counted_as_failed(failed, record, plan)
            return self._ended(plan, record)
        except (SubmissionStoreError, SubmissionRecordError) as error:
            self._not_abandoned(error)
        return plan

    def _obtained(self, client: VideoClient, request: VideoRequest, fingerprint: str) -> VideoTask | Plan:
        record = self.store.load()
        plan = plan_from_record(record, fingerprint=fingerprint, max_tries=self.max_tries, on_unknown=self.on_unknown)
        if record is not None and plan.action is Action.LOOK_UP:
            return self._found(client, request, record)
        if plan.action is Action.SUBMIT:
            return self._submit(client, request, fingerprint, record, why=plan.message)
        if record is not None and record.video_task_id is None:
            # Whether it was paid for is unknown, so it counts.
            self._note_spending(None, record)
        return self._ended(plan, record)

    def _found(self, client: VideoClient, request: VideoRequest, record: Submission) -> VideoTask | Plan:
        """Go on with a submission whose video task is known."""
        if record.video_task_id is None:
            return plan_from_record_error(SubmissionRecordError("The record of the submission names no video task"))
        self.notice.message = goes_on(record.video_task_id, record.estimated_credits)
        try:
            task = client.get_task(record.video_task_id)
        except SeedanceError as error:
            result = result_of_error(error, record.video_task_id)
            if result.outcome is Outcome.UNREACHABLE or record.is_waited_for:
                # It is paid for, and the wait for it tolerates this for a while.
                self.log.warning("%s Nothing is submitted.", result.message)
                return self._re_attached(VideoTask(record.video_task_id), record)
            plan = plan_from_wait(result)
            if plan.action is Action.ABANDON and record.state is SubmissionState.ABANDONED:
                # Still not shown, and a person has cleared the task: that was the decision to pay again.
                return self._submit(client, request, record.fingerprint, record, why=plan.message)
            return self._ended(plan, record)
        plan = plan_from_video_task(task, record, max_tries=self.max_tries, on_rerun=self.on_rerun)
        previous = self._counted_as_failed(task, record, plan) if task.status is TaskStatus.FAIL else record
        if plan.action is Action.SUBMIT:
            return self._submit(client, request, record.fingerprint, previous, plan.message, task.credits_used)
        if plan.action not in (Action.WAIT, Action.USE):
            return self._ended(plan, previous)
        self.log.info(plan.message)
        return self._re_attached(task, record)

    def _re_attached(self, task: VideoTask, record: Submission) -> VideoTask:
        self._note_spending(None, record)
        if record.was_cleared_since(self.max_tries):
            self.store.save(record.accepted(task.video_task_id).taken_over(self.max_tries))
        return task

    def _submit(
        self,
        client: VideoClient,
        request: VideoRequest,
        fingerprint: str,
        previous: Submission | None,
        why: str,
        previous_credits: float | None = None,
    ) -> VideoTask | Plan:
        """Pay. The record is written before the request is sent, so that no crash can hide it."""
        if why:
            self.log.warning(why)
        earlier_credits = 0.0 if previous is None else previous.spent(previous_credits)
        if (instead := self._reserved(request, earlier_credits)) is not None:
            return instead
        try:
            request = self.prepare(client, request)
        except SeedanceError as error:
            self._note_nothing(previous)
            return plan_from_upload_error(error)
        submission = Submission(
            SubmissionState.SUBMITTING,
            fingerprint,
            submitted_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            max_tries=self.max_tries,
            estimated_credits=estimate_credits(request),
            asked=request.described(),
            earlier_credits=earlier_credits,
        )
        with signals_held_back(self._told_to_end) as signals:
            try:
                self.store.claim(submission)
            except (SubmissionStoreError, SubmissionRecordError):
                # Or else the next try would take it for a request that was sent.
                with suppress(SubmissionStoreError):
                    self.store.restore(previous)
                raise
            if signals or self.notice.termination_requested:
                self.store.restore(previous)
                return Plan(
                    Action.RETRY,
                    "Airflow has told the task to end.",
                    NOTHING_SUBMITTED,
                    next_try="submits",
                    reason="ended_by_airflow",
                )
            return self._pay(client, request, submission, previous)

    def _pay(
        self, client: VideoClient, request: VideoRequest, submission: Submission, previous: Submission | None
    ) -> VideoTask | Plan:
        """Send the request, and record the answer."""
        self.notice.message = on_its_way(submission.estimated_credits)
        try:
            video_task_id = client.create_task(request)
        except SeedanceError as error:
            return self._refused(error, submission, previous)
        # Said before anything else can fail: with this line a person finds the video, whatever happens next.
        self.log.info(
            "Submitted video task %s: %s, %s s, %s, %s.",
            video_task_id,
            request.model,
            request.duration,
            request.resolution or request.aspect_ratio,
            format_credits(submission.estimated_credits),
        )
        accepted = submission.accepted(video_task_id)
        self.notice.video_task_id = video_task_id
        self.notice.message = goes_on(video_task_id, submission.estimated_credits, recorded=self.store.keeps_records)
        try:
            self.retry_until(lambda: self.store.save(accepted), on_retry=self._not_recorded_yet)
        except SubmissionStoreError as error:
            return plan_without_record(accepted, error)
        finally:
            # Not before there is a record, or no hope for one: this may take its time.
            self.metrics.created()
        return VideoTask(video_task_id, model=request.model, status=TaskStatus.WAITING)

    def _refused(self, error: SeedanceError, submission: Submission, previous: Submission | None) -> Plan:
        plan = plan_from_refusal(error, submission, self.on_unknown)
        self.notice.message = plan.message
        if error.create_verdict is Verdict.UNKNOWN_OUTCOME:
            return self._ended(plan, submission)
        # Certainly not accepted: all is as it was, and what was paid for before is still known.
        try:
            self.retry_until(lambda: self.store.restore(previous), on_retry=self._not_recorded_yet)
        except SubmissionStoreError as lost:
            return plan_after_unrecorded_refusal(plan, lost)
        if plan.action not in (Action.WAIT_FOR_SLOT, Action.WAIT_FOR_API):
            self._note_nothing(previous)
        return plan

    def _ended(self, plan: Plan, record: Submission | None) -> Plan:
        if plan.action is Action.ABANDON and record is not None:
            try:
                story = "\n".join(part for part in plan.story() if part)
                self.store.save(record.abandoned(story, self.max_tries))
            except SubmissionStoreError as error:
                self._not_abandoned(error)
        return plan

    def _not_abandoned(self, error: Exception) -> None:
        # The task ends all the same. Only if Airflow never hears of that, a retry finds the record as it was before:
        # it asks the API about the video once more, or says once more that the outcome is unknown.
        self.log.warning("%s So the end of the task is not noted in it.", error)

    def _counted_as_failed(self, task: VideoTask, record: Submission | None, plan: Plan) -> Submission | None:
        """Count a failed video, unless an earlier try did, and return the record that says so. It is refunded."""
        if record is not None:
            if record.counted:
                self._note_spending(None, record)
                return record
            record = record.failed()
            # Otherwise it is written anyway.
            if plan.action is not Action.ABANDON:
                self._note_count(record)
        self._note_spending(0, record)
        self.metrics.failed(failure_of(task).reason)
        return record

    def _note_count(self, record: Submission) -> None:
        try:
            self.store.save(record)
        except SubmissionStoreError as error:
            self.log.warning("%s So the failure may be counted twice in the metrics.", error)

    def _reserved(self, request: VideoRequest, earlier_credits: float) -> Plan | None:
        try:
            return self.spending.reserve(request, earlier_credits)
        except Exception as error:
            return Plan(
                Action.RETRY,
                f"The limits on spending could not be checked: {type(error).__name__}: {error}.",
                NOTHING_SUBMITTED,
                next_try="checks them again",
                reason="limits_not_checked",
            )

    def _note_nothing(self, previous: Submission | None) -> None:
        """Note that this try has paid for nothing. What earlier submissions have cost stays spent."""
        self._note(0.0, 0.0 if previous is None else previous.spent())

    def _note_spending(self, credits_used: float | None, record: Submission | None) -> None:
        """Airflow forgets what a try has noted when the next one begins, so each try notes what it finds."""
        if record is not None:
            self._note(record.cost(credits_used), record.earlier_credits)
        elif credits_used is not None:
            self._note(max(0.0, credits_used), 0.0)

    def _note(self, credits_: float, earlier: float) -> None:
        try:
            self.spending.note(credits_, earlier)
        except Exception as error:
            self.log.warning("The spending could not be noted: %s: %s.", type(error).__name__, error)

    def _told_to_end(self, number: Signals) -> None:
        self.log.warning("%s has to wait until the answer is recorded. %s", number.name, self.notice.message)

    def _not_recorded_yet(self, error: Exception, pause: float) -> None:
        self.log.warning("%s Retrying in %g s.", error, pause)
