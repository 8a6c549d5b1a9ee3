"""Creating videos."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import BaseOperator

from seedance_provider.api import DEFAULT_MODEL
from seedance_provider.hooks import DEFAULT_CONN_ID
from seedance_provider.links.seedance import VideoLink, VideoTaskLink
from seedance_provider.reporting.kill_notice import KillNotice, wait_is_over
from seedance_provider.submission.options import OnRerun, OnUnknownSubmission
from seedance_provider.triggers.deferral import default_deferrable
from seedance_provider.waiting.poll_settings import DEFAULT_POLL_INTERVAL, ERROR_TOLERANCE, PollSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airflow.sdk import Context, ObjectStoragePath

    from seedance_provider.api.video_request import VideoRequest
    from seedance_provider.operators.video_creation import VideoCreation
    from seedance_provider.submission.reference_files import ReferenceFiles

__all__ = ["CreateVideoOperator"]

#: What Airflow calls in place of a method when a deferral has failed or timed out.
_FAILED_DEFERRAL = "__fail__"


class CreateVideoOperator(BaseOperator):
    """
    Create a video with the Seedance API and wait for it.

    Cost and retries: a submission costs credits (200, about $1.00, for 5 seconds at 1280x720) and is sent once.
    On Airflow 3.3 and newer every try of a task instance shares one durable record, so a retry, whatever died
    before it, re-attaches to the video task that is already paid for. Only a video task that failed for a transient
    reason (the vendor refunds it) is submitted again. Moderation, bad input, a bad key or missing credits end the
    task at once, without retries. Reaching the API's concurrency limit costs nothing, not even a retry: the task
    waits until a slot is free.

    Returns a small dict, which the next tasks get as XCom: ``video_task_id``, ``model``, ``status``,
    ``video_url``, ``width``, ``height``, ``media_type``, ``last_frame_url``, ``seed``, ``credits_used``,
    ``estimated_credits``, ``created_at``, ``completed_at`` (ISO 8601), ``generation_seconds``, ``prompt`` and
    ``inputs`` (the others), as they were submitted, and ``mismatches``: how the video differs from that, as a list of
    texts. A video with mismatches is paid for, so it is a result, with a warning in the log. The id alone is pushed
    under the key ``video_task_id`` as soon as it is known, ``video_url`` and ``last_frame_url`` at the end, so that
    ``create.output["last_frame_url"]`` is what the next video can start from. When a video fails, ``failure`` holds
    ``reason``, ``message`` (the API's), ``advice``, ``retryable`` and ``video_task_id``, for a branch after the failed
    task.

    All parameters of the request are templated.

    :param prompt: what the video shows, in any language; up to 10,000 characters, 30,000 for Seedance 2.5. May be
        ``None`` with frames or references. ``@image1``, ``@video1``, ``@audio1`` name references by position;
        ``@@video1`` is sent as ``@video1`` and names none.
    :param model: ``seedance-20`` (default), ``seedance2-fast``, ``seedance2.0-mini``, ``seedance2-5``, or, for an
        existing video, ``seedance2-5-extend`` and ``seedance2-5-edit``. A name that this release does not know is
        refused with the nearest ones.
    :param duration: length in seconds, 4 to 15, or 30 for Seedance 2.5. Default 5. ``seedance2-5-edit`` takes none:
        its video is as long as the one that it changes.
    :param resolution: in pixels (``1280x720``, ``720x1280``, ``720x720``, ``960x720``, ``720x960``) or by name
        (``480p``, ``720p``, ``1080p``, ``4k``, as far as the model offers it). It sets the price. Default
        ``1280x720``, or ``720p`` in the shape of the references, if there are any.
    :param aspect_ratio: ``16:9``, ``9:16``, ``1:1``, ``4:3``, ``3:4`` or ``21:9``.
    :param first_frame: the image that opens the video (image to video): its public URL, or a file, as an absolute
        path, a URL of any storage that Airflow knows (``s3://aws_default@bucket/a.png``) or an ``ObjectStoragePath``.
        A file is uploaded, which costs nothing, right before the video is paid for, and at most once in 24 hours.
        What counts is its content: a retry finds its video, also if the file is gone meanwhile, and a changed file
        makes a new video.
    :param last_frame: the image that closes it, given in the same ways; needs a first frame.
    :param reference_images: up to 9 images (30 for Seedance 2.5), each a URL or a file, that guide style and subject;
        not together with frames.
    :param reference_videos: up to 3 videos (10), 15 s (30 s) in total, URLs or files, that guide motion and style.
        They raise the price. ``seedance2-5-extend`` continues, and ``seedance2-5-edit`` changes the first of them.
    :param reference_audios: up to 3 sounds (10), 15 s (30 s) in total, URLs or files; never alone.
    :param reference_video_seconds: how long the reference videos are together, if known. It is not sent: Seedance 2.5
        charges for these seconds, too, and without it the estimate is for the longest possible ones. Default: read
        from the files, if all are files.
    :param generate_audio: whether the video has sound. Default: the API's, which is yes in its newest generation.
    :param bitrate_mode: ``high`` for a file of about twice the size. Default: the API's.
    :param seed: 0 to 4,294,967,295, or -1 for a random one, which is the default. The API does not promise the same
        video for the same seed.
    :param output_format: ``mp4`` (default) or, for Seedance 2.5, ``mov``.
    :param callback_url: where the API posts the result once, unsigned, for systems outside of Airflow. This operator
        does not need it, and a changed one makes no new video.
    :param extra_inputs: further fields of the API's ``inputs``, merged last and sent as they are. The API ignores
        fields that it does not know, so what looks like a misspelt one is refused.
    :param allow_unknown_model: send a model name that this release does not know, without checks and estimate.
    :param max_credits: refuse, before anything is submitted, a video that would cost more credits than this, or whose
        price is not known. The connection may have such a limit, too; both hold. Default: no limit.
    :param max_credits_per_run: refuse a video with which all videos of this DAG run would cost more. It holds over
        mapped tasks that ask at the same moment. Put it into ``default_args``, because it counts the videos of tasks
        that have it. It does not see videos of other runs, and for a moment not that of a task whose next try is just
        beginning. Default: no limit.
    :param seedance_conn_id: the Airflow connection with the key. Default ``seedance_default``.
    :param wait_for_completion: ``False`` ends the task when the video is submitted; use
        :class:`~seedance_provider.sensors.seedance.VideoSensor` to wait.
    :param deferrable: wait in the triggerer, or, if ``False``, in the worker. Default: the environment variable
        ``AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE`` if it is set, else ``True``.
    :param timeout: seconds, or a ``timedelta``, for which one try waits, for a slot and for the video together.
        Then it fails, the video task continues, and the next try re-attaches. ``execution_timeout`` shortens it.
        Default one hour; the vendor advises at least 10 minutes.
    :param poll_interval: seconds between two polls of the video task. Default 5. The first poll comes at 0.8 x the
        time that the fastest of such videos take (``typical_seconds`` of the connection, or what the vendor says);
        after 3 x the time of the slowest the interval grows to a minute.
    :param error_tolerance: how long, in seconds, to tolerate an API that fails: before the video is submitted (only
        while the API has certainly not accepted the request), and while it is polled. A deferred task waits in the
        triggerer meanwhile, and no retry is used up. ``timeout`` bounds it. Default 1800.
    :param on_rerun: what a cleared task does that already has its video: ``reuse`` (default) returns the same
        video, ``regenerate`` pays for a new one. A video that is still being made, or whose result Airflow never
        got, is used in both.
    :param on_unknown_submission: what happens if it is unknown whether a request was accepted, because the worker
        died or the answer was lost: ``fail`` (default) asks a person, ``resubmit`` risks paying twice.
    """

    template_fields: Sequence[str] = (
        "prompt",
        "model",
        "duration",
        "resolution",
        "aspect_ratio",
        "first_frame",
        "last_frame",
        "reference_images",
        "reference_videos",
        "reference_audios",
        "reference_video_seconds",
        "generate_audio",
        "bitrate_mode",
        "seed",
        "output_format",
        "callback_url",
        "extra_inputs",
        "seedance_conn_id",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"extra_inputs": "json"}
    operator_extra_links = (VideoLink(), VideoTaskLink())
    ui_color = "#e8e4fb"
    #: By this the videos of a run are found that count for ``max_credits_per_run``.
    makes_videos: ClassVar[bool] = True

    def __init__(
        self,
        *,
        prompt: str | None = None,
        model: str = DEFAULT_MODEL,
        duration: int | str | None = None,
        resolution: str | None = None,
        aspect_ratio: str | None = None,
        first_frame: str | ObjectStoragePath | None = None,
        last_frame: str | ObjectStoragePath | None = None,
        reference_images: Iterable[str | ObjectStoragePath] | None = None,
        reference_videos: Iterable[str | ObjectStoragePath] | None = None,
        reference_audios: Iterable[str | ObjectStoragePath] | None = None,
        reference_video_seconds: float | str | None = None,
        generate_audio: bool | str | None = None,
        bitrate_mode: str | None = None,
        seed: int | str | None = None,
        output_format: str | None = None,
        callback_url: str | None = None,
        extra_inputs: Mapping[str, Any] | None = None,
        allow_unknown_model: bool = False,
        max_credits: float | None = None,
        max_credits_per_run: float | None = None,
        seedance_conn_id: str = DEFAULT_CONN_ID,
        wait_for_completion: bool = True,
        deferrable: bool = default_deferrable(),
        timeout: float | timedelta = 3600,
        poll_interval: float = DEFAULT_POLL_INTERVAL,
        error_tolerance: float = ERROR_TOLERANCE,
        on_rerun: str = OnRerun.REUSE,
        on_unknown_submission: str = OnUnknownSubmission.FAIL,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.prompt = prompt
        self.model = model
        self.duration = duration
        self.resolution = resolution
        self.aspect_ratio = aspect_ratio
        self.first_frame = first_frame
        self.last_frame = last_frame
        self.reference_images = reference_images
        self.reference_videos = reference_videos
        self.reference_audios = reference_audios
        self.reference_video_seconds = reference_video_seconds
        self.generate_audio = generate_audio
        self.bitrate_mode = bitrate_mode
        self.seed = seed
        self.output_format = output_format
        self.callback_url = callback_url
        self.extra_inputs = extra_inputs
        self.allow_unknown_model = allow_unknown_model
        self.max_credits = _amount("max_credits", max_credits)
        self.max_credits_per_run = _amount("max_credits_per_run", max_credits_per_run)
        self.seedance_conn_id = seedance_conn_id
        self.wait_for_completion = wait_for_completion
        self.deferrable = deferrable
        self.timeout = timeout.total_seconds() if isinstance(timeout, timedelta) else _number(timeout)
        if self.timeout <= 0:
            raise ValueError(f"timeout is {timeout!r}, and a number of seconds above 0 is needed.")
        self.poll_interval = _number(poll_interval)
        self.error_tolerance = _number(error_tolerance)
        self.poll_settings = PollSettings(self.poll_interval, self.error_tolerance)
        self.on_rerun = OnRerun(on_rerun)
        self.on_unknown_submission = OnUnknownSubmission(on_unknown_submission)
        self._notice = KillNotice()

    def execute(self, context: Context) -> dict[str, Any]:
        """Submit the video, unless an earlier try did, and wait for it."""
        # Debugging with dag.test() runs every try on the same operator.
        self._notice = KillNotice()
        return self._creation(context).begin()

    def resume_after_slot(
        self, context: Context, event: dict[str, Any], started: float, deadline: float
    ) -> dict[str, Any]:
        """Resume after waiting for a slot of the account."""
        # Past the deadline a video would be paid for that this try can't wait for.
        is_free = event["free"] and time.time() < deadline
        return self._creation(context).resume_after_slot(started, deadline, is_free=is_free)

    def resume_after_outage(
        self,
        context: Context,
        event: dict[str, Any],  # noqa: ARG002
        started: float,
        deadline: float,
        since: float,
        failures: int,
    ) -> dict[str, Any]:
        """Resume after waiting for an API that did not answer. It is asked again, whatever ended the wait."""
        return self._creation(context).resume_after_outage(started, deadline, since, failures)

    def execute_complete(
        self, context: Context, event: dict[str, Any], asked: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Resume after waiting for the video."""
        from seedance_provider.waiting.result import WaitResult

        self._notice.message = wait_is_over(recorded=context.get("task_state_store") is not None)
        return self._creation(context).conclude(WaitResult.from_event(event), asked)

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Resume after a deferral. Airflow calls this, also when the deferral has failed or timed out."""
        try:
            return super().resume_execution(next_method, next_kwargs, context)
        except Exception as error:
            if next_method != _FAILED_DEFERRAL:
                raise
            self._creation(context).fail_after_deferral(error)

    def on_kill(self) -> None:
        """Say what becomes of the video, which the API has no way to cancel, and submit nothing any more."""
        self._notice.termination_requested = True
        self.log.warning(self._notice.message)

    def video_request(self, context: Context, files: ReferenceFiles) -> VideoRequest:  # noqa: ARG002
        """
        Return what to make. Called before anything is paid for, and again after each wait for a slot or for the API.

        :param context: of the task.
        :param files: describes the files among the inputs.
        :raises InvalidRequestError: if no such video can be made.
        """
        from seedance_provider.api.coercion import listed
        from seedance_provider.api.video_request import VideoRequest

        # A generator can be read once, and this method may be called again.
        self.reference_images = listed(self.reference_images)
        self.reference_videos = listed(self.reference_videos)
        self.reference_audios = listed(self.reference_audios)
        media = files.described(
            first_frame=self.first_frame,
            last_frame=self.last_frame,
            reference_images=self.reference_images,
            reference_videos=self.reference_videos,
            reference_audios=self.reference_audios,
        )
        return VideoRequest(
            prompt=self.prompt,
            model=self.model,
            duration=self.duration,  # type: ignore[arg-type]  # it reads what a template has rendered
            resolution=self.resolution,
            aspect_ratio=self.aspect_ratio,
            first_frame=media["first_frame"],
            last_frame=media["last_frame"],
            reference_images=media["reference_images"],
            reference_videos=media["reference_videos"],
            reference_audios=media["reference_audios"],
            reference_video_seconds=self.reference_video_seconds,  # type: ignore[arg-type]
            generate_audio=self.generate_audio,  # type: ignore[arg-type]
            bitrate_mode=self.bitrate_mode,
            seed=self.seed,  # type: ignore[arg-type]
            output_format=self.output_format,
            callback_url=self.callback_url,
            extra_inputs=self.extra_inputs,  # type: ignore[arg-type]
            allow_unknown_model=self.allow_unknown_model,
        )

    def _creation(self, context: Context) -> VideoCreation:
        from seedance_provider.operators.video_creation import CreationOptions, VideoCreation
        from seedance_provider.waiting.video_wait import effective_timeout

        options = CreationOptions(
            seedance_conn_id=self.seedance_conn_id,
            model=self.model,
            wait_for_completion=self.wait_for_completion,
            deferrable=self.deferrable,
            timeout=effective_timeout(self.timeout, self.execution_timeout),
            poll=self.poll_settings,
            on_rerun=self.on_rerun,
            on_unknown=self.on_unknown_submission,
            max_credits=self.max_credits,
            max_credits_per_run=self.max_credits_per_run,
            push_result=self.do_xcom_push,
        )
        return VideoCreation(
            options,
            context,
            request=lambda files: self.video_request(context, files),
            defer=self.defer,
            log=self.log,
            notice=self._notice,
        )


def _amount(name: str, amount: Any) -> float | None:
    if amount is None:
        return None
    from seedance_provider.api.pricing import is_amount

    read: float = _number(amount)
    if not is_amount(read):
        raise ValueError(f"{name} is {amount!r}, and a number of credits is needed.")
    return read


def _number(value: Any) -> Any:
    """Read a number of a database or of numpy. Usually it is one of Python's, and a DAG file imports nothing more."""
    if isinstance(value, int | float | str):
        return value
    from seedance_provider.api.coercion import number

    return number(value)
