"""The API itself, without HTTP: what a request says comes in as plain values, and what to answer goes out."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from seedance_provider.emulator.auth import Account, account_name, account_of_key, accounts, authenticate
from seedance_provider.emulator.generations import GENERATIONS
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
    from seedance_provider.emulator.uploads import UploadedFile

__all__ = ["Clock", "Service"]

#: For how long the vendor says that the link to the last frame of a Seedance 2.5 video is good.
_LAST_FRAME_MS = 24 * 3600 * 1000
_UPLOAD_URL = re.compile(r"/(uploads/[0-9a-f]{32}/.+)$")
_MEDIA_URL = re.compile(r"/media/(\w+)\.(?:mp4|mov)$")
#: What the purposes of references need, and how a video fails that does not get it.
_KINDS = {"First frame": "image", "Last frame": "image", "Image": "image", "Video": "video", "Sound": "audio"}
_USELESS = {
    **dict.fromkeys(("First frame", "Last frame", "Image"), "reference_image_review"),
    "Video": "reference_download_newer",
    "Sound": "reference_audio_review",
}

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

    def create_task(self, authorization: str | None, content_type: str, body: bytes) -> Job:
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
        order = read_order(read_body(content_type, body), GENERATIONS[self._settings.generation], self._seconds_of)
        return self._accept(self._doomed_by_uploads(order), account)

    def check_key(self, authorization: str | None) -> None:
        """
        Let nobody pass who has no good key.

        :param authorization: the header's value, ``None`` if there is none.
        :raises RefusedError: 401 or 403.
        """
        authenticate(authorization, self._settings, self._store.rotated_keys())

    def record_info(self, authorization: str | None, task_id: str | None, root_url: str) -> dict[str, Any]:
        """
        Return the record of a task.

        :param authorization: the header's value, ``None`` if there is none.
        :param task_id: the query parameter, ``None`` if there is none.
        :param root_url: where the client reached the emulator.
        :raises RefusedError: if there is no such task, or if it is somebody else's.
        """
        account = authenticate(authorization, self._settings, self._store.rotated_keys())
        return self.record(self._find(task_id, account), root_url)

    def record(self, job: Job, root_url: str) -> dict[str, Any]:
        """Return what the API says of a job now, to an account that may see it."""
        return record(job, self.now(), root_url, self._settings)

    def finished_video(self, task_id: str) -> Job | None:
        """Return the job whose video can be fetched under an id; media need no key."""
        job = SAMPLES.get(task_id) or self._store.get(task_id)
        return job if job is not None and job.status(self.now()) == "success" else None

    def last_frame(self, task_id: str) -> Job | None:
        """Return the job whose last frame can be fetched under an id: the links of Seedance 2.5 expire."""
        job = self.finished_video(task_id)
        if job is None or job.ends_at is None or job.order.last_frame_type == "png":
            return job
        return job if self.now() < job.ends_at + _LAST_FRAME_MS else None

    def ledger(self) -> dict[str, Any]:
        """Return what was accepted and what it cost."""
        return ledger(self._store.all(), accounts(self._settings), self.now())

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
            now = self.now()
            standing = self._store.standing(account.name, order.prompt, now)
            check_standing(order, account, standing, self._settings.concurrency_limit)
            job = schedule(order, account, standing, self._settings, now)
            self._store.add(job)
        return job

    def _doomed_by_uploads(self, order: VideoOrder) -> VideoOrder:
        """A reference that was never put here, is gone, or is something else than its name says can't be used."""
        for purpose, url in order.references:
            found = self._upload_at(url)
            if _UPLOAD_URL.search(url) and (found is None or found.kind != _KINDS[purpose]):
                return replace(order, doom=order.doom or _USELESS[purpose])
        return order

    def _upload_at(self, url: str) -> UploadedFile | None:
        """Return the file that was put here and has this URL."""
        path = _UPLOAD_URL.search(url)
        found = self._store.upload(unquote(path[1])) if path else None
        return found if found is not None and found.is_there(self.now()) else None

    def _seconds_of(self, url: str) -> float | None:
        """A video that was made or put here is known; nothing is fetched."""
        if (put_here := self._upload_at(url)) is not None:
            return put_here.seconds
        made_here = _MEDIA_URL.search(url)
        job = self.finished_video(made_here[1]) if made_here else None
        return None if job is None else job.order.seconds

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

    def now(self) -> int:
        """Return Unix milliseconds."""
        return int(self._clock() * 1000)
