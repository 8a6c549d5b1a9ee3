"""Running the emulator: as a process of its own, or in a thread of a test."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web
from yarl import URL

from seedance_provider.emulator.app import API_PATH, create_app
from seedance_provider.emulator.resources import LISTENER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from seedance_provider.emulator.service import Clock
    from seedance_provider.emulator.settings import Settings

__all__ = ["RunningEmulator", "running_emulator", "serve"]

#: How long clients that are being answered may hold up the end, in seconds.
_SHUTDOWN_SECONDS = 2.0


@dataclass(frozen=True)
class RunningEmulator:
    """
    Where an emulator can be reached.

    :param url: its root, such as ``http://127.0.0.1:8765``.
    """

    url: str

    @property
    def base_url(self) -> str:
        """What a Seedance connection has as its host."""
        return self.url + API_PATH


async def serve(
    settings: Settings,
    *,
    ready: Callable[[RunningEmulator], None],
    stop: asyncio.Event,
    clock: Clock = time.time,
) -> None:
    """
    Answer requests until told to stop.

    :param settings: how the emulator behaves.
    :param ready: called once, when requests are answered.
    :param stop: set this to end.
    :param clock: returns Unix seconds.
    """
    app = create_app(settings, clock)
    runner = web.AppRunner(app, shutdown_timeout=_SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        port = await app[LISTENER].open(runner)
        ready(RunningEmulator(str(URL.build(scheme="http", host=settings.host, port=port))))
        await stop.wait()
    finally:
        await app[LISTENER].close()
        await runner.cleanup()


async def serve_until_signalled(settings: Settings, ready: Callable[[RunningEmulator], None]) -> None:
    """
    Answer requests until SIGTERM or SIGINT.

    :param settings: how the emulator behaves.
    :param ready: called once, when requests are answered.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stop.set)
    await serve(settings, ready=ready, stop=stop)


@contextmanager
def running_emulator(settings: Settings, clock: Clock = time.time) -> Iterator[RunningEmulator]:
    """
    Run the emulator in a background thread; by default on a free port.

    :param settings: how the emulator behaves.
    :param clock: returns Unix seconds; move it by hand and a task ends at once.
    """
    background = _Background(settings, clock)
    emulator = background.start()
    try:
        yield emulator
    finally:
        background.stop()


class _Background:
    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="seedance-emulator", daemon=True)
        self._emulator: RunningEmulator | None = None
        self._error: BaseException | None = None

    def start(self) -> RunningEmulator:
        self._thread.start()
        self._started.wait()
        if self._emulator is None:
            raise RuntimeError("The emulator did not start") from self._error
        return self._emulator

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:
            self._error = error
        finally:
            self._started.set()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        await serve(self._settings, ready=self._on_ready, stop=self._stop, clock=self._clock)

    def _on_ready(self, emulator: RunningEmulator) -> None:
        self._emulator = emulator
        self._started.set()
