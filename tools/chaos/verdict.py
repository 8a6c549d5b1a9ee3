"""The referee: pure functions from what is known to what went wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import TYPE_CHECKING, Any

from tools.chaos.blows import CLEAR
from tools.chaos.faults import leaves_unknown

if TYPE_CHECKING:
    from tools.chaos.evidence import Evidence, VideoEvidence

__all__ = ["Verdict", "judge"]

#: What the provider says when nobody can know, with the moment of the request, and what it tells a person to do.
_UNKNOWN = re.compile(r"It is unknown whether a video was paid for: [^\n]{1,100}? was sent at (\S+), and no answer")
_WHAT_TO_CHECK = "web account"

#: The one that is asked, and those that keep the record: without them it goes on saying that a request is on its way,
#: even if that was certainly refused.
_NEEDED_TO_SUBMIT = ("emulator", "api-server", "database")
#: How long after its moment a request can reach the API, in seconds: its record is written and read before.
_SENT_WITHIN = 60.0
#: How long after that its answer can be on its way to the record, in seconds; a slow one is the longest.
_ON_ITS_WAY = 10.0
#: By how much the clocks of the log and of the referee may differ, in seconds.
_ROUNDED = 1.0


@dataclass(frozen=True)
class Verdict:
    """
    What a chaos run has shown.

    :param double_paid: prompts of videos with more than one charged job, or more than one in progress at a time.
    :param lost: charged video tasks that can't be found from Airflow any more.
    :param unknown: prompts whose submission was reported as unknown.
    :param unexplained: those of them with a request of which nothing that was done can have lost the answer.
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
    unknown = [video for video in evidence.videos if _reported(video)]
    return Verdict(
        double_paid=tuple(video.prompt for video in evidence.videos if _is_paid_twice(video, evidence)),
        lost=tuple(job for video in evidence.videos for job in _lost(video)),
        unknown=tuple(video.prompt for video in unknown),
        unexplained=tuple(
            video.prompt for video in unknown if not all(_was_lost(video, at, evidence) for at in _reported(video))
        ),
        unreported=tuple(video.prompt for video in evidence.videos if _is_unreported(video, evidence)),
        landed=tuple(video.prompt for video in evidence.videos if video.landed),
    )


def _is_paid_twice(video: VideoEvidence, evidence: Evidence) -> bool:
    charged = [job for job in video.jobs if job.charged > 0]
    if _reported(video):
        # Clearing a task that has reported an unknown outcome is the decision to pay again.
        return len(charged) > 1 + sum(hit.what == CLEAR and video.prompt in hit.prompts for hit in evidence.hits)
    return len(charged) > 1 or any(one.overlaps(other) for one, other in combinations(video.jobs, 2))


def _lost(video: VideoEvidence) -> list[str]:
    """What was charged and is neither landed, nor recorded, nor named in a log, nor reported as unknown."""
    recorded = (video.record or {}).get("video_task_id")
    known = {*video.landed, recorded}
    unnamed = [
        job.task_id
        for job in video.jobs
        if job.charged > 0 and job.task_id not in known and job.task_id not in video.log
    ]
    # One report stands for one submission: nobody was told of a second one.
    return unnamed[len(_reported(video)) :]


def _reported(video: VideoEvidence) -> set[float]:
    """When the requests were sent whose outcome was reported as unknown, as Unix seconds."""
    said = f"{video.log}\n{(video.record or {}).get('reason') or ''}"
    if _WHAT_TO_CHECK not in said:
        return set()
    return {datetime.fromisoformat(moment).timestamp() for moment in _UNKNOWN.findall(said)}


def _was_lost(video: VideoEvidence, sent: float, evidence: Evidence) -> bool:
    """Whether something that was done can have lost the answer to a request."""
    if any(_spoils(fault, video, sent) for fault in evidence.faults):
        return True
    # Later than that, the answer was in the record.
    accepted = [job.created / 1000 for job in video.jobs if _is_of(sent, job.created / 1000)]
    until = min(accepted, default=sent) + _ON_ITS_WAY
    kills = [hit.time for hit in evidence.hits if hit.what in _NEEDED_TO_SUBMIT or video.prompt in hit.prompts]
    # A server that stops listening resets connections that it has not accepted yet, and perhaps a request with them.
    outages = [fault["time"] for fault in evidence.faults if fault["fault"] == "connection_refused"]
    return any(sent - _ROUNDED <= time <= until for time in (*kills, *outages))


def _is_unreported(video: VideoEvidence, evidence: Evidence) -> bool:
    spoilt = [fault for fault in evidence.faults if leaves_unknown(fault) and fault["prompt"] == video.prompt]
    return any(not any(_is_of(sent, fault["time"]) for sent in _reported(video)) for fault in spoilt)


def _spoils(fault: dict[str, Any], video: VideoEvidence, sent: float) -> bool:
    return leaves_unknown(fault) and fault["prompt"] == video.prompt and _is_of(sent, fault["time"])


def _is_of(sent: float, time: float) -> bool:
    """Whether what the API saw at a time can be the request that was sent at another."""
    return -_ROUNDED <= time - sent <= _SENT_WITHIN
