"""Names for what lands: a destination with what is known of the video filled in."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from seedance_provider.landing.errors import InvalidDestinationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedance_provider.landing.known_video import KnownVideo

__all__ = ["check_destination", "destination_of", "last_frame_ending"]

_DATE_PARTS = {"year": "%Y", "month": "%m", "day": "%d", "hour": "%H"}
_NAMES = ("video_task_id", "model", *_DATE_PARTS)
_SUFFIXES = {"video/quicktime": "mov"}
_LOCAL = ("file", "local")
#: Of last frames; anything else is called png.
_PICTURE_SUFFIXES = {"jpg": "jpg", "jpeg": "jpg", "webp": "webp"}


def check_destination(given: Any) -> str:
    """
    Return a destination as a text.

    :param given: see :func:`destination_of`.
    :raises InvalidDestinationError: if it is no place for a file, or has unknown names.
    """
    template = _text(given)
    _check_place(template)
    for placeholder in re.findall(r"\{+[^{}]*\}+", template):
        if placeholder[1:-1] not in _NAMES:
            raise InvalidDestinationError(
                f"destination is {template!r}, and {placeholder} is no name in it. {_meant(placeholder)}"
            )
    return template


def destination_of(given: Any, video: KnownVideo) -> str:
    """
    Return where a video goes.

    :param given: a URI or an absolute path, as a text or a path object, with ``{video_task_id}``, ``{model}``,
        ``{year}``, ``{month}``, ``{day}`` and ``{hour}``, the last four in UTC when the video was completed, so that a
        retry finds the same name. A text that ends with ``/`` is a folder for ``{video_task_id}.mp4``, or ``.mov`` if
        the video is one.
    :param video: what is known of it.
    :raises InvalidDestinationError: if it is no such place, or asks for what is not known.
    """
    template = check_destination(given)
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

    return re.sub(f"{{({'|'.join(_NAMES)})}}", filled, template)


def last_frame_ending(url: str) -> str:
    """
    Return what the name of a last frame ends with, instead of the ending of the video's name.

    :param url: where the vendor keeps it.
    """
    named = urlsplit(url).path.lower().rpartition(".")[2]
    return f"-last-frame.{_PICTURE_SUFFIXES.get(named, 'png')}"


def _text(given: Any) -> str:
    from airflow.sdk import ObjectStoragePath

    if isinstance(given, (str, os.PathLike, ObjectStoragePath)):
        # pathlib makes one slash of the three.
        return re.sub(r"^(file|local):/(?=[^/])", r"\1:///", str(given).strip(), flags=re.IGNORECASE)
    raise InvalidDestinationError(
        f"destination is {given!r}, and a URL or an absolute path is needed, such as "
        "'s3://bucket/{video_task_id}.mp4'. Nothing landed."
    )


def _check_place(template: str) -> None:
    """What is relative would land in a folder of the worker that nobody has named."""
    scheme, separator, rest = template.partition("://")
    if separator:
        host = rest.partition("/")[0]
        # The connection comes before an @.
        has_host = bool(host) and not host.endswith("@")
        is_local = scheme.lower() in _LOCAL
        if has_host != is_local and rest:
            return
        why = (
            f"a path on this machine has three slashes: {scheme}:///{rest.removeprefix('localhost/')}"
            if is_local
            else f"it names no bucket, as in {scheme}://bucket/{rest.partition('/')[2]}"
        )
    elif template.startswith("/"):
        return
    elif found := re.fullmatch(r"(\w[\w+.-]+):/(.+)", template):
        why = f"a URL has two slashes after the colon: {found[1]}://{found[2]}"
    else:
        absolute = "/" + re.sub(r"^(file:)?[.~]*/*", "", template)
        why = f"it must be absolute, such as {absolute!r}, or a URL"
    raise InvalidDestinationError(f"destination is {template!r}, but {why}. Nothing landed.")


def _meant(placeholder: str) -> str:
    """What to write instead of an unknown name."""
    # Imported only for a mistake.
    from difflib import get_close_matches

    from airflow.sdk import Context

    inner = placeholder.strip("{} ")
    begin = re.match(r"\w*", inner)
    word = begin[0] if begin else ""
    nearest = get_close_matches(word.lower(), _NAMES, 1, 0.5)
    meant = f"Did you mean {{{nearest[0]}}}? " if nearest else ""
    if word in Context.__annotations__:
        meant = f"For a value of Airflow, write {{{{ {inner} }}}}, in double braces. "
    return f"{meant}The names are {', '.join(f'{{{known}}}' for known in _NAMES)}. Nothing landed."


def _values(video: KnownVideo) -> Mapping[str, str]:
    values = {"video_task_id": _part(video.video_task_id), "model": _part(video.facts["model"])}
    moment = video.moment
    return values | {name: f"{moment:{form}}" if moment else "" for name, form in _DATE_PARTS.items()}


def _part(value: object) -> str:
    """What the API says, as one part of a path: it must not lead elsewhere."""
    return re.sub(r"[^\w.-]+", "-", str(value or "")).lstrip(".")
