"""The best moments to poll a video task, found by search: what ours can be measured against."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["HORIZON", "Cost", "Durations", "best_polls", "cost"]

#: Seconds for which the search plans.
HORIZON = 900.0

_STEP = 0.5
_LONGEST_STEPS = 600
_VIDEOS = 4000
_ROUNDS = 14


@dataclass(frozen=True)
class Durations:
    """
    How long videos take, as a log-normal distribution.

    :param median: in seconds.
    :param spread: standard deviation of the logarithm.
    """

    median: float
    spread: float

    def quantile(self, share: float) -> float:
        """Return how many seconds a share of the videos needs at most."""
        return self.median * math.exp(self.spread * NormalDist().inv_cdf(share))

    def share_ended(self, seconds: float) -> float:
        """Return which share of the videos has ended by then."""
        if seconds <= 0:
            return 0.0
        return NormalDist(math.log(self.median), self.spread).cdf(math.log(seconds))


@dataclass(frozen=True)
class Cost:
    """
    What polling at certain moments costs.

    :param polls: for a video, on average.
    :param delay: seconds until a finished video is noticed, on average.
    """

    polls: float
    delay: float


def cost(at: Sequence[float], durations: Durations) -> Cost:
    """
    Return what polling at these moments costs.

    :param at: in seconds after the request.
    :param durations: how long the videos take.
    """
    ends = [durations.quantile((number + 0.5) / _VIDEOS) for number in range(_VIDEOS)]
    seen = [bisect_left(at, end) for end in ends]
    delays = [at[index] - end for index, end in zip(seen, ends, strict=True)]
    return Cost(sum(index + 1 for index in seen) / _VIDEOS, sum(delays) / _VIDEOS)


def best_polls(durations: Durations, delay: float) -> list[float]:
    """
    Return the moments with the fewest polls of all that notice a video as soon, on average.

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
    """Return the moments for which polls plus delay at that price, per second, cost least."""
    steps = int(HORIZON / _STEP)
    ended = [durations.share_ended(step * _STEP) for step in range(steps + 1)]
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
    return [*at, *(HORIZON + 10 * number for number in range(1, 1000))]
