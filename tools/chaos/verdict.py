"""The referee: pure functions from what is known to what went wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import TYPE_CHECKING

from tools.chaos.blows import CLEAR
from tools.chaos.faults import leaves_unknown

if TYPE_CHECKING:
    from tools.chaos.evidence import Evidence, VideoEvidence

__all__ = ["Verdict", "judge"]

#: What the provider says when nobody can know, and what it tells a person to do about it.
_UNKNOWN = "It is unknown whether a video was paid for"
_WHAT_TO_CHECK = "web account"

#: The one that is asked, and those that keep the record: without them it goes on saying that a request is on its way,
#: even if that was certainly refused.
_NEEDED_TO_SUBMIT = ("emulator", "api-server", "database")
#: How long after its record a request can be on its way, in seconds; a slow answer is the longest.
_ON_ITS_WAY = 10.0


@dataclass(frozen=True)
class Verdict:
    """
    What a chaos run has shown.

    :param double_paid: prompts of videos with more than one charged job, or more than one in progress at a time.
    :param lost: charged video tasks that can't be found from Airflow any more.
    :param unknown: prompts whose submission was reported as unknown.
    :param unexplained: those of them which nothing that was done can have made unknown.
    :param unreported: prompts with a lost answer that nobody was told of.
    :param landed: prompts of videos that have landed.
    """

    double_paid: tuple[str, ...]
    lost: tuple[str, ...]
    unknown: tuple[str, ...]
    unexplained: tuple[str, ...]
    unreported: tuple[str, ...]
    landed: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        """Whether every promise was kept."""
        return not (self.double_paid or self.lost or self.unexplained or self.unreported)


def judge(evidence: Evidence) -> Verdict:
    """Compare what Airflow knows with what was paid for."""
    unknown = [video for video in evidence.videos if _is_reported(video)]
    return Verdict(
        double_paid=tuple(video.prompt for video in evidence.videos if _is_paid_twice(video, evidence)),
        lost=tuple(job for video in evidence.videos for job in _lost(video)),
        unknown=tuple(video.prompt for video in unknown),
        unexplained=tuple(video.prompt for video in unknown if not _is_explained(video, evidence)),
        unreported=tuple(sorted(_unknowable(evidence) - {video.prompt for video in unknown})),
        landed=tuple(video.prompt for video in evidence.videos if video.landed),
    )


def _is_paid_twice(video: VideoEvidence, evidence: Evidence) -> bool:
    charged = [job for job in video.jobs if job.charged > 0]
    if _is_reported(video):
        # Clearing a task that has reported an unknown outcome is the decision to pay again.
        return len(charged) > 1 + sum(hit.what == CLEAR and video.prompt in hit.prompts for hit in evidence.hits)
    return len(charged) > 1 or any(one.overlaps(other) for one, other in combinations(video.jobs, 2))


def _lost(video: VideoEvidence) -> list[str]:
    """What was charged and is neither landed, nor recorded, nor named in a log, nor reported as unknown."""
    recorded = (video.record or {}).get("task_id")
    known = {*video.landed, recorded}
    unnamed = [
        job.task_id
        for job in video.jobs
        if job.charged > 0 and job.task_id not in known and job.task_id not in video.log
    ]
    # One report stands for one submission: nobody was told of a second one.
    return unnamed[1:] if _is_reported(video) else unnamed


def _is_reported(video: VideoEvidence) -> bool:
    said = f"{video.log}\n{(video.record or {}).get('reason') or ''}"
    return _UNKNOWN in said and _WHAT_TO_CHECK in said


def _unknowable(evidence: Evidence) -> set[str]:
    """Prompts of requests whose answer a fault has spoiled."""
    return {fault["prompt"] for fault in evidence.faults if leaves_unknown(fault)}


def _is_explained(video: VideoEvidence, evidence: Evidence) -> bool:
    if video.prompt in _unknowable(evidence):
        return True
    kills = [hit.time for hit in evidence.hits if hit.what in _NEEDED_TO_SUBMIT or video.prompt in hit.prompts]
    # Whoever stops listening resets the connections that he has not accepted yet, and perhaps a request with them.
    outages = [fault["time"] for fault in evidence.faults if fault["fault"] == "connection_refused"]
    return any(_was_submitting(video, time) for time in (*kills, *outages))


def _was_submitting(video: VideoEvidence, time: float) -> bool:
    """Whether the request can have been on its way at a time, given as Unix seconds."""
    submitted_at = (video.record or {}).get("submitted_at")
    return submitted_at is not None and -1 <= time - datetime.fromisoformat(submitted_at).timestamp() <= _ON_ITS_WAY
