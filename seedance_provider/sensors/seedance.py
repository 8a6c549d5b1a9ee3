"""Waiting for videos that were submitted elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowSensorTimeout,
    BaseSensorOperator,
    PokeReturnValue,
)

from seedance_provider.api.errors import InvalidRequestError
from seedance_provider.api.task_failures import failure_of
from seedance_provider.api.video_task import TaskStatus, VideoTask
from seedance_provider.ending import goes_on
from seedance_provider.hooks import DEFAULT_CONN_ID
from seedance_provider.links.seedance import VideoLink
from seedance_provider.waiting import Outcome, PollAgain, PollSettings, VideoWait, WaitResult, backstop, look, patience

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from airflow.sdk import Context

__all__ = ["VideoSensor"]


class VideoSensor(BaseSensorOperator):
    """
    Wait until a video task has ended, and return the same small dict as
    :class:`~seedance_provider.operators.seedance.CreateVideoOperator`.

    Cost and retries: looking costs nothing, and a sensor never submits. A video task that failed ends the sensor
    without retries, since looking again can't change it; the message says whether submitting anew can help. A video
    that is not ready within ``timeout`` goes on being made, and clearing the sensor goes on waiting. An API that can't
    be reached is put up with for ``error_tolerance``, then the task fails and may be retried.
    With ``soft_fail=True`` a failed video task and a timeout skip the task instead.

    :param video_task_id: id of the video task, from this account. The vendor's demo key can read the sample tasks,
        such as ``demo_task_t2v_success``. Templated.
    :param seedance_conn_id: the Airflow connection with the key. Default ``seedance_default``. Templated.
    :param deferrable: wait in the triggerer (default). If ``False``, ``mode`` decides between ``poke``, which keeps
        a worker, and ``reschedule``, which starts one for every look.
    :param poke_interval: seconds, or a ``timedelta``, between two looks. Default 5, as in the vendor's quickstart;
        use 60 or more with ``reschedule``.
    :param timeout: seconds, or a ``timedelta``, until the wait is given up. Default one hour.
    :param error_tolerance: seconds for which failing looks are put up with. Default 600. In ``poke`` and
        ``reschedule`` mode ``timeout`` alone bounds them.
    """

    template_fields: Sequence[str] = ("video_task_id", "seedance_conn_id")
    operator_extra_links = (VideoLink(),)
    ui_color = "#e8e4fb"

    def __init__(
        self,
        *,
        video_task_id: str,
        seedance_conn_id: str = DEFAULT_CONN_ID,
        deferrable: bool = True,
        poke_interval: timedelta | float = 5,
        timeout: timedelta | float = 3600,
        error_tolerance: float = 600,
        **kwargs: Any,
    ) -> None:
        super().__init__(poke_interval=poke_interval, timeout=timeout, **kwargs)
        PollSettings(self.poke_interval, error_tolerance)
        self.video_task_id = video_task_id
        self.seedance_conn_id = seedance_conn_id
        self.deferrable = deferrable
        self.error_tolerance = error_tolerance

    def execute(self, context: Context) -> Any:
        """Wait, in the triggerer or as ``mode`` says."""
        if not isinstance(self.video_task_id, str) or not self.video_task_id.strip():
            raise AirflowFailException(
                f"video_task_id is {self.video_task_id!r}, and the id of a video task is needed."
            )
        if not self.deferrable:
            return super().execute(context)
        wait = self._single_look()
        looked = self._look(wait)
        if isinstance(looked, PollAgain):
            self._defer(wait.tolerates_refusal)
        # As if the trigger had fired: soft_fail and never_fail are honoured there.
        return self.resume_execution("on_video", {"event": looked.to_event()}, context)

    def poke(self, context: Context) -> PokeReturnValue:  # noqa: ARG002
        """Look once."""
        looked = self._look(self._single_look())
        if isinstance(looked, PollAgain):
            return PokeReturnValue(is_done=False)
        return PokeReturnValue(is_done=True, xcom_value=self._conclude(looked))

    def on_video(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """Resume after waiting in the triggerer."""
        return self._conclude(WaitResult.from_event(event))

    def on_kill(self) -> None:
        """Say what becomes of the video, which the API has no way to cancel."""
        self.log.warning(goes_on(self.video_task_id))

    def _single_look(self) -> VideoWait:
        # Each look stands alone, and the time is Airflow's matter, or the trigger's.
        settings = PollSettings(self.poke_interval, self.error_tolerance)
        return VideoWait(self.video_task_id, time.time(), float("inf"), settings)

    def _look(self, wait: VideoWait) -> PollAgain | WaitResult:
        from seedance_provider.hooks.seedance import SeedanceHook

        try:
            with SeedanceHook(self.seedance_conn_id).get_conn() as client:
                step = look(client, wait)
        except InvalidRequestError as error:
            raise AirflowFailException(str(error)) from error
        if isinstance(step, PollAgain):
            step.tell(self.log)
        return step

    def _defer(self, key_has_worked: bool) -> NoReturn:
        from seedance_provider.triggers.seedance import VideoTrigger

        started = time.time()
        deadline = started + patience(self.timeout, self.execution_timeout)
        self.defer(
            trigger=VideoTrigger(
                self.video_task_id,
                self.seedance_conn_id,
                started,
                deadline,
                self.poke_interval,
                self.error_tolerance,
                tolerates_refusal=key_has_worked,
            ),
            method_name="on_video",
            timeout=backstop(deadline),
        )

    def _conclude(self, result: WaitResult) -> dict[str, Any]:
        match result.outcome:
            case Outcome.FINISHED if result.task is not None:
                return self._finished(result.task)
            case Outcome.TIMED_OUT:
                raise AirflowSensorTimeout(f"{result.message}. Clear the sensor to go on waiting.")
            case Outcome.UNREACHABLE:
                raise AirflowException(f"{result.message} The video task itself goes on.") from result.error
            case Outcome.REFUSED:
                raise AirflowFailException(
                    f"{result.message} Mend the connection and clear the sensor."
                ) from result.error
            case _:
                raise AirflowFailException(result.message) from result.error

    def _finished(self, task: VideoTask) -> dict[str, Any]:
        if task.status is not TaskStatus.SUCCESS:
            failure = failure_of(task)
            verdict = "is safe and can help" if failure.retryable else "can't help"
            raise AirflowFailException(f"{failure} Submitting it again {verdict}.") from failure
        self.log.info("Video task %s succeeded: %s", task.task_id, task.video_url)
        return task.summary()
