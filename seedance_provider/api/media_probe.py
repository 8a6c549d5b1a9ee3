"""What is in a media file, and how long it is. FFmpeg's libraries look, by way of PyAV."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, BinaryIO

__all__ = ["UNREADABLE", "MediaFacts", "probe"]

#: What a file is that no media library can read; the API could not either.
UNREADABLE = "unreadable"


@dataclass(frozen=True)
class MediaFacts:
    """
    What was found.

    :param kind: ``image``, ``video``, ``audio`` or :data:`UNREADABLE`.
    :param seconds: how long it plays, if it does and says so.
    """

    kind: str
    seconds: float | None = None


def probe(file: BinaryIO) -> MediaFacts:
    """
    Look into a file. Nothing is decoded, and of a large file little is read.

    :param file: opened for reading at its beginning, and able to go back.
    """
    import av

    try:
        with av.open(file, mode="r", metadata_errors="replace") as container:
            kind = _kind(container)
            return MediaFacts(kind, None if kind == "image" else _seconds(container))
    except (av.error.FFmpegError, ValueError):
        return MediaFacts(UNREADABLE)


def _kind(container: Any) -> str:
    if container.format.name == "image2" or container.format.name.endswith("_pipe"):
        return "image"
    from av.stream import Disposition

    # The cover of an album is a video stream, too.
    if any(Disposition.attached_pic not in stream.disposition for stream in container.streams.video):
        return "video"
    return "audio" if container.streams.audio else UNREADABLE


def _seconds(container: Any) -> float | None:
    # In millionths of a second.
    return None if container.duration is None else round(container.duration / 1_000_000, 3)
