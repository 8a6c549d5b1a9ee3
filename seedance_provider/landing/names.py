"""Names for what lands: a destination with what is known of the video filled in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from seedance_provider.landing.errors import InvalidDestinationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedance_provider.landing.known_video import KnownVideo

__all__ = ["destination_of", "last_frame_ending"]

_DATE_PARTS = {"year": "%Y", "month": "%m", "day": "%d", "hour": "%H"}
_SUFFIXES = {"video/quicktime": "mov"}
#: Of last frames; anything else is called png.
_PICTURE_SUFFIXES = {"jpg": "jpg", "jpeg": "jpg", "webp": "webp"}


def destination_of(template: str, video: KnownVideo) -> str:
    """
    Return where a video goes.

    :param template: of a URI, with ``{video_task_id}``, ``{model}``, ``{year}``, ``{month}``, ``{day}`` and
        ``{hour}``, the last four in UTC when the video was completed, so that a retry finds the same name. Other braces
        stay as they are. One that ends with ``/`` is a folder for ``{video_task_id}.mp4``, or ``.mov`` if the video is
        one.
    :param video: what is known of it.
    :raises InvalidDestinationError: if it asks for what is not known.
    """
    if template.endswith("/"):
        template += f"{{video_task_id}}.{_SUFFIXES.get(video.media_type or '', 'mp4')}"
    values = _values(video)

    def filled(placeholder: re.Match[str]) -> str:
        name = placeholder[1]
        value = values[name]
        if not value:
            raise InvalidDestinationError(
                f"destination is {template!r}, but the {name} is not known: give the output of CreateVideoOperator or "
                f"VideoSensor as video, or a destination without {{{name}}}."
            )
        return value

    return re.sub(f"{{({'|'.join(values)})}}", filled, template)


def last_frame_ending(url: str) -> str:
    """
    Return what the name of a last frame ends with, instead of the ending of the video's name.

    :param url: where the vendor keeps it.
    """
    named = urlsplit(url).path.lower().rpartition(".")[2]
    return f"-last-frame.{_PICTURE_SUFFIXES.get(named, 'png')}"


def _values(video: KnownVideo) -> Mapping[str, str]:
    values = {"video_task_id": _part(video.video_task_id), "model": _part(video.facts["model"])}
    moment = video.moment
    return values | {name: f"{moment:{form}}" if moment else "" for name, form in _DATE_PARTS.items()}


def _part(value: object) -> str:
    """What the API says, as one part of a path: it must not lead elsewhere."""
    return re.sub(r"[^\w.-]+", "-", str(value or "")).lstrip(".")
