"""How a wait for a video task can end."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from seedance_provider.api.errors import (
    InvalidRequestError,
    SeedanceError,
    TaskAccessDeniedError,
    TaskNotFoundError,
    Verdict,
)
from seedance_provider.api.video_task import VideoTask

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Outcome", "WaitResult", "result_of_error", "sentence"]


class Outcome(StrEnum):
    """How a wait can end."""

    #: The video task ended, well or badly.
    FINISHED = "finished"
    #: The deadline passed; the video task continues.
    TIMED_OUT = "timed_out"
    #: The API could not be asked for too long; the video task continues.
    UNREACHABLE = "unreachable"
    #: The account can't see such a video task.
    GONE = "gone"
    #: The API refuses to talk to this account; the video task continues.
    REFUSED = "refused"


@dataclass(frozen=True)
class WaitResult:
    """
    How a wait ended, in plain values that survive a trigger event.

    :param outcome: how it ended.
    :param message: what happened, for a person; empty when the video task ended.
    :param task: the video task as it was last seen.
    :param video_task_id: its id, which is known even if it was never seen.
    :param advice: what a person can check; empty if there is nothing.
    :param error: what the last poll met; it does not survive an event.
    """

    outcome: Outcome
    message: str = ""
    task: VideoTask | None = None
    video_task_id: str = ""
    advice: str = ""
    error: SeedanceError | None = field(default=None, compare=False)

    def to_event(self) -> dict[str, Any]:
        """Return the payload of a trigger event."""
        return {
            "outcome": str(self.outcome),
            "message": self.message,
            "task": self.task.to_json() if self.task else None,
            "video_task_id": self.video_task_id,
            "advice": self.advice,
        }

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> WaitResult:
        """Read the payload of a trigger event."""
        task = event.get("task")
        return cls(
            outcome=Outcome(event["outcome"]),
            message=event.get("message") or "",
            task=VideoTask.from_json(task) if task else None,
            video_task_id=event.get("video_task_id") or "",
            advice=event.get("advice") or "",
        )


def result_of_error(error: SeedanceError, video_task_id: str) -> WaitResult:
    """Return what a failed poll of a video task means for who waits for it."""
    if isinstance(error, TaskNotFoundError | TaskAccessDeniedError):
        outcome, advice = Outcome.GONE, _WHY_GONE
        said = f"The API does not show video task {video_task_id} to this account: {sentence(error)}"
    elif error.read_verdict is Verdict.TRANSIENT:
        outcome, advice = Outcome.UNREACHABLE, ""
        said = f"The API could not be asked about video task {video_task_id}: {sentence(error)}"
    else:
        # Where nothing was asked, the connection can't work as it is.
        outcome, advice = Outcome.REFUSED, error.advice
        who = "Video task" if isinstance(error, InvalidRequestError) else "The API refuses this account, so video task"
        said = f"{who} {video_task_id} can't be polled: {sentence(error)}"
    return WaitResult(outcome, said, video_task_id=video_task_id, advice=advice, error=error)


_WHY_GONE = (
    "Does the connection hold the key of another account than the one that created it? Or is it older than the 60 days "
    "for which the vendor keeps task logs?"
)


def sentence(error: SeedanceError) -> str:
    """As a sentence."""
    return f"{str(error).rstrip('. ')}."
