"""Gathers what is known after the run, from Airflow, from the emulator and from the storage."""

from __future__ import annotations

import filecmp
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from tools.chaos.attack import DAG_ID
from tools.chaos.evidence import Evidence, Hit, Job, VideoEvidence

if TYPE_CHECKING:
    from pathlib import Path

    from tools.airflow_stack import AirflowStack
    from tools.chaos.videos import Video
    from tools.emulator_process import EmulatorProcess

__all__ = ["collect"]

_RECORD = "seedance_submission"


def collect(
    airflow: AirflowStack,
    emulator: EmulatorProcess,
    run_id: str,
    wanted: list[Video],
    hits: list[Hit],
    storage: Path,
) -> Evidence:
    """
    Return what is known.

    :param airflow: running, and no longer hit.
    :param emulator: running, too.
    :param run_id: the run that was hit.
    :param wanted: what it was to make.
    :param hits: what was done.
    :param storage: the folder into which it landed videos.
    """
    emulator.wait()  # the last fault may have been an outage
    jobs = _jobs(emulator.ledger()["submissions"])
    instances = airflow.task_instances(DAG_ID, run_id)
    states = {(instance["task_id"], instance["map_index"]): instance["state"] for instance in instances}
    return Evidence(
        tuple(
            VideoEvidence(
                prompt=video.prompt,
                state=states.get((video.create, video.map_index)),
                record=airflow.state_store(DAG_ID, run_id, video.create, _RECORD, map_index=video.map_index),
                log=_log(airflow.home / "logs", run_id, video),
                jobs=tuple(jobs[video.prompt]),
                landed=_landed(jobs[video.prompt], emulator.media_folder, storage),
            )
            for video in wanted
        ),
        tuple(hits),
        tuple(emulator.injected_faults()),
    )


def _jobs(submissions: list[dict[str, Any]]) -> dict[str, list[Job]]:
    jobs: dict[str, list[Job]] = defaultdict(list)
    for entry in submissions:
        job = Job(entry["taskId"], entry["creditsCharged"], entry["createTime"], entry["completeTime"])
        jobs[entry["prompt"]].append(job)
    return jobs


def _log(logs: Path, run_id: str, video: Video) -> str:
    """All tries of the task that pays; from the files, since that is what is left when everything else is gone."""
    folder = logs / f"dag_id={DAG_ID}" / f"run_id={run_id}" / f"task_id={video.create}" / f"map_index={video.map_index}"
    return "\n".join(file.read_text(errors="replace") for file in sorted(folder.glob("**/*.log*")))


def _landed(jobs: list[Job], media: Path, storage: Path) -> frozenset[str]:
    """The jobs whose file in the storage is, byte for byte, the one that the API made."""
    return frozenset(
        job.task_id
        for job in jobs
        if (landed := storage / f"{job.task_id}.mp4").exists()
        and filecmp.cmp(landed, media / f"{job.task_id}.mp4", shallow=False)
    )
