"""
Texts that nobody has meant: what a template, an f-string or a conversion leaves behind where a value was missing, and
what a database can't store.

The API makes a video of anything, and charges for it. Every check here takes a time that grows with the length only.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["leftover", "probable_leftover", "storage_problem", "texts_in"]

_MISSING = {"none", "nan", "null", "undefined", "nat", "<na>", "[object object]"}
#: In lower case an API may have that as one of its choices.
_MAY_BE_A_CHOICE = "none"

#: What is neither white space nor of a category of its own, and yet shows nothing.
_FILLERS = "\u115f\u1160\u2800\u3164\uffa0"
_INVISIBLE_CATEGORIES = ("Cc", "Cf", "Cs", "M", "Z")

_OBJECT_AT = re.compile(r"<[^<>]{1,300} at 0x[0-9a-fA-F]{4,32}>")
#: All that Python shows containers and calls with; each token begins differently, so that there is one way to read it.
_TOKENS = re.compile(
    r"""
    (?: \s++ | [][(){},:=]
      | [bBrRuU]?+ '(?:[^'\\]|\\.)*+'
      | [bBrRuU]?+ "(?:[^"\\]|\\.)*+"
      | [-+]?+ [0-9][0-9a-zA-Z_.+-]*+
      | <unevaluated\ length>
      | (?:None|True|False|-?nan|-?inf)(?!\w)
      | [A-Za-z_]\w*+ (?: (?:\.\w++)++ | (?=[(=]) )
    )*+
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_CONTAINER = re.compile(r"[\[{(]|[A-Za-z_][\w.]*+\(", re.ASCII)
_BYTES = re.compile(r"""b(?:'(?:[^'\\]|\\.)*+'|"(?:[^"\\]|\\.)*+")""", re.DOTALL)
_LAZY_SEQUENCE = re.compile(r"LazyXComSequence\([^()]{0,40}\)")

_VALUE_CAUSE = "usually xcom_pull of a task that pushed nothing, or whose task id or key is misspelt"
_REPR_CAUSE = (
    "usually a whole list, dict or object in place of one text of it; a dict that is meant as JSON needs tojson"
)
_TEMPLATE_CAUSE = (
    "usually the field is not a template, or the text came from an XCom or a function: no template is filled in there"
)

#: A word of Python's or JavaScript's for a missing value. The other ones are words of people, too.
_PROBABLE = re.compile(r"(?<![\w.])None(?!\w| of\b)|\bNaT\b|<NA>|\[object Object\]")
_PROBABLE_REPR = re.compile(r"""[\[{(]'(?:[^'\\]|\\.){0,200}+'(?:, ['"0-9]|: |[\]})])""")


def leftover(text: str, *, may_be_a_choice: bool = False) -> tuple[str, str] | None:
    """
    Return what a text shows in place of a value, and the likely cause; ``None`` for what somebody may have meant.

    :param text: of any length. An empty one says so itself.
    :param may_be_a_choice: whether ``none`` can be a choice of the API.
    """
    if text.strip() and not _is_visible(text):
        return "has only characters that can't be seen", _VALUE_CAUSE
    bare = text.strip()
    if bare.lower() in _MISSING and not (may_be_a_choice and bare == _MAY_BE_A_CHOICE):
        return "is what a missing value looks like", _VALUE_CAUSE
    # Nested objects of JSON end like this, too.
    if "{{" in text or "{%" in text or ("}}" in text and text.count("}") > text.count("{")):
        return "has a template that was not rendered", _TEMPLATE_CAUSE
    if _OBJECT_AT.search(text) or _LAZY_SEQUENCE.search(text) or _looks_like_a_repr(bare):
        return "is how Python shows a value", _REPR_CAUSE
    return None


def probable_leftover(text: str) -> str | None:
    """
    Return the part of a text that is probably the leftover of a template or an f-string, but may be meant.

    :param text: of any length.
    """
    found = _PROBABLE.search(text) or _PROBABLE_REPR.search(text)
    return None if found is None else found[0]


def storage_problem(text: str) -> str | None:
    """
    Return what a text has to be so that it can be sent and stored, or ``None`` if it is.

    :param text: of any length.
    """
    if any("\ud800" <= character <= "\udfff" for character in text):
        # Half of a surrogate pair, as badly cut text has.
        return "text that UTF-8 can write is needed"
    # PostgreSQL refuses it in every table of Airflow's, also after a video was paid for.
    return "text without U+0000 is needed" if "\0" in text else None


def texts_in(value: Any) -> Iterator[str]:
    """
    Find all texts in what JSON can write, keys included.

    :param value: nested as deep as it may be.
    """
    left = [value]
    while left:
        found = left.pop()
        if isinstance(found, str):
            yield found
        elif isinstance(found, dict):
            left += [*found.keys(), *found.values()]
        elif isinstance(found, list | tuple):
            left += found


def _is_visible(text: str) -> bool:
    return any(
        character not in _FILLERS and not unicodedata.category(character).startswith(_INVISIBLE_CATEGORIES)
        for character in text
    )


def _looks_like_a_repr(text: str) -> bool:
    """Whether a text is a container or a call as Python shows it, and not a prompt that is written as JSON."""
    if _BYTES.fullmatch(text):
        return True
    if not (_CONTAINER.match(text) and text[-1] in ")]}" and _TOKENS.fullmatch(text)):
        return False
    if text[0] not in "[{":
        # Ordinary words have brackets, too: (2024), Paris(2024), kite().
        return text in ("()", "set()") or any(mark in text for mark in "'\"=,[{")
    try:
        meant = json.loads(text)
    except (ValueError, RecursionError):
        return True
    return not meant or repr(meant) == text
