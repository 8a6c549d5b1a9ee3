"""A real Airflow on this machine: every component in a process of its own, nothing left of it afterwards."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from tools.airflow_api import AirflowApi
from tools.airflow_settings import AirflowSettings
from tools.interrupts import interrupts_ignored, signals_interrupt
from tools.processes import ManagedProcess, inherited_environment, stop_all
from tools.task_processes import RunningTask, running_tasks
from tools.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

__all__ = ["AirflowStack"]

#: The components, each with the name under which the health check knows its heartbeat.
_COMPONENTS = {
    "api-server": None,
    "scheduler": "scheduler",
    "dag-processor": "dag_processor",
    "triggerer": "triggerer",
}
_START_SECONDS = 120


class AirflowStack(AirflowApi):
    """
    Starts an Airflow on ``with`` and stops it at the end of the block, also on errors, SIGINT, SIGTERM and SIGHUP.

    ::

        with AirflowStack(home, dags_folder, env={"AIRFLOW_CONN_SEEDANCE_DEFAULT": ...}) as airflow:
            airflow.wait_for_dag("my_dag")
            airflow.unpause("my_dag")
            run = airflow.wait_for_run("my_dag", airflow.trigger("my_dag"))

    :param home: its AIRFLOW_HOME, an empty or missing folder; the logs of the components are in ``home/components``.
    :param dags_folder: the folder with the DAG files.
    :param env: environment variables to add, also those that overrule a setting; a secret belongs here.
    """

    def __init__(self, home: Path, dags_folder: Path, *, env: Mapping[str, str] | None = None) -> None:
        settings = AirflowSettings.on_free_ports(home, dags_folder)
        super().__init__(settings.base_url)
        self.home = settings.home
        self._logs = settings.home / "components"
        #: The components that are supposed to run, by name.
        self.processes: dict[str, ManagedProcess] = {}
        self._env = {**inherited_environment(), **settings.environment(), **(env or {})}
        self._started: list[ManagedProcess] = []
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as exits:
            exits.enter_context(signals_interrupt())
            exits.callback(self._stop_processes)
            self._prepare_home()
            self._start(*_COMPONENTS)
            self._exits = exits.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End everything, now instead of at the end of the block."""
        self._exits.close()

    def check(self) -> None:
        """Raise an error with the end of its log if a component has died by itself."""
        for process in self.processes.values():
            process.raise_if_ended()

    def kill(self, name: str) -> None:
        """
        Kill a component and everything it started, as when its machine is lost.

        To kill nothing but the process itself, use ``processes[name].pid``.

        :param name: ``api-server``, ``scheduler`` (with all tasks), ``dag-processor`` or ``triggerer``.
        """
        self.processes.pop(name).kill()

    def restart(self, name: str) -> None:
        """Start a component again, killed before if it still runs, and wait until it works."""
        if name in self.processes:
            self.kill(name)
        self._start(name)

    def start(self, name: str) -> None:
        """Start a component that was killed or has died, without waiting until it works."""
        self.processes[name] = self._run(name)

    def died(self) -> list[str]:
        """Return the components that have ended by themselves."""
        return [name for name, process in self.processes.items() if not process.is_running]

    def running_tasks(self) -> list[RunningTask]:
        """Return the processes that execute tasks right now, and those that supervise them."""
        return running_tasks(self.processes["scheduler"]) if "scheduler" in self.processes else []

    def alive(self) -> list[int]:
        """Return the ids of all processes of this Airflow that are alive, those of killed components included."""
        return [member.pid for process in self._started for member in process.members()]

    def _prepare_home(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        if any(self.home.iterdir()):
            raise FileExistsError(f"{self.home} is not empty; two Airflows in one home break each other.")
        self._logs.mkdir()
        self._run("db", "migrate").wait_for_success(timeout=_START_SECONDS)

    def _start(self, *names: str) -> None:
        since = datetime.now(UTC)
        for name in names:
            self.processes[name] = self._run(name)
        self._wait_for_heartbeats(names, since=since)

    def _run(self, *arguments: str) -> ManagedProcess:
        process = ManagedProcess(
            f"airflow {' '.join(arguments)}",
            # -P: nothing is to be imported from the working directory.
            [sys.executable, "-P", "-m", "airflow", *arguments],
            env=self._env,
            log=self._logs / f"{arguments[0]}.log",
            cwd=self.home,
        )
        self._started.append(process)
        return process

    def _wait_for_heartbeats(self, names: Sequence[str], *, since: datetime) -> None:
        def all_healthy() -> bool:
            self.check()
            try:
                health = self.health()
            except OSError:  # which is what requests raises; the server does not listen yet
                return False
            return all(_is_healthy(health, _COMPONENTS[name], since) for name in names)

        wait_until(all_healthy, timeout=_START_SECONDS, what=f"heartbeats of {names} ({self._logs})")

    def _stop_processes(self) -> None:
        with interrupts_ignored():
            self.close()
            stop_all(self._started)


def _is_healthy(health: dict[str, dict[str, str]], component: str | None, since: datetime) -> bool:
    if component is None:
        return health["metadatabase"]["status"] == "healthy"  # the API server itself, since it has answered
    heartbeat = health[component][f"latest_{component}_heartbeat"]
    # A component that was killed a moment ago still counts as healthy: only a later heartbeat shows the new one.
    return health[component]["status"] == "healthy" and datetime.fromisoformat(heartbeat) >= since
