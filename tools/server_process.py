"""A server that Airflow needs, private to the process that starts it: with its own data, port and password."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from abc import ABC, abstractmethod
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tools.interrupts import interrupts_ignored, signals_interrupt
from tools.ports import free_ports
from tools.processes import ManagedProcess, inherited_environment, stop_all
from tools.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

__all__ = ["ServerProcess", "find_program"]

_START_SECONDS = 60


class ServerProcess(ABC):
    """
    Starts the server on ``with`` and stops it at the end of the block, also on errors, SIGINT, SIGTERM and SIGHUP.
    Its data live in a temporary folder that goes with it.

    :param name: what to call it in error messages.
    :param user: who it runs as, if that is another than this process's.
    """

    def __init__(self, name: str, *, user: str | None = None) -> None:
        (self.port,) = free_ports(1)
        self._name = name
        self._user = user
        self._password = secrets.token_urlsafe(24)
        self._folder = Path()
        self._process: ManagedProcess | None = None
        self._exits = ExitStack()

    @property
    @abstractmethod
    def url(self) -> str:
        """Its address with the password, as a client wants it."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether it does what clients ask of it."""

    @abstractmethod
    def _create(self) -> None:
        """Make what it needs in its folder."""

    @abstractmethod
    def _command(self) -> Sequence[str]:
        """Return program and arguments."""

    def __enter__(self) -> Self:
        with ExitStack() as exits:
            exits.enter_context(signals_interrupt())
            self._folder = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix=f"{self._name}-")))
            exits.callback(self._end)
            if self._user is not None:
                shutil.chown(self._folder, self._user)
            self._create()
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

    @property
    def is_running(self) -> bool:
        """Whether its process runs, even if it does not answer."""
        return self._process is not None and self._process.is_running

    def start(self) -> None:
        """Start it, or start it again at the same address with the same data, and wait until it answers."""
        process = self._process = self._run(self._command())

        def is_up() -> bool:
            process.raise_if_ended()
            return self.answers()

        wait_until(is_up, timeout=_START_SECONDS, what=f"an answer of {self._name}")

    def kill(self) -> None:
        """End it at once, as when its machine is lost: nobody is told, and every connection breaks."""
        if self._process is not None:
            self._process.kill()

    def alive(self) -> list[int]:
        """Return the ids of all its processes that are alive."""
        return [member.pid for member in self._process.members()] if self._process is not None else []

    def _run(self, command: Sequence[str]) -> ManagedProcess:
        return ManagedProcess(
            self._name,
            command,
            env=inherited_environment(),
            log=self._folder / "server.log",
            cwd=self._folder,
            user=self._user,
        )

    def _end(self) -> None:
        with interrupts_ignored():
            self.kill()
            if self._process is not None:
                stop_all([self._process])


def find_program(name: str, folders: Sequence[Path] = ()) -> str:
    """
    Return the path of a program of a server.

    :param name: of the program.
    :param folders: where to look besides the PATH, the best first.
    """
    for folder in folders:
        if found := shutil.which(name, path=folder):
            return found
    if found := shutil.which(name):
        return found
    raise FileNotFoundError(f"{name} is not on this machine. `make services` installs it.")
