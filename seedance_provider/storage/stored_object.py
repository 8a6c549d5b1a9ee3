"""The object that a landing is about, in any storage that Airflow knows, and what the storages call the same things."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedance_provider.landing.errors import (
    InvalidDestinationError,
    LandingError,
    StorageDeniedError,
    StorageError,
    StorageFullError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from airflow.sdk import ObjectStoragePath

    from seedance_provider.landing.part_file import PartFile

__all__ = ["StoredObject"]

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


class StoredObject:
    """
    An object that is there, or is to be made.

    :param path: where. ``str()`` of it has the connection, if there is one.
    """

    def __init__(self, path: ObjectStoragePath) -> None:
        self._path = path

    @classmethod
    def at(cls, uri: str, conn_id: str | None = None) -> StoredObject:
        """
        Return the object of a URI.

        :param uri: any that Airflow's ``ObjectStoragePath`` knows.
        :param conn_id: the Airflow connection of the storage. Default: that of the URI, or none.
        :raises InvalidDestinationError: if it is in no storage that this Airflow knows.
        """
        from airflow.sdk import ObjectStoragePath

        try:
            # Airflow 3.1 takes a None for the connection, instead of that of the URI.
            path = ObjectStoragePath(uri, **({"conn_id": conn_id} if conn_id else {}))
            # Which is looked up only now.
            _ = path.fs
        except (ImportError, ValueError) as error:
            raise _no_storage(uri, error) from error
        return cls(path)

    def __str__(self) -> str:
        return str(self._path)

    @property
    def path(self) -> ObjectStoragePath:
        """Where it is."""
        return self._path

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

    def beside(self, suffix: str, *, instead: bool = False) -> StoredObject:
        """
        Return the object of nearly the same name.

        :param suffix: what comes after the name.
        :param instead: of the name's own ending.
        """
        stem = self._path.stem if instead and self._path.suffix else self._path.name
        return StoredObject(self._path.parent / f"{stem}{suffix}")

    def size(self) -> int | None:
        """Return how many bytes it has, or ``None`` if it is not there. Looks anew: file systems remember listings."""
        with self.asking():
            fs = self._path.fs
            fs.invalidate_cache()
            try:
                # Not by exists(): some file systems answer any error with a no.
                return int(fs.info(self._path.path)["size"])
            except (FileNotFoundError, NotADirectoryError):
                return None

    def version(self) -> str:
        """Return a text that is another one when it has changed, without reading it."""
        with self.asking():
            return str(self._path.checksum())

    def piece(self, start: int, length: int) -> bytes:
        """
        Return a part of it.

        :param start: of its first byte.
        :param length: in bytes; less at its end.
        """
        with self.asking():
            return bytes(self._path.fs.cat_file(self._path.path, start=start, end=start + length))

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
        self._path.fs.put_file(path, self._path.path, mode=mode, **options)

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Raise whatever the storage says as a :class:`~seedance_provider.landing.errors.LandingError`."""
        try:
            yield
        except (LandingError, FileExistsError):
            raise
        except Exception as error:
            if _says_exists(error):
                raise FileExistsError(errno.EEXIST, f"{self} exists") from error
            raise self._explained(error) from error

    def _explained(self, error: Exception) -> LandingError:
        """The libraries of the storages have no common error, so what one means has to be found out."""
        said = f"{type(error).__name__}: {error}"
        if isinstance(error, OSError) and error.errno in _NO_SPACE:
            return StorageFullError(
                f"There is no space left for {self}: {error}. Nothing half-written is under its name; make room, and "
                "the next try lands it."
            )
        if isinstance(error, PermissionError) or any(word in said for word in _DENIED):
            return StorageDeniedError(
                f"{self} is refused: {said}. Let the task {'write there' if self.is_local else self._rights} and clear "
                "it. The video is not lost: the vendor keeps it for 14 days."
            )
        return StorageError(f"{self} failed: {said}. Nothing half-written is under its name; try again.")

    @property
    def _rights(self) -> str:
        conn_id = self._conn_id
        whose = f"the connection {conn_id!r}" if conn_id else "the credentials that the worker finds by itself"
        return f"read, list and write there, with {whose},"


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


def _no_storage(uri: str, error: Exception) -> InvalidDestinationError:
    return InvalidDestinationError(
        f"{uri} is in no storage that this Airflow knows: {error}. Is the provider of that storage installed? Nothing "
        "landed; the vendor keeps the video for 14 days."
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
