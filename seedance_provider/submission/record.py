"""
The durable record of a paid submission.

The API has no idempotency key, no cancel and no list call, so a submission that is forgotten is money lost, and one
that is repeated is money spent twice. Every task instance therefore keeps one record in Airflow's task state store,
which all its tries share: it says ``submitting`` before the request is sent, and ``submitted`` with the id of the
video task as soon as that is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from seedance_provider.submission.task_state import SubmissionRecordError

__all__ = ["RECORD_KEY", "Submission", "SubmissionState"]

#: In the task state store.
RECORD_KEY = "seedance_submission"
_SCHEMA_VERSION = 1


class SubmissionState(StrEnum):
    """How far a submission has come."""

    SUBMITTING = "submitting"
    SUBMITTED = "submitted"
    ABANDONED = "abandoned"


@dataclass(frozen=True)
class Submission:
    """
    What is known of the one submission of a task instance.

    :param state: how far it has come.
    :param fingerprint: what was asked for and who pays, see
        :meth:`~seedance_provider.api.video_request.VideoRequest.fingerprint`.
    :param submitted_at: when, as ISO 8601.
    :param max_tries: Airflow's ``max_tries`` of the try that last dealt with it.
    :param estimated_credits: what it was expected to cost; ``None`` if that was not known.
    :param asked: what was submitted, as plain values, see
        :meth:`~seedance_provider.api.video_request.VideoRequest.described`. The operator's own attributes may say
        something else by the time that the video is there: templates are rendered again after each deferral.
    :param earlier_credits: what earlier submissions of this task instance have cost, without what was refunded.
    :param video_task_id: the video task, once known.
    :param reason: why it was abandoned: the lines of :meth:`Plan.story`.
    :param delivered: whether Airflow got the result, so that a clear is a re-run and not a rescue.
    :param counted: whether the end of its video is in the metrics.
    :param refunded: whether its video has failed, so that it costs nothing.
    """

    state: SubmissionState
    fingerprint: str
    submitted_at: str
    max_tries: int
    estimated_credits: float | None
    asked: Mapping[str, Any] = field(default_factory=dict)
    earlier_credits: float = 0
    video_task_id: str | None = None
    reason: str | None = None
    delivered: bool = False
    counted: bool = False
    refunded: bool = False
    schema_version: int = _SCHEMA_VERSION

    def accepted(self, video_task_id: str) -> Submission:
        """Return the record for a request that the API accepted."""
        return replace(self, state=SubmissionState.SUBMITTED, video_task_id=video_task_id, reason=None)

    def abandoned(self, reason: str, max_tries: int) -> Submission:
        """Return the record for a submission that ended the task for good, as of the present try."""
        return replace(self, state=SubmissionState.ABANDONED, reason=reason, max_tries=max_tries)

    def with_delivered(self) -> Submission:
        """Return the record for a submission whose result Airflow is about to get."""
        return replace(self, delivered=True)

    def with_counted(self) -> Submission:
        """Return the record for a submission whose end is about to be counted."""
        return replace(self, counted=True)

    def failed(self) -> Submission:
        """Return the record for a submission whose video has failed, which is refunded, and about to be counted."""
        return replace(self, counted=True, refunded=True)

    def spent(self, credits_used: float | None = None) -> float:
        """
        Return the credits that this task instance has spent so far, as far as is known.

        :param credits_used: what the API says of the latest video, if it has said anything.
        """
        return self.earlier_credits + self.cost(credits_used)

    def cost(self, credits_used: float | None = None) -> float:
        """Return the credits that the latest video costs, by the same knowledge."""
        latest = credits_used if credits_used is not None else self.estimated_credits or 0.0
        return 0.0 if self.refunded else max(0.0, latest)

    def taken_over(self, max_tries: int) -> Submission:
        """Return the record as of the present try, which continues it."""
        return replace(self, max_tries=max_tries)

    def was_cleared_since(self, max_tries: int) -> bool:
        """Whether a person cleared the task after this record was written."""
        return self.max_tries != max_tries

    @property
    def is_waited_for(self) -> bool:
        """
        Whether Airflow still waits for the video, so that a key that is refused, or a video task that is not shown, is
        tolerated for a while. After the video was delivered, or the task has failed for good, it is an answer.
        """
        return self.state is SubmissionState.SUBMITTED and not self.delivered

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self) | {"state": str(self.state)}

    @classmethod
    def from_json(cls, value: Any) -> Submission:
        """
        Read what :meth:`to_json` wrote.

        :raises SubmissionRecordError: if it is anything else: an unreadable record is not the same as no record.
        """
        if not isinstance(value, Mapping) or value.get("schema_version") != _SCHEMA_VERSION:
            raise SubmissionRecordError(
                f"The state store holds {value!r} under {RECORD_KEY!r}, which this release can't read (was it written "
                "by a newer one?). Nothing was submitted, because it may stand for a video that is already paid for."
            )
        try:
            return cls(**dict(value) | {"state": SubmissionState(value["state"])})
        except (KeyError, TypeError, ValueError) as error:
            raise SubmissionRecordError(
                f"The state store holds a damaged record under {RECORD_KEY!r} ({error}): {value!r}. Nothing was "
                "submitted, because it may stand for a video that is already paid for."
            ) from None
