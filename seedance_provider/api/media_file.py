"""A file that stands where a URL is expected. The API only takes URLs, so it has to be uploaded first."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from typing import Any, BinaryIO

from seedance_provider.api.media_probe import probe

__all__ = ["CHUNK_BYTES", "Media", "MediaFile", "absolute_path", "identity_of", "total_seconds"]

#: How much of a file is in memory at a time.
CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class MediaFile:
    """
    What a request has to know of a file. Wherever it is uploaded to, the same content is the same input.

    :param source: where the file is, for people.
    :param name: with its ending, by which the API tells what it is.
    :param size: in bytes.
    :param sha256: of its content, in hexadecimal.
    :param kind: ``image``, ``video`` or ``audio``, as its content says, or ``unreadable``; ``None`` if that is not
        known.
    :param seconds: how long it is; ``None`` for pictures, and if that is not known.
    :param url: where it was uploaded to.
    :param format: of a picture, as its content says.
    :param pixels: of a picture; ``None`` if that is not known.
    """

    source: str
    name: str
    size: int
    sha256: str
    kind: str | None = None
    seconds: float | None = None
    url: str | None = None
    format: str | None = None
    pixels: int | None = None

    @classmethod
    def read(cls, source: str, name: str, file: BinaryIO) -> MediaFile:
        """
        Describe a file, which is read to its end.

        :param source: where it is, for people.
        :param name: with its ending.
        :param file: opened for reading, and able to go back.
        """
        digest, size = hashlib.sha256(), 0
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
        file.seek(0)
        return cls(source, name, size, digest.hexdigest(), **probe(file, name)._asdict())

    def __str__(self) -> str:
        return self.source


#: What a parameter that names an image, a video or a sound may be.
Media = str | MediaFile


def identity_of(media: Media) -> str:
    """Return what a fingerprint says of it: a URL as it is, and of a file its content."""
    return f"sha256:{media.sha256}" if isinstance(media, MediaFile) else media


def absolute_path(source: Any) -> str | None:
    """
    Return the absolute path that a relative one is on this machine; ``None`` for anything else.

    :param source: a path or a URL, as a text or an object.
    """
    if not isinstance(source, str | os.PathLike) or isinstance(path := os.fspath(source), bytes):
        return None
    path = re.sub(r"^(file|local)://", "", path, flags=re.IGNORECASE)
    # A URL, a drive of Windows, or a list as text
    if path.startswith(("/", "[", "{")) or not path.strip() or re.match(r"\w[\w+.-]*:", path):
        return None
    try:
        return os.path.abspath(os.path.expanduser(path) if path.startswith("~/") else path)
    except OSError:
        # The working folder is gone.
        return f"/{path}"


def total_seconds(media: Any) -> float | None:
    """
    Return how long some files are together; ``None`` if there are none, or one whose length is not known.

    :param media: of a request; anything else is not known either.
    """
    if not isinstance(media, tuple):
        return None
    lengths = [item.seconds if isinstance(item, MediaFile) else None for item in media]
    known = [length for length in lengths if length is not None]
    return sum(known) if known and len(known) == len(lengths) else None
