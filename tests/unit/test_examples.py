"""The example DAGs, as far as no Airflow has to run for it: tests/integration/test_example_dags.py runs them."""

from __future__ import annotations

import re
import runpy
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DAGS = sorted((ROOT / "dags").glob("*.py"))
INCLUDED = re.compile(r"^```\{literalinclude\} (\S+)$", re.MULTILINE)
SHOWN = {Path(file).name for guide in (ROOT / "docs").glob("*.md") for file in INCLUDED.findall(guide.read_text())}


@pytest.mark.parametrize("file", DAGS, ids=lambda file: file.stem)
def test_every_example_is_shown_in_a_guide(file):
    """What a reader copies is what the tests run."""
    assert file.name in SHOWN


@pytest.mark.parametrize("file", DAGS, ids=lambda file: file.stem)
def test_no_video_waits_for_all_others_before_it_lands(file):
    # With upload.expand(video=create.output), one video that fails makes every upload upstream_failed.
    with warnings.catch_warnings(action="ignore"):  # about Airflow 3.1's own imports
        names = runpy.run_path(str(file))
    dag = names[file.stem]() if file.stem in names else names["dag"]
    landings = [task for task in dag.tasks if task.task_type == "VideoToObjectStorageOperator"]
    assert [task.task_id for task in landings if task.is_mapped or task.trigger_rule != "all_success"] == []
