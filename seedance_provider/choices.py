"""What the author of a DAG decides about paying. A module of its own, because a DAG file should import little."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["OnRerun", "OnUnknownSubmission"]


class OnRerun(StrEnum):
    """What a re-run of a task does that has already paid for a video."""

    REUSE = "reuse"
    REGENERATE = "regenerate"


class OnUnknownSubmission(StrEnum):
    """What a try does if it is unknown whether the one before it has paid."""

    FAIL = "fail"
    RESUBMIT = "resubmit"
