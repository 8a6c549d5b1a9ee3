"""
When to poll a video task while all is well: first shortly before the fastest video can be ready, then at an interval,
and less often once it takes far longer than videos usually do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["JITTER", "is_early", "seconds_to_poll"]

#: Share by which a pause is longer or shorter.
JITTER = 0.1
#: Of the fastest typical time: the vendor's times are estimates, and services get faster.
_FIRST_POLL = 0.8
#: Of the slowest typical time: a video that takes longer is a straggler.
_STRAGGLES = 3
#: A straggler is noticed late by this share of its delay,
_GROWTH = 0.1
#: and by no more seconds than this.
_LONGEST_PAUSE = 60.0


def seconds_to_poll(age: float | None, typical_seconds: Sequence[float], interval: float) -> float:
    """
    Return the seconds until the next poll.

    :param age: seconds since the video was asked for; ``None`` if that is not known.
    :param typical_seconds: how long such videos take, from the fastest to the slowest.
    :param interval: seconds between two polls.
    """
    if age is None:
        return interval
    fastest, slowest = typical_seconds
    if is_early(age, fastest):
        return _FIRST_POLL * fastest - max(age, 0.0)
    return max(interval, min(_GROWTH * (age - _STRAGGLES * slowest), _LONGEST_PAUSE))


def is_early(age: float, fastest: float) -> bool:
    """
    Return whether it is too early for the first poll.

    :param age: seconds since the video was asked for.
    :param fastest: how long the fastest of such videos take, in seconds.
    """
    # A first poll that jitter has moved forward is the first one, not one before it.
    return age < (1 - JITTER) * _FIRST_POLL * fastest
