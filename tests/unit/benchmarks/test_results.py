"""The page with the results."""

from __future__ import annotations

from benchmarks.results import save_section


def test_a_section_replaces_only_itself(tmp_path):
    page = tmp_path / "RESULTS.md"
    for name, text in [("One", "old\n"), ("Two", "stays"), ("One", "new\n\n### Part\n\nmore"), ("Two", "stays")]:
        save_section(name, text, page)
    assert page.read_text().partition("\n\n## ")[2] == "One\n\nnew\n\n### Part\n\nmore\n\n## Two\n\nstays\n"
