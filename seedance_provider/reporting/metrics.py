"""
What Airflow's own metrics are told of videos: one line per event, never one per poll.

Metrics are a courtesy. Whatever goes wrong with them is logged, and changes nothing for the task or its video.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from seedance_provider.hooks import DEFAULT_CONN_ID

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seedance_provider.api.video_task import VideoTask

__all__ = ["VideoMetrics"]

_log = logging.getLogger(__name__)

#: A tag with other characters would be dropped by some back ends, and a long one by others.
_NOT_IN_A_TAG = re.compile(r"[^A-Za-z0-9_.-]")
_LONGEST_TAG = 100


@dataclass(frozen=True)
class VideoMetrics:
    """
    The metrics of the videos of one model and one connection. These are the only tags beside the reason of a failure:
    ids and prompts would make a new time series of every video.

    :param model: as it was asked for.
    :param seedance_conn_id: the connection whose account pays.
    """

    model: str = "unknown"
    seedance_conn_id: str = DEFAULT_CONN_ID

    def created(self) -> None:
        """The API has accepted a request, and taken credits for it."""
        self._count("seedance.video.created")

    def succeeded(self, task: VideoTask) -> None:
        """
        A video is there.

        :param task: the finished video task.
        """
        self._count("seedance.video.succeeded")
        if task.credits_used is not None and task.credits_used > 0:
            self._count("seedance.credits.used", task.credits_used)
        if task.generation_seconds is not None:
            self._time("seedance.video.generation_time", task.generation_seconds)

    def mismatched(self, mismatches: Iterable[str]) -> None:
        """
        A video differs from what was asked for.

        :param mismatches: how, each beginning with the name of the input and a colon.
        """
        for mismatch in mismatches:
            self._count("seedance.video.mismatched", input=mismatch.partition(":")[0])

    def failed(self, reason: str) -> None:
        """
        A video task has failed. The vendor refunds it.

        :param reason: its short name, one of :mod:`seedance_provider.api.task_failures`.
        """
        self._count("seedance.video.failed", reason=reason)

    def slot_wait_began(self) -> None:
        """The account has no free slot, and a task begins to wait for one."""
        self._count("seedance.slot.waits")

    def slot_wait_ended(self, seconds: float) -> None:
        """
        A task has its slot, or has given up.

        :param seconds: for which it has waited.
        """
        self._time("seedance.slot.wait_time", max(0.0, seconds))

    def _count(self, name: str, count: float = 1, **tags: str) -> None:
        self._tell("incr", name, count, tags)

    def _time(self, name: str, seconds: float) -> None:
        # Back ends differ in what a number means, but agree on this.
        self._tell("timing", name, timedelta(seconds=seconds), {})

    def _tell(self, kind: str, name: str, value: Any, tags: dict[str, str]) -> None:
        tags = {"model": self.model, "conn_id": self.seedance_conn_id, **tags}
        try:
            # Airflow 3.1 has it elsewhere.
            from airflow.providers.common.compat.sdk import Stats

            getattr(Stats, kind)(name, value, tags={tag: _cleaned(text) for tag, text in tags.items()})
        except Exception as error:
            _log.warning("The metric %s could not be sent, nothing else is wrong: %r", name, error)


def _cleaned(text: Any) -> str:
    return _NOT_IN_A_TAG.sub("_", str(text))[:_LONGEST_TAG]
