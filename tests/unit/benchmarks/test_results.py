"""The page with the results."""

from __future__ import annotations

import pytest

from benchmarks.results import save_section, table


@pytest.fixture
def page(tmp_path):
    return tmp_path / "RESULTS.md"


def test_a_section_replaces_only_itself(page):
    save_section("One", "old\n", page)
    save_section("Two", "stays", page)
    save_section("One", "new", page)
    assert page.read_text().partition("\n\n## ")[2] == "One\n\nnew\n\n## Two\n\nstays\n"


def test_writing_the_same_again_changes_nothing(page):
    save_section("One", "text\n\n### Part\n\nmore", page)
    before = page.read_text()
    save_section("One", "text\n\n### Part\n\nmore", page)
    assert page.read_text() == before


def test_a_table_is_markdown():
    assert table(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
