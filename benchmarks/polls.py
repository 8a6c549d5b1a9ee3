"""
How often the provider looks at a video, against a fixed interval and against the best schedule that a search finds.

By simulation, with the schedule's own code: ``make bench`` writes ``benchmarks/RESULTS.md``.
"""

from __future__ import annotations

import platform
import random
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.best_schedule import Cost, best_looks, cost, looks_of
from seedance_provider import __version__
from seedance_provider.schedule import Durations, ExpectedSchedule, FixedSchedule

RESULTS = Path(__file__).with_name("RESULTS.md")

INTERVAL = 5.0
#: What the vendor's quickstart says of every video.
DOCUMENTED = Durations.typical(60, 300)
VIDEOS_SEEN = 50
REAL = (Durations(120, 0.35), Durations(120, 0.5), Durations(180, 0.4))

HEAD = """# Benchmarks

Written by `make bench`. No number here was typed in.

{when}, Python {python}, {machine}, airflow-provider-seedance {version}.

## Looks at a video

Looks per video and seconds until a finished one is noticed, on average, if videos take as long as a log-normal
distribution says:

- looking every {interval:g} seconds,
- the best schedule of all with the same delay, found by search,
- ours if it knows the distribution,
- ours after {seen} videos (the median of 21 samples),
- ours from the documented times (1 to 5 minutes) alone,
- the same, with its interval set so that the delay is that of looking every {interval:g} seconds.

| median, spread | every {interval:g} s | best | knowing | after {seen} videos | documented | at the same delay |
|---|---|---|---|---|---|---|
"""


def main() -> None:
    """Measure, and write down what came out."""
    head = HEAD.format(
        when=datetime.now(UTC).date(),
        python=platform.python_version(),
        machine=f"{platform.system()} {platform.machine()}",
        version=__version__,
        interval=INTERVAL,
        seen=VIDEOS_SEEN,
    )
    rows = "\n".join(_row(real) for real in REAL)
    RESULTS.write_text(f"{head}{rows}\n")
    sys.stdout.write(f"{rows}\n")


def _row(real: Durations) -> str:
    fixed = cost(looks_of(FixedSchedule(INTERVAL)), real)
    best = cost(best_looks(real, fixed.delay), real)
    documented = _ours(DOCUMENTED, real)
    cells = [
        f"{real.median:g} s, {real.spread:g}",
        _cell(fixed),
        _cell(best, best),
        _cell(_ours(real, real), best),
        _cell(_after_videos(real), best),
        _cell(documented, best),
        _cell(_at_delay(real, fixed.delay), best),
    ]
    return f"| {' | '.join(cells)} |"


def _cell(found: Cost, best: Cost | None = None) -> str:
    ratio = "" if best is None else f", {found.looks / best.looks:.2f} x"
    return f"{found.looks:.1f} ({found.delay:.2f} s){ratio}"


def _ours(believed: Durations, real: Durations, interval: float = INTERVAL) -> Cost:
    return cost(looks_of(ExpectedSchedule(believed, interval)), real)


def _after_videos(real: Durations) -> Cost:
    """One sample of videos is luck."""
    chance = random.Random(1)  # noqa: S311 - not for secrets
    found = []
    for _ in range(21):
        seen = [real.quantile(chance.random()) for _ in range(VIDEOS_SEEN)]
        found.append(_ours(DOCUMENTED.learnt(seen), real))
    return sorted(found, key=lambda each: each.looks)[10]


def _at_delay(real: Durations, delay: float) -> Cost:
    low, high = INTERVAL / 4, INTERVAL * 4
    for _ in range(12):
        middle = (low + high) / 2
        if _ours(DOCUMENTED, real, middle).delay > delay:
            high = middle
        else:
            low = middle
    return _ours(DOCUMENTED, real, low)


if __name__ == "__main__":
    main()
