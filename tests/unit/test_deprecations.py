"""What Airflow says will go: nothing of it is used here, by no module and no example, whichever process imports it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import seedance_provider
from tests.support.airflow_versions import HAS_STATE_STORE

PACKAGE = Path(seedance_provider.__file__).parent
EXAMPLES = Path(__file__).parents[2] / "dags"
#: Imports modules and runs files, in a process of its own as Airflow's are, and prints whose lines were warned of.
PROGRAM = """
import importlib, runpy, sys, warnings

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    for name in sys.argv[1:]:
        runpy.run_path(name) if name.endswith(".py") else importlib.import_module(name)
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


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


def test_no_module_uses_what_is_deprecated():
    # What does something when it is imported, and what needs the retry policies of Airflow 3.3.
    left_out = {"__main__"} if HAS_STATE_STORE else {"__main__", "retry_decisions"}
    modules = [module_name(path) for path in sorted(PACKAGE.rglob("*.py")) if path.stem not in left_out]
    assert "seedance_provider.plugins.application" in modules
    assert warnings_of(*modules, folder=PACKAGE) == []


def test_no_example_uses_what_is_deprecated():
    examples = [str(path) for path in sorted(EXAMPLES.glob("*.py"))]
    assert examples
    assert warnings_of(*examples, folder=EXAMPLES) == []


def test_what_is_deprecated_would_be_found(tmp_path):
    (tmp_path / "old.py").write_text("import warnings\nwarnings.warn('gone in Airflow 4', DeprecationWarning)\n")
    (warned,) = warnings_of(str(tmp_path / "old.py"), folder=tmp_path)
    assert "gone in Airflow 4" in warned
