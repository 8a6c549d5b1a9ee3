"""The short form of the chaos suite, and the proof that it can fail."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
FIGURES = re.compile(r"^chaos: (videos=.*)$", re.MULTILINE)


def chaos(*options: str) -> tuple[int, dict[str, int], str]:
    """The exit code, the figures of the last line, and everything that was printed."""
    command = [sys.executable, "-m", "tools.chaos", *options]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=1200, check=False)
    printed = ended.stdout + ended.stderr
    found = FIGURES.search(printed)
    assert found, printed
    figures = (figure.split("=") for figure in found[1].split())
    return ended.returncode, {name: int(value) for name, value in figures}, printed


@pytest.mark.parametrize("stack", ["local", "celery"])
def test_nothing_is_paid_for_twice_and_nothing_is_lost(stack):
    code, figures, printed = chaos("--videos", "24", "--seed", "1", "--stack", stack)
    assert (code, figures["double_paid"], figures["lost"]) == (0, 0, 0), printed
    assert figures["kills"] >= 5, printed
    assert figures["faults"] >= 5, printed
    assert figures["landed"] + figures["unknown"] == 24, printed


@pytest.mark.long
@pytest.mark.parametrize(("sabotage", "videos"), [("resend", "4"), ("forget", "20")])
def test_a_broken_provider_is_noticed(sabotage, videos):
    code, figures, printed = chaos("--videos", videos, "--seed", "3", "--sabotage", sabotage)
    assert code == 1, printed
    assert figures["double_paid"] > 0, printed
