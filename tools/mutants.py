"""
Mutation testing: of the deliberate mistakes in the code that decides about money, how many do the tests notice?

mutmut makes the mistakes, in a copy of the code under ``mutants/``, and runs for each those tests that come by::

    python -m tools.mutants
    python -m tools.mutants --again

It runs them in forks of a process that has imported the code. So a mistake in a function that makes a table during the
import comes too late there, and is tried once more, in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Self

__all__ = ["MutatedFile", "main", "table"]

_COPY = Path("mutants")
_PACKAGE = "seedance_provider"
_NEEDED_PERCENT = 85.0
_SURVIVED, _KILLED = 0, 1
#: What mutmut notes, see its ``status_by_exit_code``; another ending of pytest is one of an interrupted run.
_ENDINGS = {_SURVIVED: "survived", _KILLED: "killed", 3: "killed", 5: "no tests", 33: "no tests"}
_TIMEOUTS = (24, -24, 36, 152, 255)
#: A test that does not come to an end would not have passed.
_NOTICED = ("killed", "timeout")
_COLUMNS = ("killed", "survived", "timeout", "no tests", "other")
#: Prints the functions that are called by importing the modules that are named to it.
_CALLED_BY_IMPORTS = """
import importlib, sys
sys.path.insert(0, "")
for name in sys.argv[1:]:
    importlib.import_module(name)
from mutmut.state import state
print(*state()._stats)
"""


@dataclass(frozen=True)
class MutatedFile:
    """
    What became of the mistakes in one file.

    :param notes: where mutmut keeps that.
    """

    notes: Path

    @classmethod
    def all(cls) -> list[Self]:
        """Return all that mutmut has changed."""
        return [cls(notes) for notes in sorted(_COPY.joinpath(_PACKAGE).rglob("*.meta"))]

    @property
    def name(self) -> str:
        """The path of the original."""
        return str(self.notes.relative_to(_COPY).with_suffix(""))

    @property
    def module(self) -> str:
        """What it is called in an import."""
        return self.name.removesuffix(".py").replace("/", ".")

    @property
    def tests(self) -> str:
        """The tests that mirror it."""
        path = Path(self.name).relative_to(_PACKAGE)
        return str(Path("tests/unit") / path.with_name(f"test_{path.name}"))

    def exit_codes(self) -> dict[str, int | None]:
        """Return how pytest ended, by the name of the mutant; ``None`` if it was not run."""
        known: dict[str, int | None] = json.loads(self.notes.read_text())["exit_code_by_key"]
        return known

    def counts(self) -> Counter[str]:
        """Return how many mutants had which end."""
        return Counter(_ending(code) for code in self.exit_codes().values() if code is not None)

    def note_killed(self, mutants: set[str]) -> None:
        """Note that some were noticed after all."""
        self._note(dict.fromkeys(mutants, _KILLED))

    def forget_unnoticed(self) -> None:
        """Let mutmut try those again that were not noticed."""
        unnoticed = [mutant for mutant, code in self.exit_codes().items() if not _is_noticed(code)]
        self._note(dict.fromkeys(unnoticed))

    def _note(self, exit_codes: dict[str, int | None]) -> None:
        noted = json.loads(self.notes.read_text())
        noted["exit_code_by_key"] |= exit_codes
        self.notes.write_text(json.dumps(noted, indent=4))


def table(counts: dict[str, Counter[str]]) -> str:
    """
    Return a table in Markdown, with the sum in the last line.

    :param counts: what became of the mutants, by file.
    """
    rows = [f"| file | mutants | {' | '.join(_COLUMNS)} | noticed |", f"|---|{'--:|' * (len(_COLUMNS) + 2)}"]
    for name, ends in [*counts.items(), ("all", _together(counts))]:
        cells = " | ".join(str(ends[column]) for column in _COLUMNS)
        rows.append(f"| {name} | {ends.total()} | {cells} | {_percent_noticed(ends):.1f} % |")
    return "\n".join(rows)


def main(arguments: list[str] | None = None) -> None:
    """Make the mutants, run the tests, and fail if too few are noticed."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description=__doc__.split("\n\n")[0])
    parser.add_argument("--again", action="store_true", help="try only what the last run did not try or notice")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)
    if options.again:
        for file in MutatedFile.all():
            file.forget_unnoticed()
        # Which tests come by where. For functions that are new, mutmut would not look.
        (_COPY / "mutmut-stats.json").unlink(missing_ok=True)
    else:
        shutil.rmtree(_COPY, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "mutmut", "run", "--max-children", str(options.processes)], check=True)
    _try_again_what_imports_call(options.processes)
    counts = {file.name: file.counts() for file in MutatedFile.all()}
    print(table({name: ends for name, ends in counts.items() if ends}))
    noticed = _percent_noticed(_together(counts))
    if noticed < _NEEDED_PERCENT:
        sys.exit(f"{noticed:.1f} % of the mutants were noticed, and {_NEEDED_PERCENT:g} % are needed.")


def _ending(code: int) -> str:
    return "timeout" if code in _TIMEOUTS else _ENDINGS.get(code, "other")


def _is_noticed(code: int | None) -> bool:
    return code is not None and _ending(code) in _NOTICED


def _together(counts: dict[str, Counter[str]]) -> Counter[str]:
    return sum(counts.values(), Counter[str]())


def _percent_noticed(ends: Counter[str]) -> float:
    return 100 * sum(ends[ending] for ending in _NOTICED) / (ends.total() or 1)


def _try_again_what_imports_call(processes: int) -> None:
    files = MutatedFile.all()
    called = _called_by_imports([file.module for file in files])
    with ThreadPoolExecutor(processes) as workers:
        for file in files:
            unnoticed = [
                mutant
                for mutant, code in file.exit_codes().items()
                if not _is_noticed(code) and _function_of(mutant) in called
            ]
            noticed = workers.map(_fails_alone, unnoticed, repeat(file.tests))
            file.note_killed({mutant for mutant, is_noticed in zip(unnoticed, noticed, strict=True) if is_noticed})


def _function_of(mutant: str) -> str:
    return mutant.rpartition("__mutmut_")[0]


def _called_by_imports(modules: list[str]) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", _CALLED_BY_IMPORTS, *modules],
        cwd=_COPY,
        env=os.environ | {"MUTANT_UNDER_TEST": "stats"},
        check=True,
        capture_output=True,
        text=True,
    )
    return set(done.stdout.split())


def _fails_alone(mutant: str, tests: str) -> bool:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-m", "not hypothesis", tests]
    done = subprocess.run(
        command, cwd=_COPY, env=os.environ | {"MUTANT_UNDER_TEST": mutant}, check=False, capture_output=True
    )
    return done.returncode != _SURVIVED


if __name__ == "__main__":
    main()
