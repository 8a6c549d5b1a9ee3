"""A small book, built by Sphinx: links that work on a code host work in it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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


def test_links_lead_to_pages_and_files_and_nothing_is_hidden(tmp_path):
    done = build(written(tmp_path))
    assert done.returncode == 0, done.stderr
    pages = {page.stem: page.read_text() for page in (tmp_path / "built").rglob("*.html")}
    for page, shown in [
        ("index", 'href="news.html#what-is-new"'),
        ("one", 'href="../news.html"'),
        ("news", 'href="guides/one.html#a-guide"'),
        *((page, "_downloads/") for page in ("index", "one", "news")),
        # A folder is no page, and code in a text is no link.
        ("index", ", all code, and"),
        ("index", "[no](link)"),
        # The default beside it is one that is made anew.
        ("one", 'class="n"><span class="pre">shape'),
    ]:
        assert shown in pages[page]
    assert "&lt;factory&gt;" not in pages["one"]


def test_a_link_to_a_heading_that_does_not_exist_fails_the_build(tmp_path):
    done = build(written(tmp_path, **{"NEWS.md": "# News\n\n[The guide](docs/guides/one.md#another-guide)\n"}))
    assert done.returncode != 0
    assert "another-guide" in done.stderr
