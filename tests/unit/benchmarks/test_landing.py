"""What the table about landings says of the transfers that were measured."""

from __future__ import annotations

from benchmarks.landing import Transfer, compared

MIB = 1024**2


def test_medians_of_time_and_ratio_and_the_most_memory_are_told():
    rounds = [
        {"curl": Transfer(4.0), "curl, then sync": Transfer(8.0), "ours": Transfer(2.0, 10 * MIB)},
        {"curl": Transfer(3.0), "curl, then sync": Transfer(6.0), "ours": Transfer(4.0, 30 * MIB)},
        {"curl": Transfer(2.0), "curl, then sync": Transfer(2.0), "ours": Transfer(2.5, 20 * MIB)},
    ]
    assert [list(line) for line in compared("a folder", rounds, 2_000_000_000)] == [
        ["a folder", "curl", "3.0 s", "667 MB/s", "1.00 x", ""],
        ["a folder", "curl, then sync", "6.0 s", "333 MB/s", "0.50 x", ""],
        ["a folder", "ours", "2.5 s", "800 MB/s", "0.80 x", "30 MiB"],
    ]
