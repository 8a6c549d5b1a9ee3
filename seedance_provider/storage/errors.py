"""
What can go wrong with a file in a storage.

::

    StorageError                    a retry can help
    ├── FileMissingError            there is no such file
    ├── StorageFullError            there is no space left
    └── PermanentStorageError       a retry can't help
        ├── StorageDeniedError      the storage refuses access
        └── UnknownStorageError     this Airflow has no such storage
"""

from __future__ import annotations

__all__ = [
    "FileMissingError",
    "PermanentStorageError",
    "StorageDeniedError",
    "StorageError",
    "StorageFullError",
    "UnknownStorageError",
]


class StorageError(Exception):
    """The storage failed. A retry can help."""


class FileMissingError(StorageError):
    """There is no such file."""


class StorageFullError(StorageError):
    """There is no space left, in the storage or for the temporary file."""


class PermanentStorageError(StorageError):
    """The storage failed, and a retry can't help."""


class StorageDeniedError(PermanentStorageError):
    """The storage refuses access."""


class UnknownStorageError(PermanentStorageError):
    """This Airflow has no such storage."""
