"""
How often the provider polls a video task, against a fixed interval and against the best moments that a search finds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.best_schedule import HORIZON, Cost, Durations, best_polls, cost
from benchmarks.results import measured_on, save_section, table
from seedance_provider.waiting.poll_settings import DEFAULT_POLL_INTERVAL
from seedance_provider.waiting.poll_times import seconds_to_poll

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["measure_polls"]

#: Typical times, as the vendor gives them for several models, and how long videos may really take.
_CASES = (
    ((60, 300), Durations(120, 0.35)),
    ((60, 300), Durations(120, 0.5)),
    ((60, 300), Durations(180, 0.4)),
    ((60, 300), Durations(60, 0.4)),
    ((120, 240), Durations(170, 0.21)),
    ((180, 360), Durations(255, 0.21)),
    ((240, 660), Durations(398, 0.31)),
)

_TEXT = """{measured_on} By simulation, with the provider's own code.

Polls per video, and seconds until a finished one is noticed, on average, if videos take as long as a log-normal
distribution says (the median, and the standard deviation of the logarithm):

- fixed: every {interval:g} seconds,
- ours: from the typical times in the first column, and the default interval,
- best: the fewest polls of all with the delay of fixed, found by search.

{rows}
"""


def measure_polls() -> None:
    """Simulate, and write down what came out."""
    heads = ("typical", "median, spread", "fixed", "ours", "best", "ours / best")
    rows = table(heads, [_row(*case) for case in _CASES])
    text = _TEXT.format(measured_on=measured_on(), interval=DEFAULT_POLL_INTERVAL, rows=rows)
    save_section("Polls of a video task", text)


def _row(typical: tuple[float, float], real: Durations) -> list[str]:
    fixed = cost(_polls(lambda _: DEFAULT_POLL_INTERVAL), real)
    ours = cost(_polls(lambda age: seconds_to_poll(age, typical, DEFAULT_POLL_INTERVAL)), real)
    best = cost(best_polls(real, fixed.delay), real)
    return [
        "{} to {} s".format(*typical),
        f"{real.median:g} s, {real.spread:g}",
        *map(_cell, (fixed, ours, best)),
        f"{ours.polls / best.polls:.2f} x",
    ]


def _polls(pause: Callable[[float], float]) -> list[float]:
    """Return the moments of the polls of a video that never ends."""
    at = [pause(0.0)]
    while at[-1] < 4 * HORIZON:
        at.append(at[-1] + pause(at[-1]))
    return at


def _cell(found: Cost) -> str:
    return f"{found.polls:.1f} ({found.delay:.2f} s)"
