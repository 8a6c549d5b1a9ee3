"""What the check of one item of the release checklist says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Finding", "State", "missing", "ok", "warning"]


class State(StrEnum):
    """How far an item of the checklist is."""

    OK = "ok"
    #: A person should look at it, and may release all the same.
    WARNING = "warning"
    MISSING = "missing"
    #: No program can tell.
    BY_HAND = "by hand"


@dataclass(frozen=True)
class Finding:
    """
    What a check has found.

    :param state: whether the item stands in the way of a release.
    :param said: the facts, for a person.
    """

    state: State
    said: str


def ok(said: str) -> Finding:
    """Return that an item is done."""
    return Finding(State.OK, said)


def warning(said: str) -> Finding:
    """Return that a person should look at an item."""
    return Finding(State.WARNING, said)


def missing(said: str) -> Finding:
    """Return that an item stands in the way of a release."""
    return Finding(State.MISSING, said)
