"""Numbers as the API writes them."""

from __future__ import annotations

__all__ = ["plain"]


def plain(number: float) -> float:
    """Return whole credits as an integer, so that JSON says ``200`` and not ``200.0``, and 37.5 as it is."""
    return int(number) if number == int(number) else number
