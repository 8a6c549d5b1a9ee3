"""Retries for a while."""

from __future__ import annotations

import pytest

from seedance_provider.submission.retries import retry_until


class Outage:
    """An action that fails a number of times, on a clock that moves only when somebody sleeps."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.pauses: list[float] = []
        self.told: list[tuple[str, float]] = []

    def retry(self, **settings: float) -> None:
        def on_retry(error, pause):
            self.told.append((str(error), pause))

        retry_until(self.act, on_retry=on_retry, clock=lambda: sum(self.pauses), sleep=self.pauses.append, **settings)

    def act(self) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("away")


def test_what_succeeds_is_done_once():
    outage = Outage(0)
    outage.retry()
    assert (outage.pauses, outage.told) == ([], [])


def test_pauses_grow_up_to_a_limit_and_are_told():
    outage = Outage(6)
    outage.retry(seconds=1000, first_pause=1, longest_pause=5)
    assert outage.pauses == [1, 2, 4, 5, 5, 5]
    assert outage.told == [("away", pause) for pause in outage.pauses]


def test_gives_up_when_the_time_is_up():
    outage = Outage(99)
    with pytest.raises(ConnectionError, match="away"):
        outage.retry(seconds=10, first_pause=1, longest_pause=5)
    assert sum(outage.pauses) <= 10


def test_two_minutes_are_the_default():
    outage = Outage(99)
    with pytest.raises(ConnectionError):
        outage.retry()
    assert 100 <= sum(outage.pauses) <= 120
