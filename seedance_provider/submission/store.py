"""Where a task instance keeps its submission."""

from __future__ import annotations

from typing import Any

from seedance_provider.submission.record import RECORD_KEY, Submission
from seedance_provider.submission.task_state import SubmissionStoreError, TaskState

__all__ = ["SubmissionStore"]


class SubmissionStore:
    """
    Where a task instance keeps its submission. An error of the store is raised, as :class:`SubmissionStoreError`, and
    never read as "no record".

    :param task_state_store: Airflow's, or ``None`` below Airflow 3.3, where nothing can be kept.
    """

    def __init__(self, task_state_store: Any) -> None:
        self._state = TaskState(task_state_store, RECORD_KEY)

    @property
    def keeps_records(self) -> bool:
        """Whether the next try will know what this one has paid for."""
        return self._state.is_kept

    def missing_guarantee(self) -> str | None:
        """Return what this store can't do that the promise needs, or ``None``."""
        if not self.keeps_records:
            return (
                "This Airflow has no task state store (3.3 and newer have one), so a retry can't know what this try "
                "has paid for. From the moment at which there is a video task, this task therefore fails without "
                "retries. Use wait_for_completion=False with retries=0, and VideoSensor to wait."
            )
        from airflow.providers.common.compat.sdk import conf

        if conf.getboolean("state_store", "clear_on_success", fallback=False):
            return (
                "[state_store] clear_on_success is on, so Airflow forgets what this task pays for as soon as it has "
                "succeeded. Retries are safe, but clearing the task after that pays for a new video."
            )
        return None

    def load(self) -> Submission | None:
        """Return the record, or ``None`` if nothing was ever submitted."""
        value = self._state.read()
        return None if value is None else Submission.from_json(value)

    def save(self, submission: Submission) -> None:
        """Write the record, to be kept for as long as Airflow keeps the task instance."""
        self._state.write(submission.to_json())

    def claim(self, submission: Submission) -> None:
        """
        Write the record of a request that is about to be sent, and read it back: some stores lose what they took.

        :raises SubmissionStoreError: if the store does not hold it. Then nothing may be sent.
        """
        self.save(submission)
        if self.keeps_records and self.load() != submission:
            raise SubmissionStoreError("The record in Airflow's task state store is not what was just written")

    def restore(self, previous: Submission | None) -> None:
        """Undo a :meth:`save`, because the API certainly did not accept the request."""
        if previous is not None:
            self.save(previous)
        else:
            self._state.delete()
