"""Every example DAG is shown in a guide, by markers, so that what a reader copies is what the tests run."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DAGS = sorted((ROOT / "dags").glob("*.py"))
INCLUDED = re.compile(
    r"^```\{literalinclude\} (?P<file>\S+)\n(?P<options>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
MARKER = re.compile(r'^:(?:start-after|end-before): "\[(?:START|END) (\S+)\]"$', re.MULTILINE)


def shown() -> set[tuple[str, str]]:
    """The names of the files and markers that the guides show; no marker stands for a whole file."""
    found = set()
    for guide in (ROOT / "docs").glob("*.md"):
        for block in INCLUDED.finditer(guide.read_text()):
            assert (guide.parent / block["file"]).is_file()
            markers = MARKER.findall(block["options"])
            assert len(markers) in (0, 2), f"{guide.name} shows {block['file']} from one marker, or to one"
            assert len(set(markers)) <= 1, f"{guide.name} begins with {markers[0]} and ends with {markers[-1]}"
            found.add((Path(block["file"]).name, markers[0] if markers else ""))
    return found


@pytest.mark.parametrize("dag", DAGS, ids=lambda dag: dag.stem)
def test_every_example_is_shown_in_a_guide(dag):
    assert dag.name in {file for file, _ in shown()}


@pytest.mark.parametrize("dag", DAGS, ids=lambda dag: dag.stem)
def test_markers_come_in_pairs_with_something_between(dag):
    text = dag.read_text()
    starts, ends = (re.findall(rf"# \[{kind} (\S+)\]", text) for kind in ("START", "END"))
    assert Counter(starts) == Counter(ends)
    assert len(set(starts)) == len(starts)
    for name in starts:
        between = text.split(f"# [START {name}]")[1].split(f"# [END {name}]")[0]
        assert between.strip()


def test_what_the_guides_show_is_marked():
    marked = {(dag.name, name) for dag in DAGS for name in re.findall(r"# \[START (\S+)\]", dag.read_text())}
    assert {(file, name) for file, name in shown() if name} <= marked
