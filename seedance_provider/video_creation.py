"""
One try of a task that makes a video: submits it unless an earlier try did, and waits for it.

What an operator does when it runs is here, apart from what it declares, because a DAG file is parsed again and again
and should import the latter only.
"""

from __future__ import annotations

import time
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from seedance_provider.api import DEFAULT_MODEL
from seedance_provider.api.client import SeedanceClient
from seedance_provider.api.errors import (
    ConcurrencyLimitError,
    FileUnavailableError,
    InvalidRequestError,
)
from seedance_provider.api.models import MODELS
from seedance_provider.api.pricing import estimate_credits, in_words, settles
from seedance_provider.api.video_request import VideoRequest
from seedance_provider.api.video_task import TaskStatus, VideoTask
from seedance_provider.hooks.reader import ConnectionReader
from seedance_provider.hooks.seedance import SeedanceHook
from seedance_provider.metrics import VideoMetrics
from seedance_provider.operators.seedance import CreateVideoOperator
from seedance_provider.progress import show_failure, show_submitted
from seedance_provider.reference_files import ReferenceFiles
from seedance_provider.schedule import Durations, ExpectedSchedule
from seedance_provider.spending import Limit, Limits, RunBudget
from seedance_provider.stored_file import names_a_file
from seedance_provider.submission import (
    Action,
    Plan,
    Submission,
    SubmissionRecordError,
    SubmissionStore,
    SubmissionStoreError,
    plan_from_store_error,
)
from seedance_provider.submitter import Submitter
from seedance_provider.waiting import VideoWait, WaitResult, backstop, look_on, patience, spread

if TYPE_CHECKING:
    from airflow.sdk import Context

    from seedance_provider.ending import Ending
    from seedance_provider.hooks.connection_settings import ConnectionSettings

__all__ = ["VideoCreation"]

_ELSEWHERE = ("prompt", "model", "callback_url", "allow_unknown_model")
_FURTHER_INPUTS = tuple(field.name for field in fields(VideoRequest) if field.name not in _ELSEWHERE)

#: How many poll intervals pass before somebody who waits for a slot tries his luck.
_POLLS_PER_PROBE = 6


class VideoCreation:
    """
    One try, or what is left of it after a deferral.

    :param operator: what to make, and how to wait.
    :param context: of the task.
    :param ending: kept up to date with what it means if Airflow ends the task now.
    """

    def __init__(self, operator: CreateVideoOperator, context: Context, ending: Ending) -> None:
        self._operator = operator
        self._context = context
        self._ending = ending
        self._log = operator.log
        self._started = time.time()
        self._deadline = self._started + patience(operator.timeout, operator.execution_timeout)
        self._waits_for_slot = False

    def begin(self) -> dict[str, Any]:
        """Submit the video, unless an earlier try did, and wait for it. Returns the result of the task."""
        self._operator.take_inputs(self._context)
        hook = SeedanceHook(self._operator.seedance_conn_id)
        files = ReferenceFiles(self._context.get("task_state_store"), self._log)
        try:
            request = self._request(files)
            settings = hook.get_settings()
            client = SeedanceClient(settings.protocol())
        except InvalidRequestError as error:
            self._fail(Plan(Action.FAIL, str(error), error))
        except FileUnavailableError as error:
            self._fail(Plan(Action.RETRY, f"{error} The next try reads it again.", error))
        except SubmissionStoreError as error:
            self._fail(plan_from_store_error(error))
        submitter = self._submitter(settings, files)
        with client:
            try:
                task = self._obtain(submitter, client, request)
            except SubmissionRecordError as error:
                self._fail(Plan(Action.FAIL, str(error)))
            self._context["ti"].xcom_push(key="task_id", value=task.task_id)
            self._show_submitted(task, request, settings)
            may_settle = self._operator.wait_for_completion and settles(request)
            if task.status is TaskStatus.SUCCESS and task.video_url and not may_settle:
                return self._finished(task)
            if not self._operator.wait_for_completion:
                return self._result(task, submitter.delivered())
            typical = self._typical_seconds(request, settings)
            if self._operator.deferrable:
                self._defer_to_video(task, request, typical)
            return self.conclude(self._wait_in_worker(ConnectionReader(hook, client), task, request, typical))

    def resume_after_slot(self, started: float, deadline: float, *, is_free: bool) -> dict[str, Any]:
        """
        Go on after waiting for a slot of the account. Returns the result of the task.

        :param started: when the try began, in seconds since the epoch.
        :param deadline: when it gives up, likewise.
        :param is_free: whether to try again.
        """
        self._started, self._deadline = started, deadline
        self._waits_for_slot = True
        if not is_free:
            self._give_up_on_slot(self._submitter())
        return self.begin()

    def conclude(self, result: WaitResult) -> dict[str, Any]:
        """
        End the try after waiting for the video. Returns the result of the task.

        :param result: how the wait ended.
        """
        concluded = self._submitter().conclude(result)
        if isinstance(concluded, Plan):
            self._fail(concluded)
        return self._finished(concluded)

    def _obtain(self, submitter: Submitter, client: SeedanceClient, request: VideoRequest) -> VideoTask:
        """Return the video task, after waiting for a slot of the account if need be."""
        if weakness := submitter.store.weakness():
            self._log.warning(weakness)
        fingerprint = request.fingerprint(self._operator.seedance_conn_id)
        while isinstance(obtained := submitter.obtain(client, request, fingerprint), Plan):
            if obtained.action is not Action.WAIT_FOR_SLOT:
                self._end_slot_wait(submitter)
                self._fail(obtained)
            self._log.info(obtained.message)
            self._wait_for_slot(submitter, obtained)
        self._end_slot_wait(submitter)
        return obtained

    def _wait_for_slot(self, submitter: Submitter, refused: Plan) -> None:
        limit = refused.error.limit if isinstance(refused.error, ConcurrencyLimitError) else None
        if not self._waits_for_slot:
            self._waits_for_slot = True
            submitter.metrics.slot_wait_began()
            self._log.info("Waiting for a slot. %s", _pool_advice(limit))
        if self._operator.deferrable:
            self._defer_to_slot(limit)
        if (left := self._deadline - time.time()) <= 0:
            self._give_up_on_slot(submitter)
        time.sleep(min(spread(self._probe_interval), left))

    def _wait_in_worker(
        self,
        reader: ConnectionReader,
        task: VideoTask,
        request: VideoRequest,
        typical_seconds: tuple[float, float] | None,
    ) -> WaitResult:
        interval = self._operator.poll_settings.poll_interval
        wait = VideoWait(
            task.task_id,
            self._started,
            self._deadline,
            self._operator.poll_settings,
            # The key has just worked.
            tolerates_refusal=True,
            settles=settles(request),
            schedule=None
            if typical_seconds is None
            else ExpectedSchedule(Durations.typical(*typical_seconds), interval),
            submitted_at=_submitted_at(task),
        )
        with reader:
            return look_on(reader, wait, self._log)

    def _finished(self, task: VideoTask) -> dict[str, Any]:
        record = self._submitter().delivered(task)
        self._log.info(
            "Video task %s succeeded after %s s and cost %s credits (%s were expected): %s",
            task.task_id,
            task.generation_seconds,
            task.credits_used,
            in_words(None if record is None else record.estimated_credits),
            task.video_url,
        )
        for key in ("video_url", "last_frame_url"):
            # What is not there must not be there as None: the next video would be made, and paid for, without it.
            if (url := getattr(task, key)) is not None:
                self._context["ti"].xcom_push(key=key, value=url)
        return self._result(task, record)

    def _result(self, task: VideoTask, record: Submission | None) -> dict[str, Any]:
        """What it was expected to cost stands beside what it did cost, and what was asked for beside what was made."""
        return task.summary() | {
            "estimated_credits": None if record is None else record.estimated_credits,
            "prompt": self._operator.prompt,
            "inputs": self._further_inputs(),
        }

    def _further_inputs(self) -> dict[str, Any]:
        """What the video was made of besides the prompt; a file by its name."""
        given = {name: getattr(self._operator, name) for name in _FURTHER_INPUTS}
        return {name: _plain(value) for name, value in given.items() if value is not None}

    def _show_submitted(self, task: VideoTask, request: VideoRequest, settings: ConnectionSettings) -> None:
        further = {
            "estimated_credits": estimate_credits(request),
            "prompt": self._operator.prompt,
            "inputs": self._further_inputs(),
        }
        show_submitted(
            self._context,
            self._log,
            task.task_id,
            model=request.model,
            submitted_at=_submitted_at(task),
            record_url=settings.protocol().record_url(task.task_id),
            typical_seconds=_expected_seconds(request, settings),
            further=further,
        )

    def _fail(self, plan: Plan) -> NoReturn:
        show_failure(self._context, self._log, plan.error, plan.message, retryable=plan.action is Action.RETRY)
        if plan.action is Action.RETRY:
            raise AirflowException(plan.message) from plan.error
        raise AirflowFailException(plan.message) from plan.error

    def _end_slot_wait(self, submitter: Submitter) -> None:
        if self._waits_for_slot:
            self._waits_for_slot = False
            submitter.metrics.slot_wait_ended(time.time() - self._started)

    def _give_up_on_slot(self, submitter: Submitter) -> NoReturn:
        submitter.withdrawn()
        self._end_slot_wait(submitter)
        waited = f"The account had no free slot for {time.time() - self._started:.0f} s."
        nothing = "Nothing was submitted or charged, and the next try waits again."
        self._fail(Plan(Action.RETRY, f"{waited} {nothing} {_pool_advice()}"))

    def _request(self, files: ReferenceFiles) -> VideoRequest:
        inputs = {field.name: getattr(self._operator, field.name) for field in fields(VideoRequest)}
        return VideoRequest(**files.described(inputs))

    def _submitter(self, settings: ConnectionSettings | None = None, files: ReferenceFiles | None = None) -> Submitter:
        """Settings and files are needed to pay, and to nothing else."""
        submitter = Submitter(
            SubmissionStore(self._context.get("task_state_store")),
            self._context["ti"].max_tries,
            self._log,
            self._operator.on_rerun,
            self._operator.on_unknown_submission,
            self._ending,
            spending=self._limits(settings),
            metrics=VideoMetrics(self._operator.model, self._operator.seedance_conn_id),
        )
        return submitter if files is None else replace(submitter, prepare=files.uploaded)

    def _limits(self, settings: ConnectionSettings | None) -> Limits:
        of_connection = None if settings is None else settings.max_credits
        limits = {
            "max_credits": self._operator.max_credits,
            f"max_credits of {self._operator.seedance_conn_id!r}": of_connection,
        }
        per_video = [Limit(amount, source) for source, amount in limits.items() if amount is not None]
        if self._operator.max_credits_per_run is None:
            return Limits(per_video)
        task_ids = [task.task_id for task in self._context["dag"].tasks if _makes_videos(task)]
        return Limits(per_video, RunBudget(self._operator.max_credits_per_run, task_ids, self._context["ti"]))

    def _defer_to_video(
        self, task: VideoTask, request: VideoRequest, typical_seconds: tuple[float, float] | None
    ) -> NoReturn:
        from seedance_provider.triggers.seedance import VideoTrigger

        self._operator.defer(
            trigger=VideoTrigger(
                task.task_id,
                self._operator.seedance_conn_id,
                self._started,
                self._deadline,
                self._operator.poll_settings.poll_interval,
                self._operator.error_tolerance,
                # The key has just worked.
                tolerates_refusal=True,
                estimated_credits=estimate_credits(request),
                settles=settles(request),
                typical_seconds=None if typical_seconds is None else list(typical_seconds),
                kind=_kind(request),
                submitted_at=_submitted_at(task),
            ),
            method_name="on_video",
            timeout=backstop(self._deadline),
        )

    def _defer_to_slot(self, limit: int | None) -> NoReturn:
        from seedance_provider.triggers.seedance import SlotTrigger

        self._operator.defer(
            trigger=SlotTrigger(
                self._operator.seedance_conn_id,
                self._deadline,
                self._probe_interval,
                since=self._started,
                refused_at=time.time(),
                limit=limit,
            ),
            method_name="on_slot",
            kwargs={"started": self._started, "deadline": self._deadline},
            timeout=backstop(self._deadline),
        )

    @property
    def _probe_interval(self) -> float:
        return self._operator.poll_settings.poll_interval * _POLLS_PER_PROBE

    def _typical_seconds(self, request: VideoRequest, settings: ConnectionSettings) -> tuple[float, float] | None:
        """``None`` where looks have a fixed interval."""
        return None if self._operator.poll_interval is not None else _expected_seconds(request, settings)


def _expected_seconds(request: VideoRequest, settings: ConnectionSettings) -> tuple[float, float]:
    """From the fastest to the slowest of such videos."""
    model = request.known_model or MODELS[DEFAULT_MODEL]
    typical = model.expected_seconds(request.output_resolution, with_video=bool(request.reference_videos))
    return settings.typical_seconds or typical


def _kind(request: VideoRequest) -> str:
    """Videos of one kind take equally long."""
    with_video = "with a video" if request.reference_videos else ""
    return f"{request.model} {request.output_resolution} {request.duration} s {with_video}".rstrip()


def _pool_advice(limit: int | None = None) -> str:
    """Airflow's own queue costs nothing, while everybody who asks the API in vain costs the start of a worker."""
    slots = "LIMIT" if limit is None else limit
    return (
        "With a pool as large as the account's limit, tasks wait in Airflow's own queue instead: "
        f"airflow pools set seedance {slots} 'Videos in progress' --include-deferred"
    )


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if names_a_file(value) else value


def _submitted_at(task: VideoTask) -> float:
    """Now, if this try has just asked for it. The clock of the API may be ahead."""
    now = time.time()
    return now if task.created_at is None else min(task.created_at.timestamp(), now)


def _makes_videos(task: Any) -> bool:
    """Mapped or not."""
    return issubclass(getattr(task, "operator_class", type(task)), CreateVideoOperator)
