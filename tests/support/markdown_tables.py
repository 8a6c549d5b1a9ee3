"""The tables of a page, as their cells."""

from __future__ import annotations

import re

__all__ = ["table"]


def table(page: str, head: str) -> list[list[str]]:
    """
    Return the rows of a table, without its head.

    :param page: Markdown.
    :param head: the first line of the table.
    """
    _, _, below = page.partition(f"\n{head}\n")
    assert below, f"no page has the table {head}"
    rows = re.match(r"\|[-|]+\|\n((?:\|.*\n)+)", below)
    assert rows, f"no rows below {head}"
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in rows[1].splitlines()]
