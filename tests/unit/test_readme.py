"""Every link of the project's pages leads somewhere. Their blocks are run by tests/docs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.markdown_links import anchors, links

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    assert list(broken_links(page)) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_somewhere_else_is_encrypted(page):
    plain = [link.target for link in links(page.read_text()) if link.target.startswith("http://")]
    assert plain == []


def broken_links(page: Path):
    for link in links(page.read_text()):
        if not link.is_local:
            continue
        file = page.parent / link.path if link.path else page
        if not file.exists():
            yield f"{link.target}: no such file"
        elif link.anchor and link.anchor not in anchors(file.read_text()):
            yield f"{link.target}: no such heading"


def test_a_link_to_a_missing_heading_or_file_is_found(tmp_path):
    page, other = tmp_path / "page.md", tmp_path / "other.md"
    other.write_text("# There\n")
    page.write_text("[a](other.md#there) [b](other.md#elsewhere) [c](none.md) [d](#here) ![e](none.png)\n")
    assert [found.split(":")[0] for found in broken_links(page)] == [
        "other.md#elsewhere",
        "none.md",
        "#here",
        "none.png",
    ]
