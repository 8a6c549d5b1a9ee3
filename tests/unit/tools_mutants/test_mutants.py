"""What is said of a run of mutants, and when it has failed."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from tools import mutants
from tools.mutants import MutatedFile, table


@pytest.fixture
def notes(tmp_path, monkeypatch):
    """What mutmut would have noted of one file, by the endings of its mutants."""
    monkeypatch.setattr(mutants, "_COPY", tmp_path)
    path = tmp_path / "seedance_provider" / "api" / "models.py.meta"
    path.parent.mkdir(parents=True)

    def write(*codes):
        known = {f"seedance_provider.api.models.x_of__mutmut_{number}": code for number, code in enumerate(codes)}
        path.write_text(json.dumps({"exit_code_by_key": known, "other": 1}))
        return MutatedFile(path)

    return write


def test_a_file_knows_its_module_and_the_tests_that_mirror_it(notes):
    notes(0)
    (file,) = MutatedFile.all()
    assert file.name == "seedance_provider/api/models.py"
    assert file.module == "seedance_provider.api.models"
    assert file.tests == "tests/unit/api/test_models.py"


def test_every_ending_is_counted_and_what_was_not_tried_is_not(notes):
    file = notes(0, 1, 3, 33, 5, 36, -24, 2, None)
    assert file.counts() == Counter({"survived": 1, "killed": 2, "no tests": 2, "timeout": 2, "other": 1})


def test_what_was_noticed_after_all_is_noted(notes):
    file = notes(0, 0, 33)
    file.note_killed({"seedance_provider.api.models.x_of__mutmut_0"})
    assert file.counts() == Counter({"killed": 1, "survived": 1, "no tests": 1})
    assert json.loads(file.notes.read_text())["other"] == 1


def test_the_table_has_a_line_for_each_file_and_one_for_all():
    counts = {"a.py": Counter(killed=8, survived=1, timeout=1), "b.py": Counter({"killed": 9, "no tests": 1})}
    assert table(counts).splitlines() == [
        "| file | mutants | killed | survived | timeout | no tests | other | noticed |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
        "| a.py | 10 | 8 | 1 | 1 | 0 | 0 | 90.0 % |",
        "| b.py | 10 | 9 | 0 | 0 | 1 | 0 | 90.0 % |",
        "| all | 20 | 17 | 1 | 1 | 1 | 0 | 90.0 % |",
    ]


class TestMain:
    @pytest.fixture(autouse=True)
    def no_mutmut(self, tmp_path, monkeypatch):
        """As if mutmut had just run: nothing is started, nor removed."""
        monkeypatch.setattr(mutants.subprocess, "run", lambda *_, **__: None)
        monkeypatch.setattr(mutants.shutil, "rmtree", lambda *_, **__: None)
        monkeypatch.setattr(mutants, "_called_by_imports", lambda modules: set())

    def test_too_few_that_are_noticed_fail(self, notes):
        notes(*[1] * 84, *[0] * 16)
        with pytest.raises(SystemExit, match=r"84.0 % of the mutants were noticed, and 85 % are needed"):
            mutants.main([])

    def test_enough_are_enough(self, notes, capsys):
        notes(*[1] * 84, 36, *[0] * 15)
        mutants.main([])
        assert "| all | 100 | 84 | 15 | 1 | 0 | 0 | 85.0 % |" in capsys.readouterr().out

    def test_what_was_noticed_is_not_tried_again(self, notes):
        file = notes(*[1] * 90, 36, 0, 33, 2, None)
        mutants.main(["--again"])
        assert list(file.exit_codes().values()) == [*[1] * 90, 36, None, None, None, None]
