"""
A video that a task of ours has landed, as far as the API server may show it.

The author of a DAG decides what its XComs say. So that nobody can have the API server read another file that way, it
shows only what is, by its first bytes, an MP4 or MOV file of just the size that was recorded, in a storage of the
kinds that videos land in. The file is opened once: what was checked is what is sent, whatever takes its name meanwhile.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Self
from urllib.parse import urlsplit

from seedance_provider.storage.errors import StorageError
from seedance_provider.storage.stored_file import StoredFile

if TYPE_CHECKING:
    from seedance_provider.plugins.byte_range import ByteRange

__all__ = ["NotShownError", "StoredVideo"]

_SCHEMES = ("", "file", "s3", "s3a", "gs", "gcs", "abfs", "abfss", "adl")
_PIECE_BYTES = 512 * 1024
#: Of the first box of every MP4 and MOV file: its length, its kind, and the brand of the file.
_HEAD_BYTES = 12
_ANOTHER = "What is there now is not the video that the task has recorded."
_MEDIA_TYPES = {b"qt  ": "video/quicktime"}


class NotShownError(Exception):
    """There is nothing to show. The message is for the viewer, who may see the XCom in any case."""


@dataclass(frozen=True)
class StoredVideo:
    """
    A video in object storage that may be shown, and is open until it is closed.

    :param stored: where it is.
    :param file: its content.
    :param size: in bytes.
    :param media_type: such as ``video/mp4``.
    """

    stored: StoredFile
    file: BinaryIO
    size: int
    media_type: str

    @classmethod
    def recorded(cls, landed: Any) -> StoredVideo:
        """
        Return the video that a landing task has recorded.

        :param landed: its XCom of that name.
        :raises NotShownError: if it is not there, or may not be shown.
        """
        path, size = _recorded(landed)
        try:
            if urlsplit(path).scheme not in _SCHEMES:
                raise NotShownError("What the task has recorded is in no storage that videos are shown from.")
            stored = StoredFile.at(path)
            # Asked for before it is opened, since just to open a device may do something.
            there = stored.size()
            if there == size:
                return cls._opened(stored, size)
        except (StorageError, ValueError) as error:
            raise NotShownError(f"The API server can't read it: {error}") from error
        if there is None:
            raise NotShownError(
                "It is not where the task has put it, as seen from the API server: was it removed, or is that a folder "
                "which the API server does not have?"
            )
        raise NotShownError(_ANOTHER)

    @classmethod
    def _opened(cls, stored: StoredFile, size: int) -> StoredVideo:
        with ExitStack() as closing:
            file = closing.enter_context(stored.handle())
            with stored.asking():
                there = file.seek(0, os.SEEK_END)
                file.seek(0)
                head = file.read(_HEAD_BYTES) if there == size else b""
            if head[4:8] != b"ftyp":
                raise NotShownError(_ANOTHER)
            closing.pop_all()
        return cls(stored, file, size, _MEDIA_TYPES.get(head[8:12], "video/mp4"))

    def __enter__(self) -> Self:
        """Return it, to be closed."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close its file."""
        self.file.close()

    @property
    def name(self) -> str:
        """Of its file."""
        return self.stored.name

    def pieces(self, part: ByteRange) -> Iterator[bytes]:
        """
        Read a part of it, a little at a time.

        :param part: which one.
        """
        position, end = part.start, part.start + part.length
        with self.stored.asking():
            self.file.seek(position)
            while position < end and (piece := self.file.read(min(_PIECE_BYTES, end - position))):
                position += len(piece)
                yield piece


def _recorded(landed: Any) -> tuple[str, int]:
    if isinstance(landed, Mapping):
        path, size = landed.get("path"), landed.get("size")
        # What has no size may be a device or a pipe, which would be read forever.
        if isinstance(path, str) and isinstance(size, int) and not isinstance(size, bool) and size > 0:
            return path, size
    raise NotShownError("The task has recorded no video.")
