"""Waiting for a condition, bounded."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["wait_until"]

T = TypeVar("T")


def wait_until(
    condition: Callable[[], T | None],
    *,
    timeout: float,
    what: str | Callable[[], str],
    interval: float = 0.1,
) -> T:
    """
    Call ``condition`` again and again until it returns something true, and return that.

    :param condition: called at least once; whatever it raises ends the waiting.
    :param timeout: seconds after which :class:`TimeoutError` is raised.
    :param what: what is being waited for, or a function that describes it at the time of the timeout.
    :param interval: seconds between two calls.
    """
    deadline = time.monotonic() + timeout
    while True:
        if found := condition():
            return found
        if time.monotonic() >= deadline:
            description = what if isinstance(what, str) else what()
            raise TimeoutError(f"Timed out after {timeout:g} s waiting for {description}")
        time.sleep(interval)
