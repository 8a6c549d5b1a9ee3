"""The SQLite file of the emulator: how it is opened, and what a transaction is."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["open_database", "transaction"]


def open_database(path: Path) -> sqlite3.Connection:
    """
    Open the file, and make it if it isn't there. What is committed survives the death of the process.

    :param path: the file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # No implicit transactions: all of them are written out.
    database = sqlite3.connect(path, isolation_level=None)
    database.row_factory = sqlite3.Row
    # Only a power cut could lose the last moments.
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    return database


@contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[None]:
    """
    Let nobody write between what is read and what is written inside, and commit at the end.

    :param database: an open one. After an error, that of a full disk included, it is as it was before.
    """
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        # Some errors, such as a full disk, may have ended the transaction already.
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise
