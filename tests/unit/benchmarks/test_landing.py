"""What the table about landings says of the transfers that were measured."""

from __future__ import annotations

import pytest

from benchmarks.landing import Transfer, compared

SIZE = 2_000_000_000
MIB = 1024**2


@pytest.fixture
def lines():
    rounds = [
        (Transfer(4.0), Transfer(2.0, 10 * MIB)),
        (Transfer(3.0), Transfer(4.0, 30 * MIB)),
        (Transfer(2.0), Transfer(2.5, 20 * MIB)),
    ]
    return compared("a folder", "`curl -o`", rounds, SIZE)


def test_the_speed_is_that_of_the_median(lines):
    assert [line[2:4] for line in lines] == [["3.0 s", "667 MB/s"], ["2.5 s", "800 MB/s"]]


def test_the_ratio_is_the_median_of_the_rounds(lines):
    assert [line[4] for line in lines] == ["1.00 x", "0.80 x"]


def test_the_memory_is_the_most_of_any_round(lines):
    assert [line[5] for line in lines] == ["", "30 MiB"]
