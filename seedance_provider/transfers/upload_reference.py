"""From object storage to the API, so that a video can refer to a file that is not public."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, BaseOperator

from seedance_provider.api.errors import InvalidRequestError, SeedanceError, Verdict
from seedance_provider.hooks import DEFAULT_CONN_ID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

__all__ = ["UploadReferenceOperator"]


class UploadReferenceOperator(BaseOperator):
    """
    Hand an image, a video or a sound to the API, and return the URL by which a video can refer to it.

    Cost and retries: it never costs credits, and may be retried and cleared as often as you like. Each time it uploads
    again, to another URL, and a video that refers to another URL is another video, which is paid for. So clear it
    together with the video only if you want a new one. The vendor deletes the file after 24 hours: the video has to be
    made by then.

    Returns ``url``, ``content_type``, ``size`` (bytes) and ``expires_at`` (ISO 8601); the URL alone is also pushed
    under the key ``url``, so that ``first_frame=upload.output["url"]`` is all that a video needs.

    :param source: the file, as any URL that Airflow's ``ObjectStoragePath`` knows (``file:///images/a.png``,
        ``s3://bucket/a.png``), or such an object. Its ending says what it is. Templated.
    :param source_conn_id: the Airflow connection of the storage. Default: that of the URL, or none. Templated.
    :param seedance_conn_id: the Airflow connection of the account. Default ``seedance_default``. Templated.
    """

    template_fields: Sequence[str] = ("source", "source_conn_id", "seedance_conn_id")
    ui_color = "#e8e4fb"

    def __init__(
        self,
        *,
        source: Any,
        source_conn_id: str | None = None,
        seedance_conn_id: str = DEFAULT_CONN_ID,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.source = source
        self.source_conn_id = source_conn_id
        self.seedance_conn_id = seedance_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Upload the file."""
        from seedance_provider.hooks.seedance import SeedanceHook

        try:
            upload = SeedanceHook(self.seedance_conn_id).upload(self.source, self.source_conn_id)
        except InvalidRequestError as error:
            raise AirflowFailException(str(error)) from error
        except SeedanceError as error:
            said = f"{self.source} was not uploaded, and nothing was charged: {error}"
            failure = AirflowException if error.read_verdict is Verdict.TRANSIENT else AirflowFailException
            raise failure(f"{said} {error.advice}".rstrip()) from error
        self.log.info("%s (%s bytes) is at the API until %s.", self.source, f"{upload.size:,}", upload.expires_at)
        context["ti"].xcom_push(key="url", value=upload.url)
        return upload.summary()
