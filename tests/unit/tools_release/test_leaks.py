"""What no file may tell. The samples are put together here, so that this file does not tell it either."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tools.release.finding import State, ok
from tools.release.leaks import nothing_leaks


def test_a_project_that_tells_nothing(project):
    assert nothing_leaks(project.checkout) == ok(f"nothing in {len(project.checkout.tracked)} files")


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (f"cd {'/home'}/jane/project", "a home folder"),
        (f"see {'/Users'}/jane/notes.txt", "a home folder"),
        (f"C:{chr(92)}Users{chr(92)}jane", "a home folder"),
        (f"-----BEGIN RSA PRIVATE{' KEY'}-----", "a private key"),
        (f"https://packages.example.{'internal'}/a", "a host of a private network"),
        (f"cp a {Path.home()}/b", "the name of a place on this machine"),
    ],
)
def test_a_line_that_tells_something(project, line, what):
    project.write("notes.md", f"# Notes\n\n{line}\n")
    project.commit()
    found = nothing_leaks(project.checkout)
    assert (found.state, found.said) == (State.MISSING, f"notes.md:3 has {what}")


def test_the_folder_of_the_checkout(project):
    project.write("notes.md", f"{project.folder}/README.md\n")
    project.commit()
    assert nothing_leaks(project.checkout).said == "notes.md:1 has the name of a place on this machine"


def test_the_name_of_the_machine(project, monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "builder-17")
    project.write("notes.md", "Measured on builder-17\n")
    project.commit()
    assert nothing_leaks(project.checkout).said == "notes.md:1 has the name of a place on this machine"


@pytest.mark.parametrize("name", ["constraints.txt", "benchmarks/peers.txt", "Makefile", ".ci/run", "pyproject.toml"])
@pytest.mark.parametrize("line", ["--extra-index-url=https://example.com", "a @ file:///a.whl", "--find-links a"])
def test_where_packages_come_from(project, name, line):
    project.write(name, f"{line}\n")
    project.commit()
    assert nothing_leaks(project.checkout).said == f"{name}:1 has the address of a package index"


@pytest.mark.parametrize(
    "line", ["https://kinovi.ai/docs", "GET /api/v2/users/home", "the root/home of it", "file:///a"]
)
def test_a_line_that_tells_nothing(project, line):
    project.write("notes.md", f"{line}\n")
    project.commit()
    assert nothing_leaks(project.checkout).state is State.OK


def test_what_is_not_in_git_is_not_released(project):
    project.write("notes.md", f"{project.folder}/README.md\n")
    assert nothing_leaks(project.checkout).state is State.OK
