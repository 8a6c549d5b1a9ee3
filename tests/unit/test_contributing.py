"""What CONTRIBUTING.md says of folders, files and tests is so. Its layers are looked at in test_imports.py."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.markdown_tables import table

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "CONTRIBUTING.md").read_text()
NAMED = sorted(set(re.findall(r"`([^`\n]+)`", PAGE)))

#: Where a path may begin, to be short.
ROOTS = (REPOSITORY, REPOSITORY / "seedance_provider")
#: What is made, and not written.
MADE = (".venv/", ".run/")
#: The folders that have folders of their own with one purpose each.
DIVIDED = ("tests", "tools")


def paths():
    """Whatever looks like a path; ``NAME`` stands for one that the reader makes."""
    for name in NAMED:
        for word in name.split():
            if re.fullmatch(r"[\w./-]+(/|\.(py|md|txt|toml))", word) and "NAME" not in word:
                yield from [] if word.startswith(MADE) else [word]


def is_there(path):
    return any((root / path).exists() for root in ROOTS)


def folders(parent):
    """Those that hold something of the project, and are not made by a tool."""
    ignored = {line.strip("/") for line in (REPOSITORY / ".gitignore").read_text().splitlines() if line.endswith("/")}
    return {
        folder.relative_to(REPOSITORY).as_posix() + "/"
        for folder in parent.iterdir()
        if folder.is_dir() and folder.name not in ignored | {".git"} and not folder.name.startswith(".venv")
        if any(file.is_file() and "__pycache__" not in file.parts for file in folder.rglob("*"))
    }


def test_the_map_has_every_folder_and_no_other():
    named = [re.fullmatch(r"`([^`]+)`", row[0])[1] for row in table(PAGE, "| folder | holds |")]
    divided = [f"{name}/" for name in DIVIDED]
    expected = folders(REPOSITORY) | {path for name in DIVIDED for path in folders(REPOSITORY / name)}
    # A folder that others divide among themselves needs no line of its own.
    assert set(named) | set(divided) == expected | set(divided)
    assert len(named) == len(set(named))


@pytest.mark.parametrize("path", sorted(set(paths())))
def test_every_path_that_is_named_exists(path):
    assert is_there(path)


def test_every_test_that_is_named_exists():
    tests = "\n".join(path.read_text() for path in (REPOSITORY / "tests").rglob("test_*.py"))
    named = [name for name in NAMED if re.fullmatch(r"test_\w+", name)]
    assert len(named) > 5
    assert [name for name in named if f"def {name}(" not in tests] == []


def test_it_says_how_every_kind_of_thing_is_added():
    recipes = PAGE.partition("\n## Recipes\n")[2].partition("\n## ")[0]
    assert re.findall(r"^### (.*)$", recipes, re.MULTILINE) == [
        "A model",
        "An error",
        "A wire format",
        "A fault of the emulator",
        "A parameter of an operator",
        "An example DAG",
    ]
