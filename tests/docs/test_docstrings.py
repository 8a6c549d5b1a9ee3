"""Blocks in docstrings of the package: Python is run; trees of errors are compared by the tests of those errors."""

from __future__ import annotations

import ast
import inspect
from types import SimpleNamespace

import pytest
from docutils import nodes
from docutils.core import publish_doctree

from tests.docs.documents import REPOSITORY

PACKAGE = REPOSITORY / "seedance_provider"
#: A line of a tree of errors, and who compares it.
TREE_LINE = "├── "
TREES = {
    "seedance_provider/api/errors.py": "tests/unit/api/test_errors.py",
    "seedance_provider/landing/errors.py": "tests/unit/landing/test_errors.py",
    "seedance_provider/storage/errors.py": "tests/unit/landing/test_errors.py",
}
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def docstrings(path):
    return [
        (getattr(node, "lineno", 1), found)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, DOCUMENTED) and (found := ast.get_docstring(node))
    ]


def literal_blocks(path):
    """Return the blocks after ``::`` and ``.. code-block::``, and those with a prompt."""
    settings = {"report_level": 5, "halt_level": 5}
    for line, docstring in docstrings(path):
        tree = publish_doctree(inspect.cleandoc(docstring), settings_overrides=settings)
        for node in (*tree.findall(nodes.literal_block), *tree.findall(nodes.doctest_block)):
            page = path.relative_to(REPOSITORY).as_posix()
            yield SimpleNamespace(page=page, line=line, text=node.astext())


BLOCKS = [block for path in sorted(PACKAGE.rglob("*.py")) for block in literal_blocks(path)]


@pytest.mark.xdist_group("airflow")
@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"{block.page}:{block.line}")
def test_every_block_of_a_docstring_works(block, request):
    if TREE_LINE in block.text:
        assert "tree" in (REPOSITORY / TREES[block.page]).read_text()
    else:
        request.getfixturevalue("run_python")(block)


def test_there_are_some():
    assert "seedance_provider/retry_policy.py" in {block.page for block in BLOCKS}
