"""
A file that nobody sees until it is complete.

Where the file system allows it has no name at all until then, so whatever dies leaves nothing behind. Elsewhere it has
a hidden name, ``.seedance-….part``, which may be deleted when it is older than a landing can take.
"""

from __future__ import annotations

import errno
import os
import secrets
from typing import TYPE_CHECKING, BinaryIO, Self

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

__all__ = ["PartFile"]

_UNNAMED = getattr(os, "O_TMPFILE", None)
_BUFFER_BYTES = 1024 * 1024


class PartFile:
    """
    A file to be, in a folder that exists. Use it as a context manager: what was not published is gone after it.

    :param folder: where; to be published, it has to be in the folder of the final name.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._name: Path | None = None

    def __enter__(self) -> Self:
        self.file: BinaryIO = os.fdopen(self._open(), "w+b", buffering=_BUFFER_BYTES)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self.file.close()
        except OSError:
            # Of a full disk, once more: it has been told already.
            pass
        finally:
            if self._name is not None:
                self._name.unlink(missing_ok=True)

    @property
    def folder(self) -> Path:
        """Where it is, and where its final name has to be."""
        return self._folder

    @property
    def path(self) -> str:
        """By which others can read what was flushed."""
        return f"/proc/self/fd/{self.file.fileno()}" if self._name is None else str(self._name)

    def piece(self, start: int, length: int) -> bytes:
        """
        Return a part of what was flushed.

        :param start: of its first byte.
        :param length: in bytes.
        """
        return os.pread(self.file.fileno(), length, start)

    def publish(self, final: Path, *, replace: bool) -> None:
        """
        Give the file its name, in one step, and survive a power cut.

        :param final: the name.
        :param replace: whether to replace another file of that name.
        :raises FileExistsError: if there is one, and it is not to be replaced.
        """
        self.file.flush()
        os.fsync(self.file.fileno())
        if replace:
            self._give_hidden_name().replace(final)
            self._name = None
        else:
            self._link(final)
        _sync_folder(self._folder)

    def _open(self) -> int:
        if _UNNAMED is not None and os.path.isdir("/proc/self/fd"):
            try:
                return os.open(self._folder, _UNNAMED | os.O_RDWR, 0o666)
            except OSError as error:
                # What NFS and others say to it.
                if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT):
                    raise
        self._name = self._hidden_name()
        return os.open(self._name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)

    def _hidden_name(self) -> Path:
        return self._folder / f".seedance-{secrets.token_hex(8)}.part"

    def _give_hidden_name(self) -> Path:
        if self._name is None:
            name = self._hidden_name()
            self._link(name)
            self._name = name
        return self._name

    def _link(self, name: Path) -> None:
        """A second name, or the first one; unlike a rename it never replaces anything."""
        if self._name is None:
            # With a folder given, Python makes the one system call that follows this link to the file without a name.
            os.link(self.path, name, src_dir_fd=self.file.fileno(), follow_symlinks=True)
            return
        try:
            os.link(self._name, name)
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK):
                raise
            # A file system without hard links.
            if name.exists():
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(name)) from error
            self._name.replace(name)


def _sync_folder(folder: Path) -> None:
    """A name is safe only when its folder is written."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
