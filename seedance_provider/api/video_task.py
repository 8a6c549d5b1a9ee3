"""What ``recordInfo`` answers, read with tolerance: the API has had three documented generations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

__all__ = ["TaskStatus", "VideoTask"]


#: Beyond this a number is no credits, no pixels and no time, and neither NaN nor infinity is JSON.
_LARGEST = 1e15

#: Where a failed video task may say why, and where an error has its text; what has other names comes after these.
_OF_FAILURE = re.compile(r"errors?|(?:fail|err).*(?:msg|message|reason|detail)s?", re.IGNORECASE)
_OF_TEXT = re.compile(r"message|msg|reason|detail|error|text|description", re.IGNORECASE)


class TaskStatus(StrEnum):
    """The documented statuses; any other word is :attr:`UNKNOWN` and counts as still running."""

    #: It is in the queue of the API.
    WAITING = "waiting"
    #: It is being made.
    GENERATING = "generating"
    #: The video is there.
    SUCCESS = "success"
    #: It was refused or has failed; the vendor refunds it.
    FAIL = "fail"
    #: The API reports something else.
    UNKNOWN = "unknown"

    @property
    def is_final(self) -> bool:
        """Whether the video task has ended."""
        return self in (TaskStatus.SUCCESS, TaskStatus.FAIL)


@dataclass(frozen=True)
class VideoTask:
    """
    One video task, as the API describes it.

    :param video_task_id: id at the API.
    :param model: model name as the API reports it; it may differ from the one that was asked for.
    :param status: where it stands.
    :param raw_status: the status in the API's own word; ``None`` if the answer holds no text for it.
    :param video_url: where the finished video is; the vendor keeps it for 14 days.
    :param width: in pixels.
    :param height: in pixels.
    :param media_type: of the video, such as ``video/mp4``; older generations of the API leave it out.
    :param last_frame_url: its last picture, to start the next video from; the vendor keeps that of Seedance 2.5 for
        24 hours. Older generations leave it out.
    :param seed: that was used; older generations leave it out.
    :param credits_used: what it cost; may be fractional. On failure some generations of the API report 0 and
        others the amount that was reserved and refunded.
    :param error_code: the API's code of a failure, if it sends one.
    :param error_message: the API's text of a failure.
    :param created_at: when the API accepted it.
    :param completed_at: when it ended; some generations of the API leave it out on failure.
    """

    video_task_id: str
    model: str | None = None
    status: TaskStatus = TaskStatus.UNKNOWN
    raw_status: str | None = None
    video_url: str | None = None
    width: int | None = None
    height: int | None = None
    media_type: str | None = None
    last_frame_url: str | None = None
    seed: int | None = None
    credits_used: float | None = None
    error_code: str | None = None
    error_message: str | None = None
    created_at: datetime | None = None
    completed_at: datetime | None = None

    @property
    def generation_seconds(self) -> float | None:
        """Seconds from acceptance to end, or ``None`` while either is unknown."""
        if self.created_at is None or self.completed_at is None:
            return None
        return round((self.completed_at - self.created_at).total_seconds(), 3)

    @classmethod
    def from_record(cls, record: Mapping[str, Any], *, video_task_id: str) -> VideoTask:
        """
        Read a ``recordInfo`` answer: flat or enveloped, ``status`` or ``state``, error as string or object.

        :param record: the decoded JSON object.
        :param video_task_id: the id that was asked for, used where the answer has none.
        """
        data = record.get("data")
        fields: Mapping[str, Any] = data if isinstance(data, Mapping) else record
        raw_status = _text(fields.get("status")) or _text(fields.get("state"))
        output = _first_output(fields.get("output"))
        status = _status(raw_status)
        said = _failure(fields, record) if status is TaskStatus.FAIL else [fields.get("error")]
        return cls(
            video_task_id=_text(fields.get("taskId")) or video_task_id,
            model=_text(fields.get("model")),
            status=status,
            raw_status=raw_status,
            video_url=_text(output.get("url")),
            width=_integer(output.get("width")),
            height=_integer(output.get("height")),
            media_type=_text(output.get("mediaType")),
            last_frame_url=_text(output.get("lastFrameImage")),
            seed=_integer(output.get("seed")),
            credits_used=_number(fields.get("creditsUsed")),
            error_code=next(_found_in(said, codes=True), None),
            error_message=next(_found_in(said), None),
            created_at=_moment(fields.get("createTime")),
            completed_at=_moment(fields.get("completeTime")),
        )

    def summary(self) -> dict[str, Any]:
        """Return the small JSON object that operators and sensors return to the tasks after them."""
        return {
            "video_task_id": self.video_task_id,
            "model": self.model,
            "status": str(self.status),
            "video_url": self.video_url,
            "width": self.width,
            "height": self.height,
            "media_type": self.media_type,
            "last_frame_url": self.last_frame_url,
            "seed": self.seed,
            "credits_used": self.credits_used,
            **self._times(),
            "generation_seconds": self.generation_seconds,
        }

    def to_json(self) -> dict[str, Any]:
        """Return all fields as plain values."""
        return asdict(self) | {"status": str(self.status)} | self._times()

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> VideoTask:
        """Read what :meth:`to_json` wrote; fields that another release added are left out."""
        known = {name: value for name, value in fields.items() if name in cls.__dataclass_fields__}
        for name in ("created_at", "completed_at"):
            moment = known.get(name)
            known[name] = datetime.fromisoformat(moment) if moment else None
        return cls(**known | {"status": TaskStatus(known["status"])})

    def _times(self) -> dict[str, str | None]:
        times = {"created_at": self.created_at, "completed_at": self.completed_at}
        return {name: moment.isoformat() if moment else None for name, moment in times.items()}


def _status(raw: Any) -> TaskStatus:
    try:
        return TaskStatus(str(raw).lower())
    except ValueError:
        return TaskStatus.UNKNOWN


def _first_output(output: Any) -> Mapping[str, Any]:
    """A video task has exactly one output."""
    first = output[0] if isinstance(output, list) and output else None
    return first if isinstance(first, Mapping) else {}


def _failure(fields: Mapping[str, Any], record: Mapping[str, Any]) -> list[Any]:
    """Return what is said of a failure, the likeliest place first. ``message`` of an envelope is about the envelope."""
    said = [value for part in (fields, record) for name, value in part.items() if _OF_FAILURE.fullmatch(name)]
    codes = [{"code": part.get("failCode")} for part in (fields, record)]
    plain = [fields.get(name) for name in ("message", "msg")]
    return said + codes + [text for text in plain if str(text).lower() not in ("success", "ok")]


def _found_in(value: Any, depth: int = 8, *, codes: bool = False) -> Iterator[str]:
    """Find the texts, or the codes, of an error of any shape."""
    if depth and isinstance(value, list):
        for item in value:
            yield from _found_in(item, depth - 1, codes=codes)
    elif depth and isinstance(value, Mapping):
        for name in sorted(value, key=lambda name: _OF_TEXT.search(name) is None):
            is_code = name.lower().endswith("code")
            if is_code and codes and isinstance(value[name], str | int):
                yield str(value[name])
            elif not is_code:
                yield from _found_in(value[name], depth - 1, codes=codes)
    elif not codes and isinstance(value, str) and value.strip():
        yield value


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if -_LARGEST < value < _LARGEST else None


def _integer(value: Any) -> int | None:
    number = _number(value)
    return None if number is None else int(number)


def _moment(milliseconds: Any) -> datetime | None:
    """The API sends Unix milliseconds."""
    number = _number(milliseconds)
    try:
        return None if number is None else datetime.fromtimestamp(number / 1000, UTC)
    except (OverflowError, OSError, ValueError):
        return None
