"""From the vendor into your own storage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException, BaseOperator

from seedance_provider.landing import DestinationTakenError, UnsafeUrlError, land

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

__all__ = ["VideoToObjectStorageOperator"]


class VideoToObjectStorageOperator(BaseOperator):
    """
    Bring a finished video into object storage, and return its URI.

    Cost and retries: it never costs credits, and may be retried and cleared as often as you like: a video that has
    landed is not fetched again, and nobody sees half a video under the final name. The vendor keeps videos for
    14 days.

    :param video: what :class:`~seedance_provider.operators.seedance.CreateVideoOperator` or
        :class:`~seedance_provider.sensors.seedance.VideoSensor` returned (``create.output``), or a URL. Templated.
    :param destination: where to, as any URL that Airflow's ``ObjectStoragePath`` knows: ``file:///videos/a.mp4``,
        ``s3://bucket/a.mp4``. ``{task_id}`` (of the video task) and ``{model}`` are filled in; one that ends with
        ``/`` is a folder for ``{task_id}.mp4``, or ``.mov`` if that is what the video is. Templated.
    :param destination_conn_id: the Airflow connection of the storage. Default: that of the URL, or none. Templated.
    :param overwrite: whether to replace another object of that name. By default that is an error.
    """

    template_fields: Sequence[str] = ("video", "destination", "destination_conn_id")
    ui_color = "#e8e4fb"

    def __init__(
        self,
        *,
        video: Mapping[str, Any] | str,
        destination: str,
        destination_conn_id: str | None = None,
        overwrite: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.video = video
        self.destination = destination
        self.destination_conn_id = destination_conn_id
        self.overwrite = overwrite

    def execute(self, context: Context) -> str:  # noqa: ARG002
        """Land the video."""
        from airflow.sdk import ObjectStoragePath

        facts = self._facts()
        destination = ObjectStoragePath(_destination(self.destination, facts), conn_id=self.destination_conn_id)
        try:
            landed = land(facts["video_url"], destination, overwrite=self.overwrite)
        except (UnsafeUrlError, DestinationTakenError) as error:
            raise AirflowFailException(str(error)) from error
        what = "was there already" if landed.was_there else "landed"
        self.log.info("%s %s (%s bytes).", landed.uri, what, f"{landed.size:,}")
        return landed.uri

    def _facts(self) -> Mapping[str, Any]:
        """What is known of the video; at least its URL."""
        facts = {"video_url": self.video} if isinstance(self.video, str) else self.video
        if not isinstance(facts, Mapping) or not isinstance(facts.get("video_url"), str):
            raise AirflowFailException(
                f"video is {self.video!r}, and a finished video is needed: what CreateVideoOperator or VideoSensor "
                "returned, or a URL. If the video was created with wait_for_completion=False, put a VideoSensor "
                "between and use its output."
            )
        return facts


def _destination(template: str, facts: Mapping[str, Any]) -> str:
    """Fill in the placeholders. Not ``str.format``: other braces in a URL stay as they are."""
    if template.endswith("/"):
        template += "{task_id}.mov" if facts.get("media_type") == "video/quicktime" else "{task_id}.mp4"
    for name in ("task_id", "model"):
        placeholder = f"{{{name}}}"
        if placeholder in template and not facts.get(name):
            raise AirflowFailException(
                f"destination is {template!r}, but the {name} is not known: give the output of CreateVideoOperator "
                f"or VideoSensor as video, or a destination without {placeholder}."
            )
        template = template.replace(placeholder, str(facts.get(name)))
    return template
