"""A running Airflow, seen through its public REST API."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from tools.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["AirflowApi", "Login", "TaskChange"]

JsonObject = dict[str, Any]

_FINAL_RUN_STATES = ("success", "failed")
_SECONDS_PER_REQUEST = 30
_PAGE = 100
#: What Airflow answers when its SQLite is locked for too long, as on a busy machine: nothing was changed then, or it
#: was taken back. A longer wait for the lock makes it worse, because Airflow also waits for locks that it holds itself.
_WHILE_LOCKED = Retry(
    total=None,
    connect=0,
    read=0,
    other=0,
    status=6,
    status_forcelist=[500, 503],
    allowed_methods=None,
    backoff_factor=0.2,
    raise_on_status=False,
)


@dataclass(frozen=True)
class TaskChange:
    """A task instance has come to another state. ``state`` is None as long as nothing was decided for it."""

    task_id: str
    map_index: int
    try_number: int
    state: str | None


@dataclass(frozen=True)
class Login:
    """A user of an Airflow."""

    user: str
    password: str


class AirflowApi:
    """
    Calls the REST API (version 2) of an Airflow.

    :param base_url: the address of the UI.
    :param login: of whom; ``None`` where everybody is an admin.
    """

    def __init__(self, base_url: str, login: Login | None = None) -> None:
        self.base_url = base_url
        self.login = login
        self._session: requests.Session | None = None

    def close(self) -> None:
        """Close the connections to the server."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def call(self, method: str, path: str, **arguments: Any) -> Any:
        """
        Return the JSON that the API answers.

        :param path: below ``/api/v2``.
        :param arguments: for ``requests.request``.
        """
        return _json(self.request(method, path, **arguments))

    def request(self, method: str, path: str, **arguments: Any) -> requests.Response:
        """Return the response of the API, whatever its status."""
        if self._session is None:
            self._session = self._authenticated_session()
        url = f"{self.base_url}/api/v2{path}"
        return self._session.request(method, url, timeout=_SECONDS_PER_REQUEST, **arguments)

    def _authenticated_session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False  # no proxy and no .netrc for a server on this machine
        session.mount(self.base_url, HTTPAdapter(max_retries=_WHILE_LOCKED))
        url = f"{self.base_url}/auth/token"
        if self.login is None:
            response = session.get(url, timeout=_SECONDS_PER_REQUEST)
        else:
            who = {"username": self.login.user, "password": self.login.password}
            response = session.post(url, json=who, timeout=_SECONDS_PER_REQUEST)
        response.raise_for_status()
        session.headers["Authorization"] = f"Bearer {response.json()['access_token']}"
        return session

    def check(self) -> None:
        """Raise an error if waiting any longer is pointless. Called again and again while waiting."""

    def health(self) -> JsonObject:
        """Return the health of the components."""
        health: JsonObject = self.call("GET", "/monitor/health")
        return health

    def import_errors(self) -> dict[str, str]:
        """Return the traceback of every DAG file that can't be imported."""
        errors = self.call("GET", "/importErrors")["import_errors"]
        return {error["filename"]: error["stack_trace"] for error in errors}

    def wait_for_dag(self, dag_id: str, *, timeout: float = 120) -> None:
        """Wait until a DAG was read from its file."""

        def is_known() -> bool:
            self.check()
            return self.request("GET", f"/dags/{quote(dag_id)}").ok

        wait_until(is_known, timeout=timeout, what=lambda: f"DAG {dag_id}; import errors: {self._broken()}")

    def _broken(self) -> str:
        return "".join(f"\n{file}:\n{trace}" for file, trace in self.import_errors().items()) or "none"

    def next_logical_date(self, dag_id: str) -> datetime | None:
        """Return the date of the run that the schedule of a DAG will create next."""
        date = self.call("GET", f"/dags/{quote(dag_id)}")["next_dagrun_logical_date"]
        return datetime.fromisoformat(date) if date else None

    def unpause(self, dag_id: str) -> None:
        """Let the runs of a DAG start."""
        self._set_paused(dag_id, False)

    def pause(self, dag_id: str) -> None:
        """Let no run of a DAG start, and no task of those that have."""
        self._set_paused(dag_id, True)

    def _set_paused(self, dag_id: str, is_paused: bool) -> None:
        self.call("PATCH", f"/dags/{quote(dag_id)}", json={"is_paused": is_paused})

    def trigger(self, dag_id: str, *, conf: JsonObject | None = None, logical_date: datetime | None = None) -> str:
        """
        Start a run of a DAG and return its run id.

        :param conf: the parameters of the run.
        :param logical_date: the date that the run is for; none by default.
        """
        date = logical_date.isoformat() if logical_date else None
        run = self.call("POST", f"/dags/{quote(dag_id)}/dagRuns", json={"conf": conf or {}, "logical_date": date})
        return str(run["dag_run_id"])

    def start_run(self, dag_id: str, *, conf: JsonObject | None = None) -> str:
        """
        Start a run of a DAG that Airflow may not have seen yet, and that may be paused. Return its run id.

        :param conf: the parameters of the run.
        """
        self.wait_for_dag(dag_id)
        self.unpause(dag_id)
        return self.trigger(dag_id, conf=conf)

    def run_each(self, dag_ids: Iterable[str], *, conf: JsonObject | None = None) -> dict[str, str]:
        """
        Start a run of each DAG, wait until all have ended, and return their run ids.

        :param conf: the parameters of the runs.
        """
        runs = {dag_id: self.start_run(dag_id, conf=conf) for dag_id in dag_ids}
        for dag_id, run_id in runs.items():
            self.wait_for_run(dag_id, run_id)
        return runs

    def dag_run(self, dag_id: str, run_id: str) -> JsonObject:
        """Return a run as the API describes it."""
        run: JsonObject = self.call("GET", _run_path(dag_id, run_id))
        return run

    def task_instances(self, dag_id: str, run_id: str) -> list[JsonObject]:
        """Return the task instances of a run; ``pid`` is the process that executes or last executed one."""
        path = f"{_run_path(dag_id, run_id)}/taskInstances"
        instances: list[JsonObject] = []
        while True:
            page = self.call("GET", path, params={"limit": _PAGE, "offset": len(instances), "order_by": "id"})
            instances += page["task_instances"]
            if not page["task_instances"] or len(instances) >= page["total_entries"]:
                return instances

    def xcom(self, dag_id: str, run_id: str, task_id: str, *, key: str = "return_value", map_index: int = -1) -> Any:
        """Return an XCom value, or None if there is none."""
        path = f"{_task_path(dag_id, run_id, task_id)}/xcomEntries/{quote(key, safe='')}"
        response = self.request("GET", path, params={"map_index": map_index})
        return _json(response)["value"] if response.status_code != 404 else None

    def task_log(self, dag_id: str, run_id: str, task_id: str, *, try_number: int = 1, map_index: int = -1) -> str:
        """Return the log of one try with all its fields, a line for each message; empty before the try begins."""
        response = self.request(
            "GET",
            f"{_task_path(dag_id, run_id, task_id)}/logs/{try_number}",
            params={"map_index": map_index, "full_content": "true"},
            headers={"Accept": "application/json"},
        )
        content = _json(response)["content"] if response.status_code != 404 else []
        return "\n".join(_log_line(message) for message in content)

    def state_store(self, dag_id: str, run_id: str, task_id: str, key: str, *, map_index: int = -1) -> Any:
        """Return what a task instance keeps in its state store, or None if there is nothing."""
        path = f"{_task_path(dag_id, run_id, task_id)}/state-store/{quote(key, safe='')}"
        response = self.request("GET", path, params={"map_index": map_index})
        return _json(response)["value"] if response.status_code != 404 else None

    def clear(self, dag_id: str, run_id: str, task_ids: Iterable[str | tuple[str, int]]) -> None:
        """
        Let tasks of a run be executed again.

        :param task_ids: whole tasks, or single mapped instances of them by their map index.
        """
        self.call(
            "POST",
            f"/dags/{quote(dag_id)}/clearTaskInstances",
            json={
                "dag_run_id": run_id,
                "task_ids": list(task_ids),
                "only_failed": False,
                "dry_run": False,
            },
        )

    def lost_tries(self, dag_id: str, run_id: str) -> Counter[tuple[str, int]]:
        """
        Return the tries that Airflow itself has failed, by task and map index: on a busy machine it may hear that a
        task resumes before it has heard that it deferred. docs/money.md tells of it.
        """
        asked = {"dag_id": dag_id, "run_id": run_id, "event": "state mismatch"}
        events = self.call("GET", "/eventLogs", params=asked)["event_logs"]
        # Tasks that are not mapped may have no index there.
        return Counter((event["task_id"], -1 if event["map_index"] is None else event["map_index"]) for event in events)

    def wait_for_run(
        self,
        dag_id: str,
        run_id: str,
        *,
        timeout: float = 300,
        on_change: Callable[[TaskChange], None] | None = None,
    ) -> JsonObject:
        """
        Wait until a run has succeeded or failed, and return it.

        :param timeout: seconds after which :class:`TimeoutError` is raised.
        :param on_change: called for every task instance that is seen in another state than before.
        """
        seen: dict[tuple[str, int], TaskChange] = {}

        def ended() -> JsonObject | None:
            self.check()
            run = self.dag_run(dag_id, run_id)  # first, so that the changes of its last moment are seen too
            for change in self._changes(dag_id, run_id):
                place = (change.task_id, change.map_index)
                if seen.get(place) != change:
                    seen[place] = change
                    if on_change is not None:
                        on_change(change)
            return run if run["state"] in _FINAL_RUN_STATES else None

        return wait_until(ended, timeout=timeout, what=lambda: f"{dag_id} {run_id}: {list(seen.values())}")

    def _changes(self, dag_id: str, run_id: str) -> list[TaskChange]:
        return [
            TaskChange(instance["task_id"], instance["map_index"], instance["try_number"], instance["state"])
            for instance in self.task_instances(dag_id, run_id)
        ]


def _json(response: requests.Response) -> Any:
    if not response.ok:
        request = f"{response.request.method} {response.request.path_url}"
        raise RuntimeError(f"{request} answered {response.status_code}: {response.text[:2000]}")
    return response.json()


def _run_path(dag_id: str, run_id: str) -> str:
    return f"/dags/{quote(dag_id)}/dagRuns/{quote(run_id, safe='')}"


def _task_path(dag_id: str, run_id: str, task_id: str) -> str:
    return f"{_run_path(dag_id, run_id)}/taskInstances/{quote(task_id)}"


def _log_line(message: str | JsonObject) -> str:
    if isinstance(message, str):
        return message
    fields = dict(message)
    head = [str(fields.pop(name)) for name in ("timestamp", "level", "event") if fields.get(name)]
    line = " ".join([*head, *(f"{name}={json.dumps(value)}" for name, value in fields.items() if value)])
    errors = [f"    {error['exc_type']}: {error['exc_value']}" for error in fields.get("error_detail") or []]
    return "\n".join([line, *errors])
