"""Buttons in the Airflow UI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import BaseOperatorLink, XCom

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

__all__ = ["VideoLink"]


class VideoLink(BaseOperatorLink):
    """Opens the finished video where the vendor keeps it, which is for 14 days. Empty until it is finished."""

    name = "Video"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002
        """Return the video's URL from the task's result. The operator's own attributes are gone on resume."""
        result = XCom.get_value(ti_key=ti_key, key="return_value")
        return (result.get("video_url") or "") if isinstance(result, dict) else ""
