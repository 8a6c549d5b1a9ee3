"""
One value, many spellings: Jinja templates make strings of everything, so numbers, booleans and lists are read from
what people write. What can't be read is left as it is, for the check that names it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

__all__ = ["boolean", "integer", "mapping", "number", "seconds", "texts"]

_BOOLEANS = {"true": True, "false": False}


def seconds(value: Any) -> Any:
    """Read ``5``, ``5.0``, ``"5"`` and ``"5s"`` as 5."""
    if isinstance(value, str) and (match := re.fullmatch(r"\s*(\d{1,6})\s*s?\s*", value, re.ASCII)):
        return int(match[1])
    return integer(value)


def integer(value: Any) -> Any:
    """Read ``7``, ``7.0`` and ``"7"`` as 7."""
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d{1,18}\s*", value, re.ASCII):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def number(value: Any) -> Any:
    """Read ``1.5`` and ``"1.5"`` as 1.5."""
    if isinstance(value, str) and re.fullmatch(r"\s*\d{1,9}(\.\d{1,9})?\s*", value, re.ASCII):
        return float(value)
    return value


def boolean(value: Any) -> Any:
    """Read ``True``, ``"True"`` and ``"true"`` as true."""
    return _BOOLEANS.get(value.strip().lower(), value) if isinstance(value, str) else value


def texts(value: Any) -> Any:
    """Read ``None`` as no texts, and any list as a tuple."""
    if value is None:
        return ()
    return tuple(value) if isinstance(value, list | tuple) else value


def mapping(value: Any) -> Any:
    """
    Read ``None`` as nothing, and copy a mapping that JSON can write; a text says why it can't.

    :param value: what was passed.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        return value
    try:
        written = json.dumps(dict(value), allow_nan=False, ensure_ascii=False)
        written.encode()
        return dict(json.loads(written))
    except (TypeError, ValueError, RecursionError) as error:
        return f"can't be written as JSON ({error})"
