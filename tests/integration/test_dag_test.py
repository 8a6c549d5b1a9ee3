"""``dag.test()``, as an author debugs a DAG: in one process, without a scheduler."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tools.airflow_settings import AirflowSettings
from tools.processes import inherited_environment

DAGS = Path(__file__).parents[2] / "dags"
PROGRAM = """
import seedance_text_to_video

run = seedance_text_to_video.dag.test(run_conf={"prompt": "A DAG is debugged"})
print("STATE", run.state)
"""


def airflow(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_first_example_defers_resumes_and_lands(tmp_path, emulator):
    settings = AirflowSettings.on_free_ports(tmp_path / "home", DAGS)
    environment = {
        **inherited_environment(),
        **settings.environment(),
        "AIRFLOW_CONN_SEEDANCE_DEFAULT": emulator.connection,
        "SEEDANCE_VIDEO_FOLDER": (tmp_path / "videos").as_uri(),
        "PYTHONPATH": str(DAGS),
    }
    airflow(environment, "-m", "airflow", "db", "migrate")
    airflow(environment, "-m", "airflow", "dags", "reserialize")
    assert "STATE success" in airflow(environment, "-c", PROGRAM)
    (video,) = (tmp_path / "videos").rglob("*.mp4")
    assert video.stat().st_size > 10_000
    prompts = [submission["prompt"] for submission in emulator.ledger()["submissions"]]
    assert prompts.count("A DAG is debugged") == 1
