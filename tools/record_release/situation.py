"""
A situation in which an upgrade can find a task: what a release has left of it in Airflow's database.

A recording holds the values as they were written, but for names that are other ones each time: addresses, folders and
the ids of video tasks are placeholders such as ``<slow>``. Times are as they were, and are moved when it is read.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Situation"]

#: A number that is as near to the time of the recording is a time, too.
_NEAR = timedelta(days=2).total_seconds()
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?P<fraction>\.\d+)?(?P<zone>Z|\+00:00)")


@dataclass(frozen=True)
class Situation:
    """
    What is left of one task instance.

    :param release: of this provider, which has written it.
    :param airflow: the version of Airflow.
    :param recorded_at: in seconds since the epoch.
    :param row: what ``rows.py`` reads and writes.
    """

    release: str
    airflow: str
    recorded_at: float
    row: Mapping[str, Any]

    @classmethod
    def read(cls, file: Path) -> Situation:
        """Return what a file holds, with its placeholders and times as they are."""
        return cls(**json.loads(file.read_text()))

    def write(self, file: Path, placeholders: Mapping[str, str]) -> None:
        """
        Write a file for people and tests.

        :param file: which one.
        :param placeholders: by the texts that they stand for.
        """
        text = json.dumps(asdict(self), indent=2, sort_keys=True, ensure_ascii=False)
        # The longest first, since one may be a part of another.
        for found in sorted(placeholders, key=len, reverse=True):
            text = text.replace(found, placeholders[found])
        file.write_text(text + "\n")

    def filled(self, texts: Mapping[str, str], now: float) -> dict[str, Any]:
        """
        Return the row as if it were written now.

        :param texts: for the placeholders.
        :param now: in seconds since the epoch.
        :raises ValueError: if a placeholder is left.
        """
        text = json.dumps(self.row, ensure_ascii=False)
        for placeholder, meant in texts.items():
            text = text.replace(placeholder, meant)
        if left := re.search(r"<[\w ]+>", text):
            raise ValueError(f"{left.group()} stands for nothing.")
        moved = _moved(json.loads(text), timedelta(seconds=now - self.recorded_at), self.recorded_at)
        return dict(moved)


def _moved(value: Any, by: timedelta, around: float) -> Any:
    match value:
        case dict():
            return {key: _moved(item, by, around) for key, item in value.items()}
        case list():
            return [_moved(item, by, around) for item in value]
        case float() if abs(value - around) < _NEAR:
            return value + by.total_seconds()
        case str() if found := _MOMENT.fullmatch(value):
            return _moment(found, by)
        case _:
            return value


def _moment(found: re.Match[str], by: timedelta) -> str:
    """In the form in which it was."""
    moved = datetime.fromisoformat(found.group()) + by
    digits = len(found["fraction"] or "")
    fraction = f".{moved.microsecond:06}"[:digits]
    return f"{moved:%Y-%m-%dT%H:%M:%S}{fraction}{found['zone']}"
