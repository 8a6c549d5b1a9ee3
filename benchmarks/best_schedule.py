"""The best moments to look at a video, found by search: what a schedule can be measured against."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seedance_provider.waiting.schedule import Durations, Schedule

__all__ = ["Cost", "best_polls", "cost", "polls_of"]

_STEP = 0.5
_HORIZON = 900.0
_LONGEST_STEPS = 600
_VIDEOS = 4000
_ROUNDS = 14


@dataclass(frozen=True)
class Cost:
    """
    What looking at certain moments costs.

    :param looks: for a video, on average.
    :param delay: seconds until a finished video is noticed, on average.
    """

    polls: float
    delay: float


def polls_of(schedule: Schedule) -> list[float]:
    """Return the moments at which a schedule looks at a video that never ends."""
    at, passed = [], 0.0
    while passed < 4 * _HORIZON:
        passed += schedule.pause(passed)
        at.append(passed)
    return at


def cost(at: Sequence[float], durations: Durations) -> Cost:
    """
    Return what looking at these moments costs.

    :param at: in seconds after the request.
    :param durations: how long the videos take.
    """
    ends = [durations.quantile((number + 0.5) / _VIDEOS) for number in range(_VIDEOS)]
    seen = [bisect_left(at, end) for end in ends]
    delays = [at[index] - end for index, end in zip(seen, ends, strict=True)]
    return Cost(sum(index + 1 for index in seen) / _VIDEOS, sum(delays) / _VIDEOS)


def best_polls(durations: Durations, delay: float) -> list[float]:
    """
    Return the moments with the fewest looks of all that notice a video as soon, on average.

    Dynamic programming over a grid of half seconds, for a price of delay that a bisection finds.

    :param durations: how long the videos take.
    :param delay: seconds until a finished video is noticed, on average.
    """
    low, high = 0.01, 1000.0
    for _ in range(_ROUNDS):
        price = math.sqrt(low * high)
        if cost(_cheapest(durations, price), durations).delay > delay:
            low = price
        else:
            high = price
    return _cheapest(durations, high)


def _cheapest(durations: Durations, price: float) -> list[float]:
    """Return the moments for which looks plus delay at that price, per second, cost least."""
    steps = int(_HORIZON / _STEP)
    ended = [_share_ended(durations, step * _STEP) for step in range(steps + 1)]
    area = [0.0]
    for before, after in pairwise(ended):
        area.append(area[-1] + _STEP * (before + after) / 2)
    least, jump = [0.0] * (steps + 1), [1] * (steps + 1)
    for step in range(steps - 1, -1, -1):
        least[step] = math.inf
        for length in range(1, min(_LONGEST_STEPS, steps - step) + 1):
            delay = area[step + length] - area[step] - length * _STEP * ended[step]
            found = (1 - ended[step]) + price * delay + least[step + length]
            if found < least[step]:
                least[step], jump[step] = found, length
            if price * delay > least[step]:
                break
    at, step = [], 0
    while step < steps:
        step += jump[step]
        at.append(step * _STEP)
    # For the few that take longer than was searched.
    return [*at, *(_HORIZON + 10 * number for number in range(1, 1000))]


def _share_ended(durations: Durations, seconds: float) -> float:
    if seconds <= 0:
        return 0.0
    return math.erfc(-math.log(seconds / durations.median) / durations.spread / math.sqrt(2)) / 2
