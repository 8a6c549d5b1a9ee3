"""One worker process of the model: everything that it asks of the store or the API can go wrong, or be its last act."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from tests.unit.submission.model.account import ACCEPTED, REFUSALS, UNKNOWN_OUTCOMES, Creation, Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seedance_provider.api.video_request import VideoRequest
    from seedance_provider.api.video_task import VideoTask
    from tests.unit.submission.model.account import Account, Job

__all__ = ["Crash", "Fault", "FaultyClient", "FaultyStore", "Process"]

_T = TypeVar("_T")


class Crash(BaseException):
    """The worker is killed here."""


class Fault(StrEnum):
    """What goes wrong with one call."""

    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"
    #: The rest is for the store alone; the API has its own ways to fail.
    ERROR_BEFORE = "store error before"
    ERROR_AFTER = "store error after"
    #: From this call on, for as long as the process lives.
    OUTAGE = "store outage"


@dataclass
class Process:
    """What one process does to the outside; faults go by the number of the call."""

    faults: Mapping[int, Fault]
    calls: int = 0
    harmed: bool = False
    out: bool = False

    def call(self, effect: Callable[[], _T]) -> _T:
        """Ask the API."""
        return self._call(effect, self._next_fault())

    def call_store(self, effect: Callable[[], _T]) -> _T:
        """Ask the store."""
        fault = self._next_fault()
        self.out |= fault is Fault.OUTAGE
        if self.out or fault is Fault.ERROR_BEFORE:
            self.harmed = True
            raise ConnectionError("the metadata database is down")
        result = self._call(effect, fault)
        if fault is Fault.ERROR_AFTER:
            self.harmed = True
            raise ConnectionError("the answer of the API server was lost")
        return result

    def _next_fault(self) -> Fault | None:
        self.calls += 1
        return self.faults.get(self.calls - 1)

    def _call(self, effect: Callable[[], _T], fault: Fault | None) -> _T:
        if fault is Fault.CRASH_BEFORE:
            raise Crash
        result = effect()
        if fault is Fault.CRASH_AFTER:
            raise Crash
        return result


@dataclass
class FaultyStore:
    """
    Airflow's task state store, as one process sees it.

    :param process: the process.
    :param values: what is kept, as JSON; all processes share it.
    :param on_set: told of every value that is written.
    """

    process: Process
    values: dict[str, str]
    on_set: Callable[[dict[str, Any]], None]

    def get(self, key: str, default: Any = None) -> Any:
        return self.process.call_store(lambda: json.loads(self.values[key]) if key in self.values else default)

    def set(self, key: str, value: Any, *, retention: Any = None) -> None:
        def write() -> None:
            self.values[key] = json.dumps(value)
            self.on_set(value)

        self.process.call_store(write)

    def delete(self, key: str) -> None:
        self.process.call_store(lambda: self.values.pop(key, None))


@dataclass
class FaultyClient:
    """The client, as one process sees it."""

    process: Process
    account: Account
    creation: Creation
    reading: Reading
    on_request: Callable[[], None]
    on_accepted: Callable[[Job], None]
    requests: list[str] = field(default_factory=list)

    def create_task(self, request: VideoRequest) -> str:
        job = self.process.call(lambda: self._post(request))
        if error := REFUSALS.get(self.creation) or UNKNOWN_OUTCOMES.get(self.creation):
            raise error
        assert job is not None
        return job.video_task_id

    def get_task(self, video_task_id: str) -> VideoTask:
        return self.process.call(lambda: self.account.read(video_task_id, self.reading))

    def _post(self, request: VideoRequest) -> Job | None:
        self.requests.append(request.prompt)
        self.on_request()
        if self.creation not in ACCEPTED:
            return None
        job = self.account.accept(request.prompt)
        self.on_accepted(job)
        return job
