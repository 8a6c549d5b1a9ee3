"""
One try of a task that makes a video: submits it unless an earlier try did, and waits for it.

What an operator does when it runs is here, apart from what it declares, because a DAG file is parsed again and again
and should import the latter only.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowNotFoundException,
    AirflowTaskTimeout,
)

from seedance_provider.api import DEFAULT_MODEL
from seedance_provider.api.client import SeedanceClient
from seedance_provider.api.errors import (
    ApiError,
    ConcurrencyLimitError,
    FileUnavailableError,
    InvalidRequestError,
)
from seedance_provider.api.mismatches import size_mismatches
from seedance_provider.api.models import MODELS
from seedance_provider.api.pricing import estimate_credits, format_credits, settles
from seedance_provider.api.video_task import TaskStatus, VideoTask
from seedance_provider.hooks.reader import ConnectionReader
from seedance_provider.hooks.seedance import SeedanceHook
from seedance_provider.reporting.kill_notice import NOTHING_SUBMITTED, no_record_advice
from seedance_provider.reporting.metrics import VideoMetrics
from seedance_provider.reporting.progress import report_failure, show_submitted, show_waiting_for_api
from seedance_provider.submission.plans import (
    Action,
    Plan,
    plan_from_record_error,
    plan_from_store_error,
    plan_from_upload_error,
)
from seedance_provider.submission.reference_files import ReferenceFiles
from seedance_provider.submission.spending import Limit, Limits, RunBudget
from seedance_provider.submission.store import SubmissionStore
from seedance_provider.submission.submitter import Submitter
from seedance_provider.submission.task_state import SubmissionRecordError, SubmissionStoreError
from seedance_provider.waiting.video_wait import (
    PollAgain,
    VideoWait,
    backoff,
    backstop,
    clock,
    jittered,
    poll_until_done,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from airflow.sdk import Context

    from seedance_provider.api.video_request import VideoRequest
    from seedance_provider.hooks.connection_settings import ConnectionSettings
    from seedance_provider.reporting.kill_notice import KillNotice
    from seedance_provider.submission.options import OnRerun, OnUnknownSubmission
    from seedance_provider.submission.record import Submission
    from seedance_provider.waiting.poll_settings import PollSettings
    from seedance_provider.waiting.result import WaitResult

__all__ = ["CreationOptions", "VideoCreation"]

#: How many poll intervals pass before the first task in the queue for a slot probes for a free one.
_POLLS_PER_PROBE = 6


@dataclass(frozen=True)
class CreationOptions:
    """
    How a task pays and waits. What it pays for is in the :class:`~seedance_provider.api.video_request.VideoRequest`.

    :param seedance_conn_id: whose account pays.
    :param model: for the metrics of a task that resumes.
    :param wait_for_completion: whether the task ends with the video, or as soon as it is submitted.
    :param deferrable: whether it waits in the triggerer.
    :param timeout: seconds for which one try waits.
    :param poll: how often it polls, and for how long it tolerates an API that fails.
    :param on_rerun: what a cleared task does that has its video.
    :param on_unknown: what a try does if it is unknown whether the one before it has paid.
    :param max_credits: of one video; ``None`` is no limit.
    :param max_credits_per_run: of all videos of the run; ``None`` is no limit.
    :param push_result: whether the result becomes an XCom.
    """

    seedance_conn_id: str
    model: str
    wait_for_completion: bool
    deferrable: bool
    timeout: float
    poll: PollSettings
    on_rerun: OnRerun
    on_unknown: OnUnknownSubmission
    max_credits: float | None
    max_credits_per_run: float | None
    push_result: bool


class VideoCreation:
    """
    One try, or what is left of it after a deferral.

    :param options: how to pay and wait.
    :param context: of the task.
    :param request: says what to make, given the files of the task. Called before anything is paid for.
    :param defer: Airflow's, which ends this process.
    :param log: of the task.
    :param notice: kept up to date with what it means if Airflow ends the task now.
    """

    def __init__(
        self,
        options: CreationOptions,
        context: Context,
        *,
        request: Callable[[ReferenceFiles], VideoRequest],
        defer: Callable[..., NoReturn],
        log: Any,
        notice: KillNotice,
    ) -> None:
        self._options = options
        self._context = context
        self._request = request
        self._defer = defer
        self._notice = notice
        self._log = log
        #: What a function returns can say another one than the options.
        self._model = options.model
        self._started = time.time()
        self._deadline = self._started + options.timeout
        self._waits_for_slot = False
        #: Since when the API has not taken the request, in seconds since the epoch, and how often it was sent.
        self._outage: tuple[float, int] | None = None
        self._keeps_records = SubmissionStore(context.get("task_state_store")).keeps_records
        self._has_decided = False

    def begin(self) -> dict[str, Any]:
        """Submit the video, unless an earlier try did, and wait for it. Returns the result of the task."""
        with self._never_retried_unrecorded():
            return self._begin()

    def resume_after_slot(self, started: float, deadline: float, *, is_free: bool) -> dict[str, Any]:
        """
        Continue after waiting for a slot of the account. Returns the result of the task.

        :param started: when the try began, in seconds since the epoch.
        :param deadline: when it gives up, in seconds since the epoch.
        :param is_free: whether to submit again.
        """
        self._started, self._deadline = started, deadline
        self._waits_for_slot = True
        if not is_free:
            self._give_up_on_slot(self._submitter())
        return self.begin()

    def resume_after_outage(self, started: float, deadline: float, since: float, failures: int) -> dict[str, Any]:
        """
        Continue after waiting for an API that did not answer. Returns the result of the task.

        :param started: when the try began, in seconds since the epoch.
        :param deadline: when it gives up, in seconds since the epoch.
        :param since: when the outage began, in seconds since the epoch.
        :param failures: how often the request was sent meanwhile.
        """
        self._started, self._deadline, self._outage = started, deadline, (since, failures)
        if time.time() >= deadline:
            self._give_up_on_api(self._submitter(), since)
        return self.begin()

    def conclude(self, result: WaitResult, asked: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """
        End the try after waiting for the video. Returns the result of the task.

        :param result: how the wait ended.
        :param asked: what was submitted, if no record says so.
        """
        self._notice.video_task_id = result.video_task_id or None
        with self._never_retried_unrecorded():
            return self._conclude(result, asked)

    def fail_after_deferral(self, error: Exception) -> NoReturn:
        """
        End a try that Airflow has ended while it was deferred, where its own retry would pay again.

        :param error: Airflow's.
        """
        ti = self._context["ti"]
        self._notice.video_task_id = ti.xcom_pull(task_ids=ti.task_id, map_indexes=ti.map_index, key="video_task_id")
        with self._never_retried_unrecorded():
            raise error

    @contextmanager
    def _never_retried_unrecorded(self) -> Iterator[None]:
        """
        Let no try follow that knows nothing of a video: where Airflow keeps no record, whatever it would retry ends the
        task from the moment at which there is a video task.
        """
        try:
            yield
        except (Exception, AirflowTaskTimeout) as error:
            video_task_id = self._notice.video_task_id
            if video_task_id is None or self._has_decided or self._submitter().knows_a_video():
                raise
            self._fail(
                Plan(
                    Action.FAIL,
                    f"The task ended with {type(error).__name__}: {error}".rstrip(". ") + ".",
                    f"Video task {video_task_id} is paid for unless it fails; the API can't cancel it.",
                    no_record_advice(video_task_id),
                    reason="ended_by_airflow",
                )
            )

    def _begin(self) -> dict[str, Any]:
        hook = SeedanceHook(self._options.seedance_conn_id)
        files = ReferenceFiles(self._context.get("task_state_store"), self._log)
        try:
            request = self._request(files)
            self._model = request.model
            settings = hook.get_settings()
            client = SeedanceClient(settings.protocol())
        except InvalidRequestError as error:
            self._fail(Plan(Action.FAIL, str(error), NOTHING_SUBMITTED, error.advice, error=error))
        except FileUnavailableError as error:
            self._fail(plan_from_upload_error(error))
        except AirflowNotFoundException as error:
            happened = f"{str(error).rstrip('. ')}."
            self._fail(
                Plan(Action.RETRY, happened, NOTHING_SUBMITTED, next_try="looks it up again", reason="no_connection")
            )
        except SubmissionStoreError as error:
            self._fail(plan_from_store_error(error))
        except SubmissionRecordError as error:
            self._fail(plan_from_record_error(error))
        submitter = self._submitter(settings, files)
        with client:
            task = self._obtain(submitter, client, request)
            self._notice.video_task_id = task.video_task_id
            self._context["ti"].xcom_push(key="video_task_id", value=task.video_task_id)
            record = submitter.record()
            asked = request.described() if record is None else record.asked
            self._show_submitted(task, request, settings, asked)
            may_settle = self._options.wait_for_completion and settles(request)
            if task.status is TaskStatus.SUCCESS and task.video_url and not may_settle:
                return self._finished(task, record, asked)
            if not self._options.wait_for_completion:
                return self._deliver(self._result(task, record, asked), submitter)
            typical = _expected_seconds(request, settings)
            if self._options.deferrable:
                self._defer_to_video(task, request, typical, asked)
            result = self._wait_in_worker(ConnectionReader(hook, client), task, request, typical)
            return self._conclude(result, asked)

    def _conclude(self, result: WaitResult, asked: Mapping[str, Any] | None) -> dict[str, Any]:
        submitter = self._submitter()
        concluded = submitter.conclude(result)
        if isinstance(concluded, Plan):
            self._fail(concluded)
        record = submitter.record()
        return self._finished(concluded, record, record.asked if record is not None else asked or {})

    def _obtain(self, submitter: Submitter, client: SeedanceClient, request: VideoRequest) -> VideoTask:
        """Return the video task, after waiting for a slot of the account, or for the API, if need be."""
        if missing_guarantee := submitter.store.missing_guarantee():
            self._log.warning(missing_guarantee)
        for warning in request.warnings:
            self._log.warning(warning)
        fingerprint = request.fingerprint(self._options.seedance_conn_id)
        while isinstance(obtained := submitter.obtain(client, request, fingerprint), Plan):
            if obtained.action is Action.WAIT_FOR_API:
                self._wait_for_api(submitter, obtained)
                continue
            self._end_outage()
            if obtained.action is not Action.WAIT_FOR_SLOT:
                self._end_slot_wait(submitter)
                self._fail(obtained)
            self._log.info(obtained.message)
            self._wait_for_slot(submitter, obtained)
        self._end_outage()
        self._end_slot_wait(submitter)
        return obtained

    def _end_outage(self) -> None:
        if self._outage is not None:
            self._log.info("The API answers again, after %.0f s.", time.time() - self._outage[0])
            self._outage = None
            show_waiting_for_api(self._context, self._log, None)

    def _wait_for_slot(self, submitter: Submitter, refused: Plan) -> None:
        limit = refused.error.limit if isinstance(refused.error, ConcurrencyLimitError) else None
        if not self._waits_for_slot:
            self._waits_for_slot = True
            submitter.metrics.slot_wait_began()
            self._log.info("Waiting for a slot. %s", _pool_advice(limit))
        if self._options.deferrable:
            self._defer_to_slot(limit)
        self._sleep(jittered(self._probe_interval))
        # Past the deadline a video would be paid for that this try can't wait for.
        if time.time() >= self._deadline:
            self._give_up_on_slot(submitter)

    def _wait_for_api(self, submitter: Submitter, refused: Plan) -> None:
        """
        Wait before the request is sent again, which the API has certainly not accepted. Fails once that has lasted for
        the tolerance, or until the deadline.
        """
        now = time.time()
        since, failures = self._outage or (now, 0)
        failures += 1
        self._outage = since, failures
        give_up = min(since + self._options.poll.error_tolerance, self._deadline)
        if failures > 1 and now >= give_up:
            self._give_up_on_api(submitter, since, refused)
        if failures == 1:
            left = f"The request is sent again for up to {give_up - now:.0f} s, without using up a retry."
            self._log.warning("API unreachable since %s: %s %s", clock(since), refused.message, left)
            show_waiting_for_api(self._context, self._log, since)
        asked = refused.error.retry_after if isinstance(refused.error, ApiError) else None
        pause = max(jittered(backoff(failures, self._poll_interval)), asked or 0.0)
        if self._options.deferrable:
            self._defer_to_outage(min(now + pause, give_up), give_up, since, failures)
        self._sleep(min(pause, give_up - now))
        if time.time() >= self._deadline:
            self._give_up_on_api(submitter, since, refused)

    def _give_up_on_api(self, submitter: Submitter, since: float, refused: Plan | None = None) -> NoReturn:
        """Past the deadline a video would be paid for that this try can't wait for."""
        submitter.withdrawn()
        self._end_slot_wait(submitter)
        last = f" {refused.happened}" if refused is not None else ""
        self._fail(
            Plan(
                Action.RETRY,
                f"The API has not taken the request since {clock(since)}.{last}",
                NOTHING_SUBMITTED,
                next_try="submits",
                error=None if refused is None else refused.error,
                reason="unreachable",
            )
        )

    def _sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, min(seconds, self._deadline - time.time())))

    def _wait_in_worker(
        self,
        reader: ConnectionReader,
        task: VideoTask,
        request: VideoRequest,
        typical_seconds: tuple[float, float],
    ) -> WaitResult:
        wait = VideoWait(
            task.video_task_id,
            self._started,
            self._deadline,
            self._options.poll,
            # This try has created it, or an earlier one.
            was_seen=True,
            settles=settles(request),
            typical_seconds=typical_seconds,
            submitted_at=_submitted_at(task),
        )
        with reader:
            return poll_until_done(reader, wait, self._log, PollAgain(wait.pause(time.time())))

    def _finished(self, task: VideoTask, record: Submission | None, asked: Mapping[str, Any]) -> dict[str, Any]:
        self._log.info(
            "Video task %s succeeded after %s s and cost %s credits (%s were expected): %s",
            task.video_task_id,
            task.generation_seconds,
            task.credits_used,
            format_credits(None if record is None else record.estimated_credits),
            task.video_url,
        )
        result = self._result(task, record, asked)
        for mismatch in result["mismatches"]:
            self._log.warning("The video is not what was asked for. %s", mismatch)
        for key in ("video_url", "last_frame_url"):
            # What is not there must not be there as None: the next video would be made, and paid for, without it.
            if result[key] is not None:
                self._context["ti"].xcom_push(key=key, value=result[key])
        return self._deliver(result, self._submitter(), task)

    def _deliver(self, result: dict[str, Any], submitter: Submitter, task: VideoTask | None = None) -> dict[str, Any]:
        """
        Push the result, and only then record that Airflow has it: with ``on_rerun="regenerate"`` a clear pays for a new
        video after that. Airflow itself pushes the result later, when it may fail unnoticed.
        """
        if self._options.push_result:
            self._context["ti"].xcom_push(key="return_value", value=result)
        submitter.delivered(task, result["mismatches"])
        return result

    def _result(self, task: VideoTask, record: Submission | None, asked: Mapping[str, Any]) -> dict[str, Any]:
        """What it was expected to cost stands beside what it did cost, and what was asked for beside what was made."""
        inputs = asked.get("inputs") or {}
        return task.summary() | {
            "estimated_credits": None if record is None else record.estimated_credits,
            "prompt": asked.get("prompt"),
            "inputs": inputs,
            "mismatches": size_mismatches(inputs, task.width, task.height),
        }

    def _show_submitted(
        self, task: VideoTask, request: VideoRequest, settings: ConnectionSettings, asked: Mapping[str, Any]
    ) -> None:
        show_submitted(
            self._context,
            self._log,
            task.video_task_id,
            model=request.model,
            submitted_at=_submitted_at(task),
            record_url=settings.protocol().record_url(task.video_task_id),
            typical_seconds=_expected_seconds(request, settings),
            further={
                "estimated_credits": estimate_credits(request),
                "prompt": asked.get("prompt"),
                "inputs": asked.get("inputs"),
            },
        )

    def _fail(self, plan: Plan) -> NoReturn:
        ti = self._context["ti"]
        story = plan.story(retries_left=ti.try_number <= ti.max_tries)
        report_failure(
            self._context,
            self._log,
            story,
            plan.error,
            reason=plan.reason,
            video_task_id=self._notice.video_task_id,
            retryable=plan.action is Action.RETRY,
        )
        self._has_decided = True
        if plan.action is Action.RETRY:
            raise AirflowException(plan.happened) from plan.error
        raise AirflowFailException(plan.happened) from plan.error

    def _end_slot_wait(self, submitter: Submitter) -> None:
        if self._waits_for_slot:
            self._waits_for_slot = False
            submitter.metrics.slot_wait_ended(time.time() - self._started)

    def _give_up_on_slot(self, submitter: Submitter) -> NoReturn:
        submitter.withdrawn()
        self._end_slot_wait(submitter)
        waited = f"The account had no free slot for {time.time() - self._started:.0f} s."
        self._fail(
            Plan(Action.RETRY, waited, NOTHING_SUBMITTED, _pool_advice(), next_try="waits again", reason="no_free_slot")
        )

    def _submitter(self, settings: ConnectionSettings | None = None, files: ReferenceFiles | None = None) -> Submitter:
        """Settings and files are needed to pay, and to nothing else."""
        submitter = Submitter(
            SubmissionStore(self._context.get("task_state_store")),
            self._context["ti"].max_tries,
            self._log,
            self._options.on_rerun,
            self._options.on_unknown,
            self._notice,
            spending=self._limits(settings),
            metrics=VideoMetrics(self._model, self._options.seedance_conn_id),
        )
        return submitter if files is None else replace(submitter, prepare=files.uploaded)

    def _limits(self, settings: ConnectionSettings | None) -> Limits:
        of_connection = None if settings is None else settings.max_credits
        limits = {
            "max_credits": self._options.max_credits,
            f"max_credits of {self._options.seedance_conn_id!r}": of_connection,
        }
        per_video = [Limit(amount, source) for source, amount in limits.items() if amount is not None]
        if self._options.max_credits_per_run is None:
            return Limits(per_video)
        task_ids = [task.task_id for task in self._context["dag"].tasks if _makes_videos(task)]
        return Limits(per_video, RunBudget(self._options.max_credits_per_run, task_ids, self._context["ti"]))

    def _defer_to_video(
        self,
        task: VideoTask,
        request: VideoRequest,
        typical_seconds: tuple[float, float],
        asked: Mapping[str, Any],
    ) -> NoReturn:
        from seedance_provider.triggers.seedance import VideoTrigger

        self._defer(
            trigger=VideoTrigger(
                task.video_task_id,
                self._options.seedance_conn_id,
                self._started,
                self._deadline,
                self._poll_interval,
                self._options.poll.error_tolerance,
                # This try has created it, or an earlier one.
                was_seen=True,
                estimated_credits=estimate_credits(request),
                settles=settles(request),
                typical_seconds=list(typical_seconds),
                submitted_at=_submitted_at(task),
            ),
            method_name="execute_complete",
            # Where there is a record, it says what was submitted.
            kwargs={} if self._keeps_records else {"asked": dict(asked)},
            timeout=backstop(self._deadline),
        )

    def _defer_to_slot(self, limit: int | None) -> NoReturn:
        from seedance_provider.triggers.seedance import SlotTrigger

        self._defer(
            trigger=SlotTrigger(
                self._options.seedance_conn_id,
                self._deadline,
                self._probe_interval,
                since=self._started,
                refused_at=time.time(),
                limit=limit,
            ),
            method_name="resume_after_slot",
            kwargs={"started": self._started, "deadline": self._deadline},
            timeout=backstop(self._deadline),
        )

    def _defer_to_outage(self, not_before: float, give_up: float, since: float, failures: int) -> NoReturn:
        from seedance_provider.triggers.seedance import OutageTrigger

        self._defer(
            trigger=OutageTrigger(
                self._options.seedance_conn_id,
                not_before,
                give_up,
                self._poll_interval,
            ),
            method_name="resume_after_outage",
            kwargs={"started": self._started, "deadline": self._deadline, "since": since, "failures": failures},
            timeout=backstop(give_up),
        )

    @property
    def _poll_interval(self) -> float:
        return self._options.poll.poll_interval

    @property
    def _probe_interval(self) -> float:
        return self._poll_interval * _POLLS_PER_PROBE


def _expected_seconds(request: VideoRequest, settings: ConnectionSettings) -> tuple[float, float]:
    """From the fastest to the slowest of such videos."""
    model = request.known_model or MODELS[DEFAULT_MODEL]
    typical = model.expected_seconds(request.output_resolution, with_video=bool(request.reference_videos))
    return settings.typical_seconds or typical


def _pool_advice(limit: int | None = None) -> str:
    """Airflow's own queue costs nothing, while each request that the API refuses costs the start of a worker."""
    slots = "LIMIT" if limit is None else limit
    return (
        "With a pool as large as the account's limit, tasks wait in Airflow's own queue instead: "
        f"airflow pools set seedance {slots} 'Videos in progress' --include-deferred"
    )


def _submitted_at(task: VideoTask) -> float:
    """Now, if this try has just asked for it. The clock of the API may be ahead."""
    now = time.time()
    return now if task.created_at is None else min(task.created_at.timestamp(), now)


def _makes_videos(task: Any) -> bool:
    """Mapped or not. By a mark of the class, because the operator imports this module."""
    return getattr(getattr(task, "operator_class", type(task)), "makes_videos", False)
