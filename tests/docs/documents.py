"""The documents of the project, and the blocks in them, as Sybil finds them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sybil import Example, Region, Sybil
from sybil.parsers.markdown.lexers import RawFencedCodeBlockLexer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sybil import Document

REPOSITORY = Path(__file__).parents[2]

#: Everything that a person reads. A new page is found by itself.
PAGES = sorted(
    [
        *REPOSITORY.glob("*.md"),
        *REPOSITORY.glob(".github/**/*.md"),
        *REPOSITORY.glob("docs/**/*.md"),
        *REPOSITORY.glob("benchmarks/*.md"),
    ]
)

_fences = RawFencedCodeBlockLexer(re.compile(r"[ \t]*(?P<info>[^\n]*)\n"))


def _blocks(document: Document) -> Iterator[Region]:
    for region in _fences(document):
        yield Region(region.start, region.end, region.lexemes["source"], str, region.lexemes)


_sybil = Sybil(parsers=[_blocks])


class Block:
    """
    One block between two fences.

    :param example: as Sybil has found it.
    :param before: the block before it on its page.
    """

    def __init__(self, example: Example, before: Block | None) -> None:
        self.example = example
        self.page = Path(example.path).relative_to(REPOSITORY).as_posix()
        self.line = example.line
        #: The first word after the fence: a language, a directive of MyST in braces, or nothing.
        self.language, _, self.argument = example.region.lexemes["info"].partition(" ")
        self.text: str = str(example.parsed)
        self._block_before = before

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def before(self) -> str:
        """The paragraph before it, and before the blocks right before it."""
        start = self._block_before.example.region.end if self._block_before else 0
        between = self.example.document.text[start : self.example.region.start].strip()
        if not between and self._block_before:
            return self._block_before.before
        return between.rpartition("\n\n")[2].replace("\n", " ")

    @property
    def options(self) -> dict[str, str]:
        """The options of a directive."""
        return dict(re.findall(r"^:([\w-]+): *(.*)$", self.text, re.MULTILINE))


def blocks(page: Path) -> list[Block]:
    """Return the blocks of a page, in their order."""
    found: list[Block] = []
    for example in _sybil.parse(page).examples():
        found.append(Block(example, found[-1] if found else None))
    return found
