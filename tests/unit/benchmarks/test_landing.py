"""What the table about landings says of the transfers that were measured."""

from __future__ import annotations

import pytest

from benchmarks.landing import Transfer, compared

SIZE = 2_000_000_000
MIB = 1024**2


@pytest.fixture
def lines():
    rounds = [
        {"curl": Transfer(4.0), "curl, then sync": Transfer(8.0), "ours": Transfer(2.0, 10 * MIB)},
        {"curl": Transfer(3.0), "curl, then sync": Transfer(6.0), "ours": Transfer(4.0, 30 * MIB)},
        {"curl": Transfer(2.0), "curl, then sync": Transfer(2.0), "ours": Transfer(2.5, 20 * MIB)},
    ]
    return compared("a folder", rounds, SIZE)


def test_there_is_a_line_for_each(lines):
    assert [line[:2] for line in lines] == [["a folder", "curl"], ["a folder", "curl, then sync"], ["a folder", "ours"]]


def test_the_speed_is_that_of_the_median(lines):
    assert [line[2:4] for line in lines] == [["3.0 s", "667 MB/s"], ["6.0 s", "333 MB/s"], ["2.5 s", "800 MB/s"]]


def test_the_ratio_is_the_median_of_the_rounds(lines):
    assert [line[4] for line in lines] == ["1.00 x", "0.50 x", "0.80 x"]


def test_the_memory_is_the_most_of_any_round(lines):
    assert [line[5] for line in lines] == ["", "", "30 MiB"]
