"""What the author of a DAG decides about paying. A module of its own, because a DAG file should import little."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["OnRerun", "OnUnknownSubmission"]


class OnRerun(StrEnum):
    """What a re-run of a task does that has already paid for a video."""

    #: Returns the video that it has paid for.
    REUSE = "reuse"
    #: Pays for a new video, if the old one is finished and was delivered.
    REGENERATE = "regenerate"


class OnUnknownSubmission(StrEnum):
    """What a try does if it is unknown whether the one before it has paid."""

    #: Fails for good, and asks a person.
    FAIL = "fail"
    #: Lets Airflow retry, and risks paying twice.
    RESUBMIT = "resubmit"
