"""From the vendor into your own storage."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import AirflowFailException, BaseOperator

from seedance_provider.hooks import DEFAULT_CONN_ID
from seedance_provider.links.seedance import StoredVideoLink, VideoLink

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.providers.openlineage.extractors import OperatorLineage
    from airflow.sdk import Context, ObjectStoragePath

    from seedance_provider.landing.landed_video import LandedVideo

__all__ = ["VideoToObjectStorageOperator"]


class VideoToObjectStorageOperator(BaseOperator):
    """
    Bring a finished video into object storage, and return its URI.

    Cost and retries: it never costs credits, and may be retried and cleared as often as you like. A video that has
    landed is not fetched again, also when the vendor has deleted it since, and nobody ever sees half of one under the
    final name. Interrupted downloads resume. The vendor keeps videos for 14 days.

    Returns where the video is, with the connection, for ``ObjectStoragePath``. The key ``landed`` has more: ``uri``
    (without the connection), ``size`` (bytes), ``media_type``, ``width``, ``height``, ``seconds``,
    ``last_frame_uri``, ``sidecar_uri``, ``was_there``, ``video_task_id``, ``model``, ``prompt``,
    ``seed`` and ``credits_used``, as far as they are known, and ``mismatches``: how the file differs from what was
    asked for in shape, resolution and length, as a list of texts. Such a video is paid for, so it lands. Every
    ``outlets`` asset gets an event whose ``extra`` has the most important of these; an ``AssetAlias`` gets the asset of
    the video's URI, percent-encoded.

    :param video: what :class:`~seedance_provider.operators.seedance.CreateVideoOperator` or
        :class:`~seedance_provider.sensors.seedance.VideoSensor` returned (``create.output``), or a URL. Templated.
    :param destination: where to, as any URL that Airflow's ``ObjectStoragePath`` knows: ``file:///videos/a.mp4``,
        ``s3://bucket/a.mp4``. ``{video_task_id}``, ``{model}`` and ``{year}``, ``{month}``, ``{day}``,
        ``{hour}`` (in UTC, when the video was completed) are filled in; one that ends with ``/`` is a folder for
        ``{video_task_id}.mp4``, or ``.mov`` if that is what the video is. An ``ObjectStoragePath`` or a
        ``pathlib.Path`` is taken like its text. Other names in braces and relative paths are an error. Templated.
    :param destination_conn_id: the Airflow connection of the storage. Default: that of the URL, or none. Templated.
    :param overwrite: whether to replace another object of that name. By default that is an error.
    :param sidecar: whether to write ``{name}.json`` beside the video, with prompt, inputs, model, seed, credits, times
        and what the file is. Default: no.
    :param last_frame: whether the video's last picture lands, too, as ``{name}-last-frame.png`` (or ``.jpg``). An error
        if the API has sent none. Default: no.
    :param max_bytes: a larger video is an error. Default 8 GiB.
    :param timeout: seconds, or a ``timedelta``, for one download at most. Default one hour.
    :param seedance_conn_id: the Airflow connection of the API, which is asked once for another address if that of the
        video is refused. Its key is never sent to where the video is. A video on a private address is fetched only if
        the API is on such a one, too. Default ``seedance_default``; may be missing. Templated.
    """

    template_fields: Sequence[str] = ("video", "destination", "destination_conn_id", "seedance_conn_id")
    template_fields_renderers: ClassVar[dict[str, str]] = {"video": "json"}
    operator_extra_links = (StoredVideoLink(), VideoLink())
    ui_color = "#e8e4fb"

    def __init__(
        self,
        *,
        video: Mapping[str, Any] | str,
        destination: str | ObjectStoragePath | os.PathLike[str],
        destination_conn_id: str | None = None,
        overwrite: bool = False,
        sidecar: bool = False,
        last_frame: bool = False,
        max_bytes: int = 8 * 1024**3,
        timeout: float | timedelta = 3600,
        seedance_conn_id: str = DEFAULT_CONN_ID,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.video = video
        if isinstance(destination, os.PathLike):
            # Airflow renders no path object, and 3.1 even looks for such a file.
            destination = os.fspath(destination)
        if isinstance(destination, str):
            _check_destination(destination)
        self.destination = destination
        self.destination_conn_id = destination_conn_id
        self.overwrite = overwrite
        self.sidecar = sidecar
        self.last_frame = last_frame
        if max_bytes <= 0:
            raise ValueError(f"max_bytes is {max_bytes!r}, and a number of bytes above 0 is needed.")
        self.max_bytes = max_bytes
        self.timeout = timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
        if self.timeout <= 0:
            raise ValueError(f"timeout is {timeout!r}, and a number of seconds above 0 is needed.")
        self.seedance_conn_id = seedance_conn_id
        self._landed: LandedVideo | None = None

    def execute(self, context: Context) -> str:
        """Land the video."""
        from seedance_provider.reporting.lineage import announce
        from seedance_provider.transfers.video_landing import VideoLanding

        self._landed = landed = VideoLanding(self, context).run()
        context["ti"].xcom_push(key="landed", value=landed.summary())
        announce(landed, self, context)
        return landed.path

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any] | None:  # noqa: ARG002
        """Return what OpenLineage tells of the landing. Called by Airflow's OpenLineage provider, if that is there."""
        if self._landed is None:
            return None
        from seedance_provider.reporting.openlineage_facets import lineage_of

        return lineage_of(self._landed)


def _check_destination(destination: str) -> None:
    """Refuse what can't be right when the DAG is read, before a video is paid for. A template is checked later."""
    if any(mark in destination for mark in ("{{", "{%", "{#")):
        return
    from seedance_provider.landing.errors import InvalidDestinationError
    from seedance_provider.landing.names import check_destination

    try:
        check_destination(destination)
    except InvalidDestinationError as error:
        # A mapped task is made in the worker, where this ends it without retries.
        raise AirflowFailException(str(error)) from error
