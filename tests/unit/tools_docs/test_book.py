"""A small book, built by Sphinx: links that work on a code host work in it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

FILES = {
    "docs/conf.py": f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
extensions = ["myst_parser", "sphinx.ext.autodoc", "tools.book"]
myst_heading_anchors = 4
myst_heading_slug_func = "tools.markdown_links.slug"
book_pages = {{"NEWS.md": "news.md"}}
nitpicky = True
""",
    "docs/index.md": """
# Book

[News](../NEWS.md#what-is-new), [code](../dags/kite.py), [all code](../dags/), and `[no](link)`.

```{toctree}
news
guides/one
```
""",
    "docs/guides/one.md": """
# A guide

[Up](../index.md#book), [news](../../NEWS.md), [code](../../dags/kite.py)

```{eval-rst}
.. automodule:: kites
   :members:
```
""",
    "docs/news.md": "```{include} ../NEWS.md\n```\n",
    "NEWS.md": """
# News

## What is new?

See [the guide](docs/guides/one.md#a-guide) and [the code](dags/kite.py).
""",
    "dags/kite.py": "kite = 1\n",
    "kites.py": '''
"""Kites."""
from __future__ import annotations
from dataclasses import dataclass, field

@dataclass
class Kite:
    """A kite."""
    tails: list[str] = field(default_factory=list)
    shape: str = "a:b"
''',
}


def build(folder: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "docs", "built"]
    env = {"PYTHONPATH": str(folder)}
    return subprocess.run(command, check=False, cwd=folder, env=env, capture_output=True, text=True)


def written(folder: Path, **changes: str) -> Path:
    for name, text in (FILES | changes).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    folder = written(tmp_path_factory.mktemp("book"))
    done = build(folder)
    assert done.returncode == 0, done.stderr
    return {page.stem: page.read_text() for page in (folder / "built").rglob("*.html")}


def test_a_link_to_a_file_that_a_page_includes_leads_to_the_page(book):
    assert 'href="news.html#what-is-new"' in book["index"]
    assert 'href="../news.html"' in book["one"]


def test_a_link_in_an_included_file_leads_to_the_page(book):
    assert 'href="guides/one.html#a-guide"' in book["news"]


@pytest.mark.parametrize("page", ["index", "one", "news"])
def test_code_can_be_downloaded(book, page):
    assert "_downloads/" in book[page]


def test_a_link_to_a_folder_is_its_text(book):
    assert ", all code, and" in book["index"]


def test_code_in_a_text_stays_as_it_is(book):
    assert "[no](link)" in book["index"]


def test_a_default_that_is_made_anew_hides_nothing(book):
    assert "&lt;factory&gt;" not in book["one"]
    assert 'class="n"><span class="pre">shape' in book["one"]


def test_a_link_to_a_heading_that_does_not_exist_fails_the_build(tmp_path):
    done = build(written(tmp_path, **{"NEWS.md": "# News\n\n[The guide](docs/guides/one.md#another-guide)\n"}))
    assert done.returncode != 0
    assert "another-guide" in done.stderr
