"""A file in any storage that Airflow knows, as one that a video can refer to."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from seedance_provider.api.errors import FileUnavailableError, InvalidRequestError, SeedanceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.sdk import ObjectStoragePath

__all__ = ["StoredFile", "names_a_file"]


def names_a_file(value: Any) -> bool:
    """
    Whether a value that stands where a URL is expected names a file instead: a path object, an absolute path, or a URL
    of any kind but http.

    :param value: of a parameter.
    """
    if not isinstance(value, str):
        return isinstance(value, os.PathLike) or _is_storage_path(value)
    scheme, separator, _ = value.lower().partition("://")
    return value.startswith("/") or bool(separator and scheme.isidentifier() and scheme not in ("http", "https"))


@dataclass(frozen=True)
class StoredFile:
    """
    A file that may or may not be there.

    :param path: where it is.
    """

    path: ObjectStoragePath

    @classmethod
    def of(cls, source: Any, conn_id: str | None = None) -> StoredFile:
        """
        Return the file that somebody has named.

        :param source: an ``ObjectStoragePath``, or a path or a URL of which one can be made.
        :param conn_id: the Airflow connection of the storage. Default: that of the URL, or none.
        :raises InvalidRequestError: if it names no storage that this Airflow knows.
        """
        from airflow.sdk import ObjectStoragePath

        if isinstance(source, ObjectStoragePath):
            return cls(source)
        try:
            # Airflow 3.1 takes a None for the connection, instead of that of the URL.
            return cls(ObjectStoragePath(str(source), **({"conn_id": conn_id} if conn_id else {})))
        except ValueError as error:
            raise _no_storage(source, error) from error

    def __str__(self) -> str:
        """Say where it is, with the connection if there is one, so that it can be named again."""
        return str(self.path)

    @property
    def name(self) -> str:
        """Its last part, with its ending."""
        return str(self.path.name)

    def size(self) -> int:
        """
        Return how many bytes it has.

        :raises InvalidRequestError: if it is not there.
        :raises FileUnavailableError: if the storage can't be asked.
        """
        with self._asking():
            return int(self.path.stat().st_size)

    def version(self) -> str:
        """
        Return a text that is another one when the file has changed, without reading the file.

        :raises InvalidRequestError: if it is not there.
        :raises FileUnavailableError: if the storage can't be asked.
        """
        with self._asking():
            return str(self.path.checksum())

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """
        Open it for reading.

        :raises InvalidRequestError: if it is not there.
        :raises FileUnavailableError: if the storage can't be asked, or fails while it is read.
        """
        with self._asking(), self.path.open("rb") as file:
            yield cast("BinaryIO", file)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except SeedanceError:
            # Of whoever reads it.
            raise
        except (FileNotFoundError, IsADirectoryError) as error:
            raise InvalidRequestError(f"There is no file {self}. Nothing was sent or charged.") from error
        except (ImportError, ValueError) as error:
            raise _no_storage(self, error) from error
        except Exception as error:
            # The libraries of the storages have no common error.
            raise FileUnavailableError(
                f"The file {self} can't be read: {type(error).__name__}: {error}. Nothing was sent or charged."
            ) from error


def _no_storage(source: Any, error: Exception) -> InvalidRequestError:
    return InvalidRequestError(
        f"{source} is in no storage that this Airflow knows: {error}. Is the provider of that storage installed? "
        "Nothing was sent or charged."
    )


def _is_storage_path(value: Any) -> bool:
    from airflow.sdk import ObjectStoragePath

    return isinstance(value, ObjectStoragePath)
