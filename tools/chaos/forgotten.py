"""Tells a try that an executor has forgotten from one that it has not come to."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["is_forgotten"]

_LONGEST_QUEUED = timedelta(seconds=60)


def is_forgotten(instances: Iterable[Mapping[str, Any]], now: datetime) -> bool:
    """
    Return whether nothing runs although something has been queued for a minute.

    A worker of the LocalExecutor that is killed between taking a try and telling Airflow so leaves it queued for ever:
    Airflow 3.3 puts a try into the queue again (``[scheduler] task_queued_timeout``) only with an executor that can
    revoke it. Another scheduler adopts it.

    :param instances: the task instances of the run, as the API returns them.
    :param now: with its time zone.
    """
    instances = list(instances)
    if any(instance["state"] == "running" for instance in instances):
        return False
    queued = (datetime.fromisoformat(i["queued_when"]) for i in instances if i["state"] == "queued")
    return any(now - since > _LONGEST_QUEUED for since in queued)
