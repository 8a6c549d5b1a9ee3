"""
Buttons in the Airflow UI.

Airflow asks for a link whenever a process of the task ends: when it defers, when it has failed, and at the end, then on
an operator that has lost its attributes. So every link is made from what the task has pushed as XCom.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from airflow.providers.common.compat.sdk import BaseOperatorLink, XCom

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

__all__ = ["StoredVideoLink", "VideoLink", "VideoTaskLink"]


class VideoLink(BaseOperatorLink):
    """
    Opens the finished video where the vendor keeps it, which is for 14 days. Before that, and after a failure, it opens
    the card of the task on the page with the videos, which shows how far it is, or what went wrong.
    """

    name = "Video"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002
        """Return the address of the video, or of its card."""
        for key in ("return_value", "landed"):
            url = _pushed(ti_key, key).get("video_url")
            # Whatever else it is, a browser should not be told to run it.
            if isinstance(url, str) and url.startswith(("https://", "http://")):
                return url
        return _address("seedance/videos/", ti_key)


class VideoTaskLink(BaseOperatorLink):
    """
    Leads to the record of the video task at the API, as soon as there is one. The API shows it to those who send the
    key of the account, so this is an address to copy, for curl or for the vendor's support.
    """

    name = "Video task"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002
        """Return the address of the record, or nothing if nothing was submitted."""
        return str(_pushed(ti_key, "submitted").get("record_url") or "")


class StoredVideoLink(BaseOperatorLink):
    """Plays the video from where it has landed, to users who may see the XComs of the DAG."""

    name = "Stored video"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002
        """Return the address that plays it, or nothing if nothing has landed."""
        return _address("seedance/stored", ti_key) if _pushed(ti_key, "landed") else ""


def _pushed(ti_key: TaskInstanceKey, key: str) -> dict[str, Any]:
    value = XCom.get_value(ti_key=ti_key, key=key)
    return value if isinstance(value, dict) else {}


def _address(path: str, ti_key: TaskInstanceKey) -> str:
    """Of the Airflow UI, with the task instance in the query: a run id may contain what a path can't."""
    from airflow.configuration import conf

    base_url = conf.get("api", "base_url", fallback="") or "/"
    names = ("dag_id", "run_id", "task_id", "map_index")
    query = urlencode({name: getattr(ti_key, name) for name in names})
    return f"{base_url.rstrip('/')}/{path}?{query}"
