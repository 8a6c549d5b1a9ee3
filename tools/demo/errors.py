"""The error of the demo."""

from __future__ import annotations

__all__ = ["DemoFailedError"]


class DemoFailedError(Exception):
    """The demo could not show what it is there to show. The text is for the person who started it."""
