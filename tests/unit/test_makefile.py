"""``make help`` tells of everything that can be made and set, and the documents of nothing else."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
MAKEFILE = (REPOSITORY / "Makefile").read_text()
HELP = subprocess.run(["make", "help"], cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout  # noqa: S607

TARGETS = set(re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)[1].split())
TARGETS_OF_HELP = re.findall(r"^  make ([a-z-]+) +\S", HELP, re.MULTILINE)
#: The beginnings of targets that are for many things alike, which others ask for.
PATTERNS = tuple(re.findall(r"^([a-z-]+)%:", MAKEFILE, re.MULTILINE))
USED = set(re.findall(r"\$\(([A-Z_]+)", MAKEFILE)) - {"CURDIR", "MAKEFILE_LIST"}
#: What is used, and set nowhere, is for whoever calls make to set.
UNSET = USED - set(re.findall(r"\b([A-Z_]+) :=", MAKEFILE))
SET_BY_HELP = set(re.findall(r"\b([A-Z_]+)=", HELP))

DOCUMENTS = [
    *REPOSITORY.glob("*.md"),
    *(REPOSITORY / "docs").rglob("*.md"),
    *(REPOSITORY / "benchmarks").glob("*.md"),
    *(REPOSITORY / ".github").rglob("*.*"),
    REPOSITORY / ".ci" / "run",
    REPOSITORY / ".pre-commit-config.yaml",
]


def commands(text):
    """The targets and variables of each make that is written as code: in a line of its own, or between backticks."""
    for words in re.findall(r"(?:^|`)make((?: [\w=./*'-]+)+)", text, re.MULTILINE):
        yield (
            [word for word in words.split() if re.fullmatch(r"[a-z-]+", word) and not word.startswith("-")],
            [word.partition("=")[0] for word in words.split() if re.match(r"[A-Z_]+=", word)],
        )


def test_every_target_is_described():
    assert set(TARGETS_OF_HELP) == TARGETS
    assert len(TARGETS_OF_HELP) == len(TARGETS)


def test_every_target_that_can_be_made_is_phony():
    # What makes a file has a path for a name.
    made = set(re.findall(r"^([a-z][\w-]*):", MAKEFILE, re.MULTILINE))
    assert {target for target in made if not target.startswith(PATTERNS)} == TARGETS


def test_help_is_what_make_says_alone():
    alone = subprocess.run(["make"], cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout  # noqa: S607
    assert alone == HELP


def test_everything_that_can_be_set_is_described():
    assert UNSET <= SET_BY_HELP <= USED


def test_a_person_can_read_it():
    assert max(len(line) for line in HELP.splitlines()) <= 140


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_the_documents_name_what_can_be_made_and_set(page):
    for targets, variables in commands(page.read_text()):
        assert set(targets) <= TARGETS
        assert set(variables) <= SET_BY_HELP


def test_a_target_that_is_not_there_would_be_found():
    text = "Run `make tests SED=1`.\n\n```bash\nmake --jobs=3 lint demo LIVE=1\n```\nTo make sure of it.\n"
    assert list(commands(text)) == [(["tests"], ["SED"]), (["lint", "demo"], ["LIVE"])]
