"""The video files: rendered when somebody first asks for one, once, outside the event loop."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from seedance_provider.emulator.video import render, render_last_frame

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from seedance_provider.emulator.jobs import Job
    from seedance_provider.emulator.order import VideoOrder

    _Writer = Callable[[VideoOrder, str, Path], None]

__all__ = ["MediaFolder"]


class MediaFolder:
    """
    Where the files are.

    :param folder: made if it isn't there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._threads = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="render")
        self._rendering: dict[Path, asyncio.Future[None]] = {}

    @property
    def folder(self) -> Path:
        """Where the files are."""
        return self._folder

    def close(self) -> None:
        """Finish what is being rendered, and render nothing more."""
        self._threads.shutdown(cancel_futures=True)

    async def video(self, job: Job) -> Path:
        """
        Return the path of a video, after rendering it if nobody asked for it before.

        :param job: one that succeeded.
        """
        return await self._file(f"{job.task_id}.{job.order.container}", render, job)

    async def last_frame(self, job: Job) -> Path:
        """
        Return the path of the last picture of a video, after rendering it if nobody asked for it before.

        :param job: one that succeeded.
        """
        return await self._file(f"{job.task_id}-last.{job.order.last_frame_type}", render_last_frame, job)

    async def _file(self, name: str, write: _Writer, job: Job) -> Path:
        path = self._folder / name
        if not path.exists():
            # Shielded: a client that hangs up must not take the file from the others that wait for it.
            await asyncio.shield(self._written(path, write, job))
        return path

    def _written(self, path: Path, write: _Writer, job: Job) -> asyncio.Future[None]:
        running = self._rendering.get(path)
        if running is None:
            loop = asyncio.get_running_loop()
            running = loop.run_in_executor(self._threads, write, job.order, job.task_id, path)
            self._rendering[path] = running
            running.add_done_callback(lambda _: self._rendering.pop(path))
        return running
