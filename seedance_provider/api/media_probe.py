"""
What is in a media file, and how long it is.

The first bytes tell what a picture is. FFmpeg's libraries measure videos and sounds, by way of PyAV, which the extra
``media`` installs. They run in a child process, which has no secrets and can open nothing: a file comes from anywhere.
"""

from __future__ import annotations

import json
import os
import re
import stat
import struct
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["UNREADABLE", "Probed", "can_measure", "probe"]

#: What a file is that no media library can read; the API could not either.
UNREADABLE = "unreadable"
#: How files begin: with what, the kind if that tells it, the format of a picture, and FFmpeg's name of other formats.
_SIGNATURES: tuple[tuple[bytes, str | None, str | None, str | None], ...] = (
    (rb"\xff\xd8\xff", "image", "JPEG", None),
    (rb"\x89PNG\r\n\x1a\n", "image", "PNG", None),
    (rb"RIFF.{4}WEBP", "image", "WebP", None),
    (rb"GIF8", "image", "GIF", None),
    (rb"BM.{4}\0{4}", "image", "BMP", None),
    (rb"II[*+]\0|MM\0[*+]", "image", "TIFF", None),
    (rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51", "image", "JPEG 2000", None),
    (rb"\0\0\0\x0cJXL |\xff\x0a", "image", "JPEG XL", None),
    # "mif1" is any picture of this family; the brands after it say which.
    (rb".{4}ftyp(?:avi[fs]|m[is]f1.{4}(?:.{4}){0,8}?avif)", "image", "AVIF", None),
    (rb".{4}ftyp(?:he[iv][cxms]|m[is]f1)", "image", "HEIC", None),
    (rb"(?i:[\xef\xbb\xbf\s]*<(?:svg|[?!](?!doctype html).{0,2000}?<svg))", "image", "SVG", None),
    (rb"%PDF-", UNREADABLE, "PDF", None),
    (rb"\x1a\x45\xdf\xa3", "video", None, "matroska"),
    (rb"(?:RIFF|RIFX|RF64).{4}WAVE", "audio", None, "wav"),
    (rb"OggS", "audio", None, "ogg"),
    (rb"fLaC", "audio", None, "flac"),
    (rb"ID3", "audio", None, None),
    # What these hold, only FFmpeg can tell.
    (rb".{4}ftyp", None, None, "mov"),
    (rb"\xff[\xf0\xf1\xf8\xf9]", None, None, "aac"),
    (rb"\xff[\xe2-\xe7\xf2-\xf7\xfa-\xfd]", None, None, "mp3"),
)
#: What files of formats that need no signature are read as. FFmpeg is never left to choose: some of its other formats
#: open further files and addresses.
_DEMUXERS = {".mp4": "mov", ".mov": "mov", ".m4a": "mov", ".mp3": "mp3", ".aac": "aac"}
#: How much of a file is enough to see what a picture is, and its size.
_HEAD_BYTES = 1024 * 1024
#: A larger file that is no local one is not copied to be measured.
_LARGEST_COPY = 256 * 1024 * 1024
#: What the child process may use.
_DEADLINE_SECONDS = 10
_CPU_SECONDS = 5
_MEMORY_BYTES = 1024 * 1024 * 1024
#: More are not counted: they are more than half an hour, and no reference may be that long.
_MOST_PACKETS = 100_000


class Probed(NamedTuple):
    """
    What is known of a file; ``None`` is not known.

    :param kind: ``image``, ``video``, ``audio`` or :data:`UNREADABLE`.
    :param seconds: for which it plays.
    :param format: of a picture, such as ``JPEG``, or of a document.
    :param pixels: of a picture.
    """

    kind: str | None = None
    seconds: float | None = None
    format: str | None = None
    pixels: int | None = None


def can_measure() -> bool:
    """Whether PyAV is there, without which no length is known."""
    return find_spec("av") is not None


def probe(file: BinaryIO, name: str) -> Probed:
    """
    Return what is known of a file. Nothing is decoded, and what takes too much time or memory is not known.

    :param file: opened for reading at its beginning, and able to go back.
    :param name: with its ending, by which the API tells what it is.
    """
    head = file.read(_HEAD_BYTES)
    kind, picture, demuxer = _signature(head)
    if picture is not None:
        return Probed(kind, format=picture, pixels=_pixels(head, picture))
    demuxer = demuxer or _DEMUXERS.get(os.path.splitext(name.lower())[1])
    if demuxer is None:
        return Probed(kind or UNREADABLE)
    return _measured_apart(file, demuxer) if can_measure() else Probed(kind)


def _signature(head: bytes) -> tuple[str | None, str | None, str | None]:
    """Return the kind, the format if it is a picture or a document, and what FFmpeg calls any other format."""
    if head.startswith(b"ID3") and len(head) > 10:
        # A title, before a sound of several formats.
        size = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
        return "audio", None, _signature(head[10 + size :])[2]
    for pattern, kind, picture, demuxer in _SIGNATURES:
        if re.match(pattern, head, re.DOTALL):
            return kind, picture, demuxer
    return None, None, None


def _pixels(head: bytes, picture: str) -> int | None:
    """Return how many pixels a picture says it has, if the API takes its format."""
    try:
        if picture == "JPEG":
            return _jpeg_pixels(head)
        if picture == "PNG":
            width, height = struct.unpack_from(">II", head, 16)
        elif picture != "WebP":
            return None
        elif head[12:16] == b"VP8X":
            width, height = (int.from_bytes(head[at : at + 3], "little") + 1 for at in (24, 27))
        elif head[12:16] == b"VP8L":
            bits = struct.unpack_from("<I", head, 21)[0]
            width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        else:
            width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", head, 26))
    except (struct.error, IndexError):
        return None
    return int(width * height)


def _jpeg_pixels(head: bytes) -> int | None:
    at = 2
    while head[at] == 0xFF and (marker := head[at + 1]) != 0xDA:
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", head, at + 5)
            return int(width * height)
        # A byte before a marker may be repeated.
        at += 1 if marker == 0xFF else 2 + struct.unpack_from(">H", head, at + 2)[0]
    return None


def _measured_apart(file: BinaryIO, demuxer: str) -> Probed:
    """Measure a file in a child process, where neither a crash nor a file that is made to harm does damage."""
    needed = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "PYTHONHOME") if name in os.environ}
    try:
        with _on_disk(file) as content:
            answer = subprocess.run(  # noqa: S603 - it runs this module
                [sys.executable, "-P", "-S", __file__, demuxer],
                stdin=content,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=needed | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                timeout=_DEADLINE_SECONDS,
                check=True,
            ).stdout
        kind, seconds = json.loads(answer)
    except (OSError, ValueError, subprocess.SubprocessError):
        return Probed()
    return Probed(kind, seconds)


@contextmanager
def _on_disk(file: BinaryIO) -> Iterator[BinaryIO]:
    """Return a file that a child process can read: itself, or a copy if it is in an object store or in memory."""
    try:
        is_local = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
    except (OSError, AttributeError):
        is_local = False
    if is_local:
        yield file
        return
    file.seek(0)
    with tempfile.TemporaryFile() as copy:
        while chunk := file.read(_HEAD_BYTES):
            copy.write(chunk)
            if copy.tell() > _LARGEST_COPY:
                raise OSError("too large to be copied")
        copy.flush()
        yield copy


def _confine() -> None:
    """Limit what this process can use. It can open nothing any more, neither files nor sockets."""
    import resource

    for limited, most in (
        (resource.RLIMIT_AS, _MEMORY_BYTES),
        (resource.RLIMIT_CPU, _CPU_SECONDS),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 0),
    ):
        hard = resource.getrlimit(limited)[1]
        limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(limited, (limit, limit))


def _measured(file: BinaryIO, demuxer: str) -> tuple[str, float | None]:
    import av
    from av.stream import Disposition

    # PyAV would import these when it needs them, which is too late then.
    for module in ("audio", "subtitles", "video"):
        import_module(f"av.{module}.stream")
        import_module(f"av.{module}.codeccontext")
    _confine()
    file.seek(0)
    try:
        container = av.open(
            file, "r", format=demuxer, container_options={"protocol_whitelist": ""}, metadata_errors="replace"
        )
    except (av.error.InvalidDataError, av.error.EOFError):
        return UNREADABLE, None
    with container:
        # The cover of an album is a video stream, too.
        videos = [stream for stream in container.streams.video if Disposition.attached_pic not in stream.disposition]
        played = [*videos, *container.streams.audio]
        if not played:
            return UNREADABLE, None
        kind = "video" if videos else "audio"
        # In millionths of a second. Of these two formats it is FFmpeg's guess from the first bytes.
        if container.duration is not None and demuxer not in ("mp3", "aac"):
            return kind, round(container.duration / 1_000_000, 3)
        return kind, _counted(container.demux(played))


def _counted(packets: Iterator[Any]) -> float | None:
    """Return how long all packets play; ``None`` if there are too many, or they have no time."""
    spans = [
        (packet.pts * packet.time_base, (packet.pts + (packet.duration or 0)) * packet.time_base)
        for packet in islice(packets, _MOST_PACKETS)
        if packet.pts is not None
    ]
    if not spans or len(spans) >= _MOST_PACKETS:
        return None
    return round(float(max(end for _, end in spans) - min(begin for begin, _ in spans)), 3)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_measured(sys.stdin.buffer, sys.argv[1])))
