"""One value in Airflow's task state store, which all tries of a task instance share."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SubmissionRecordError", "SubmissionStoreError", "TaskState"]

#: Airflow returns the default only if nothing was ever stored: a JSON value can't be this object.
_NEVER_STORED = object()


class SubmissionRecordError(Exception):
    """What is kept of a submission can't be understood, or is gone. Nothing was submitted."""


class SubmissionStoreError(Exception):
    """Airflow's task state store can't be used at the moment. The record is as it was, whatever that is."""


class TaskState:
    """
    One value.

    :param store: Airflow's ``context["task_state_store"]``, or ``None`` below Airflow 3.3, where nothing can be kept.
    :param key: its name.
    """

    def __init__(self, store: Any, key: str) -> None:
        self._store = store
        self._key = key

    @property
    def is_kept(self) -> bool:
        """Whether the next try can read it."""
        return self._store is not None

    def read(self) -> Any:
        """
        Return the value, or ``None`` if there never was one.

        :raises SubmissionStoreError: if the store fails.
        :raises SubmissionRecordError: if there was one, and it is gone. With ``[workers] state_store_backend`` values
            are objects in a bucket, and for one that was deleted Airflow returns ``None``, which can't be stored.
        """
        if self._store is None:
            return None
        with _asking("read"):
            value = self._store.get(self._key, _NEVER_STORED)
        if value is None:
            raise SubmissionRecordError(f"The content of {self._key!r} in Airflow's task state store is gone")
        return None if value is _NEVER_STORED else value

    def write(self, value: Any) -> None:
        """
        Keep a value for as long as Airflow keeps the task instance.

        :param value: JSON.
        :raises SubmissionStoreError: if the store fails.
        """
        if self._store is not None:
            from airflow.sdk import NEVER_EXPIRE  # type: ignore[attr-defined]  # missing in the stub

            with _asking("written"):
                self._store.set(self._key, value, retention=NEVER_EXPIRE)

    def delete(self) -> None:
        """
        Keep it no longer.

        :raises SubmissionStoreError: if the store fails.
        """
        if self._store is not None:
            with _asking("written"):
                self._store.delete(self._key)


@contextmanager
def _asking(done: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        # With its cause in the text, because Airflow's own error names neither the task nor what it means.
        raise SubmissionStoreError(
            f"The record in Airflow's task state store can't be {done}: {type(error).__name__}: {error}"
        ) from error
