"""
More videos than the account has slots: starts of a worker, tries and time, through a real Airflow.

Scheduler, triggerer, API server and emulator share the machine.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from benchmarks.results import measured_on, save_section, table
from tools.airflow_stack import AirflowStack
from tools.emulator_process import EmulatorProcess

__all__ = ["measure_slots"]

LIMIT = 10
#: How many videos, and the seconds that each takes.
SETS = ((60, 60.0), (300, 10.0))
_DAGS = Path(__file__).with_name("dags")
_LONGEST_SECONDS = 3600

_TEXT = """{measured_on}

A DAG with a mapped `CreateVideoOperator` through a real Airflow (LocalExecutor with 4 workers, SQLite), against the
emulator with {limit} slots, whose connection says how long its videos take; all share this machine. "Ideal" is the time
if every slot is always in use and nothing else takes any. Every time at which Airflow executes a task is a start of a
worker: to ask for the video, to ask again when there is a slot, and to take the result.

{rows}
"""
_HEADS = ("videos", "", "paid for", "failed tries", "starts per video", "time", "ideal", "of ideal")


@dataclass(frozen=True)
class _SlotRun:
    """
    What it took to make some videos.

    :param videos: how many.
    :param generation_seconds: how long the API takes for one.
    :param has_pool: whether the tasks were in a pool as large as the account's limit.
    :param starts: of a worker.
    :param failed_tries: tries that failed.
    :param submissions: videos that were paid for.
    :param seconds: from the beginning to the end of the DAG run.
    """

    videos: int
    generation_seconds: float
    has_pool: bool
    starts: int
    failed_tries: int
    submissions: int
    seconds: float

    @property
    def ideal_seconds(self) -> float:
        """How long it takes if every slot is always in use and nothing else takes time."""
        return self.videos / LIMIT * self.generation_seconds


def measure_slots() -> None:
    """Run, and write down what came out."""
    runs = [_slot_run(*videos, has_pool=has_pool) for videos in SETS for has_pool in (True, False)]
    text = _TEXT.format(
        measured_on=measured_on("apache-airflow"), limit=LIMIT, rows=table(_HEADS, [_row(run) for run in runs])
    )
    save_section("More videos than slots", text)


def _row(run: _SlotRun) -> list[str]:
    return [
        f"{run.videos} of {run.generation_seconds:g} s",
        "with a pool" if run.has_pool else "without",
        str(run.submissions),
        str(run.failed_tries),
        f"{run.starts / run.videos:.2f}",
        f"{run.seconds:.0f} s",
        f"{run.ideal_seconds:.0f} s",
        f"{run.seconds / run.ideal_seconds:.2f} x",
    ]


def _slot_run(videos: int, generation_seconds: float, *, has_pool: bool) -> _SlotRun:
    """
    Make videos with a new Airflow and a new account.

    :param videos: how many.
    :param generation_seconds: how long the API takes for one.
    :param has_pool: whether the tasks are in a pool as large as the account's limit.
    """
    dag_id = "with_pool" if has_pool else "without_pool"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (starts := folder / "starts").mkdir()
        prompts = [f"video {number}" for number in range(videos)]
        emulator = EmulatorProcess(
            folder / "emulator",
            credits=1000 * videos,
            waiting_seconds=0,
            generation_seconds=generation_seconds,
            options=("--concurrency-limit", str(LIMIT)),
        )
        with emulator:
            env = {
                "AIRFLOW_CONN_SEEDANCE_DEFAULT": emulator.connection,
                "SLOTS_PROMPTS": json.dumps(prompts),
                "SLOTS_STARTS": str(starts),
            }
            with AirflowStack(folder / "airflow", _DAGS, env=env) as airflow:
                airflow.command("seedance", "pool", "--slots", str(LIMIT))
                run = airflow.wait_for_run(dag_id, run_id := airflow.start_run(dag_id), timeout=_LONGEST_SECONDS)
                instances = airflow.task_instances(dag_id, run_id)
                submissions = emulator.ledger()["submissions"]
        states = Counter(instance["state"] for instance in instances)
        if run["state"] != "success" or len(instances) != videos:
            raise RuntimeError(f"{dag_id} ended as {run['state']}: {states}")
        return _SlotRun(
            videos,
            generation_seconds,
            has_pool,
            len(list(starts.iterdir())),
            sum(instance["try_number"] - 1 for instance in instances),
            len(submissions),
            (datetime.fromisoformat(run["end_date"]) - datetime.fromisoformat(run["start_date"])).total_seconds(),
        )
