"""Links and headings of the project's Markdown, as a code host shows them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Link", "anchors", "links", "replace_links", "slug"]

_FENCED = re.compile(r"^([ ]{0,3}(`{3,}|~{3,})[^\n]*\n.*?^[ ]{0,3}\2[ ]*(?:\n|\Z))", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?P<image>!?)\[(?P<text>(?:[^\[\]]|\[[^\[\]]*\])*)\]\((?P<target>[^()\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(?P<text>.+?) *#*$", re.MULTILINE)
_NOT_IN_A_SLUG = re.compile(r"[^\w\- ]")


@dataclass(frozen=True)
class Link:
    """
    A link, or an image.

    :param text: what is shown.
    :param target: where it leads, as it is written.
    :param is_image: whether it is shown itself.
    """

    text: str
    target: str
    is_image: bool = False

    @property
    def path(self) -> str:
        """Where it leads without the heading; empty for a heading of the same page."""
        return self.target.partition("#")[0]

    @property
    def anchor(self) -> str:
        """The heading that it leads to; empty if that is the whole page."""
        return self.target.partition("#")[2]

    @property
    def is_local(self) -> bool:
        """Whether it leads to a file of the project."""
        return not re.match(r"[a-z]+:", self.target)


def slug(heading: str) -> str:
    """
    Return the anchor of a heading, without the number of a repeated one.

    :param heading: its text, as it is read.
    """
    return _NOT_IN_A_SLUG.sub("", heading.strip().lower()).replace(" ", "-")


def anchors(page: str) -> set[str]:
    """
    Return all anchors of a page.

    :param page: Markdown.
    """
    seen: dict[str, int] = {}
    found = set()
    for prose in _prose(page):
        for heading in _HEADING.finditer(prose):
            plain = slug(_as_read(heading["text"]))
            number = seen.get(plain, 0)
            seen[plain] = number + 1
            found.add(f"{plain}-{number}" if number else plain)
    return found


def links(page: str) -> Iterator[Link]:
    """
    Return what a page links to and shows, code blocks apart.

    :param page: Markdown.
    """
    for prose in _prose(page):
        for match in _LINK.finditer(prose):
            yield _link(match)


def replace_links(page: str, replacement: Callable[[Link], str | None]) -> str:
    """
    Return a page with other links.

    :param page: Markdown.
    :param replacement: returns what stands in place of a link; ``None`` leaves it as it is.
    """

    def replaced(match: re.Match[str]) -> str:
        new = replacement(_link(match))
        return match[0] if new is None else new

    return "".join(_LINK.sub(replaced, part) if is_prose else part for is_prose, part in _parts(page))


def _link(match: re.Match[str]) -> Link:
    return Link(match["text"], match["target"], bool(match["image"]))


def _prose(page: str) -> Iterator[str]:
    return (part for is_prose, part in _parts(page) if is_prose)


def _parts(page: str) -> Iterator[tuple[bool, str]]:
    """A page in its order: text, and code blocks, in which nothing is a link."""
    position = 0
    for fenced in _FENCED.finditer(page):
        yield True, page[position : fenced.start()]
        yield False, fenced[0]
        position = fenced.end()
    yield True, page[position:]


def _as_read(heading: str) -> str:
    """A heading without its marks."""
    return _LINK.sub(lambda match: match["text"], heading).replace("`", "").replace("*", "")
