"""A file in any storage that Airflow knows: reading it, publishing it, and what goes wrong in one vocabulary."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from seedance_provider.api.errors import SeedanceError
from seedance_provider.storage.errors import (
    FileMissingError,
    StorageDeniedError,
    StorageError,
    StorageFullError,
    UnknownStorageError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from airflow.sdk import ObjectStoragePath

    from seedance_provider.landing.part_file import PartFile

__all__ = ["StoredFile"]

#: What is on its way to a store at a time is memory: parts of so many bytes, and so many of them.
_PART_BYTES = 5 * 1024 * 1024
_PARTS_AT_A_TIME = 3

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
#: S3 says the second of two uploads that it has at once.
_EXISTS = ("PreconditionFailed", "ConditionalRequestConflict", "412")
#: By these the libraries of the storages say that a task may not; they have no common error.
_DENIED = (
    "AccessDenied",
    "AuthenticationFailed",
    "AuthorizationFailure",
    "AuthorizationPermissionMismatch",
    "Forbidden",
)


class StoredFile:
    """
    A file that exists, or is to be made. Nothing is asked of the storage until a method needs it.

    :param path: where it is.
    """

    def __init__(self, path: ObjectStoragePath) -> None:
        self._path = path

    @classmethod
    def at(cls, source: Any, conn_id: str | None = None) -> StoredFile:
        """
        Return the file of a path or URI.

        :param source: an ``ObjectStoragePath``, or a path or a URI of which one can be made.
        :param conn_id: the Airflow connection of the storage. Default: that of the URI, or none.
        :raises UnknownStorageError: if it is in no storage that this Airflow knows.
        """
        from airflow.sdk import ObjectStoragePath

        if isinstance(source, ObjectStoragePath):
            return cls(source)
        try:
            # Airflow 3.1 takes a None for the connection, instead of that of the URI.
            return cls(ObjectStoragePath(str(source), **({"conn_id": conn_id} if conn_id else {})))
        except ValueError as error:
            raise _unknown_storage(source, error) from error

    def __str__(self) -> str:
        """Say where it is, with the connection if there is one, so that it can be named again."""
        return str(self._path)

    @property
    def name(self) -> str:
        """Its last part, with its ending."""
        return str(self._path.name)

    @property
    def uri(self) -> str:
        """Where it is, for everybody: with the kind of storage, and without the connection."""
        if not self._path.protocol:
            return f"file://{self._path}"
        return str(self._path).replace(f"{self._conn_id}@", "", 1) if self._conn_id else str(self._path)

    @property
    def is_local(self) -> bool:
        """Whether it is in the file system of this machine."""
        return self._path.protocol in ("", "file", "local")

    @property
    def local_path(self) -> Path:
        """Where it is in the file system of this machine."""
        return Path(self._path.path)

    @property
    def _conn_id(self) -> str | None:
        # Airflow 3.1 keeps it among the options of the storage.
        conn_id: str | None = getattr(self._path, "conn_id", None) or self._path.storage_options.get("conn_id")
        return conn_id

    @property
    def _fs(self) -> Any:
        try:
            # Here Airflow looks up the connection, and imports the library of the storage.
            return self._path.fs
        except (ImportError, ValueError) as error:
            raise _unknown_storage(self, error) from error

    def beside(self, suffix: str, *, instead: bool = False) -> StoredFile:
        """
        Return the file of nearly the same name.

        :param suffix: what comes after the name.
        :param instead: of the name's own ending.
        """
        stem = self._path.stem if instead and self._path.suffix else self._path.name
        return StoredFile(self._path.parent / f"{stem}{suffix}")

    def size(self) -> int | None:
        """Return how many bytes it has, or ``None`` if there is no such file. Never from a cached listing."""
        found = self._info()
        return None if found is None else int(found["size"])

    def existing_size(self) -> int:
        """
        Return how many bytes it has.

        :raises FileMissingError: if there is no such file, or it is a folder.
        """
        found = self._info()
        if found is None or found.get("type") == "directory":
            raise _missing(self)
        return int(found["size"])

    def _info(self) -> dict[str, Any] | None:
        with self.asking():
            fs = self._fs
            fs.invalidate_cache()
            try:
                # Not by exists(): some file systems answer any error with a no.
                info: dict[str, Any] = fs.info(self._path.path)
            except (FileNotFoundError, NotADirectoryError):
                return None
            return info

    def version(self) -> str:
        """Return a text that changes with the file, without reading it."""
        with self.asking():
            return str(self._fs.checksum(self._path.path))

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """Open it for reading."""
        with self.asking():
            _ = self._fs
            # Of the path, which tells Airflow's lineage that the file was read.
            with self._path.open("rb") as file:
                yield cast("BinaryIO", file)

    def handle(self) -> BinaryIO:
        """
        Open it so that each read asks for just its own bytes. The caller closes it.

        In the file system of this machine, it stays the same file whatever takes its name, and a pipe that has taken
        it is not waited for.
        """
        with self.asking():
            if self.is_local:
                return open(self.local_path, "rb", buffering=0, opener=_without_waiting)
            self._fs.invalidate_cache()
            return cast("BinaryIO", self._path.open("rb", cache_type="none"))

    def piece(self, start: int, length: int) -> bytes:
        """
        Return a part of it.

        :param start: of its first byte.
        :param length: in bytes; less at its end.
        """
        with self.asking():
            return bytes(self._fs.cat_file(self._path.path, start=start, end=start + length))

    def publish(self, part: PartFile, media_type: str, *, replace: bool) -> None:
        """
        Make it of a complete file, in one step: nobody ever sees half of it.

        :param part: that file, in this object's folder if it is local.
        :param media_type: such as ``video/mp4``.
        :param replace: whether to replace another one of that name.
        :raises FileExistsError: if there is one, and it is not to be replaced.
        """
        with self.asking():
            if self.is_local:
                part.publish(self.local_path, replace=replace)
            else:
                part.file.flush()
                self._put(part.path, media_type, replace=replace)

    def _put(self, path: str, media_type: str, *, replace: bool) -> None:
        """One upload, which object stores show only when it has ended, and refuse if they have another one by then."""
        protocol = self._path.protocol
        options = next((of(media_type) for names, of in _OPTIONS.items() if protocol in names), {})
        mode = "overwrite" if replace else "create"
        self._fs.put_file(path, self._path.path, mode=mode, **options)

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Raise the errors of a storage's library as a :class:`~seedance_provider.storage.errors.StorageError`."""
        try:
            yield
        except (StorageError, SeedanceError, FileExistsError):
            raise
        except FileNotFoundError as error:
            raise _missing(self) from error
        except Exception as error:
            if _says_exists(error):
                raise FileExistsError(errno.EEXIST, f"{self} exists") from error
            raise self._explained(error) from error

    def _explained(self, error: Exception) -> StorageError:
        """The libraries of the storages have no common error, so what one means has to be found out."""
        said = f"{type(error).__name__}: {error}"
        if isinstance(error, OSError) and error.errno in _NO_SPACE:
            return StorageFullError(f"There is no space left for {self}: {error}. Make room.")
        if isinstance(error, PermissionError) or any(word in said for word in _DENIED):
            return StorageDeniedError(f"Access to {self} is denied: {said}. Grant {self._rights}.")
        return StorageError(f"{self} failed: {said}.")

    @property
    def _rights(self) -> str:
        if self.is_local:
            return "the task access to it"
        conn_id = self._conn_id
        whose = f"the connection {conn_id!r}" if conn_id else "the worker's own credentials"
        return f"{whose} the rights to read, list and write there"


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def _says_exists(error: BaseException | None) -> bool:
    """
    Whether an upload was refused because it must not replace anything.

    s3fs says why only in the cause of its error, and the last error of gcsfs may be that it could not clean up.
    """
    while error is not None:
        if isinstance(error, FileExistsError) or _code(error) in _EXISTS or "PreconditionFailed" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _code(error: BaseException) -> str:
    """What a storage answered: botocore keeps it in the answer, others as the status of HTTP."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        return str(response.get("Error", {}).get("Code"))
    return str(getattr(error, "code", ""))


def _missing(file: StoredFile) -> FileMissingError:
    return FileMissingError(f"There is no file {file}.")


def _unknown_storage(source: Any, error: Exception) -> UnknownStorageError:
    return UnknownStorageError(
        f"{source} is in no storage that this Airflow knows: {error}. Is the provider of that storage installed?"
    )


def _s3(media_type: str) -> dict[str, Any]:
    return {"ContentType": media_type, "chunksize": _PART_BYTES, "max_concurrency": _PARTS_AT_A_TIME}


def _gcs(media_type: str) -> dict[str, Any]:
    return {"content_type": media_type, "chunksize": _PART_BYTES}


def _azure(media_type: str) -> dict[str, Any]:
    from azure.storage.blob import ContentSettings

    return {"content_settings": ContentSettings(content_type=media_type), "max_concurrency": _PARTS_AT_A_TIME}


_OPTIONS: Mapping[tuple[str, ...], Callable[[str], dict[str, Any]]] = {
    ("s3", "s3a"): _s3,
    ("gs", "gcs"): _gcs,
    ("abfs", "abfss", "adl"): _azure,
}
