"""
The flow of one landing: look whether the video is there, download it out of sight, check it, and show it in one step.
"""

from __future__ import annotations

import errno
import shutil
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedance_provider.landing.download import Download, DownloadLimits
from seedance_provider.landing.errors import BrokenMediaError, DestinationTakenError
from seedance_provider.landing.part_file import PartFile
from seedance_provider.storage.errors import StorageDeniedError, StorageError, StorageFullError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import requests

    from seedance_provider.landing.media_check import MediaFacts
    from seedance_provider.storage.stored_file import StoredFile

__all__ = ["Landed", "Landing"]

#: Of two files of the same size that have the same bytes at both ends; one of them holds the index of the video.
_END_BYTES = 64 * 1024


@dataclass(frozen=True)
class Landed:
    """
    A file in object storage.

    :param size: in bytes.
    :param was_there: whether it had landed before, so that nothing was done.
    :param facts: what it is; ``None`` if it was there.
    """

    size: int
    was_there: bool
    facts: MediaFacts | None = None


@dataclass(frozen=True)
class Landing:
    """
    How files land. It costs no credits.

    :param session: fetches them.
    :param log: where to tell the story.
    :param limits: of one download.
    :param overwrite: whether to replace another object of that name.
    """

    session: requests.Session
    log: Any
    limits: DownloadLimits = field(default_factory=DownloadLimits)
    overwrite: bool = False

    def land(
        self,
        url: str,
        destination: StoredFile,
        check: Callable[[str, int], MediaFacts],
        renew: Callable[[], str | None] | None = None,
    ) -> Landed:
        """
        Bring a file into object storage; does nothing if it is there already.

        :param url: where the vendor keeps it, http(s) only.
        :param destination: the object to make.
        :param check: checks the file of a path and a size, and raises BrokenMediaError if it is not whole.
        :param renew: returns another URL of the same file, if the first is refused. Called once.
        :raises LandingError: if it did not land. Nothing half-written is under its name then.
        :raises StorageError: if that is because of the storage.
        """
        there = destination.size()
        with Download(url, self.session, self.limits, self.log, renew) as download:
            if there is not None and download.size is not None and self._is_there(destination, there, download):
                return Landed(there, was_there=True)
            with self._part_file(destination, download.size) as part:
                with _explaining_disk(part.folder):
                    size = download.save(part.file)
                facts = _checked(download, part, size, check)
                return self._publish(part, destination, Landed(size, was_there=False, facts=facts))

    def _is_there(self, destination: StoredFile, there: int, download: Download) -> bool:
        """Whether the object is the video. Raises an error if it is another one that must stay."""
        if there == download.size:
            same = _same_ends(destination, download.piece, there)
            if same is not False:
                # Where the server gives whole files only, it is compared when it is downloaded.
                return bool(same)
        if not self.overwrite:
            raise _taken(destination, there, download.size)
        return False

    def _publish(self, part: PartFile, destination: StoredFile, landed: Landed) -> Landed:
        there = destination.size()
        if there is not None:
            if _is_same(destination, part, there, landed.size):
                return Landed(landed.size, was_there=True, facts=landed.facts)
            if not self.overwrite:
                raise _taken(destination, there, landed.size)
        media_type = landed.facts.media_type if landed.facts else "application/octet-stream"
        try:
            destination.publish(part, media_type, replace=self.overwrite)
        except FileExistsError:
            # Another task has landed something there since.
            there = destination.size()
            if there is None:
                raise StorageError(
                    f"{destination} was being written by another task at the same time, and is not there."
                ) from None
            if _is_same(destination, part, there, landed.size):
                return Landed(landed.size, was_there=True, facts=landed.facts)
            raise _taken(destination, there, landed.size) from None
        return landed

    @contextmanager
    def _part_file(self, destination: StoredFile, size: int | None) -> Iterator[PartFile]:
        """A file out of sight: beside the destination where that can be renamed, else where the system keeps such."""
        folder = destination.local_path.parent if destination.is_local else Path(tempfile.gettempdir())
        with ExitStack() as opened:
            with _explaining_disk(folder):
                if destination.is_local:
                    folder.mkdir(parents=True, exist_ok=True)
                _check_room(folder, size or 0)
                part = opened.enter_context(PartFile(folder))
            yield part


def _checked(download: Download, part: PartFile, size: int, check: Callable[[str, int], MediaFacts]) -> MediaFacts:
    part.file.flush()
    try:
        return check(part.path, size)
    except BrokenMediaError as error:
        raise BrokenMediaError(
            f"{download} sent {error} ({download.content_type}, {size:,} bytes). It did not land; "
            "the next try downloads it again."
        ) from None


def _is_same(destination: StoredFile, part: PartFile, there: int, size: int) -> bool:
    return there == size and bool(_same_ends(destination, part.piece, size))


def _same_ends(destination: StoredFile, piece: Callable[[int, int], bytes | None], size: int) -> bool | None:
    """Whether an object has the same bytes at both ends; ``None`` if that can't be known."""
    for start in (0, max(0, size - _END_BYTES)):
        expected = piece(start, _END_BYTES)
        if expected is None:
            return None
        if destination.piece(start, _END_BYTES) != expected:
            return False
    return True


def _taken(destination: StoredFile, there: int, size: int | None) -> DestinationTakenError:
    has = "another object" if there == size else f"{there:,} bytes"
    return DestinationTakenError(
        f"{destination} exists, and it is not this video: it has {has}, the video has {size or 0:,} bytes. Nothing was "
        "overwritten: choose another destination, or set overwrite=True."
    )


def _check_room(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if size > free:
        raise OSError(errno.ENOSPC, f"{size:,} bytes are needed, and {free:,} are free", str(folder))


@contextmanager
def _explaining_disk(folder: Path) -> Iterator[None]:
    """The disk where the file is downloaded to, which is that of the destination only if that is local."""
    try:
        yield
    except PermissionError as error:
        raise StorageDeniedError(f"The task may not write to {folder}: {error}. Grant it the right.") from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise StorageFullError(
                f"There is no space left in {folder}, where the video is downloaded to: {error}. Make room, or point "
                "TMPDIR elsewhere if the destination is an object store."
            ) from error
        raise StorageError(f"The video can't be written to {folder}: {error}.") from error
