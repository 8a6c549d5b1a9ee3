"""Every example DAG is shown in a guide, so that what a reader copies is what the tests run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DAGS = sorted((ROOT / "dags").glob("*.py"))
INCLUDED = re.compile(r"^```\{literalinclude\} (\S+)$", re.MULTILINE)
SHOWN = {Path(file).name for guide in (ROOT / "docs").glob("*.md") for file in INCLUDED.findall(guide.read_text())}


@pytest.mark.parametrize("dag", DAGS, ids=lambda dag: dag.stem)
def test_every_example_is_shown_in_a_guide(dag):
    assert dag.name in SHOWN
