"""What the import of an operator costs every parse of a DAG file, ours and of other providers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from statistics import median

from benchmarks.results import measured_on, save_section, table

__all__ = ["measure_imports"]

ROUNDS = 9
OURS = (
    "seedance_provider.operators.seedance",
    "seedance_provider.sensors.seedance",
    "seedance_provider.transfers.video_to_object_storage",
    "seedance_provider.transfers.upload_reference",
    "seedance_provider.decorators.seedance",
)
PEERS = (
    "airflow.providers.http.operators.http",
    "airflow.providers.openai.operators.openai",
    "airflow.providers.anthropic.operators.batch",
    "airflow.providers.dbt.cloud.operators.dbt",
)

#: A DAG processor has imported this much before it reads its first DAG file.
_PROGRAM = """
import importlib, json, sys, time
import airflow.sdk
from airflow.sdk import DAG, BaseOperator
modules, began = len(sys.modules), time.process_time()
importlib.import_module(sys.argv[1])
print(json.dumps([time.process_time() - began, len(sys.modules) - modules]))
"""

_TEXT = """{measured_on}

CPU time of one import in a new process that has `airflow.sdk` already, as when a DAG file is parsed. Medians of
{rounds} rounds, after one that writes the byte code; everybody takes a turn in each.

{rows}
"""


def measure_imports(peers_python: Path) -> None:
    """
    Measure, and write down what came out.

    :param peers_python: the interpreter of an environment that holds the peers.
    """
    pythons = {name: Path(sys.executable) for name in OURS} | dict.fromkeys(PEERS, peers_python)
    rounds = [{name: _imported(python, name) for name, python in pythons.items()} for _ in range(ROUNDS + 1)][1:]
    heaviest = [max(seconds for seconds, _ in (found[name] for name in OURS)) for found in rounds]
    rows = []
    for name in pythons:
        seconds = median(found[name][0] for found in rounds)
        ratio = median(found[name][0] / ours for found, ours in zip(rounds, heaviest, strict=True))
        rows.append((f"`{name}`", f"{1000 * seconds:.1f} ms", f"{rounds[-1][name][1]:.0f}", f"{ratio:.1f} x"))
    rows_ = table(("module", "CPU", "modules it brings", "of our heaviest"), rows)
    save_section(
        "What an import costs", _TEXT.format(measured_on=measured_on("apache-airflow"), rounds=ROUNDS, rows=rows_)
    )


def _imported(python: Path, name: str) -> tuple[float, float]:
    done = subprocess.run(  # noqa: S603 - our own program
        [python, "-c", _PROGRAM, name], check=True, capture_output=True, text=True, timeout=120
    )
    seconds, modules = json.loads(done.stdout.splitlines()[-1])
    return seconds, modules
