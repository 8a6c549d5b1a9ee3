"""
What a landing task remembers of what it has landed.

A cleared task then needs nobody but the storage to see that there is nothing to do, also when the vendor has deleted
the video long since. No money hangs on it, so a store that fails is no reason to fail.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seedance_provider.storage.stored_file import StoredFile

__all__ = ["LandingRecord", "LandingRecords"]

_KEY = "seedance_landing"
_SCHEMA_VERSION = 1


@dataclass(frozen=True)
class LandingRecord:
    """
    What has landed.

    :param video: which one, see :attr:`~seedance_provider.landing.known_video.KnownVideo.identity`.
    :param versions: of every object that belongs to it, by where it is.
    :param size: of the video, in bytes.
    :param media: of the video, see :func:`~seedance_provider.landing.landed_video.media_of`.
    """

    video: str
    versions: Mapping[str, str]
    size: int
    media: Mapping[str, Any]
    schema_version: int = _SCHEMA_VERSION

    def is_still_true(self, video: str, objects: Iterable[StoredFile]) -> bool:
        """
        Whether all of it is there, as it was left.

        :param video: which one is meant.
        :param objects: that are needed.
        :raises StorageError: if the storage can't be asked.
        """
        return self.video == video and all(
            str(item) in self.versions and item.size() is not None and item.version() == self.versions[str(item)]
            for item in objects
        )


class LandingRecords:
    """
    Where a task instance keeps its record.

    :param task_state_store: Airflow's, or ``None`` below Airflow 3.3, where nothing can be kept.
    :param log: hears of a store that fails.
    """

    def __init__(self, task_state_store: Any, log: Any) -> None:
        self._store = task_state_store
        self._log = log

    def load(self) -> LandingRecord | None:
        """Return the record, or ``None`` if there is none that can be read."""
        if self._store is None:
            return None
        try:
            value = self._store.get(_KEY)
            is_known = isinstance(value, Mapping) and value.get("schema_version") == _SCHEMA_VERSION
            return LandingRecord(**value) if is_known else None
        except Exception as error:
            self._log.warning("What landed before can't be read (%s), so the storage is checked again.", error)
            return None

    def save(self, record: LandingRecord) -> None:
        """Keep the record for as long as Airflow keeps the task instance."""
        if self._store is None:
            return
        from airflow.sdk import NEVER_EXPIRE  # type: ignore[attr-defined]  # missing in the stub

        try:
            self._store.set(_KEY, asdict(record), retention=NEVER_EXPIRE)
        except Exception as error:
            self._log.warning("What has landed can't be noted (%s): clearing this task fetches it again.", error)
