"""
``python -m tools.chaos --videos 200 --seed 1``: makes videos with a real Airflow while its processes are killed, then
compares what was paid for with what Airflow knows, and fails if anything was paid for twice or lost.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from tools.airflow_stack import AirflowStack
from tools.chaos.attack import DAG_ID, Attack
from tools.chaos.blows import plan
from tools.chaos.collect import collect
from tools.chaos.faults import FAULTS
from tools.chaos.stacks import STACKS
from tools.chaos.verdict import Verdict, judge
from tools.chaos.videos import WAYS, Video, videos
from tools.emulator_process import EmulatorProcess
from tools.interrupts import signals_interrupt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tools.chaos.evidence import Evidence

_REPOSITORY = Path(__file__).parents[2]
_DAGS = Path(__file__).parent / "dags"
_SABOTAGES = ("resend", "forget")
_CREDITS = 1_000_000
#: Which part of the videos has to land before the blows end.
_ENOUGH = 0.85


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the chaos and return the exit code: 0 only if every promise was kept."""
    options = _parser().parse_args(arguments)
    started = time.monotonic()
    wanted = videos(options.videos, options.seed)
    folder = _REPOSITORY / ".run" / f"{time.strftime('chaos-%Y%m%d-%H%M%S')}-{os.getpid()}"
    try:
        with signals_interrupt():
            evidence = _run(folder, wanted, options)
    except KeyboardInterrupt:
        print("chaos: interrupted, everything is stopped", flush=True)
        return 130
    verdict = judge(evidence)
    _report(evidence, verdict, time.monotonic() - started)
    return 0 if verdict.is_good else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.chaos", description=__doc__)
    parser.add_argument("--videos", type=int, default=40, metavar="N", help="how many (default: 40)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="decides what happens (default: 1)")
    parser.add_argument("--stack", choices=STACKS, default="local", help="which kind of Airflow (default: local)")
    parser.add_argument("--sabotage", choices=_SABOTAGES, help="break the provider, to see that it is noticed")
    return parser


def _run(folder: Path, wanted: list[Video], options: argparse.Namespace) -> Evidence:
    storage, traces = folder / "videos", folder / "traces"
    traces.mkdir(parents=True)
    with ExitStack() as exits:
        emulator = exits.enter_context(_emulator(folder, options.seed))
        stack = exits.enter_context(STACKS[options.stack]())
        env = {
            "AIRFLOW_CONN_SEEDANCE_DEFAULT": emulator.connection,
            "CHAOS_PROMPTS": json.dumps({way: [v.prompt for v in wanted if v.way == way] for way in WAYS}),
            "CHAOS_VIDEOS": f"{storage.as_uri()}/",
            "CHAOS_TRACES": str(traces),
            "CHAOS_SABOTAGE": options.sabotage or "",
        }
        airflow = exits.enter_context(AirflowStack(folder / "airflow", _DAGS, env=env, layout=stack.layout))
        emulator.set_faults(FAULTS, seed=options.seed)
        run_id = airflow.start_run(DAG_ID)
        print(f"chaos: {airflow.base_url}/dags/{DAG_ID}/runs/{run_id} ({folder})", flush=True)
        attack = Attack(airflow, {"emulator": emulator, **stack.servers}, run_id, wanted, traces)
        attack.carry_out(
            # On a slow machine, a series without an end would leave the tasks no time between two blows.
            islice(plan(options.seed, stack.hits), len(wanted)),
            # The last ones are left in peace: hit by everything that was meant for all, they would take for ever.
            is_enough=lambda: len(list(storage.glob("*.mp4"))) >= _ENOUGH * len(wanted),
            timeout=300 + 15 * len(wanted),
        )
        return collect(airflow, emulator, run_id, wanted, attack.hits, storage)


def _emulator(folder: Path, seed: int) -> EmulatorProcess:
    times = ("--jitter", "2", "--jitter-seed", str(seed))
    options = (*times, "--concurrency-limit", "25")
    return EmulatorProcess(folder / "emulator", credits=_CREDITS, generation_seconds=5, options=options)


def _report(evidence: Evidence, verdict: Verdict, seconds: float) -> None:
    for name, found in asdict(verdict).items():
        if name != "landed" and found:
            print(f"chaos: {name}: {', '.join(found)}")
    missing = {video.prompt for video in evidence.videos} - {*verdict.landed, *verdict.unknown}
    for video in evidence.videos:
        if video.prompt in missing:
            print(f"chaos: not landed: {video.prompt!r} is {video.state}, {video.record}")
    figures = {
        "videos": len(evidence.videos),
        "kills": sum(hit.is_kill for hit in evidence.hits),
        "faults": len(evidence.faults),
        "submissions": sum(len(video.jobs) for video in evidence.videos),
        "unknown": len(verdict.unknown),
        "double_paid": len(verdict.double_paid),
        "lost": len(verdict.lost),
        "landed": len(verdict.landed),
        "seconds": round(seconds),
    }
    print("chaos:", " ".join(f"{name}={figure}" for name, figure in figures.items()), flush=True)


if __name__ == "__main__":
    sys.exit(main())
