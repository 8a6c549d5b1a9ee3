"""What waiting costs in the triggerer: ours, triggers of other providers, and a bare HTTP client, in one run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import certifi

from benchmarks.contenders import BARE, CONTENDERS, OURS, PEERS
from benchmarks.local_server import local_server
from benchmarks.results import measured_on, save_section, table

__all__ = ["measure_waits"]

WAITS = (100, 1000, 5000)
INTERVAL = 2.0
#: Measured for so long, after all have polled once.
SECONDS = 6.0
ROUNDS = 3
#: With so many waits the peers take part in the first round only: it takes them minutes.
MANY = 5000
#: So many begin at once, with a longer interval: none is to poll twice before all have begun.
STARTS = 300
START_INTERVAL = 15.0
#: Two minutes, at the five seconds of the vendor's quickstart.
POLLS_PER_VIDEO = 24
_SECONDS_PER_RUN = 600

_TEXT = """{measured_on} The peers: {peers}.

Everybody waits for jobs that go on running, and polls each every {interval:g} s, over TLS, as the real APIs are spoken
to. The local API has a process of its own, and so has every measurement. The connection is in the environment, where no
triggerer has to be asked for it; our limit on polls per second is lifted. "{bare}" is one coroutine for a wait and one
session for all. Medians of {rounds} rounds, in each of which everybody takes a turn, but for the peers at {many:,}
waits, which take part in the first.

{polls}

CPU is what the process uses, kernel included. The delay is how late the event loop wakes up a task that sleeps for
10 ms, at worst; memory is what the process grows by until all have polled once.

Beginning {starts} waits at once, as after a restart of the triggerer, up to the first answer; and from that, with the
polls at 1,000 waits, the CPU time for one wait of {polls_per_video} polls, which is two minutes at 5 s:

{begin}
"""

_HEADS = (
    "waits",
    "who",
    "CPU per poll",
    f"of {BARE}",
    "of ours",
    "polls per second",
    "worst delay",
    "memory per wait",
)

Figures = dict[str, float]


def measure_waits(peers_python: Path) -> None:
    """
    Measure, and write down what came out.

    :param peers_python: the interpreter of an environment that holds the peers.
    """
    pythons = {name: peers_python if name in PEERS else Path(sys.executable) for name in CONTENDERS}
    polls: dict[tuple[int, str], list[Figures]] = {}
    starts: dict[str, list[Figures]] = {}
    for round_ in range(ROUNDS):
        for name, python in pythons.items():
            starts.setdefault(name, []).append(
                _measured(python, {"contender": name, "waits": STARTS, "interval": START_INTERVAL})
            )
            for waits in WAITS:
                if name in PEERS and waits >= MANY and round_ > 0:
                    continue
                what = {"contender": name, "waits": waits, "interval": INTERVAL, "seconds": SECONDS}
                polls.setdefault((waits, name), []).append(_measured(python, what))
    save_section(
        "What a wait costs",
        _TEXT.format(
            measured_on=measured_on("apache-airflow", "aiohttp"),
            peers=_versions(peers_python),
            interval=INTERVAL,
            bare=BARE,
            rounds=ROUNDS,
            many=MANY,
            polls=_polls_table(polls),
            starts=STARTS,
            polls_per_video=POLLS_PER_VIDEO,
            begin=_starts_table(starts, {name: polls[1000, name] for name in CONTENDERS}),
        ),
    )


def _polls_table(polls: dict[tuple[int, str], list[Figures]]) -> str:
    rows = []
    for (waits, name), rounds in polls.items():
        cpu = _middle(rounds, "cpu_per_poll")
        rows.append(
            (
                f"{waits:,}",
                name,
                f"{1000 * cpu:.3f} ms",
                f"{_ratio(rounds, polls[waits, BARE], 'cpu_per_poll'):.2f} x",
                f"{_ratio(rounds, polls[waits, OURS], 'cpu_per_poll'):.2f} x",
                f"{_middle(rounds, 'polls_per_second'):.0f}",
                f"{1000 * _middle(rounds, 'worst_delay'):.0f} ms",
                f"{_middle(rounds, 'memory_per_wait') / 1024:.1f} KB",
            )
        )
    order = list(CONTENDERS)
    rows.sort(key=lambda row: (int(row[0].replace(",", "")), order.index(row[1])))
    return table(_HEADS, rows)


def _starts_table(starts: dict[str, list[Figures]], polls: dict[str, list[Figures]]) -> str:
    whole = {name: [_whole_wait(*pair) for pair in zip(starts[name], polls[name], strict=True)] for name in CONTENDERS}
    rows = []
    for name, rounds in starts.items():
        cpu = _middle(rounds, "cpu_per_start")
        rows.append(
            (
                name,
                f"{1000 * cpu:.2f} ms",
                f"{1 / cpu:,.0f}",
                f"{1000 * _middle(whole[name], 'cpu'):.1f} ms",
                f"{_ratio(whole[name], whole[BARE], 'cpu'):.2f} x",
                f"{_ratio(whole[name], whole[OURS], 'cpu'):.2f} x",
            )
        )
    return table(("who", "CPU to begin", "a second of CPU begins", "a whole wait", f"of {BARE}", "of ours"), rows)


def _whole_wait(start: Figures, poll: Figures) -> Figures:
    return {"cpu": start["cpu_per_start"] + (POLLS_PER_VIDEO - 1) * poll["cpu_per_poll"]}


def _middle(rounds: list[Figures], name: str) -> float:
    return median(figures[name] for figures in rounds)


def _ratio(rounds: list[Figures], others: list[Figures], name: str) -> float:
    """Within each round, since the speed of a machine drifts."""
    return median(mine[name] / other[name] for mine, other in zip(rounds, others, strict=False))


def _measured(python: Path, what: dict[str, Any]) -> Figures:
    with _local_api() as (addresses, certificates):
        done = subprocess.run(  # noqa: S603 - our own program
            [python, "-m", "benchmarks.measured_waits", json.dumps(what | addresses)],
            env={**os.environ, "REQUESTS_CA_BUNDLE": str(certificates), "SSL_CERT_FILE": str(certificates)},
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            timeout=_SECONDS_PER_RUN,
        )
    found: Figures = json.loads(done.stdout.splitlines()[-1])
    sys.stdout.write(f"{what}: {found}\n")
    return found


@contextmanager
def _local_api() -> Iterator[tuple[dict[str, str], Path]]:
    """The addresses of a new API, and what has to be trusted for it: all that a machine trusts, and its certificate."""
    with tempfile.TemporaryDirectory() as folder:
        own, all_ = Path(folder, "own.pem"), Path(folder, "all.pem")
        with local_server("benchmarks.local_api", own) as addresses:
            all_.write_text(Path(certifi.where()).read_text() + own.read_text())
            yield json.loads(addresses), all_


def _versions(python: Path) -> str:
    names = [f"apache-airflow-providers-{name}" for name in PEERS]
    program = "import sys; from importlib.metadata import version; print(*map(version, sys.argv[1:]))"
    found = subprocess.run([python, "-c", program, *names], check=True, capture_output=True, text=True)  # noqa: S603
    return ", ".join(f"{name} {number}" for name, number in zip(PEERS, found.stdout.split(), strict=True))
