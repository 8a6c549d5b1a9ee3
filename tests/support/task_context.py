"""What a task gets from Airflow, as far as this provider asks for it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import airflow.sdk

from tests.support.airflow_versions import HAS_STATE_STORE

if TYPE_CHECKING:
    from collections.abc import Collection

# The store below is the tests' own. Below Airflow 3.3, what a task does with it can be looked at all the same, if the
# one constant of Airflow's is there that goes with it. That a real one has no store is looked at in tests/integration.
if not HAS_STATE_STORE:
    airflow.sdk.NEVER_EXPIRE = "never"


class StateStore:
    """
    Like Airflow's task state store: JSON values, never None.

    ``fail`` makes the next call of that name fail; ``outages`` has the numbers of calls that fail, by name, from 1.
    """

    def __init__(self, **outages: Collection[int]) -> None:
        self.values: dict[str, str] = {}
        self.writes: list[Any] = []
        self.retentions: list[Any] = []
        self.fail: str | None = None
        self.outages = outages
        self.calls: Counter[str] = Counter()

    def get(self, key: str, default: Any = None) -> Any:
        self._maybe_fail("get")
        return json.loads(self.values[key]) if key in self.values else default

    def set(self, key: str, value: Any, *, retention: Any = None) -> None:
        self._maybe_fail("set")
        if value is None:
            raise ValueError("Cannot set value as None")
        self.values[key] = json.dumps(value)
        self.writes.append(value)
        self.retentions.append(retention)

    def delete(self, key: str) -> None:
        self._maybe_fail("delete")
        self.values.pop(key, None)

    def _maybe_fail(self, name: str) -> None:
        self.calls[name] += 1
        if self.fail == name or self.calls[name] in self.outages.get(name, ()):
            self.fail = None
            raise ConnectionError("the metadata database is down")


@dataclass
class TaskInstance:
    """One try."""

    max_tries: int = 3
    try_number: int = 1
    xcoms: dict[str, Any] = field(default_factory=dict)
    task_id: str = "create"
    map_index: int = -1

    def xcom_push(self, key: str, value: Any) -> None:
        self.xcoms[key] = json.loads(json.dumps(value))

    def xcom_pull(self, *, task_ids: Any, key: str, map_indexes: Any = None) -> Any:
        return self.xcoms.get(key)


def context(store: StateStore | None = None, max_tries: int = 3, try_number: int = 1) -> dict[str, Any]:
    """The context of one try; tries of the same task instance share the store."""
    made: dict[str, Any] = {"ti": TaskInstance(max_tries, try_number)}
    if store is not None:
        made["task_state_store"] = store
    return made
