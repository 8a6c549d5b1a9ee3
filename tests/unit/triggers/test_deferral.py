"""Whether tasks wait in the triggerer if their DAG does not say."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
from seedance_provider.operators.seedance import CreateVideoOperator
from seedance_provider.sensors.seedance import VideoSensor
create = CreateVideoOperator(task_id="create", prompt="A kite")
print(create.deferrable, VideoSensor(task_id="wait", video_task_id="task_a").deferrable)
"""
VARIABLE = "AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE"


@pytest.mark.parametrize(
    ("variable", "file", "expected"),
    [
        (None, "", "True True"),
        ("False", "", "False False"),
        ("True", "", "True True"),
        # As `airflow db migrate` writes it, which nobody has chosen.
        (None, "[operators]\ndefault_deferrable = False\n", "True True"),
        ("True", "[operators]\ndefault_deferrable = False\n", "True True"),
    ],
)
def test_follows_airflow_where_somebody_has_decided(tmp_path, variable, file, expected):
    (tmp_path / "airflow.cfg").write_text(file)
    env = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    env |= {"AIRFLOW_HOME": str(tmp_path)} | ({VARIABLE: variable} if variable else {})
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=env, check=True, capture_output=True, text=True, timeout=120
    )
    assert done.stdout.splitlines()[-1] == expected
