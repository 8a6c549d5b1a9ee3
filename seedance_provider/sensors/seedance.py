"""Waiting for videos that were submitted elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowNotFoundException,
    AirflowSensorTimeout,
    BaseSensorOperator,
    PokeReturnValue,
)

from seedance_provider.hooks import DEFAULT_CONN_ID
from seedance_provider.links.seedance import VideoLink, VideoTaskLink
from seedance_provider.triggers.deferral import default_deferrable
from seedance_provider.waiting.poll_settings import DEFAULT_POLL_INTERVAL, ERROR_TOLERANCE, PollSettings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from airflow.sdk import Context

    from seedance_provider.hooks.connection_settings import ConnectionSettings
    from seedance_provider.hooks.reader import ConnectionReader
    from seedance_provider.waiting.result import WaitResult
    from seedance_provider.waiting.video_wait import VideoWait

__all__ = ["VideoSensor"]

#: Each poll of a rescheduled task starts a worker.
_RESCHEDULE_SECONDS = 60.0


class VideoSensor(BaseSensorOperator):
    """
    Wait until a video task has ended, and return the same small dict as
    :class:`~seedance_provider.operators.seedance.CreateVideoOperator`.

    Cost and retries: polling costs nothing, and a sensor never submits. A video task that failed ends the sensor
    without retries, since polling again can't change it; the message says whether submitting again can help. A video
    that is not ready within ``timeout`` is still made, and clearing the sensor resumes the wait. An API that can't
    be reached is tolerated for ``error_tolerance``, then the task fails and may be retried.
    With ``soft_fail=True`` the task is skipped instead, whatever ended the wait: a failed video task, the time, or an
    API that can't be reached or refuses the key.

    :param video_task_id: id of the video task, from this account. The vendor's demo key can read the sample tasks,
        such as ``demo_task_t2v_success``. Templated.
    :param video: instead of the id, what :class:`~seedance_provider.operators.seedance.CreateVideoOperator` returned
        (``create.output``); mapped: ``VideoSensor.partial(...).expand(video=create.output)``. Give exactly one of
        ``video_task_id`` and ``video``. Templated.
    :param seedance_conn_id: the Airflow connection with the key. Default ``seedance_default``. Templated.
    :param deferrable: wait in the triggerer; the default is that of ``CreateVideoOperator``. If ``False``, ``mode``
        decides between ``poke``, which keeps a worker, and ``reschedule``, which starts one for every poll.
    :param poke_interval: seconds, or a ``timedelta``, between two polls. Default 5, or 60 with ``reschedule``. The
        sensor polls once when it starts. As in ``CreateVideoOperator``, it then waits until the fastest video of the
        model may be ready, and after long delays it polls less often; with ``reschedule`` it does neither.
    :param timeout: seconds, or a ``timedelta``, until the wait is given up. Default one hour.
    :param error_tolerance: how long, in seconds, to tolerate failing polls. Default 1800. In ``reschedule`` mode
        ``timeout`` alone bounds them.
    """

    template_fields: Sequence[str] = ("video_task_id", "video", "seedance_conn_id")
    template_fields_renderers: ClassVar[dict[str, str]] = {"video": "json"}
    operator_extra_links = (VideoLink(), VideoTaskLink())
    ui_color = "#e8e4fb"

    def __init__(
        self,
        *,
        video_task_id: str | None = None,
        video: Mapping[str, Any] | None = None,
        seedance_conn_id: str = DEFAULT_CONN_ID,
        deferrable: bool = default_deferrable(),
        poke_interval: timedelta | float | None = None,
        timeout: timedelta | float = 3600,
        error_tolerance: float = ERROR_TOLERANCE,
        **kwargs: Any,
    ) -> None:
        self.deferrable = deferrable
        super().__init__(
            poke_interval=DEFAULT_POLL_INTERVAL if poke_interval is None else poke_interval, timeout=timeout, **kwargs
        )
        # Only Airflow's constructor knows the mode, which may stand in default_args.
        if poke_interval is None and self.reschedule and not deferrable:
            self.poke_interval = _RESCHEDULE_SECONDS
        self.poll_settings = PollSettings(self.poke_interval, error_tolerance)
        if (video_task_id is None) == (video is None):
            # Not a ValueError, which would be retried: of a mapped sensor, this may be known only when it runs.
            given = "neither has a value" if video is None else "both are given"
            raise AirflowFailException(f"Exactly one of video_task_id and video is needed, and {given}.")
        # What a template, or the result in ``video``, gives is known when the task runs.
        self.video_task_id: Any = video_task_id
        self.video = video
        self.seedance_conn_id = seedance_conn_id

    def execute(self, context: Context) -> Any:
        """Wait, in the triggerer or as ``mode`` says."""
        self._take_id()
        if not isinstance(self.video_task_id, str) or not self.video_task_id.strip():
            if self.video is not None:
                raise AirflowFailException(
                    f"video is {self.video!r}, and what CreateVideoOperator returned is needed: video=create.output, "
                    "or .expand(video=create.output) if it is mapped. An id is for video_task_id."
                )
            raise AirflowFailException(
                f"video_task_id is {self.video_task_id!r}, and the id of a video task is needed."
            )
        # A pasted id has spaces around it, and the API answers with one that has none.
        self.video_task_id = self.video_task_id.strip()
        if self.reschedule and not self.deferrable:
            return super().execute(context)
        # As if the trigger had fired: soft_fail and never_fail are honoured there.
        return self.resume_execution("on_result", {"result": self._wait(context)}, context)

    def poke(self, context: Context) -> PokeReturnValue:
        """Poll once."""
        from seedance_provider.waiting.video_wait import PollAgain, poll

        reader, settings = self._opened(context)
        # Each poll stands alone, and the time is Airflow's matter.
        wait = self._video_wait(float("inf"), settings)
        with reader:
            polled = poll(reader, wait)
        self._show(wait, settings, context)
        if not isinstance(polled, PollAgain):
            return PokeReturnValue(is_done=True, xcom_value=self._conclude(polled, context))
        polled.tell(self.log)
        return PokeReturnValue(is_done=False)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:
        """Resume after waiting."""
        from seedance_provider.waiting.result import WaitResult

        self._take_id()
        return self._conclude(WaitResult.from_event(event), context)

    def on_result(self, context: Context, result: WaitResult) -> dict[str, Any]:
        """Go on after waiting here, where the error of the last poll is still known."""
        return self._conclude(result, context)

    def on_kill(self) -> None:
        """Say what becomes of the video, which the API has no way to cancel."""
        from seedance_provider.reporting.kill_notice import goes_on

        self.log.warning(goes_on(self.video_task_id))

    def _take_id(self) -> None:
        """Take the id from ``video``, now that it is rendered."""
        if isinstance(self.video, Mapping):
            self.video_task_id = self.video.get("video_task_id")

    def _wait(self, context: Context) -> WaitResult:
        """Poll once, which tells the model, and continue in the triggerer or here."""
        from seedance_provider.waiting.video_wait import PollAgain, effective_timeout, poll, poll_until_done

        reader, settings = self._opened(context)
        wait = self._video_wait(time.time() + effective_timeout(self.timeout, self.execution_timeout), settings)
        with reader:
            polled = poll(reader, wait)
            self._show(wait, settings, context)
            if not isinstance(polled, PollAgain):
                return polled
            if self.deferrable:
                polled.tell(self.log)
                self._defer(wait)
            return poll_until_done(reader, wait, self.log, polled)

    def _video_wait(self, deadline: float, settings: ConnectionSettings) -> VideoWait:
        from seedance_provider.waiting.video_wait import VideoWait

        return VideoWait(
            self.video_task_id,
            time.time(),
            deadline,
            self.poll_settings,
            typical_seconds=settings.typical_seconds,
        )

    def _opened(self, context: Context) -> tuple[ConnectionReader, ConnectionSettings]:
        from seedance_provider.api.client import SeedanceClient
        from seedance_provider.api.errors import InvalidRequestError
        from seedance_provider.hooks.reader import ConnectionReader
        from seedance_provider.hooks.seedance import SeedanceHook
        from seedance_provider.reporting.progress import report_failure

        hook = SeedanceHook(self.seedance_conn_id)
        try:
            settings = hook.get_settings()
            return ConnectionReader(hook, SeedanceClient(settings.protocol())), settings
        except AirflowNotFoundException as error:
            story = (str(error), "Polling costs nothing.", "The next try looks the connection up again.")
            report_failure(
                context,
                self.log,
                story,
                None,
                reason="no_connection",
                video_task_id=self.video_task_id,
                retryable=True,
            )
            raise
        except InvalidRequestError as error:
            story = (str(error), "Polling costs nothing.", error.advice)
            report_failure(
                context, self.log, story, error, reason="", video_task_id=self.video_task_id, retryable=False
            )
            raise AirflowFailException(str(error)) from error

    def _show(self, wait: VideoWait, settings: ConnectionSettings, context: Context) -> None:
        from seedance_provider.reporting.progress import show_submitted

        show_submitted(
            context,
            self.log,
            self.video_task_id,
            model=wait.model,
            submitted_at=wait.submitted_at,
            record_url=settings.protocol().record_url(self.video_task_id),
            typical_seconds=wait.expected_seconds,
        )

    def _defer(self, wait: VideoWait) -> NoReturn:
        from seedance_provider.triggers.seedance import VideoTrigger
        from seedance_provider.waiting.video_wait import backstop

        self.defer(
            trigger=VideoTrigger(
                self.video_task_id,
                self.seedance_conn_id,
                wait.started,
                wait.deadline,
                self.poll_settings.poll_interval,
                self.poll_settings.error_tolerance,
                was_seen=wait.was_seen,
                typical_seconds=list(wait.expected_seconds),
                submitted_at=wait.submitted_at,
            ),
            method_name="execute_complete",
            timeout=backstop(wait.deadline),
        )

    def _conclude(self, result: WaitResult, context: Context) -> dict[str, Any]:
        from seedance_provider.api.errors import VideoTaskFailedError
        from seedance_provider.api.task_failures import REFUNDED, failure_of
        from seedance_provider.api.video_task import TaskStatus
        from seedance_provider.reporting.progress import report_failure
        from seedance_provider.waiting.result import Outcome

        task = result.task if result.outcome is Outcome.FINISHED else None
        if task is not None and task.status is TaskStatus.SUCCESS:
            self.log.info("Video task %s succeeded: %s", task.video_task_id, task.video_url)
            return task.summary()
        error = result.error if task is None else failure_of(task)
        can_end_well = result.outcome in (Outcome.TIMED_OUT, Outcome.UNREACHABLE)
        continues = f"Video task {self.video_task_id} itself continues."
        match result.outcome:
            case Outcome.FINISHED if isinstance(error, VideoTaskFailedError):
                verdict = "is safe and can help" if error.retryable else "can't help"
                story = (error.happened, REFUNDED, f"{error.advice} Submitting it again {verdict}.".lstrip())
            case Outcome.REFUSED:
                story = (
                    result.message,
                    continues,
                    f"{result.advice} Fix the connection, then clear the sensor.".lstrip(),
                )
            case _:
                advice = "Clear the sensor, and it continues to wait." if can_end_well else result.advice
                story = (result.message, continues if can_end_well else "Polling costs nothing.", advice)
        report_failure(
            context,
            self.log,
            story,
            error,
            reason=str(result.outcome),
            video_task_id=self.video_task_id,
            retryable=can_end_well,
        )
        match result.outcome:
            case Outcome.TIMED_OUT:
                raise AirflowSensorTimeout(story[0])
            case Outcome.UNREACHABLE:
                raise AirflowException(story[0]) from error
            case _:
                raise AirflowFailException(story[0]) from error
