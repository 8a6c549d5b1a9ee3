"""Retries for a while, where giving up would lose what money was spent on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["retry_until"]


def retry_until(
    action: Callable[[], None],
    *,
    on_retry: Callable[[Exception, float], None],
    seconds: float = 120.0,
    first_pause: float = 1.0,
    longest_pause: float = 20.0,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """
    Do something until it succeeds.

    :param action: what to do.
    :param on_retry: called before each retry, with the error and the pause.
    :param seconds: after which no further attempt begins.
    :param first_pause: seconds until the second attempt; every further pause is twice as long.
    :param longest_pause: seconds at which pauses stop growing.
    :param clock: seconds that only go up.
    :param sleep: waits for some seconds.
    :raises Exception: the last error of the action, when the time is up.
    """
    give_up = clock() + seconds
    pause = first_pause
    while True:
        try:
            return action()
        except Exception as error:
            if clock() + pause > give_up:
                raise
            on_retry(error, pause)
        sleep(pause)
        pause = min(2 * pause, longest_pause)
