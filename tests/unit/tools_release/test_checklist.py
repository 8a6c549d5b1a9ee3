"""The checklist as a whole, its report, and the page that shows it."""

from __future__ import annotations

from pathlib import Path

from tools.release.__main__ import main, report
from tools.release.checklist import CHECKLIST, Item, check
from tools.release.finding import State, missing, ok, warning

PAGE = (Path(__file__).parents[3] / "docs" / "releasing.md").read_text()


def table(*rows):
    head, *body = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body])


def test_the_page_shows_what_the_program_checks():
    rows = [(f"`{item.name}`", item.what, item.remedy) for item in CHECKLIST if item.poll is not None]
    assert table(("item", "what has to be true", "what to do if it is not"), *rows) in PAGE


def test_the_page_shows_what_a_person_checks():
    rows = [(f"`{item.name}`", item.what, item.remedy) for item in CHECKLIST if item.poll is None]
    assert table(("item", "what has to be true", "what to do"), *rows) in PAGE


def test_no_two_items_have_the_same_name():
    assert len({item.name for item in CHECKLIST}) == len(CHECKLIST)


def test_a_check_that_breaks_is_not_passed(project):
    (project.folder / "seedance_provider/__init__.py").unlink()
    (found,) = check(project.checkout, [CHECKLIST[0]]).values()
    assert found.state is State.MISSING
    assert "it could not be checked: FileNotFoundError" in found.said


def test_what_no_program_can_tell_stays_with_the_person(project):
    by_hand = [item for item in CHECKLIST if item.poll is None]
    assert {finding.state for finding in check(project.checkout, by_hand).values()} == {State.BY_HAND}


def test_the_report_says_what_to_do_where_something_is_left():
    found = {
        Item("a", "what a is", "do a"): ok("a is done"),
        Item("b", "what b is", "do b"): missing("b is not"),
        Item("c", "what c is", "do c"): warning("c is old"),
    }
    lines = report(found).splitlines()
    assert [line.split() for line in lines[:5]] == [
        ["ok", "a", "a", "is", "done"],
        ["missing", "b", "b", "is", "not"],
        ["do", "b"],
        ["warning", "c", "c", "is", "old"],
        ["do", "c"],
    ]
    assert lines[-1] == "1 ok, 1 warning, 1 missing, 0 by hand"


def named(*names):
    return [item for item in CHECKLIST if item.name in names]


def test_a_project_that_is_not_ready_fails(project, capsys):
    project.change("CHANGELOG.md", "## [Unreleased]\n", "## [Unreleased]\n\n- c\n")
    assert main([str(project.folder)], named("version", "changelog", "live")) == 1
    printed = capsys.readouterr().out
    assert printed.startswith("Release 0.2.0\n")
    assert "[Unreleased] is not empty" in printed


def test_a_project_that_is_ready_passes_although_warnings_and_a_persons_work_are_left(project, capsys):
    project.change("benchmarks/RESULTS.md", "2026-11-21", "2026-01-01")
    slow = ("constraints", "packages")
    quick = [item for item in CHECKLIST if item.name not in slow]
    project.commit()
    assert main([str(project.folder)], quick) == 0
    assert "1 warning, 0 missing, 6 by hand" in capsys.readouterr().out
