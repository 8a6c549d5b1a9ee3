"""The API's part of the model: a small account, which charges when it accepts and refunds the failures it documents."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from seedance_provider.api.errors import (
    AuthenticationError,
    BadRequestError,
    ConcurrencyLimitError,
    ConnectionLostError,
    ConnectionNotEstablishedError,
    InsufficientCreditsError,
    InternalServerError,
    RateLimitedError,
    SeedanceError,
    TaskAccessDeniedError,
    UnexpectedResponseError,
)
from seedance_provider.api.video_task import TaskStatus, VideoTask

__all__ = ["ACCEPTED", "REFUSALS", "UNKNOWN_OUTCOMES", "Account", "Creation", "Ending", "Job", "Reading"]


class Creation(StrEnum):
    """What becomes of a request for a video."""

    ACCEPTED = "accepted"
    ANSWER_LOST = "accepted, answer lost"
    ANSWER_GARBLED = "accepted, answer garbled"
    REQUEST_LOST = "lost on the way"
    NEVER_CONNECTED = "never connected"
    CONCURRENCY_LIMIT = "concurrency limit"
    RATE_LIMITED = "rate limited"
    INTERNAL_ERROR = "internal error"
    NO_CREDITS = "no credits"
    BAD_REQUEST = "bad request"


ACCEPTED = frozenset({Creation.ACCEPTED, Creation.ANSWER_LOST, Creation.ANSWER_GARBLED})
#: What the client makes of the answers after which nobody can know whether there is a job.
UNKNOWN_OUTCOMES: dict[Creation, SeedanceError] = {
    Creation.ANSWER_LOST: ConnectionLostError("reset by peer"),
    Creation.ANSWER_GARBLED: UnexpectedResponseError("not JSON", status=502),
    Creation.REQUEST_LOST: ConnectionLostError("reset by peer"),
}
#: And of those after which there certainly is none.
REFUSALS: dict[Creation, SeedanceError] = {
    Creation.NEVER_CONNECTED: ConnectionNotEstablishedError("no route to host"),
    Creation.CONCURRENCY_LIMIT: ConcurrencyLimitError("Concurrency limit reached (1).", status=429),
    Creation.RATE_LIMITED: RateLimitedError("Too many requests", status=429),
    Creation.INTERNAL_ERROR: InternalServerError("Internal error", status=500),
    Creation.NO_CREDITS: InsufficientCreditsError("Insufficient credits", status=402),
    Creation.BAD_REQUEST: BadRequestError("Unknown model", status=400),
}


class Reading(StrEnum):
    """How the API answers a question about a video task."""

    ANSWERED = "answered"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"


class Ending(StrEnum):
    """What becomes of a job; the values of the failures are texts of the API."""

    GENERATING = "generating"
    SUCCESS = "success"
    SUCCESS_NOT_NAMED_YET = "success, video not named yet"
    FAIL_PASSING = "Video generation failed. Please try again."
    FAIL_LASTING = "Face detected in uploaded media."
    FAIL_UNLISTED = "The stars were not right."


_STATUS = {
    Ending.GENERATING: TaskStatus.GENERATING,
    Ending.SUCCESS: TaskStatus.SUCCESS,
    Ending.SUCCESS_NOT_NAMED_YET: TaskStatus.SUCCESS,
}
_REFUNDED = frozenset({Ending.FAIL_PASSING, Ending.FAIL_LASTING})


@dataclass
class Job:
    """One accepted request."""

    video_task_id: str
    fingerprint: str
    key: str
    ending: Ending | None = None

    @property
    def status(self) -> TaskStatus:
        """The status in the API's word."""
        return TaskStatus.WAITING if self.ending is None else _STATUS.get(self.ending, TaskStatus.FAIL)

    @property
    def charged(self) -> bool:
        """Whether the credits are gone. Nobody documents a refund for an undocumented failure."""
        return self.ending not in _REFUNDED

    @property
    def alive(self) -> bool:
        """Whether it is still being made."""
        return not self.status.is_final

    def as_video_task(self) -> VideoTask:
        """Return what ``recordInfo`` says of it."""
        answer: dict[str, object] = {"taskId": self.video_task_id, "status": str(self.status)}
        if self.status is TaskStatus.FAIL:
            answer["error"] = str(self.ending)
        if self.ending is Ending.SUCCESS:
            answer["output"] = [{"url": f"https://media.example/{self.video_task_id}.mp4"}]
        return VideoTask.from_record(answer, video_task_id=self.video_task_id)


@dataclass
class Account:
    """What the API knows."""

    key: str = "ours"
    jobs: dict[str, Job] = field(default_factory=dict)

    def shows(self, job: Job) -> bool:
        """Whether the present key may see a job."""
        return job.key == self.key

    def accept(self, fingerprint: str) -> Job:
        """Charge."""
        # The word at the end keeps one id from being part of another.
        job = Job(f"task_{len(self.jobs) + 1}_end", fingerprint, self.key)
        self.jobs[job.video_task_id] = job
        return job

    def go_on(self, ending: Ending | None, key: str) -> None:
        """
        Let time pass: jobs that are being made come to something, and videos that were not named yet get a name.

        :param ending: what jobs come to; ``None`` if they stay as they are.
        :param key: whose key the connection holds from now on.
        """
        self.key = key
        for job in self.jobs.values():
            if job.alive:
                job.ending = ending or job.ending
            elif job.ending is Ending.SUCCESS_NOT_NAMED_YET:
                job.ending = Ending.SUCCESS

    def read(self, video_task_id: str, reading: Reading) -> VideoTask:
        """Answer a question about a video task."""
        if reading is Reading.UNREACHABLE:
            raise ConnectionLostError("reset by peer")
        if reading is Reading.REFUSED:
            raise AuthenticationError("Invalid API Key", status=401)
        job = self.jobs[video_task_id]
        if not self.shows(job):
            raise TaskAccessDeniedError("Access denied", status=403)
        return job.as_video_task()
