"""``python -m benchmarks``: measures, and writes ``benchmarks/RESULTS.md``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from benchmarks.imports import measure_imports
from benchmarks.landing import measure_landing
from benchmarks.polls import measure_polls
from benchmarks.slots import measure_slots
from benchmarks.videos_page import measure_videos_page
from benchmarks.waits import measure_waits


def main() -> None:
    """Measure what the command line names, or everything."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--peers", type=Path, required=True, help="interpreter of an environment that holds the peers")
    parser.add_argument("parts", nargs="*", help="waits, polls, slots, imports, landing, page; all by default")
    arguments = parser.parse_args()
    peers: Path = arguments.peers.absolute()
    parts: dict[str, Callable[[], None]] = {
        "waits": lambda: measure_waits(peers),
        "polls": measure_polls,
        "slots": measure_slots,
        "imports": lambda: measure_imports(peers),
        "landing": measure_landing,
        "page": measure_videos_page,
    }
    if unknown := set(arguments.parts) - set(parts):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    for name in arguments.parts or parts:
        parts[name]()


if __name__ == "__main__":
    main()
