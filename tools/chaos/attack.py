"""Carries out the blows, and starts again what was killed or has died."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

import requests

from tools.chaos.blows import CLEAR
from tools.chaos.evidence import Hit
from tools.chaos.forgotten import is_forgotten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from tools.airflow_stack import AirflowStack
    from tools.chaos.blows import Blow
    from tools.chaos.videos import Video

__all__ = ["DAG_ID", "Attack", "Server"]

DAG_ID = "chaos"
#: Of a task that a person may want to clear.
_CLEARABLE = ("running", "deferred", "queued", "up_for_retry")
_SECONDS_BETWEEN_CHECKS = 10.0


class Server(Protocol):
    """What Airflow needs besides its own components."""

    def kill(self) -> None: ...

    def start(self) -> None: ...


class Attack:
    """
    One series of blows on one run of the DAG.

    :param airflow: what is hit.
    :param servers: what is hit, too, by name.
    :param run_id: the run.
    :param wanted: what the run makes.
    :param traces: folder in which every task that pays notes its process.
    """

    def __init__(
        self, airflow: AirflowStack, servers: Mapping[str, Server], run_id: str, wanted: list[Video], traces: Path
    ) -> None:
        self._airflow = airflow
        self._servers = servers
        self._run_id = run_id
        self._prompts = {(video.create, video.map_index): video.prompt for video in wanted}
        self._traces = traces
        self._down: dict[str, float] = {}
        self._next_check = 0.0
        #: What was done so far.
        self.hits: list[Hit] = []

    def carry_out(self, plan: Iterable[Blow], *, is_enough: Callable[[], bool], timeout: float) -> None:
        """
        Strike, and then let the run come to its end.

        :param plan: the blows.
        :param is_enough: whether to strike no more.
        :param timeout: seconds after which :class:`TimeoutError` is raised.
        """
        deadline = time.monotonic() + timeout
        for blow in plan:
            self._attend(min(time.monotonic() + blow.after, deadline))
            if self._has_ended() or is_enough() or time.monotonic() >= deadline:
                break
            self._strike(blow)
        self._down = dict.fromkeys(self._down, 0.0)
        self._attend(deadline)
        if not self._has_ended():
            raise TimeoutError(f"The run had not ended after {timeout:g} s: {self._airflow.home}")

    def _attend(self, until: float) -> None:
        """Start again what is due, until a time or the end of the run."""
        while not self._has_ended() and time.monotonic() < until:
            self._start_again()
            self._help_a_forgotten_try()
            time.sleep(0.5)
        self._start_again()

    def _strike(self, blow: Blow) -> None:
        match blow.what:
            case "clear":
                self._clear(blow)
            case "task" | "supervisor":
                self._kill_task(blow)
            case server if server in self._servers:
                self._kill_server(blow)
            case _:
                self._kill_component(blow)

    def _kill_task(self, blow: Blow) -> None:
        tasks = sorted(self._airflow.running_tasks(), key=lambda task: task.pid)
        if not tasks:
            return
        task = tasks[int(blow.choice * len(tasks))]
        self._note(blow.what, [task.pid])
        if blow.what == "supervisor" and task.supervisor_pid is not None:
            _kill(task.supervisor_pid)
        _kill(task.pid)

    def _kill_server(self, blow: Blow) -> None:
        if blow.what not in self._down:
            self._note(blow.what)
            self._servers[blow.what].kill()
            self._down[blow.what] = time.monotonic() + blow.outage

    def _kill_component(self, blow: Blow) -> None:
        alive = [name for name in sorted(self._airflow.processes) if name.startswith(blow.what)]
        if not alive:
            return
        name = alive[int(blow.choice * len(alive))]
        self._note(name, [member.pid for member in self._airflow.processes[name].members()])
        self._airflow.kill(name)
        self._down[name] = time.monotonic() + blow.outage

    def _clear(self, blow: Blow) -> None:
        with suppress(requests.RequestException, RuntimeError):  # a person finds the UI down, too
            instances = self._airflow.task_instances(DAG_ID, self._run_id)
            places = ((instance["task_id"], instance["map_index"]) for instance in instances if _can_clear(instance))
            if clearable := sorted(place for place in places if place in self._prompts):
                place = clearable[int(blow.choice * len(clearable))]
                self.hits.append(Hit(CLEAR, time.time(), frozenset({self._prompts[place]}), is_kill=False))
                self._airflow.clear(DAG_ID, self._run_id, [place])

    def _start_again(self) -> None:
        for name in self._airflow.died():
            self._down.setdefault(name, 0.0)
        now = time.monotonic()
        # The servers first: components end at once that miss their database.
        due = sorted((name for name, at in self._down.items() if at <= now), key=lambda name: name not in self._servers)
        for name in due:
            if name in self._servers or "database" not in self._down:
                del self._down[name]
                self._start_of(name)()

    def _help_a_forgotten_try(self) -> None:
        """Do what a person does who sees a task queued although nothing runs: start the scheduler again."""
        if time.monotonic() < self._next_check:
            return
        self._next_check = time.monotonic() + _SECONDS_BETWEEN_CHECKS
        with suppress(requests.RequestException, RuntimeError):
            if is_forgotten(self._airflow.task_instances(DAG_ID, self._run_id), datetime.now(UTC)):
                for name in self._airflow.layout.local_executors:
                    if name in self._airflow.processes:
                        self._airflow.kill(name)
                        self._airflow.start(name)

    def _start_of(self, name: str) -> Callable[[], None]:
        return self._servers[name].start if name in self._servers else lambda: self._airflow.start(name)

    def _has_ended(self) -> bool:
        with suppress(requests.RequestException, RuntimeError):
            return self._airflow.dag_run(DAG_ID, self._run_id)["state"] in ("success", "failed")
        return False

    def _note(self, what: str, pids: Iterable[int] = ()) -> None:
        self.hits.append(Hit(what, time.time(), frozenset(self._prompts_of(pids))))

    def _prompts_of(self, pids: Iterable[int]) -> Iterator[str]:
        for pid in pids:
            for trace in self._traces.glob(f"{pid}-*"):
                yield trace.read_text()


def _can_clear(instance: dict[str, object]) -> bool:
    return instance["state"] in _CLEARABLE


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
