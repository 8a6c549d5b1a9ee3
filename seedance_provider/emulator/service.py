"""The API itself, without HTTP: what a request says comes in as plain values, and what to answer goes out."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from seedance_provider.emulator.auth import Account, account_name, account_of_key, accounts, authenticate
from seedance_provider.emulator.inputs import read_body, read_order
from seedance_provider.emulator.jobs import Job, check_standing, is_task_id, schedule
from seedance_provider.emulator.ledger import ledger
from seedance_provider.emulator.records import record
from seedance_provider.emulator.refusals import RefusedError
from seedance_provider.emulator.samples import SAMPLES

if TYPE_CHECKING:
    from seedance_provider.emulator.order import VideoOrder
    from seedance_provider.emulator.settings import Settings
    from seedance_provider.emulator.store import Store

__all__ = ["Clock", "Service"]

#: Returns Unix seconds.
Clock = Callable[[], float]


class Service:
    """
    Answers requests.

    :param settings: how the emulator behaves.
    :param store: where the jobs are.
    :param clock: tells the time; tests bring their own.
    """

    def __init__(self, settings: Settings, store: Store, clock: Clock = time.time) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock

    def create_task(self, authorization: str | None, content_type: str, body: bytes) -> dict[str, Any]:
        """
        Accept one video, or refuse it without charging anything.

        :param authorization: the header's value, ``None`` if there is none.
        :param content_type: media type of the request.
        :param body: as it was sent.
        :raises RefusedError: whatever is wrong first.
        """
        # The order of the checks is not documented. This is it: key, API access, body, model, inputs, credits,
        # free slots. The last two are checked in the transaction that stores the job.
        account = authenticate(authorization, self._settings, self._store.rotated_keys())
        model, inputs = read_body(content_type, body)
        order = read_order(model, inputs)
        return {"taskId": self._accept(order, account).task_id}

    def record_info(self, authorization: str | None, task_id: str | None, root_url: str) -> dict[str, Any]:
        """
        Return the record of a task.

        :param authorization: the header's value, ``None`` if there is none.
        :param task_id: the query parameter, ``None`` if there is none.
        :param root_url: where the client reached the emulator.
        :raises RefusedError: if there is no such task, or if it is somebody else's.
        """
        account = authenticate(authorization, self._settings, self._store.rotated_keys())
        job = self._find(task_id, account)
        return record(job, self._now(), root_url, self._settings)

    def finished_video(self, task_id: str) -> Job | None:
        """Return the job whose video can be fetched under an id; media need no key."""
        job = SAMPLES.get(task_id) or self._store.get(task_id)
        return job if job is not None and job.status(self._now()) == "success" else None

    def ledger(self) -> dict[str, Any]:
        """Return what was accepted and what it cost."""
        return ledger(self._store.all(), accounts(self._settings), self._now())

    def rotate_key(self, old: str, new: str) -> None:
        """
        Replace the key of an account, which keeps its tasks and its credits.

        :param old: a good key; refused from now on.
        :param new: good from now on.
        :raises RefusedError: if the old key isn't good, or the new one is in use.
        """
        account = account_of_key(old, self._settings, self._store.rotated_keys())
        if self._is_in_use(new):
            raise RefusedError(400, "The new key is in use")
        self._store.rotate_key(account_name(old), account_name(new), account.name)

    def _is_in_use(self, key: str) -> bool:
        try:
            account_of_key(key, self._settings, self._store.rotated_keys())
        except RefusedError as refusal:
            return refusal.status != 401
        return True

    def _accept(self, order: VideoOrder, account: Account) -> Job:
        with self._store.transaction():
            now = self._now()
            standing = self._store.standing(account.name, order.prompt, now)
            check_standing(order, account, standing, self._settings.concurrency_limit)
            job = schedule(order, account, standing, self._settings, now)
            self._store.add(job)
        return job

    def _find(self, task_id: str | None, account: Account) -> Job:
        if not task_id:
            raise RefusedError(400, "Missing taskId parameter")
        if not is_task_id(task_id):
            raise RefusedError(400, "Invalid taskId")
        # Documented for the demo key only. Every good key may read the samples here, so that a connection can be
        # tested for free with it.
        if task_id in SAMPLES:
            return SAMPLES[task_id]
        job = self._store.get(task_id)
        if job is None or self._store.is_hidden(task_id):
            raise RefusedError(404, "Task not found")
        if job.account != account.name:
            raise RefusedError(403, "Access denied")
        return job

    def _now(self) -> int:
        return int(self._clock() * 1000)
