"""
Every block of every document is run, or compared with what it shows.

How is said by its language: python_blocks.py, shell_blocks.py (with commands.sh), json_blocks.py and text_blocks.py.
Each of them says in one table what a page may take for granted, and what is run elsewhere. A language, command,
variable or kind of JSON that they don't know fails the test.
"""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from tests.docs.documents import PAGES, REPOSITORY, blocks

#: Who runs a block, by its language.
RUNNERS = {
    "python": "run_python",
    "bash": "run_bash",
    "json": "run_json",
    "ini": "run_ini",
    "text": "run_text",
    "{literalinclude}": "run_include",
    "{include}": "run_include",
}
#: Directives without code, which Sphinx looks at in `make docs`.
OF_SPHINX = {"{toctree}", "{eval-rst}", "{note}", "{warning}"}

BLOCKS = [block for page in PAGES for block in blocks(page) if block.language not in OF_SPHINX]


def in_one_process(block):
    # Blocks of one page build on each other; and an Airflow takes seconds until it runs its first DAG.
    group = "terminals" if block.language == "bash" else "airflow"
    return pytest.param(block, marks=pytest.mark.xdist_group(group), id=f"{block}-{block.language}")


@pytest.mark.parametrize("block", map(in_one_process, BLOCKS))
def test_every_block_works(block, request):
    assert block.language in RUNNERS, f"{block} is {block.language or 'nothing'}, which nobody runs"
    request.getfixturevalue(RUNNERS[block.language])(block)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_no_block_is_overlooked(page):
    rendered = MarkdownIt().parse(page.read_text())
    assert not [token.map for token in rendered if token.type == "code_block"], "a block without fences"
    assert [token.content for token in rendered if token.type == "fence"] == [block.text for block in blocks(page)]
