"""An Airflow of the tests' own. Its settings have to be there before anything imports Airflow."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

HOME = Path(tempfile.mkdtemp(prefix="airflow-home-"))
os.environ |= {
    "AIRFLOW_HOME": str(HOME),
    "AIRFLOW__CORE__DAGS_FOLDER": str(Path(__file__).parent),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "VIDEO_FOLDER": f"file://{HOME / 'videos'}",
}


def pytest_sessionstart() -> None:
    """Make its database, and tell it of the DAGs."""
    for command in (["db", "migrate"], ["dags", "reserialize"]):
        subprocess.run([sys.executable, "-m", "airflow", *command], check=True, capture_output=True)
