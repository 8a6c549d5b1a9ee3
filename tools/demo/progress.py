"""What a person sees while the demo runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tools.airflow_api import TaskChange

__all__ = ["Progress"]

_MEANINGS = {
    "deferred": "no worker is used while the video is generated",
    "up_for_retry": "a retry re-attaches to a video that is already paid for",
}


class Progress:
    """Prints lines with the seconds that have passed since it was made."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def say(self, text: str) -> None:
        """Print a line."""
        print(f"{time.monotonic() - self._started:6.1f} s  {text}", flush=True)

    def say_change(self, change: TaskChange) -> None:
        """Print that a task has come to another state."""
        if change.state is None:
            return
        meaning = f": {_MEANINGS[change.state]}" if change.state in _MEANINGS else ""
        self.say(f"{change.task_id:<6}  {change.state}{meaning}")
