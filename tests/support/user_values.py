"""What databases, pandas and mapped tasks hand over in place of plain numbers, texts and lists."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, IntEnum, StrEnum
from types import SimpleNamespace
from typing import Any


class Numpy:
    """A scalar as numpy has them: no number of Python's, until it is asked for its item."""

    shape = ()

    def __init__(self, item: Any, kind: str | None = None) -> None:
        self._item = item
        self.dtype = SimpleNamespace(kind=kind or {bool: "b", int: "i", float: "f"}[type(item)])

    def item(self) -> Any:
        return self._item

    def __array__(self) -> None:
        raise TypeError("needs numpy")


class NotAvailable:
    """The missing value of pandas, which is neither true nor false, and equal to nothing."""

    def __bool__(self) -> bool:
        raise TypeError("boolean value of NA is ambiguous")

    def __eq__(self, other: object) -> Any:
        return self

    def __hash__(self) -> int:
        return 1

    def __repr__(self) -> str:
        return "<NA>"


class Rows(Sequence[Any]):
    """A sequence that gets each item from elsewhere, and ends early if that fails, as that of a mapped task does."""

    def __init__(self, items: Sequence[Any], readable: int | None = None) -> None:
        self._items, self._readable = items, readable

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: Any) -> Any:
        return self._items[: self._readable][index]


class Length(IntEnum):
    SHORT = 5


class Format(StrEnum):
    MP4 = "mp4"


class Address(Enum):
    PICTURE = "https://media.example/first.png"
