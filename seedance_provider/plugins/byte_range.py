"""Which part of a file a request asks for (RFC 9110, section 14)."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["ByteRange", "UnsatisfiableRangeError", "requested_range"]


#: With at most so many digits as the largest number of 64 bits: no file is longer, and Python reads no endless number.
_RANGE = re.compile(r"\s*bytes\s*=\s*(\d{0,20})\s*-\s*(\d{0,20})\s*", flags=re.ASCII | re.IGNORECASE)


class UnsatisfiableRangeError(ValueError):
    """The file has no such part."""


@dataclass(frozen=True)
class ByteRange:
    """
    A part of a file.

    :param start: of its first byte.
    :param length: in bytes.
    :param total: bytes of the whole file.
    """

    start: int
    length: int
    total: int

    @classmethod
    def whole(cls, total: int) -> ByteRange:
        """Return all of a file of so many bytes."""
        return cls(0, total, total)

    def __str__(self) -> str:
        """Return it as ``Content-Range`` has it."""
        return f"bytes {self.start}-{self.start + self.length - 1}/{self.total}"


def requested_range(header: str | None, total: int) -> ByteRange | None:
    """
    Return the part that a request asks for; ``None`` if it asks for none, for several, or in a way that is no range.

    :param header: ``Range`` of the request.
    :param total: bytes of the file.
    :raises UnsatisfiableRangeError: if it asks for what is not there.
    """
    found = _RANGE.fullmatch(header or "")
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        return _last(int(found[2]), total)
    start = int(found[1])
    end = min(int(found[2]), total - 1) if found[2] else total - 1
    if found[2] and int(found[2]) < start:
        return None
    if start >= total:
        raise UnsatisfiableRangeError(f"bytes */{total}")
    return ByteRange(start, end - start + 1, total)


def _last(length: int, total: int) -> ByteRange:
    if not length or not total:
        raise UnsatisfiableRangeError(f"bytes */{total}")
    length = min(length, total)
    return ByteRange(total - length, length, total)
