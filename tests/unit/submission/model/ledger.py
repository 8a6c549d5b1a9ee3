"""
What an all-knowing onlooker notes of every paid job: who knows of it, and who has agreed to pay beside it.

A job that is charged stands in the way of every further submission until a person *gives it up* by one of:

- other inputs;
- ``on_unknown_submission="resubmit"``, if the record never named the job;
- a clear after having been told that a clear pays anew, if the job is unknown, not shown, or has failed;
- a clear after the delivery with ``on_rerun="regenerate"``, if the video is finished;
- deleting the record.

Every agreement is about one job, and is used up by the next submission, by a try that uses the old job after all, or
by a try that has replaced the record.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from seedance_provider.api.video_task import TaskStatus
from seedance_provider.submission.options import OnRerun, OnUnknownSubmission

if TYPE_CHECKING:
    from tests.unit.submission.model.account import Account, Job

__all__ = ["Entry", "Ledger", "Settings"]

#: What every message says that asks a person to decide, see ``submission/plans.py``.
_OFFER = "To submit, and pay, again: clear the Airflow task."
_UNKNOWN = ("It is unknown whether a video was paid for", "whose outcome is unknown")


@dataclass(frozen=True)
class Settings:
    """What the DAG file says at present."""

    fingerprint: str = "a kite"
    on_rerun: OnRerun = OnRerun.REUSE
    on_unknown: OnUnknownSubmission = OnUnknownSubmission.FAIL
    wait_for_completion: bool = True


@dataclass
class Entry:
    """
    One paid job.

    :param job: as the API has it.
    :param said_before: how many things had been said when it was accepted.
    :param recorded: whether the record has ever named it.
    :param delivered: whether the record has ever said that Airflow gets it.
    :param offered: whether a person was told that a clear pays anew, or the record says so.
    :param offer_taken: whether a person has cleared the task after that.
    :param rerun: whether a person has cleared the task after the delivery.
    :param given_up: whether a person has agreed to pay for another one, and that was acted upon.
    :param disowned: whether a person has deleted what was known of it.
    """

    job: Job
    said_before: int
    recorded: bool = False
    delivered: bool = False
    offered: bool = False
    offer_taken: bool = False
    rerun: bool = False
    given_up: bool = False
    disowned: bool = False

    def may_be_given_up(self, settings: Settings, account: Account) -> bool:
        """Whether a person has agreed to pay for another one beside it."""
        if self.job.fingerprint != settings.fingerprint:
            return True
        if not self.recorded and settings.on_unknown is OnUnknownSubmission.RESUBMIT:
            return True
        if self.offer_taken and not (self.recorded and account.shows(self.job) and not self._failed):
            return True
        finished = self.job.status is TaskStatus.SUCCESS
        return self.rerun and finished and settings.on_rerun is OnRerun.REGENERATE

    def on_used(self) -> None:
        """A try goes on with it: what a person agreed to before is settled."""
        self.offered = self.offer_taken = self.rerun = False

    def on_clear(self) -> None:
        """A person has cleared the task."""
        self.offer_taken |= self.offered
        self.rerun |= self.delivered

    @property
    def _failed(self) -> bool:
        return self.job.status is TaskStatus.FAIL


@dataclass
class Ledger:
    """
    All paid jobs of the task instance, and all that was said about them.

    :param said: log messages and failures of the task, which a person can read.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    @property
    def standing(self) -> list[Entry]:
        """Jobs that are paid for and that nobody has given up."""
        return [entry for entry in self.entries.values() if entry.job.charged and not entry.given_up]

    def on_accepted(self, job: Job) -> None:
        """The API has charged."""
        self.entries[job.video_task_id] = Entry(job, said_before=len(self.said))

    def on_recorded(self, record: dict[str, Any]) -> None:
        """The record has changed."""
        if entry := self.entries.get(record["video_task_id"]):
            entry.recorded = True
            entry.delivered |= record["delivered"]
        # A known gap, taken as it is: the reason of an abandoned record counts as said, although nobody may have read
        # it yet if the worker dies in the moment after this write and a person clears the task before the next try.
        self._offer(record["reason"] or "")

    def on_said(self, message: str) -> None:
        """A person can read this."""
        self.said.append(message)
        self._offer(message)

    def _offer(self, message: str) -> None:
        if _OFFER in message:
            for entry in self.standing:
                entry.offered = True

    def is_findable(self, entry: Entry, record: dict[str, Any] | None) -> bool:
        """Whether a person or the next try can know of a job, or at least that there may be one."""
        if any(entry.job.video_task_id in text for text in [*self.said, str(record)]):
            return True
        if record is not None and record["state"] == "submitting" and record["fingerprint"] == entry.job.fingerprint:
            return True
        since = [*self.said[entry.said_before :], str(record)]
        return any(warning in text for text in since for warning in _UNKNOWN)
