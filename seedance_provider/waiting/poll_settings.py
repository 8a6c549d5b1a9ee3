"""How to wait, checked when the DAG file is parsed. A module of its own, because that should import little."""

from __future__ import annotations

from dataclasses import asdict, dataclass

__all__ = ["DEFAULT_POLL_INTERVAL", "ERROR_TOLERANCE", "PollSettings"]

#: The interval of the vendor's quickstart.
DEFAULT_POLL_INTERVAL = 5.0
#: Seconds. An outage of half an hour is survived without using up a retry.
ERROR_TOLERANCE = 1800.0


@dataclass(frozen=True, slots=True)
class PollSettings:
    """
    How to wait.

    :param poll_interval: seconds between two polls of a video task, from the first one on.
    :param error_tolerance: how long, in seconds, to tolerate an API that fails, which says nothing about the video:
        a time and not a count, so that an outage counts the same at any interval.
    """

    poll_interval: float = DEFAULT_POLL_INTERVAL
    error_tolerance: float = ERROR_TOLERANCE

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
                raise ValueError(f"{name} is {value!r}, and a number of seconds above 0 is needed.")
