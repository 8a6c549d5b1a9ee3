"""
``callBackUrl``: the result is posted there once, without a signature, and never again, whatever the receiver answers.

The three generations of the API differ in the body: flat; in an envelope, where ``status`` is called ``state``; in an
envelope. How long the real API waits for the receiver is not documented.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import aiohttp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seedance_provider.emulator.generations import GenerationName
    from seedance_provider.emulator.jobs import Job
    from seedance_provider.emulator.store import Store

__all__ = ["Callbacks", "callback_body"]

_LOG = logging.getLogger(__name__)

_TIMEOUT = aiohttp.ClientTimeout(total=10)
_SECONDS_BETWEEN_CHECKS = 0.1


def callback_body(record: Mapping[str, Any], generation: GenerationName) -> dict[str, Any]:
    """
    Return what is posted.

    :param record: what ``recordInfo`` says of the task.
    :param generation: whose form it has.
    """
    if generation == "quickstart":
        return dict(record)
    data = dict(record)
    if generation == "docs":
        data["state"] = data.pop("status")
        data |= {"orderId": f"order_{record['taskId']}", "updateTime": record["completeTime"] or record["createTime"]}
    return {"code": 200, "message": "success", "data": data}


class Callbacks:
    """
    Posts the results of the jobs that asked for it.

    :param store: remembers what was posted, over a restart.
    :param body: makes the body for a job that has ended.
    :param now: returns Unix milliseconds.
    """

    def __init__(self, store: Store, body: Callable[[Job], dict[str, Any]], now: Callable[[], int]) -> None:
        self._store = store
        self._body = body
        self._now = now
        self._expected = {job.task_id for job in store.all() if job.order.callback_url}
        self._expected -= store.called_back()

    def expect(self, job: Job) -> None:
        """Remember a new job, if it asked to be called back."""
        if job.order.callback_url:
            self._expected.add(job.task_id)

    async def run(self) -> None:
        """Post results until cancelled."""
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as session, asyncio.TaskGroup() as posts:
            while True:
                for job in self._ended():
                    # Noted first: once means at most once here.
                    self._store.note_callback(job.task_id)
                    self._expected.discard(job.task_id)
                    posts.create_task(_post(session, job, self._body(job)))
                await asyncio.sleep(_SECONDS_BETWEEN_CHECKS)

    def _ended(self) -> list[Job]:
        now = self._now()
        jobs = [self._store.get(task_id) for task_id in self._expected]
        return [job for job in jobs if job is not None and job.has_ended(now)]


async def _post(session: aiohttp.ClientSession, job: Job, body: dict[str, Any]) -> None:
    if job.order.callback_url is None:
        return
    try:
        async with session.post(job.order.callback_url, json=body, allow_redirects=False) as response:
            _LOG.info("Called %s back about %s: HTTP %s", job.order.callback_url, job.task_id, response.status)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        _LOG.warning("Could not call %s back about %s: %s", job.order.callback_url, job.task_id, error)
