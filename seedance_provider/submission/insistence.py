"""Trying again for a while, where giving up would lose what money was spent on."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Insistence"]


@dataclass(frozen=True)
class Insistence:
    """
    How long to insist.

    :param seconds: after which no further attempt begins.
    :param first_pause: seconds until the second attempt; every further pause is twice as long.
    :param longest_pause: seconds at which pauses stop growing.
    :param clock: seconds that only go up.
    :param sleep: waits for some seconds.
    """

    seconds: float = 120.0
    first_pause: float = 1.0
    longest_pause: float = 20.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def on(self, action: Callable[[], None], told: Callable[[Exception, float], None]) -> None:
        """
        Do something until it succeeds.

        :param action: what to do.
        :param told: called with every error that is followed by another attempt, and the pause before that.
        :raises Exception: the last error of the action, when the time is up.
        """
        give_up = self.clock() + self.seconds
        pause = self.first_pause
        while True:
            try:
                return action()
            except Exception as error:
                if self.clock() + pause > give_up:
                    raise
                told(error, pause)
            self.sleep(pause)
            pause = min(2 * pause, self.longest_pause)
