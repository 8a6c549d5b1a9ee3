"""The guide to error texts quotes texts that the provider really has, and leaves none of them out."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PROVIDER = REPOSITORY / "seedance_provider"
GUIDE = (REPOSITORY / "docs" / "troubleshooting.md").read_text()
ERRORS = (REPOSITORY / "docs" / "errors.md").read_text()
OURS, _, AIRFLOWS = GUIDE.partition("## What Airflow says")

#: What a text has in place of what is known only when it is said.
GAP = "…"
#: Shorter ones are parts of others, or no sentences.
LEAST_WORDS = 5
#: Checked word for word by the test of the guide to errors.
IN_THE_GUIDE_TO_ERRORS = {"api/errors.py", "api/http_errors.py", "api/task_failures.py"}
#: Not about a video on its way; or, in the case of the checks, one family: every problem with an input is named after
#: "The video was not requested and nothing was charged, because".
ELSEWHERE = {
    "api/models.py",
    "api/pricing.py",
    "api/request_checks.py",
    "api/spelling.py",
    "api/text_checks.py",
    "cli/definition.py",
    "cli/pool_command.py",
    "get_provider_info.py",
    "plugins/application.py",
}
FORMAT = re.compile(r"%(?:\.\d+)?[a-z]")


@cache
def modules():
    """What people meet in logs; the emulator's texts are for whoever runs it."""
    return [path for path in sorted(PROVIDER.rglob("*.py")) if PROVIDER / "emulator" not in path.parents]


def name_of(path):
    return path.relative_to(PROVIDER).as_posix()


@cache
def texts(path):
    """Every text of a module that is no docstring, with gaps; not what is said while all is well."""
    tree = ast.parse(path.read_text())
    skipped = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(part) for value in node.values for part in ast.walk(value)}
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "info":
            skipped |= {id(argument) for argument in node.args}
    found = (text_of(node) for node in ast.walk(tree) if id(node) not in skipped)
    return [text for text in found if text]


def text_of(node):
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return FORMAT.sub(GAP, node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else GAP for part in node.values)
    return None


def words(text):
    return len(re.findall(r"[a-z]{2,}", text, re.IGNORECASE))


def is_quoted(quote, text):
    """Whether a quote is a part of a text, or of several in a row that its gaps stand between."""
    position = 0
    for part in filter(None, (part.strip() for part in quote.split(GAP))):
        position = text.find(part, position)
        if position < 0:
            return False
        position += len(part)
    return True


def quotes(page):
    """What stands as code in the first column of the tables."""
    rows = re.findall(r"^\| *(`[^|]*`)[^|]*\|", page, re.MULTILINE)
    return [quote for row in rows for quote in re.findall(r"`([^`]+)`", row)]


def needed():
    for path in modules():
        if name_of(path) not in IN_THE_GUIDE_TO_ERRORS | ELSEWHERE:
            yield from (pytest.param(text, id=f"{name_of(path)}: {text[:60]}") for text in texts(path) if is_said(text))


def is_said(text):
    return words(text) >= LEAST_WORDS and " " in text.strip()


def error_classes():
    for path in modules():
        for node in ast.parse(path.read_text()).body:
            # Those that are no exceptions have no parents.
            if isinstance(node, ast.ClassDef) and node.bases and re.fullmatch("[^_].*Error", node.name):
                yield pytest.param(name_of(path), node.name, id=node.name)


@pytest.mark.parametrize("quote", quotes(OURS))
def test_a_quoted_text_is_one_of_the_provider(quote):
    assert words(quote) >= 2
    assert any(is_quoted(quote, text) for path in modules() for text in texts(path))


@pytest.mark.parametrize("text", list(needed()))
def test_a_text_of_the_provider_is_quoted(text):
    assert any(is_quoted(quote, text) for quote in quotes(OURS))


@pytest.mark.parametrize(("module", "name"), list(error_classes()))
def test_every_class_of_errors_is_explained(module, name):
    page = GUIDE + ERRORS if module.startswith("api/") else GUIDE
    assert f"`{name}`" in page


def test_the_texts_of_airflow_are_not_taken_for_ours():
    assert len(quotes(OURS)) > 100
    assert len(quotes(AIRFLOWS)) > 10
