"""Looks for a key in whatever somebody has written down: as it is, and as it may be written otherwise."""

from __future__ import annotations

import base64
import json
import sqlite3
import zlib
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

from cryptography.fernet import Fernet, InvalidToken

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def spellings(key: str) -> set[str]:
    """
    All ways to write a key that are looked for.

    Base64 writes three bytes as four characters, so what stands before the key shifts it: of each of the three
    shifts those characters count that depend on nothing but the key. That finds ``Basic`` headers, too.
    """
    in_json = json.dumps(key)[1:-1]
    in_urls = {quote(key), quote(key, safe=""), quote_plus(key)}
    plain = {key, in_json, in_json.replace("/", "\\/"), repr(key)[1:-1], key.encode().hex()}
    return plain | in_urls | set(_in_base64(key))


def _in_base64(key: str) -> Iterator[str]:
    for shift in range(3):
        raw = b"\0" * shift + key.encode()
        # The first characters hold bits of what comes before, the last ones of what comes after.
        first, end = (0, 2, 3)[shift], len(raw) * 8 // 6
        yield base64.b64encode(raw).decode()[first:end]
        yield base64.urlsafe_b64encode(raw).decode()[first:end]


def holds(content: bytes | str, key: str) -> bool:
    """Whether a key is in there."""
    raw = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
    return any(spelling.encode() in raw for spelling in spellings(key))


def files_in(folder: Path) -> dict[str, bytes]:
    """What all files below a folder hold, by their paths."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def columns_of(database: Path, fernet_key: str) -> dict[str, bytes]:
    """
    All that is in a metadata database, by ``table.column``: every value as it is, unpacked, and decrypted.

    :param database: of SQLite; may be in use.
    :param fernet_key: that it was encrypted with.
    """
    fernet, found = Fernet(fernet_key), dict[str, bytes]()
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            rows = connection.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - its own tables
            names = [described[0] for described in rows.description]
            for row in rows:
                for name, value in zip(names, row, strict=True):
                    column = f"{table}.{name}"
                    found[column] = b"\n".join([found.get(column, b""), *_read(value, fernet)])
    return found


def _read(value: Any, fernet: Fernet) -> Iterator[bytes]:
    raw = value if isinstance(value, bytes) else str(value).encode()
    yield raw
    with suppress(zlib.error):
        yield zlib.decompress(raw)
    with suppress(InvalidToken):
        yield fernet.decrypt(raw)
