"""The test that the recipes show, as an author would run it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tools.processes import inherited_environment

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples"


def test_the_dag_of_the_recipe_is_tested_by_its_test():
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        EXAMPLE,
        "-c",
        "/dev/null",
        EXAMPLE,
    ]
    done = subprocess.run(
        command, env=inherited_environment(), capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
