"""Ranges as RFC 9110 has them."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seedance_provider.plugins.byte_range import ByteRange, UnsatisfiableRangeError, requested_range

WHOLE = ByteRange(0, 1000, 1000)
#: More than Python makes a number of.
ENDLESS = "9" * 5000


@pytest.mark.parametrize(
    ("header", "start", "length"),
    [
        ("bytes=0-499", 0, 500),
        ("bytes=500-999", 500, 500),
        ("bytes=0-0", 0, 1),
        ("bytes=999-999", 999, 1),
        ("bytes=950-", 950, 50),
        ("bytes=-500", 500, 500),
        ("bytes=-1", 999, 1),
        ("bytes=900-4000", 900, 100),
        ("bytes=900-18446744073709551615", 900, 100),
        ("bytes=0010-0019", 10, 10),
        ("Bytes=10-19", 10, 10),
        ("  bytes = 10 - 19 ", 10, 10),
    ],
)
def test_a_part(header, start, length):
    assert requested_range(header, 1000) == ByteRange(start, length, 1000)


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=0-999", "bytes=0-9999", "bytes=-1000", "bytes=-1001"])
def test_a_part_that_is_all_of_it(header):
    assert requested_range(header, 1000) == WHOLE


@pytest.mark.parametrize(
    "header",
    [
        None, "", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=1", "bytes=1-2-3", "bytes=--5", "bytes=+1-5",
        "bytes=0x1-0x5", "bytes=1.0-5.0", "bytes=\u0661-\u0665", "bytes=0-1\nX: y", "items=0-5", "0-5", "bytes=5-4",
        "bytes=4000-3000", "bytes=0-0,5-9", "bytes=0-0,-1", f"bytes={ENDLESS}-", f"bytes=0-{ENDLESS}",
        f"bytes=-{ENDLESS}",
    ],
)  # fmt: skip
def test_what_is_no_single_range_asks_for_no_part(header):
    assert requested_range(header, 1000) is None


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=1000-1001", "bytes=18446744073709551615-", "bytes=-0"])
def test_what_is_not_there_says_how_much_there_is(header):
    with pytest.raises(UnsatisfiableRangeError, match=r"^bytes \*/1000$"):
        requested_range(header, 1000)


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=0-0", "bytes=-1", "bytes=-0"])
def test_an_empty_file_has_no_part(header):
    with pytest.raises(UnsatisfiableRangeError, match=r"^bytes \*/0$"):
        requested_range(header, 0)


@pytest.mark.parametrize(("header", "expected"), [("bytes=0-0", "0-0"), ("bytes=-3", "997-999"), ("bytes=0-", "0-999")])
def test_is_told_as_the_header_has_it(header, expected):
    assert str(requested_range(header, 1000)) == f"bytes {expected}/1000"


NUMBERS = st.one_of(st.just(""), st.integers(0, 50).map(str), st.integers(0, 2**80).map(str))


@given(
    header=st.one_of(st.text(max_size=30), st.builds("bytes={}-{}".format, NUMBERS, NUMBERS)),
    total=st.integers(0, 40),
)
@example(header=f"bytes=0-{ENDLESS}", total=40)
def test_a_part_is_always_inside_the_file(header, total):
    try:
        part = requested_range(header, total)
    except UnsatisfiableRangeError:
        return
    if part is not None:
        assert 0 <= part.start < part.start + part.length <= part.total == total
