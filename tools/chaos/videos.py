"""The videos that a chaos run asks for: a prompt names one of them wherever it shows up."""

from __future__ import annotations

import random
from dataclasses import dataclass

__all__ = ["WAYS", "Video", "videos"]

#: The task groups of the DAG, and how often each is taken.
WAYS = {"deferred": 7, "in_worker": 1, "split": 2}

#: How often a video fails once for a transient reason, and is refunded and submitted again.
_PASSING_FAILURES = 0.05


@dataclass(frozen=True)
class Video:
    """
    One video, made by one mapped instance of a task group.

    :param prompt: what is asked for; no two are alike.
    :param way: the task group.
    :param map_index: which instance of it.
    """

    prompt: str
    way: str
    map_index: int

    @property
    def create(self) -> str:
        """The id of the task that pays."""
        return f"{self.way}.create"


def videos(count: int, seed: int) -> list[Video]:
    """
    Return what to ask for; the same for the same arguments.

    :param count: how many.
    :param seed: chooses the ways and those that fail at first.
    """
    chance = random.Random(f"videos/{seed}")  # noqa: S311 - not for secrets
    made: list[Video] = []
    next_index = dict.fromkeys(WAYS, 0)
    for number in range(count):
        (way,) = chance.choices(list(WAYS), list(WAYS.values()))
        fails_first = chance.random() < _PASSING_FAILURES
        # A task that does not wait does not see the failure: there a person decides, not a retry.
        marker = " [fail:server_error:1]" if fails_first and way != "split" else ""
        made.append(Video(f"chaos {number:04d} of seed {seed}{marker}", way, next_index[way]))
        next_index[way] += 1
    return made
