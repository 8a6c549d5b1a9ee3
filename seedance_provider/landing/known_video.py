"""What a landing task knows of its video: what the task that made it has returned, or its address alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from seedance_provider.landing.errors import LandingError, MediaRefusedError, NotAVideoError, VideoExpiredError
from seedance_provider.network.addresses import without_query

__all__ = ["KEPT_FOR", "KnownVideo"]

#: How long the vendor keeps a video (its page on authentication). That of a last frame may be 24 hours.
KEPT_FOR = timedelta(days=14)
_IS_URL = re.compile(r"\s*[a-z][a-z0-9+.-]*://", re.IGNORECASE).match
_LONGEST_SHOWN = 80
_FACTS = (
    "model",
    "prompt",
    "inputs",
    "seed",
    "credits_used",
    "estimated_credits",
    "created_at",
    "completed_at",
    "generation_seconds",
)


@dataclass(frozen=True)
class KnownVideo:
    """
    A finished video.

    :param url: where the vendor keeps it.
    :param video_task_id: of its video task; ``None`` if only the address is known.
    :param last_frame_url: where its last picture is, if there is one.
    :param media_type: such as ``video/mp4``, if the API said so.
    :param facts: how it was made: model, prompt, inputs, seed, credits and times, as far as that is known.
    """

    url: str
    video_task_id: str | None
    last_frame_url: str | None
    media_type: str | None
    facts: Mapping[str, Any]

    @classmethod
    def of(cls, given: Any) -> KnownVideo:
        """
        Return the video that somebody has named.

        :param given: what ``CreateVideoOperator`` or ``VideoSensor`` returned, or a URL.
        :raises NotAVideoError: if it is anything else, with what to write instead.
        """
        known = {"video_url": given.strip()} if isinstance(given, str) and _IS_URL(given) else given
        if not isinstance(known, Mapping) or not isinstance(known.get("video_url"), str):
            raise NotAVideoError(
                f"video is {_shown(given)}, and a finished video is needed: what CreateVideoOperator or VideoSensor "
                f"returned (video=create.output), or an http(s) URL. {_meant(given)} Nothing landed."
            )
        texts = {name: _text(known.get(name)) for name in ("video_task_id", "last_frame_url", "media_type")}
        return cls(known["video_url"], **texts, facts={name: known.get(name) for name in _FACTS})

    @property
    def identity(self) -> str:
        """What stays the same, while the query of a signed address does not."""
        return self.video_task_id or without_query(self.url)

    @property
    def moment(self) -> datetime | None:
        """When it was completed, or else created, in UTC; ``None`` if that is not known."""
        return _moment(self.facts["completed_at"]) or _moment(self.facts["created_at"])

    def to_json(self) -> dict[str, Any]:
        """Return what is known of how it was made, as plain values."""
        return {"video_task_id": self.video_task_id, **self.facts}

    def explained(self, error: MediaRefusedError, now: datetime) -> LandingError:
        """
        Return what it means that its address is refused, now that the API has no other one.

        :param error: what the address answered.
        :param now: in any time zone.
        """
        completed = _moment(self.facts["completed_at"])
        if completed is None:
            return MediaRefusedError(
                f"{error} Nothing landed. The vendor keeps videos for 14 days; if this one is younger, clear this task."
            )
        until = completed + KEPT_FOR
        dates = f"The video was completed at {completed:%Y-%m-%d %H:%M} UTC, and the vendor keeps videos for 14 days,"
        if now <= until:
            return MediaRefusedError(
                f"{error} Nothing landed. {dates} until {until:%Y-%m-%d %H:%M} UTC, so it should still be there: "
                "clear this task."
            )
        return VideoExpiredError(
            f"{error} {dates} which ended at {until:%Y-%m-%d %H:%M} UTC: it is gone, and nothing landed. To have it, "
            "make it again, which costs credits again: clear its task with on_rerun='regenerate'."
        )


def _shown(given: Any) -> str:
    """Without what may be the query of a signed address."""
    if isinstance(given, str):
        return repr(given.partition("?")[0][:_LONGEST_SHOWN])
    if given is None or isinstance(given, (int, float)):
        return repr(given)
    names = f" with {', '.join(map(repr, given)) or 'nothing'}" if isinstance(given, Mapping) else ""
    return f"of type {type(given).__name__}{names[:_LONGEST_SHOWN]}"


def _meant(given: Any) -> str:
    """What to write instead of what is no video."""
    # Not ``in``: a lazy sequence would fetch its items to be compared.
    if given is None or (isinstance(given, str) and given.strip() in ("", "None")):
        return (
            "The task that makes it has returned nothing: it was skipped, or was marked as a success by hand. Clear "
            "it, or leave trigger_rule at 'all_success', and this task is skipped with it."
        )
    if isinstance(given, str):
        return (
            "Write video=create.output instead of a template, which makes a text of it; if that task is mapped, "
            ".expand(video=create.output)."
        )
    if isinstance(given, Iterable) and not isinstance(given, (Mapping, bytes)):
        return "To land all videos of a mapped task, write .expand(video=create.output)."
    return "If the video was created with wait_for_completion=False, put a VideoSensor between and use its output."


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _moment(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
