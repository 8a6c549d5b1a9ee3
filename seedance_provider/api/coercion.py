"""
One value, many spellings: Jinja templates make strings of everything, databases and pandas have numbers of their own,
and lists come as sequences of many kinds. What can't be read is left as it is, for the check that names it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from itertools import islice
from typing import Any

from seedance_provider.api.errors import FileUnavailableError

__all__ = [
    "MOST_ITEMS",
    "boolean",
    "integer",
    "listed",
    "mapping",
    "number",
    "plain",
    "seconds",
    "text",
    "texts",
    "written",
]

_BOOLEANS = {"true": True, "false": False}
#: No model takes nearly as many references. An iterable is read no further, because it may have no end.
MOST_ITEMS = 1000
#: The letters of numpy for booleans, integers and other numbers. Its moments and lengths of time are integers, too.
_NUMBER_KINDS = ("b", "i", "u", "f")


def plain(value: Any) -> Any:
    """Read a member of an enum as its value, a number of numpy as Python's, and any kind of text as a plain one."""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, str):
        return str.__str__(value)
    if getattr(getattr(value, "dtype", None), "kind", None) in _NUMBER_KINDS and getattr(value, "shape", None) == ():
        return value.item()
    return value


def seconds(value: Any) -> Any:
    """Read ``5``, ``5.0``, ``"5"`` and ``"5s"`` as 5."""
    value = plain(value)
    if isinstance(value, str) and (match := re.fullmatch(r"\s*(\d{1,6}(?:\.0{1,9})?)\s*s?\s*", value, re.ASCII)):
        return int(float(match[1]))
    return integer(value)


def integer(value: Any) -> Any:
    """Read ``7``, ``7.0``, ``"7"``, ``"7.0"`` and ``Decimal("7")`` as 7."""
    value = plain(value)
    if isinstance(value, str) and (match := re.fullmatch(r"\s*([+-]?\d{1,18})(?:\.0{1,18})?\s*", value, re.ASCII)):
        return int(match[1])
    if isinstance(value, float) and value.is_integer():
        return int(value)
    # A number with a large exponent would be one of as many digits.
    if isinstance(value, Decimal) and value.is_finite() and abs(value) < 10**18 and value == int(value):
        return int(value)
    return value


def number(value: Any) -> Any:
    """Read ``1.5``, ``"1.5"`` and ``Decimal("1.5")`` as 1.5."""
    value = plain(value)
    if isinstance(value, str) and re.fullmatch(r"\s*\d{1,9}(\.\d{1,9})?\s*", value, re.ASCII):
        return float(value)
    return float(value) if isinstance(value, Decimal) and value.is_finite() else value


def boolean(value: Any) -> Any:
    """Read ``True``, ``"True"``, ``"true"`` and ``1`` as true."""
    value = plain(value)
    if isinstance(value, str) and value.strip().lower() in _BOOLEANS:
        return _BOOLEANS[value.strip().lower()]
    whole = integer(value)
    return bool(whole) if isinstance(whole, int) and whole in (0, 1) else value


def text(value: Any) -> Any:
    """Read a number as its text: with ``render_template_as_native_obj`` a template makes a number of ``1984``."""
    value = plain(value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number or (isinstance(value, Decimal) and value.is_finite()):
        # What has more digits, or is not finite, is nothing that somebody has written.
        return str(value) if abs(value) < 10**18 else value
    return value


def listed(value: Any) -> Any:
    """
    Read any iterable that is no text, mapping or file as a list, because some can be read only once. A set of several
    has no order, so it is left as it is.

    :param value: read up to one item more than :data:`MOST_ITEMS`; a list or tuple is read completely.
    :raises FileUnavailableError: if a sequence ends early, as Airflow's lazy one does when it can't be read.
    """
    if isinstance(value, list | tuple):
        return list(value)
    # What has items but is not iterable would be an empty list.
    if isinstance(value, str | bytes | bytearray | memoryview | Mapping) or not isinstance(value, Iterable):
        return value
    if isinstance(value, set | frozenset) and len(value) > 1:
        return value
    try:
        iterator = iter(value)
    except TypeError:
        return value
    items = list(islice(iterator, MOST_ITEMS + 1))
    if isinstance(value, Sequence) and len(items) < min(len(value), MOST_ITEMS + 1):
        raise FileUnavailableError(
            f"Only {len(items)} of {len(value)} items of a list could be read. Nothing was sent or charged."
        )
    return items


def texts(value: Any) -> Any:
    """Read ``None`` as no texts, and whatever can be read as a list as a tuple."""
    if value is None:
        return ()
    items = listed(value)
    return tuple(map(plain, items)) if isinstance(items, list) else items


def written(value: Any) -> Any:
    """
    Return what JSON writes for a number or a member of an enum that it doesn't know.

    :raises TypeError: for anything else.
    """
    read = number(integer(value)) if isinstance(value, Decimal) else plain(value)
    if read is value:
        raise TypeError(f"{type(value).__name__} is not JSON serializable")
    return read


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
        encoded = json.dumps(dict(value), allow_nan=False, ensure_ascii=False, default=written)
        encoded.encode()
        return dict(json.loads(encoded))
    except (TypeError, ValueError, RecursionError) as error:
        return f"can't be written as JSON ({error})"
