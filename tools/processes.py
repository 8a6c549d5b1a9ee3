"""Processes that this one starts, and the certainty that nothing of them is left afterwards."""

from __future__ import annotations

import os
import pwd
import subprocess
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil  # type: ignore[import-untyped]  # a dependency of Airflow itself

from tools.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["ManagedProcess", "inherited_environment", "stop_all"]

_MARK = "SEEDANCE_MANAGED_PROCESS"
_TAIL_LINES = 30
_UNWANTED_PREFIXES = ("AIRFLOW", "PYTHON", "SEEDANCE")


class ManagedProcess:
    """
    A process in a session of its own, and everything that descends from it.

    Descendants can't be told by name (Airflow renames them), by process group (every task gets its own) or only by
    parent (init adopts the orphans of a killed one). What they keep is the session, or, if they leave it for one
    of their own like the shell of a BashOperator, the environment they were started with. Those of PostgreSQL keep
    neither; but they end by themselves when they have lost their parent.

    :param name: what to call it in error messages.
    :param command: program and arguments; everybody on the machine can read them, so no secrets.
    :param env: its environment.
    :param log: the file that gets its output, appended to what is there.
    :param cwd: its working directory.
    :param user: who it runs as, if that is another than this process's; only root can say so.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        log: Path,
        cwd: Path,
        user: str | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self._mark = uuid.uuid4().hex
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                command,
                env={**env, _MARK: self._mark},
                cwd=cwd,
                user=user,
                group=None if user is None else pwd.getpwnam(user).pw_gid,
                extra_groups=None if user is None else [],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._leader = psutil.Process(self.pid)

    @property
    def pid(self) -> int:
        """The id of the process, of its process group and of its session."""
        return self._popen.pid

    @property
    def is_running(self) -> bool:
        """Whether the process itself is running; its descendants may outlive it."""
        return self._popen.poll() is None

    def members(self) -> list[psutil.Process]:
        """Return the process and all its descendants, as far as they are alive."""
        session_is_ours = self._leader.is_running() or not psutil.pid_exists(self.pid)
        children = self._children()
        return [process for process in psutil.process_iter() if self._owns(process, session_is_ours, children)]

    def _children(self) -> set[int]:
        try:
            return {child.pid for child in self._leader.children(recursive=True)}
        except psutil.NoSuchProcess:
            return set()

    def _owns(self, process: psutil.Process, session_is_ours: bool, children: set[int]) -> bool:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            if process.pid in children:
                return True
            if session_is_ours and os.getsid(process.pid) == self.pid:
                return True
            return bool(process.environ().get(_MARK) == self._mark)
        except (psutil.Error, OSError):
            return False  # it has ended meanwhile, or belongs to somebody else

    def wait_for_success(self, *, timeout: float) -> None:
        """Wait until the process has ended, and raise an error with the end of its output if that was a failure."""
        wait_until(lambda: not self.is_running, timeout=timeout, what=f"{self.name} to end")
        if self._popen.returncode != 0:
            self.raise_if_ended()

    def kill(self) -> None:
        """Kill the process with all its descendants, as when its machine is lost, and wait until they are gone."""
        _kill_all([self])

    def take_exit_code(self) -> None:
        """Leave no zombie of a process that has ended."""
        self._popen.wait(timeout=10)

    def raise_if_ended(self) -> None:
        """Raise an error with the end of the output if the process has ended."""
        if not self.is_running:
            message = f"{self.name} ended with exit code {self._popen.returncode}. The end of its log:"
            raise RuntimeError(f"{message}\n{self.log_tail()}")

    def log_tail(self) -> str:
        """Return the last lines of the output."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-_TAIL_LINES:])


def stop_all(processes: Sequence[ManagedProcess], *, timeout: float = 5) -> None:
    """
    End processes with all their descendants, and return when nothing is left of them.

    :param processes: asked at the same time, so that the slowest decides how long it takes.
    :param timeout: seconds they get to end by themselves before they are killed.
    """
    for member in _members(processes):
        with suppress(psutil.NoSuchProcess):
            member.terminate()
    with suppress(TimeoutError):
        wait_until(lambda: not _members(processes), timeout=timeout, what="the processes to end")
    _kill_all(processes)


def _kill_all(processes: Sequence[ManagedProcess]) -> None:
    def none_left() -> bool:
        members = _members(processes)
        for member in members:
            with suppress(psutil.NoSuchProcess):
                member.kill()
        return not members

    # More than once, because a process can fork while its parent is being killed.
    wait_until(none_left, timeout=10, what="killed processes to disappear")
    # One that ended between being asked and being looked for has not been taken yet.
    for process in processes:
        process.take_exit_code()


def _members(processes: Sequence[ManagedProcess]) -> list[psutil.Process]:
    # Asking whether they run also takes the exit codes, so that no zombies stay behind.
    for process in processes:
        process.is_running  # noqa: B018
    return [member for process in processes for member in process.members()]


def inherited_environment() -> dict[str, str]:
    """
    Return this process's environment without what would make a local run depend on who starts it: settings of
    Airflow and Python, keys of the API, and any proxy between processes of this machine.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_UNWANTED_PREFIXES)}
    return inherited | {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
