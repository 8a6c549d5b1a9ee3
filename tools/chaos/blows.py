"""What a chaos run does to its Airflow, and when: decided by the seed alone."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["CLEAR", "HITS", "Blow", "Plan", "plan"]

#: What can be hit on every stack, and how often: a task process, its supervisor, a component, the emulator.
HITS: Mapping[str, int] = {
    "task": 8,
    "supervisor": 3,
    "scheduler": 2,
    "triggerer": 3,
    "api-server": 2,
    "dag-processor": 1,
    "emulator": 3,
}

#: A person clears a running or waiting task; this is no kill.
CLEAR = "clear"
_CLEARS = 3

_LONGEST_PAUSE = 10.0
_LONGEST_OUTAGE = 6.0


@dataclass(frozen=True)
class Blow:
    """
    One thing that is done to the stack.

    :param what: a key of the hits, or :data:`CLEAR`.
    :param after: seconds since the one before.
    :param outage: seconds until what was killed is started again.
    :param choice: 0..1, chooses among those that can be hit.
    """

    what: str
    after: float
    outage: float
    choice: float


@dataclass(frozen=True)
class Plan:
    """
    An endless series of blows.

    :param seed: the same seed gives the same series.
    :param hits: what can be hit, and how often.
    """

    seed: int
    hits: Mapping[str, int]

    def __iter__(self) -> Iterator[Blow]:
        chance = random.Random(f"blows/{self.seed}")  # noqa: S311 - not for secrets
        weights = {**self.hits, CLEAR: _CLEARS}
        while True:
            (what,) = chance.choices(list(weights), list(weights.values()))
            after, outage = chance.uniform(1, _LONGEST_PAUSE), chance.uniform(0, _LONGEST_OUTAGE)
            yield Blow(what, after, outage, chance.random())


def plan(seed: int, more_hits: Mapping[str, int] | None = None) -> Plan:
    """
    Return the blows of a run.

    :param seed: chooses them.
    :param more_hits: what else can be hit on this stack.
    """
    return Plan(seed, {**HITS, **(more_hits or {})})
