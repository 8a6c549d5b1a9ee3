"""
What is in a media file, and how long it is.

FFmpeg's libraries tell, by way of PyAV, which the extra ``media`` installs. Without it the first bytes have to do.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, BinaryIO

__all__ = ["UNREADABLE", "can_measure", "probe"]

#: What a file is that no media library can read; the API could not either.
UNREADABLE = "unreadable"
#: Where a file has which bytes, for those that say what is in it. MP4 and its kin hold sounds, videos or pictures.
_SIGNATURES = (
    (0, b"\x89PNG", "image"),
    (0, b"\xff\xd8\xff", "image"),
    (8, b"WEBP", "image"),
    (0, b"\x1a\x45\xdf\xa3", "video"),
    (8, b"WAVE", "audio"),
    (0, b"OggS", "audio"),
    (0, b"fLaC", "audio"),
    (0, b"ID3", "audio"),
)


def can_measure() -> bool:
    """Whether PyAV is there, without which no length is known."""
    return find_spec("av") is not None


def probe(file: BinaryIO) -> tuple[str | None, float | None]:
    """
    Return what a file is, and for how many seconds it plays, if it does and says so. What it is is ``image``,
    ``video``, ``audio`` or :data:`UNREADABLE`; without PyAV it is ``None`` if the first bytes do not tell.

    Nothing is decoded, and of a large file little is read.

    :param file: opened for reading at its beginning, and able to go back.
    """
    try:
        import av
    except ImportError:
        begins = file.read(12)
        return next((kind for at, known, kind in _SIGNATURES if begins[at:].startswith(known)), None), None
    try:
        with av.open(file, mode="r", metadata_errors="replace") as container:
            kind = _kind(container)
            return kind, None if kind == "image" else _seconds(container)
    except (av.error.FFmpegError, ValueError):
        return UNREADABLE, None


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
