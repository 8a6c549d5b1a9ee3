"""The video files: rendered when somebody first asks for one, once, outside the event loop."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from seedance_provider.emulator.video import render

if TYPE_CHECKING:
    from pathlib import Path

    from seedance_provider.emulator.jobs import Job

__all__ = ["MediaFolder"]


class MediaFolder:
    """
    Where the files are.

    :param folder: made if it isn't there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._threads = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="render")
        self._rendering: dict[str, asyncio.Future[None]] = {}

    def close(self) -> None:
        """Finish what is being rendered, and render nothing more."""
        self._threads.shutdown(cancel_futures=True)

    async def file(self, job: Job) -> Path:
        """
        Return the path of a video, after rendering it if nobody asked for it before.

        :param job: one that succeeded.
        """
        path = self._folder / f"{job.task_id}.mp4"
        if not path.exists():
            # Shielded: a client that hangs up must not take the file from the others that wait for it.
            await asyncio.shield(self._render(job, path))
        return path

    def _render(self, job: Job, path: Path) -> asyncio.Future[None]:
        running = self._rendering.get(job.task_id)
        if running is None:
            loop = asyncio.get_running_loop()
            running = loop.run_in_executor(self._threads, render, job.order, job.task_id, path)
            self._rendering[job.task_id] = running
            running.add_done_callback(lambda _: self._rendering.pop(job.task_id))
        return running
