"""What Airflow says will go: no example uses it. In the modules of the package, any such warning fails a test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "dags"
#: Runs files, in a process of its own as Airflow's are, and prints whose lines were warned of.
PROGRAM = """
import runpy, sys, warnings

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    for name in sys.argv[1:]:
        runpy.run_path(name)
for warning in caught:
    if issubclass(warning.category, (DeprecationWarning, PendingDeprecationWarning, FutureWarning)):
        print("WARNED", f"{warning.filename}:{warning.lineno}: {warning.message}")
"""


def warnings_of(*names: str, folder: Path) -> list[str]:
    """What a new process is warned of on account of lines in a folder."""
    environment = {name: value for name, value in os.environ.items() if name != "AIRFLOW__CORE__UNIT_TEST_MODE"}
    command = [sys.executable, "-c", PROGRAM, *names]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=180, env=environment)
    warned = [line.removeprefix("WARNED ") for line in done.stdout.splitlines() if line.startswith("WARNED ")]
    return [line for line in warned if Path(line.split(":")[0]).is_relative_to(folder)]


def test_no_example_uses_what_is_deprecated():
    examples = [str(path) for path in sorted(EXAMPLES.glob("*.py"))]
    assert examples
    assert warnings_of(*examples, folder=EXAMPLES) == []


def test_what_is_deprecated_would_be_found(tmp_path):
    (tmp_path / "old.py").write_text("import warnings\nwarnings.warn('gone in Airflow 4', DeprecationWarning)\n")
    (warned,) = warnings_of(str(tmp_path / "old.py"), folder=tmp_path)
    assert "gone in Airflow 4" in warned
