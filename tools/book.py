"""
A Sphinx extension that lets one link work in two places: on a code host, where it leads to a file beside the page, and
in the book that Sphinx builds, where that file may be a page of another name, a download, or nothing at all.
It also makes readable what autodoc writes of dataclasses.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.markdown_links import Link, replace_links

if TYPE_CHECKING:
    from sphinx.application import Sphinx

__all__ = ["setup"]


def setup(app: Sphinx) -> dict[str, Any]:
    """
    Called by Sphinx.

    :param app: the build.
    """
    # Files outside of the book's folder, as seen from the one above it, and the pages of the book that stand for them.
    app.add_config_value("book_pages", {}, "env", dict)
    app.connect("source-read", _on_page)
    app.connect("include-read", _on_included)
    app.connect("autodoc-process-signature", _with_readable_factories)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def _on_page(app: Sphinx, docname: str, source: list[str]) -> None:
    source[0] = _in_the_book(app, source[0], Path(app.srcdir, docname).parent)


def _on_included(app: Sphinx, path: Path, docname: str, source: list[str]) -> None:  # noqa: ARG001 - Sphinx's
    source[0] = _in_the_book(app, source[0], Path(app.srcdir, path).resolve().parent, Path(app.srcdir))


def _in_the_book(app: Sphinx, page: str, folder: Path, shown_in: Path | None = None) -> str:
    """Return a page with links that work in the folder where it is shown, if that is another than its own."""
    book = Path(app.srcdir)
    pages = {book.parent / file: book / page for file, page in app.config.book_pages.items()}

    def replacement(link: Link) -> str | None:
        if not link.is_local or not link.path:
            return None
        file = Path(os.path.normpath(folder / link.path))
        if file.is_dir():
            # The book has no listings of folders.
            return link.text
        path = os.path.relpath(pages.get(file, file), shown_in or folder)
        anchor = f"#{link.anchor}" if link.anchor else ""
        return f"{'!' if link.is_image else ''}[{link.text}]({path}{anchor})"

    return replace_links(page, replacement)


def _with_readable_factories(*event: Any) -> tuple[str | None, str | None]:
    """What a dataclass writes for a default that is made each time is no Python, and Sphinx can't parse it."""
    signature, returned = event[-2:]
    return signature and signature.replace("<factory>", "..."), returned
