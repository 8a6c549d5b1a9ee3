"""What is known after a chaos run, from every side, in plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Evidence", "Hit", "Job", "VideoEvidence"]


@dataclass(frozen=True)
class Job:
    """
    One accepted submission, from the emulator's ledger.

    :param task_id: the video task.
    :param charged: what it cost in the end; 0 if it failed.
    :param created: Unix milliseconds.
    :param ended: Unix milliseconds; ``None`` if it never ends.
    """

    task_id: str
    charged: float
    created: int
    ended: int | None

    def overlaps(self, other: Job) -> bool:
        """Whether both were in progress at a time."""
        first, second = sorted((self, other), key=lambda job: job.created)
        return first.ended is None or second.created < first.ended


@dataclass(frozen=True)
class Hit:
    """
    One thing that was done to the stack.

    :param what: the component or process.
    :param time: Unix seconds.
    :param prompts: the videos for which the killed processes were working.
    :param is_kill: whether something was killed or stopped.
    """

    what: str
    time: float
    prompts: frozenset[str] = frozenset()
    is_kill: bool = True


@dataclass(frozen=True)
class VideoEvidence:
    """
    What Airflow, the ledger and the storage say of one video.

    :param prompt: which one.
    :param state: of the Airflow task that pays.
    :param record: the submission in the task state store.
    :param log: of all tries of that task.
    :param jobs: what the API accepted for it.
    :param landed: ids of the video tasks whose file has landed, whole.
    """

    prompt: str
    state: str | None
    record: dict[str, Any] | None
    log: str
    jobs: tuple[Job, ...]
    landed: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Evidence:
    """
    All of it.

    :param videos: what is known of each.
    :param hits: what was done to the stack.
    :param faults: what the emulator did beside, as it lists it.
    """

    videos: tuple[VideoEvidence, ...]
    hits: tuple[Hit, ...] = ()
    faults: tuple[dict[str, Any], ...] = field(default=())
