"""``python -m tools.release``: says what is missing before a release, and fails if anything is."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tools.release.checklist import CHECKLIST, Item, check
from tools.release.checkout import Checkout
from tools.release.finding import Finding, State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_REPOSITORY = Path(__file__).parents[2]


def main(arguments: Sequence[str] | None = None, checklist: Sequence[Item] = CHECKLIST) -> int:
    """
    Print the checklist with what was found, and return the exit code: 1 if something is missing.

    :param arguments: of the command line; by default those of the process.
    :param checklist: what to check.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.release", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=_REPOSITORY, help="another checkout")
    checkout = Checkout(parser.parse_args(arguments).folder)
    found = check(checkout, checklist)
    print(f"Release {checkout.version}\n")
    print(report(found))
    return int(any(finding.state is State.MISSING for finding in found.values()))


def report(found: Mapping[Item, Finding]) -> str:
    """
    Return the list for a person: what was found, and what to do where something is left to do.

    :param found: by item.
    """
    lines = []
    for item, finding in found.items():
        lines.append(f"  {finding.state:<8} {item.name:<13} {finding.said}")
        if finding.state is not State.OK:
            lines.append(f"{'':25}{item.remedy}")
    counts = {state: sum(finding.state is state for finding in found.values()) for state in State}
    return "\n".join([*lines, "", ", ".join(f"{count} {state}" for state, count in counts.items())])


if __name__ == "__main__":
    sys.exit(main())
