"""A real Airflow on this machine: every component in a process of its own, nothing left of it afterwards."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from tools.airflow_api import AirflowApi, Login
from tools.airflow_layout import LOCAL, Component, Layout
from tools.airflow_settings import AirflowSettings, as_environment
from tools.interrupts import interrupts_ignored, signals_interrupt
from tools.processes import ManagedProcess, inherited_environment, stop_all
from tools.task_processes import RunningTask, running_tasks
from tools.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

__all__ = ["AirflowStack"]

_START_SECONDS = 120
_SECONDS_TO_ANSWER = 2


class AirflowStack(AirflowApi):
    """
    Starts an Airflow on ``with`` and stops it at the end of the block, also on errors, SIGINT, SIGTERM and SIGHUP.

    ::

        with AirflowStack(home, dags_folder, env={"AIRFLOW_CONN_SEEDANCE_DEFAULT": ...}) as airflow:
            run = airflow.wait_for_run("my_dag", airflow.start_run("my_dag"))

    With the CeleryExecutor and two of most components, whose servers are started before and stopped after it::

        with PostgresServer() as postgres, RedisServer() as redis:
            with AirflowStack(home, dags_folder, layout=celery_layout(postgres.url, redis.url)) as airflow:
                airflow.kill("worker-1")

    :param home: its AIRFLOW_HOME, an empty or missing folder; the logs of the components are in ``home/components``.
    :param dags_folder: the folder with the DAG files.
    :param env: environment variables to add, also those that overrule a setting; a secret belongs here.
    :param layout: of which components it consists.
    :param admin: a user to create, where not everybody is an admin; the auth manager is said by ``env``.
    :param url_path: below which it is reached, as behind a proxy: empty, or with a slash at its beginning only.
    """

    def __init__(
        self,
        home: Path,
        dags_folder: Path,
        *,
        env: Mapping[str, str] | None = None,
        layout: Layout = LOCAL,
        admin: Login | None = None,
        url_path: str = "",
    ) -> None:
        settings = AirflowSettings.on_free_ports(home, dags_folder, url_path)
        super().__init__(settings.base_url, admin)
        self.home = settings.home
        self.layout = layout
        self._logs = settings.home / "components"
        #: The components that are supposed to run, by name.
        self.processes: dict[str, ManagedProcess] = {}
        layout_env = as_environment(layout.options)
        self._env = {**inherited_environment(), **settings.environment(), **layout_env, **(env or {})}
        self._started: list[ManagedProcess] = []
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as exits:
            exits.enter_context(signals_interrupt())
            exits.callback(self._stop_processes)
            self._prepare_home()
            self._start_and_wait(self.layout.components)
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
        """Raise an error with the end of its log if a component has died."""
        for process in self.processes.values():
            process.raise_if_ended()

    def kill(self, name: str) -> None:
        """
        Kill a component and everything it started, as when its machine is lost.

        To kill nothing but the process itself, use ``processes[name].pid``.

        :param name: of a component of the layout. Tasks go with what executes them: the scheduler of the
            LocalExecutor, the worker of Celery.
        """
        self.processes.pop(name).kill()

    def restart(self, name: str) -> None:
        """Start a component again, killed before if it still runs, and wait until it works."""
        if name in self.processes:
            self.kill(name)
        self._start_and_wait([self.layout[name]])

    def start(self, name: str) -> None:
        """Start a component that was killed or has died, without waiting until it works."""
        component = self.layout[name]
        self.processes[name] = self._run(*component.arguments, log=name)

    def died(self) -> list[str]:
        """Return the components that have ended by themselves."""
        return [name for name, process in self.processes.items() if not process.is_running]

    def running_tasks(self) -> list[RunningTask]:
        """Return the processes that execute tasks right now, and those that supervise them."""
        executing = [component.name for component in self.layout.components if component.executes_tasks]
        return [
            task for name in executing if name in self.processes for task in running_tasks(name, self.processes[name])
        ]

    def command(self, *arguments: str) -> str:
        """Return what an ``airflow`` command prints that a person runs beside this Airflow."""
        return self.python("-m", "airflow", *arguments)

    def python(self, *arguments: str, stdin: str = "") -> str:
        """
        Return what a Python program prints that has the configuration of this Airflow, and so its database.

        :param arguments: of Python: the file of the program, and its own.
        :param stdin: what it reads.
        """
        done = subprocess.run(
            [sys.executable, "-P", *arguments],
            env=self._env,
            input=stdin,
            cwd=self.home,
            check=True,
            capture_output=True,
            text=True,
            timeout=_START_SECONDS,
        )
        return done.stdout

    def alive(self) -> list[int]:
        """Return the ids of all processes of this Airflow that are alive, those of killed components included."""
        return [member.pid for process in self._started for member in process.members()]

    def _prepare_home(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        if any(self.home.iterdir()):
            raise FileExistsError(f"{self.home} is not empty; two Airflows in one home break each other.")
        self._logs.mkdir()
        self._run("db", "migrate", log="db").wait_for_success(timeout=_START_SECONDS)
        if self.login is not None:
            names = ("--firstname", "Ad", "--lastname", "Min", "--email", "admin@example.org")
            who = ("--role", "Admin", "--username", self.login.user, "--password", self.login.password)
            self._run("users", "create", *who, *names, log="db").wait_for_success(timeout=_START_SECONDS)

    def _start_and_wait(self, components: Sequence[Component]) -> None:
        since = datetime.now(UTC)
        for component in components:
            self.start(component.name)
        missing = ", ".join(component.name for component in components)
        wait_until(
            lambda: self._all_work(components, since),
            timeout=_START_SECONDS,
            what=f"heartbeats of {missing} ({self._logs})",
        )

    def _run(self, *arguments: str, log: str) -> ManagedProcess:
        process = ManagedProcess(
            f"airflow {' '.join(arguments)}",
            # -P: nothing is to be imported from the working directory.
            [sys.executable, "-P", "-m", "airflow", *arguments],
            env=self._env,
            log=self._logs / f"{log}.log",
            cwd=self.home,
        )
        self._started.append(process)
        return process

    def _all_work(self, components: Sequence[Component], since: datetime) -> bool:
        self.check()
        try:
            is_served = self.health()["metadatabase"]["status"] == "healthy"
            return is_served and self._have_heartbeats(components, since) and self._nodes_answer(components)
        except OSError:  # which is what requests raises; the server does not listen yet
            return False

    def _have_heartbeats(self, components: Sequence[Component], since: datetime) -> bool:
        wanted = Counter(component.job_type for component in components if component.job_type is not None)
        if not wanted:
            return True
        # A component that was killed a moment ago still counts as healthy: only a later job shows the new one.
        jobs = self.call("GET", "/jobs", params={"start_date_gte": since.isoformat(), "limit": 100})["jobs"]
        return wanted <= Counter(job["job_type"] for job in jobs if _has_sent_heartbeat(job))

    def _nodes_answer(self, components: Sequence[Component]) -> bool:
        wanted = {component.celery_node for component in components if component.celery_node is not None}
        return not wanted or wanted <= _answering_nodes(self.layout.broker_url, wanted)

    def _stop_processes(self) -> None:
        with interrupts_ignored():
            self.close()
            stop_all(self._started)


def _answering_nodes(broker_url: str | None, names: Collection[str]) -> set[str]:
    """The workers of Celery that answer a ping over its broker."""
    from celery import Celery

    with Celery(broker=broker_url, set_as_current=False) as app:
        answers = app.control.inspect(list(names), timeout=_SECONDS_TO_ANSWER, limit=len(names)).ping()
    return set(answers or ())


def _has_sent_heartbeat(job: dict[str, str]) -> bool:
    started, latest = (datetime.fromisoformat(job[name]) for name in ("start_date", "latest_heartbeat"))
    return job["state"] == "running" and latest > started
