"""Files that stand where a video expects a URL."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from seedance_provider.api.errors import FileUnavailableError, InvalidRequestError
from seedance_provider.api.media_file import absolute_path
from seedance_provider.storage.errors import FileMissingError, StorageError, UnknownStorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["check_path", "names_a_file", "reading_reference"]

_NOT_CHARGED = "Nothing was sent or charged."


def names_a_file(value: Any) -> bool:
    """
    Return whether a value names a file instead of a URL: a path object, an absolute path, or a URL of any kind but
    http.

    :param value: of a parameter.
    """
    if not isinstance(value, str):
        return isinstance(value, os.PathLike) or _is_storage_path(value)
    scheme, separator, _ = value.lower().partition("://")
    return value.startswith("/") or bool(separator and scheme.isidentifier() and scheme not in ("http", "https"))


def check_path(source: Any) -> None:
    """
    Refuse a relative path: a worker would read it from whatever folder it runs in.

    :param source: the path, URL or object of a file.
    :raises InvalidRequestError: with the absolute path that it would be.
    """
    # An object of Airflow's shows what it was made of.
    if path := absolute_path(source if isinstance(source, os.PathLike) else str(source)):
        raise InvalidRequestError(
            f"The path of a file must be absolute, and {str(source)!r} is not: here {path!r}. {_NOT_CHARGED}"
        )


@contextmanager
def reading_reference() -> Iterator[None]:
    """
    Raise errors of the storage as errors of the request that refers to the file.

    :raises InvalidRequestError: if there is no such file or storage.
    :raises FileUnavailableError: if the storage fails; a later try may succeed.
    """
    try:
        yield
    except (FileMissingError, UnknownStorageError) as error:
        raise InvalidRequestError(f"{error} {_NOT_CHARGED}") from error
    except StorageError as error:
        raise FileUnavailableError(f"{error} {_NOT_CHARGED}") from error


def _is_storage_path(value: Any) -> bool:
    from airflow.sdk import ObjectStoragePath

    return isinstance(value, ObjectStoragePath)
