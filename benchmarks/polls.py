"""
How often the provider looks at a video, against a fixed interval and against the best schedule that a search finds.
"""

from __future__ import annotations

import random

from benchmarks.best_schedule import Cost, best_polls, cost, polls_of
from benchmarks.results import measured_on, save_section, table
from seedance_provider.waiting.schedule import Durations, ExpectedSchedule, FixedSchedule

__all__ = ["measure_polls"]

INTERVAL = 5.0
#: What the vendor's quickstart says of every video.
DOCUMENTED = Durations.typical(60, 300)
VIDEOS_SEEN = 50
REAL = (Durations(120, 0.35), Durations(120, 0.5), Durations(180, 0.4))

_TEXT = """{measured_on} By simulation, with the schedule's own code.

Looks per video and seconds until a finished one is noticed, on average, if videos take as long as a log-normal
distribution says:

- looking every {interval:g} seconds,
- the best schedule of all with the same delay, found by search,
- ours if it knows the distribution,
- ours after {seen} videos (the median of 21 samples),
- ours from the documented times (1 to 5 minutes) alone,
- the same, with its interval set so that the delay is that of looking every {interval:g} seconds.

{rows}
"""
_HEADS = (
    "median, spread",
    f"every {INTERVAL:g} s",
    "best",
    "knowing",
    f"after {VIDEOS_SEEN} videos",
    "documented",
    "at the same delay",
)


def measure_polls() -> None:
    """Simulate, and write down what came out."""
    rows = table(_HEADS, [_row(real) for real in REAL])
    text = _TEXT.format(measured_on=measured_on(), interval=INTERVAL, seen=VIDEOS_SEEN, rows=rows)
    save_section("Looks at a video", text)


def _row(real: Durations) -> list[str]:
    fixed = cost(polls_of(FixedSchedule(INTERVAL)), real)
    best = cost(best_polls(real, fixed.delay), real)
    documented = _ours(DOCUMENTED, real)
    return [
        f"{real.median:g} s, {real.spread:g}",
        _cell(fixed),
        _cell(best, best),
        _cell(_ours(real, real), best),
        _cell(_after_videos(real), best),
        _cell(documented, best),
        _cell(_at_delay(real, fixed.delay), best),
    ]


def _cell(found: Cost, best: Cost | None = None) -> str:
    ratio = "" if best is None else f", {found.polls / best.polls:.2f} x"
    return f"{found.polls:.1f} ({found.delay:.2f} s){ratio}"


def _ours(believed: Durations, real: Durations, interval: float = INTERVAL) -> Cost:
    return cost(polls_of(ExpectedSchedule(believed, interval)), real)


def _after_videos(real: Durations) -> Cost:
    """One sample of videos is luck."""
    chance = random.Random(1)  # noqa: S311 - not for secrets
    found = []
    for _ in range(21):
        seen = [real.quantile(chance.random()) for _ in range(VIDEOS_SEEN)]
        found.append(_ours(DOCUMENTED.learnt(seen), real))
    return sorted(found, key=lambda each: each.polls)[10]


def _at_delay(real: Durations, delay: float) -> Cost:
    low, high = INTERVAL / 4, INTERVAL * 4
    for _ in range(12):
        middle = (low + high) / 2
        if _ours(DOCUMENTED, real, middle).delay > delay:
            high = middle
        else:
            low = middle
    return _ours(DOCUMENTED, real, low)
