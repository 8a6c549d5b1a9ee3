"""Airflow's part of the model: the tries of one task instance."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["State", "TaskInstance"]


class State(StrEnum):
    """Where a task instance stands; a retry that is due is scheduled as well."""

    SCHEDULED = "scheduled"
    WAITING_FOR_SLOT = "deferred, waiting for a slot"
    WAITING_FOR_VIDEO = "deferred, waiting for the video"
    SUCCESS = "success"
    FAILED = "failed"


@dataclass
class TaskInstance:
    """One task instance, by the rules of Airflow 3.3."""

    retries: int = 2
    max_tries: int = 2
    try_number: int = 0
    state: State = State.SCHEDULED
    video_task_id: str = ""

    def start(self) -> None:
        """Start a process: for a new try, or to resume one."""
        if self.state is State.SCHEDULED:
            self.try_number += 1

    def fail_try(self) -> None:
        """End this try, by an exception or because its worker is lost: Airflow retries while there are tries."""
        again = self.max_tries != 0 and self.try_number <= self.max_tries
        self.state = State.SCHEDULED if again else State.FAILED

    def clear(self) -> None:
        """Run it again, as a person asked for. It is the only thing that changes ``max_tries``."""
        self.max_tries = self.try_number + self.retries
        self.state = State.SCHEDULED
