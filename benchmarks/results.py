"""The page with the results: each part replaces its own section, and says when and where it was measured."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

__all__ = ["RESULTS", "measured_on", "save_section", "table"]

RESULTS = Path(__file__).with_name("RESULTS.md")

_HEAD = """# Benchmarks

Written by `make bench`. No number here was typed in.
"""


def save_section(title: str, text: str, page: Path = RESULTS) -> None:
    """
    Replace a section, or append it.

    :param title: of the section.
    :param text: what stands under it.
    :param page: where the sections are.
    """
    old = page.read_text() if page.exists() else _HEAD
    head, *parts = re.split(r"^## ", old, flags=re.MULTILINE)
    sections = {part.partition("\n")[0]: part.partition("\n")[2].strip("\n") for part in parts}
    sections[title] = text.strip("\n")
    page.write_text(head.rstrip("\n") + "\n" + "".join(f"\n## {name}\n\n{body}\n" for name, body in sections.items()))


def measured_on(*distributions: str) -> str:
    """
    Return a line that says when, where and with which versions.

    :param distributions: of this environment that matter.
    """
    cores = f"{os.cpu_count()} cores"
    versions = [f"{name} {version(name)}" for name in ("airflow-provider-seedance", *distributions)]
    machine = f"{platform.system()} {platform.machine()}, {cores}, Python {platform.python_version()}"
    return f"Measured on {datetime.now(UTC).date()}: {machine}, {', '.join(versions)}."


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
