"""What every release has left in Airflow's database, as ``python -m tools.record_release`` has recorded it."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.record_release.situation import Situation

if TYPE_CHECKING:
    from airflow.sdk import DAG

#: A folder for each release, with the DAG that was recorded and a file for each situation.
RELEASES = sorted(path for path in (Path(__file__).parents[1] / "upgrade").iterdir() if path.is_dir())


def situations(release: Path) -> dict[str, Situation]:
    """The situations of a release by their names."""
    return {path.stem: Situation.read(path) for path in sorted(release.glob("*.json"))}


def dag_of(release: Path) -> DAG:
    """The DAG as somebody wrote it for that release, run by the code of today."""
    dag: Any = runpy.run_path(str(release / "dag.py"))["dag"]
    return dag
