"""Trying again for a while."""

from __future__ import annotations

import pytest

from seedance_provider.submission.insistence import Insistence


class Outage:
    """An action that fails a number of times, on a clock that moves only when somebody sleeps."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.pauses: list[float] = []
        self.told: list[tuple[str, float]] = []

    def insist(self, **settings: float) -> None:
        insistence = Insistence(**settings, clock=lambda: sum(self.pauses), sleep=self.pauses.append)
        insistence.on(self.act, lambda error, pause: self.told.append((str(error), pause)))

    def act(self) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("away")


def test_what_succeeds_is_done_once():
    outage = Outage(0)
    outage.insist()
    assert (outage.pauses, outage.told) == ([], [])


def test_pauses_grow_up_to_a_limit_and_are_told():
    outage = Outage(6)
    outage.insist(seconds=1000, first_pause=1, longest_pause=5)
    assert outage.pauses == [1, 2, 4, 5, 5, 5]
    assert outage.told == [("away", pause) for pause in outage.pauses]


def test_gives_up_when_the_time_is_up():
    outage = Outage(99)
    with pytest.raises(ConnectionError, match="away"):
        outage.insist(seconds=10, first_pause=1, longest_pause=5)
    assert sum(outage.pauses) <= 10


def test_two_minutes_are_the_default():
    outage = Outage(99)
    with pytest.raises(ConnectionError):
        outage.insist()
    assert 100 <= sum(outage.pauses) <= 120
