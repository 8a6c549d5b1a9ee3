"""Fitting words of any number into a box: the largest font size at which they fit, wrapped between words."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from PIL import ImageFont

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Font", "TextBlock", "fit", "font", "shorten"]

Font = ImageFont.FreeTypeFont

_ELLIPSIS = "..."
_LINE_HEIGHT = 1.25
_SHRINK = 0.88
#: Width of the narrowest characters, as a part of the font size.
_NARROWEST = 0.2


@dataclass(frozen=True)
class TextBlock:
    """Lines of text and the font size at which they fit where they were meant to go."""

    lines: tuple[str, ...]
    font_size: int

    @property
    def line_height(self) -> int:
        return int(self.font_size * _LINE_HEIGHT)

    @property
    def height(self) -> int:
        return self.line_height * len(self.lines)


def font(size: int) -> Font:
    """Return the font that comes with Pillow, so that nothing has to be installed."""
    loaded = ImageFont.load_default(size=size)
    if not isinstance(loaded, ImageFont.FreeTypeFont):  # Pillow built without FreeType has only a tiny bitmap font.
        raise RuntimeError("The emulator needs a Pillow with FreeType, which the wheels on PyPI have.")
    return loaded


def fit(text: str, box: tuple[int, int], *, largest: int, smallest: int) -> TextBlock:
    """
    Set text as large as a box allows.

    :param text: any text; line breaks count as spaces.
    :param box: width and height in pixels.
    :param largest: the font size to start with.
    :param smallest: the font size at which the rest of the text is cut off instead.
    """
    width, height = box
    # A prompt can be very long: no more characters than these fit, even the narrowest ones at the smallest size.
    words = text[: round(width * height / (smallest**2 * _LINE_HEIGHT * _NARROWEST))].split()
    size = largest
    while True:
        rows = int(height / (size * _LINE_HEIGHT))
        lines = tuple(islice(_wrap(words, font(size), width), rows + 1))
        if len(lines) <= rows:
            return TextBlock(lines, size)
        if size <= smallest:
            return _cut(TextBlock(lines[: max(1, rows)], size))
        size = max(smallest, int(size * _SHRINK))


def shorten(text: str, font: Font, width: int) -> str:
    """Cut one line of text so that it is no wider than asked."""
    if font.getlength(text) <= width:
        return text
    return text[: _fitting(text, font, width - font.getlength(_ELLIPSIS))] + _ELLIPSIS


def _wrap(words: list[str], font: Font, width: int) -> Iterator[str]:
    line = ""
    for word in words:
        longer = f"{line} {word}" if line else word
        if font.getlength(longer) <= width:
            line = longer
            continue
        if line:
            yield line
        *full, line = _split(word, font, width)
        yield from full
    if line:
        yield line


def _split(word: str, font: Font, width: int) -> Iterator[str]:
    """Break a word that is wider than a line, such as a link or a text in a script without spaces."""
    while word:
        count = max(1, _fitting(word, font, width))
        yield word[:count]
        word = word[count:]


def _fitting(text: str, font: Font, width: float) -> int:
    """Return how many characters of a text are no wider than asked."""
    most = int(width / (font.size * _NARROWEST))
    return bisect_right(range(1, min(most, len(text)) + 1), width, key=lambda count: font.getlength(text[:count]))


def _cut(block: TextBlock) -> TextBlock:
    """Show that there was more."""
    *lines, last = block.lines
    return TextBlock((*lines, last + _ELLIPSIS), block.font_size)
