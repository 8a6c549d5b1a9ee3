"""The emulator of the Seedance API, in a process of its own."""

from __future__ import annotations

import json
import re
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urljoin

import requests

from seedance_provider.emulator.settings import DEFAULT_KEY
from tools.interrupts import interrupts_ignored, signals_interrupt
from tools.ports import free_ports
from tools.processes import ManagedProcess, inherited_environment, stop_all
from tools.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

__all__ = ["EmulatorProcess"]

_BASE_URL = re.compile(r"http://127\.0\.0\.1:\d+/[\w/]*")
_START_SECONDS = 30


class EmulatorProcess:
    """
    Starts an emulator on ``with`` and stops it at the end of the block, also on errors, SIGINT, SIGTERM and SIGHUP.

    :param folder: for its state and its log.
    :param credits: what the account of the emulator's default key has.
    :param waiting_seconds: how long a job waits for its generation to begin.
    :param generation_seconds: how long the generation takes.
    :param options: more options of ``python -m seedance_provider.emulator``.
    """

    def __init__(
        self,
        folder: Path,
        *,
        credits: int = 10_000,  # noqa: A002  # the API's own word
        waiting_seconds: float = 0.5,
        generation_seconds: float = 2,
        options: tuple[str, ...] = (),
    ) -> None:
        #: The base URL of the API, known once it runs.
        self.base_url = ""
        self._folder = folder.absolute()
        self._options = (
            # Chosen here, so that it is the same after a restart.
            *("--port", str(free_ports(1)[0])),
            *("--state", str(self._folder / "emulator.sqlite")),
            *("--key", f"{DEFAULT_KEY}={credits}"),
            *("--waiting-seconds", str(waiting_seconds)),
            *("--generation-seconds", str(generation_seconds)),
            *options,
        )
        # The real API takes minutes, for which nobody should wait here.
        self._typical_seconds = [waiting_seconds + generation_seconds, waiting_seconds + generation_seconds + 1]
        self._process: ManagedProcess | None = None
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as exits:
            exits.enter_context(signals_interrupt())
            self._folder.mkdir(parents=True, exist_ok=True)
            exits.callback(self._stop)
            self.start()
            self._exits = exits.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._exits.close()

    def start(self) -> None:
        """Start it, or start it again at the same address with the same jobs, and wait until it answers."""
        process = ManagedProcess(
            "the emulator",
            [sys.executable, "-P", "-u", "-m", "seedance_provider.emulator", *self._options],
            env=inherited_environment(),
            log=self._folder / "emulator.log",
            cwd=self._folder,
        )
        self._process = process
        self.base_url = wait_until(lambda: _printed_url(process), timeout=_START_SECONDS, what="the emulator")
        self.wait()

    def wait(self) -> None:
        """Wait until it answers, which it does not while it refuses connections."""
        wait_until(self._answers, timeout=_START_SECONDS, what="an answer of the emulator")

    def kill(self) -> None:
        """Kill it, as when its machine is lost."""
        if self._process is not None:
            self._process.kill()

    @property
    def pid(self) -> int | None:
        """The id of its process, if it was started."""
        return self._process.pid if self._process is not None else None

    @property
    def media_folder(self) -> Path:
        """Where it keeps the videos that somebody has fetched."""
        return self._folder / "media"

    @property
    def connection(self) -> str:
        """The Airflow connection to it, as the JSON for an environment variable ``AIRFLOW_CONN_...``."""
        connection = {"conn_type": "seedance", "host": self.base_url, "password": DEFAULT_KEY}
        return json.dumps(connection | {"extra": {"typical_seconds": self._typical_seconds}})

    def ledger(self) -> dict[str, Any]:
        """Return what was submitted and what it cost."""
        return self._call("GET", "/emulator/ledger")

    def set_faults(self, faults: Sequence[Mapping[str, Any]], *, seed: int = 0) -> None:
        """
        Spoil answers from now on, and no others than these.

        :param faults: as ``POST /emulator/faults`` wants them.
        :param seed: decides which answers.
        """
        self._call("POST", "/emulator/faults", {"seed": seed, "faults": list(faults)})

    def injected_faults(self) -> list[dict[str, Any]]:
        """Return what was spoiled so far."""
        injected: list[dict[str, Any]] = self._call("GET", "/emulator/faults")["injected"]
        return injected

    def rotate_key(self, old: str, new: str) -> None:
        """
        Replace the key of an account.

        :param old: refused from now on.
        :param new: good from now on.
        """
        self._call("POST", "/emulator/keys", {"old": old, "new": new})

    def _call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        response = requests.request(method, urljoin(self.base_url, path), json=body, timeout=30)
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return answer

    def _answers(self) -> bool:
        try:
            return bool(self._call("GET", "/emulator/health"))
        except requests.RequestException:
            return False  # what it printed may stand in the log since its last life

    def _stop(self) -> None:
        if self._process is not None:
            with interrupts_ignored():
                stop_all([self._process])


def _printed_url(process: ManagedProcess) -> str | None:
    process.raise_if_ended()
    found = _BASE_URL.search(process.log_tail())
    return found.group() if found else None
