"""``@task.seedance_video``: a function says what to show, and the task makes the video."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import (
    DecoratedOperator,
    context_merge,
    determine_kwargs,
    task_decorator_factory,
)

from seedance_provider.operators.seedance import CreateVideoOperator

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from airflow.providers.common.compat.sdk import Context, TaskDecorator

    from seedance_provider.api.video_request import VideoRequest
    from seedance_provider.decorators.returned_inputs import ReturnedInputs
    from seedance_provider.submission.reference_files import ReferenceFiles

__all__ = ["seedance_video_task"]


class _SeedanceVideoDecoratedOperator(DecoratedOperator, CreateVideoOperator):
    """
    Make the video that a function describes.

    Cost and retries are those of :class:`~seedance_provider.operators.seedance.CreateVideoOperator`. What the function
    has returned is kept beside the record of the submission: an automatic retry uses it again and does not call the
    function, because another prompt would be another video and cost again. A person's clear calls it, unless there is
    a video whose result Airflow never got, which is rescued first.
    """

    template_fields: Sequence[str] = (*DecoratedOperator.template_fields, *CreateVideoOperator.template_fields)
    template_fields_renderers: ClassVar[dict[str, str]] = {
        **DecoratedOperator.template_fields_renderers,
        **CreateVideoOperator.template_fields_renderers,
    }
    custom_operator_name = "@task.seedance_video"
    #: Shows in the UI what the function has returned.
    overwrite_rtif_after_execution = True

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        op_args: Collection[Any] | None = None,
        op_kwargs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if inspect.iscoroutinefunction(python_callable):
            raise ValueError(f"{python_callable.__name__} is async, and @task.seedance_video needs a plain function.")
        super().__init__(python_callable=python_callable, op_args=op_args, op_kwargs=op_kwargs, **kwargs)

    def execute_complete(
        self, context: Context, event: dict[str, Any], asked: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Resume after waiting for the video."""
        self._show_inputs(context)
        return super().execute_complete(context, event, asked)

    def _show_inputs(self, context: Context) -> None:
        """Only for people to see. There is a video already, so nothing may fail, and the function is not called."""
        from seedance_provider.submission.task_state import SubmissionRecordError, SubmissionStoreError

        try:
            self._set(_returned_inputs(context).kept())
        except (SubmissionRecordError, SubmissionStoreError) as error:
            self.log.warning("%s So the rendered fields don't show what the function returned.", error)

    def video_request(self, context: Context, files: ReferenceFiles) -> VideoRequest:
        """Return what the function describes: it is called, unless an earlier try has done so."""
        is_rescue = _has_undelivered_video(context)
        inputs, kept = _returned_inputs(context).get(lambda: self._call(context), is_rescue=is_rescue)
        self._set(inputs)
        origin = "An earlier try of this task got from the function" if kept else "The function returned"
        self.log.info("%s: %s", origin, inputs)
        return super().video_request(context, files)

    def _set(self, inputs: Mapping[str, Any]) -> None:
        for name, value in inputs.items():
            setattr(self, name, value)

    def _call(self, context: Context) -> Any:
        context_merge(context, self.op_kwargs)
        kwargs = determine_kwargs(self.python_callable, self.op_args, context)
        return self.python_callable(*self.op_args, **kwargs)


def _returned_inputs(context: Context) -> ReturnedInputs:
    from seedance_provider.decorators.returned_inputs import ReturnedInputs

    return ReturnedInputs(context.get("task_state_store"), context["ti"].max_tries)


def _has_undelivered_video(context: Context) -> bool:
    from seedance_provider.submission.record import SubmissionState
    from seedance_provider.submission.store import SubmissionStore
    from seedance_provider.submission.task_state import SubmissionRecordError

    try:
        record = SubmissionStore(context.get("task_state_store")).load()
    except SubmissionRecordError:
        # Nothing will be submitted at all; the operator says why.
        return True
    return record is not None and record.state is not SubmissionState.ABANDONED and not record.delivered


def seedance_video_task(python_callable: Callable[..., Any] | None = None, **kwargs: Any) -> TaskDecorator:
    """
    Turn a function into a task that makes the video which it describes. Use it as ``@task.seedance_video``.

    The function returns a prompt, or a dict of any of the parameters of
    :class:`~seedance_provider.operators.seedance.CreateVideoOperator` that describe the video (``prompt``, ``model``,
    ``duration``, ``first_frame``, ...); the decorator takes all its parameters as well, and what the function returns
    wins. What it returns is not rendered as a template. Cost, retries, deferring, mapping and the result are those of
    the operator. On automatic retries the function is not called again, so that it may return something else each time
    without paying for another video; when a person clears the task, it is, unless a video that is paid for has not
    been delivered yet.

    :param python_callable: the function.
    :param kwargs: parameters of the operator.
    """
    # Airflow would infer multiple_outputs from a function that returns a dict; but that is not what the task returns.
    kwargs = {"multiple_outputs": False} | kwargs
    return task_decorator_factory(
        python_callable=python_callable, decorated_operator_class=_SeedanceVideoDecoratedOperator, **kwargs
    )
