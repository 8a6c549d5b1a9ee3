"""
When to look at a video task next: rarely while it can hardly have ended, often when it is expected to.

How long videos take is described by a log-normal distribution. If looks cost something and so does every second for
which nobody notices that the video is there, then the pause between two looks should be proportional to one over the
square root of the hazard: the chance that a video which is not ready yet gets ready in the next second. The constant
is chosen so that a finished video is noticed as soon, on average, as by looking at a fixed interval.

Decisions only. What has been seen is kept by whoever looks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["LONGEST_PAUSE", "Durations", "ExpectedSchedule", "FixedSchedule", "Schedule"]

#: However long a video is expected to take: what the vendor says may be wrong, and services get faster.
LONGEST_PAUSE = 60.0

#: A documented range is taken for what 90 % of the videos need.
_SIGMAS = 1.645
#: A narrower spread would be believed too firmly: the services of a vendor have good days and bad ones.
_LEAST_SPREAD = 0.4
_LEAST_LEARNT_SPREAD = 0.1
#: As many videos would have to be seen for half of the opinion to be one's own.
_PRIOR_WEIGHT = 2
_SAMPLES = 64
#: How many steps there are to the longest pause at most.
_STEPS = 240


@dataclass(frozen=True)
class Durations:
    """
    How long videos of one kind take, as a log-normal distribution.

    :param median: in seconds.
    :param spread: standard deviation of the logarithm.
    """

    median: float
    spread: float

    @classmethod
    def typical(cls, fastest: float, slowest: float) -> Durations:
        """Return what a documented range says, in seconds."""
        spread = math.log(slowest / fastest) / (2 * _SIGMAS)
        return cls(math.sqrt(fastest * slowest), max(spread, _LEAST_SPREAD))

    def learnt(self, seen: Sequence[float]) -> Durations:
        """
        Return what is to be expected after some videos have been seen.

        :param seen: how long they took, in seconds.
        """
        logs = [math.log(max(seconds, 0.1)) for seconds in seen]
        if not logs:
            return self
        count, mean, expected = len(logs), sum(logs) / len(logs), math.log(self.median)
        total = _PRIOR_WEIGHT + count
        scatter = sum((log - mean) ** 2 for log in logs)
        surprise = _PRIOR_WEIGHT * count / total * (mean - expected) ** 2
        variance = (_PRIOR_WEIGHT * self.spread**2 + scatter + surprise) / total
        median = math.exp((_PRIOR_WEIGHT * expected + count * mean) / total)
        return Durations(median, max(math.sqrt(variance), _LEAST_LEARNT_SPREAD))

    def quantile(self, share: float) -> float:
        """Return how many seconds a share of the videos needs at most."""
        # Imported where it is needed: a DAG file, which is parsed again and again, should not pay for it.
        from statistics import NormalDist

        return self.median * math.exp(self.spread * NormalDist().inv_cdf(share))

    def hazard(self, seconds: float) -> float:
        """Return the chance per second that a video gets ready that was not ready after so many seconds."""
        if seconds <= 0:
            return 0.0
        z = math.log(seconds / self.median) / self.spread
        if z > 8:
            # Where both the density and what is left underflow, their ratio tends to this.
            return z / (seconds * self.spread)
        left = math.erfc(z / math.sqrt(2)) / 2
        density = math.exp(-z * z / 2) / (seconds * self.spread * math.sqrt(2 * math.pi))
        return density / left


class Schedule(Protocol):
    """Says when to look next."""

    def pause(self, elapsed: float) -> float:
        """
        Return the seconds until the next look.

        :param elapsed: seconds since the video was asked for.
        """
        ...


@dataclass(frozen=True)
class FixedSchedule:
    """
    Looks at a fixed interval.

    :param interval: in seconds.
    """

    interval: float

    def pause(self, elapsed: float) -> float:  # noqa: ARG002
        """Return the interval."""
        return self.interval


@dataclass(frozen=True)
class ExpectedSchedule:
    """
    Looks when it is worth it.

    :param durations: how long such videos take.
    :param interval: a finished video is noticed as soon, on average, as by looking every so many seconds.
    """

    durations: Durations
    interval: float

    def pause(self, elapsed: float) -> float:
        """
        Return the seconds until the next look.

        :param elapsed: seconds since the video was asked for.
        """
        scale = _scale(self.durations, self.interval)
        longest = max(LONGEST_PAUSE, self.interval)
        step, polls, passed = longest / _STEPS, 0.0, 0.0
        while passed < longest:
            share = step * math.sqrt(self.durations.hazard(max(elapsed, 0.0) + passed + step / 2)) / scale
            if polls + share >= 1:
                return passed + step * (1 - polls) / share
            polls += share
            passed += step
        return longest


@lru_cache(maxsize=256)
def _scale(durations: Durations, interval: float) -> float:
    """The pause at the moment at which a video ends is to be the interval, on average over the videos."""
    ends = [durations.quantile((number + 0.5) / _SAMPLES) for number in range(_SAMPLES)]
    return interval * len(ends) / sum(1 / math.sqrt(durations.hazard(end)) for end in ends)
