"""
A DAG file is parsed again and again: what it imports must be light. Modules are counted, not seconds. And folders
import each other as the map in CONTRIBUTING.md says.
"""

from __future__ import annotations

import ast
import functools
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.markdown_tables import table

OPERATORS = [
    "seedance_provider.operators.seedance",
    "seedance_provider.sensors.seedance",
    "seedance_provider.transfers.video_to_object_storage",
    "seedance_provider.transfers.upload_reference",
    "seedance_provider.decorators.seedance",
]


AIRFLOW = "import airflow.sdk; from airflow.sdk import BaseOperator, DAG"


@functools.cache
def modules_added_by(name: str, before: str = AIRFLOW) -> set[str]:
    """What an import adds to a fresh process."""
    program = f"import sys; {before}; had = set(sys.modules); import {name}; print(*sorted(set(sys.modules) - had))"
    # As a DAG processor would: not in the mode that lets unit tests run operators by hand.
    environment = {name: value for name, value in os.environ.items() if name != "AIRFLOW__CORE__UNIT_TEST_MODE"}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120, env=environment)
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_brings_little_beyond_the_providers_own_modules(name):
    added = modules_added_by(name)
    assert {module.split(".")[0] for module in added} <= {"seedance_provider", "airflow"}
    assert len(added) <= 22


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_imports_no_http_library(name):
    assert modules_added_by(name, before="pass").isdisjoint({"aiohttp", "av", "PIL"})
    assert modules_added_by(name).isdisjoint({"requests", "urllib3", "aiohttp"})


def test_to_declare_a_task_imports_nothing_of_what_it_does():
    program = "seedance_provider.operators.seedance as made; made.CreateVideoOperator(task_id='a', prompt='b')"
    added = {name for name in modules_added_by(program) if name.startswith("seedance_provider.")}
    assert "seedance_provider.operators.video_creation" not in added
    assert len(added) <= 14


def test_the_retry_policy_imports_nothing_until_it_is_asked_for():
    assert modules_added_by("seedance_provider.retry_policy") <= {"seedance_provider", "seedance_provider.retry_policy"}


def test_the_provider_info_imports_nothing():
    assert modules_added_by("seedance_provider.get_provider_info", before="import typing") == {
        "__future__",
        "seedance_provider",
        "seedance_provider.get_provider_info",
    }


REPOSITORY = Path(__file__).parents[2]


PACKAGE = REPOSITORY / "seedance_provider"
#: Rows of the map in CONTRIBUTING.md, from what imports nothing to what may import everything above it.
LAYERS = [
    re.findall(r"`(\w+)/`", folders)
    for folders, _ in table((REPOSITORY / "CONTRIBUTING.md").read_text(), "| folder | holds |")
]
LAYER_OF = {folder: number for number, folders in enumerate(LAYERS) for folder in folders}
WITHOUT_AIRFLOW = ("network", "api", "waiting", "emulator")


def imports_of(path):
    """The full name of each import that is carried out, and whether the import of the module carries it out."""

    def found(node, *, at_once):
        for child in ast.iter_child_nodes(node):
            match child:
                case ast.If(test=ast.Name(id="TYPE_CHECKING"), orelse=otherwise):
                    for part in otherwise:
                        yield from found(part, at_once=at_once)
                case ast.Import(names=names):
                    yield from ((name.name, at_once) for name in names)
                case ast.ImportFrom(module=module, names=names):
                    yield from ((f"{module}.{name.name}", at_once) for name in names)
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    yield from found(child, at_once=False)
                case _:
                    yield from found(child, at_once=at_once)

    yield from found(ast.parse(path.read_text()), at_once=True)


def test_the_map_has_every_folder():
    assert sorted(LAYER_OF) == sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))


@pytest.mark.parametrize("folder", LAYER_OF)
def test_a_folder_imports_only_folders_above_it(folder):
    for path in (PACKAGE / folder).rglob("*.py"):
        for name, _ in imports_of(path):
            top, *rest = name.split(".")
            if top == "seedance_provider" and rest and rest[0] in LAYER_OF and rest[0] != folder:
                allowed = (
                    {"api"} if folder == "emulator" else {to for to in LAYER_OF if LAYER_OF[to] <= LAYER_OF[folder]}
                )
                assert rest[0] in allowed, f"{path} imports {name}"
            assert top != "airflow" or folder not in WITHOUT_AIRFLOW, f"{path} imports {name}"


def test_a_landing_worker_uses_no_media_library():
    imported = [(path, name.split(".")[0]) for path in PACKAGE.rglob("*.py") for name, _ in imports_of(path)]
    users = {path.relative_to(PACKAGE) for path, name in imported if name in ("av", "PIL")}
    assert {path.parts[0] for path in users - {Path("api/media_probe.py")}} == {"emulator"}


@pytest.mark.parametrize(
    ("folder", "others"),
    [
        ("seedance_provider", ("tools", "benchmarks", "tests")),
        ("tools", ("benchmarks", "tests")),
        ("benchmarks", ("tests",)),
    ],
)
def test_what_is_published_needs_nothing_that_is_not(folder, others):
    paths = (REPOSITORY / folder).rglob("*.py")
    assert not [(path.name, name) for path in paths for name, _ in imports_of(path) if name.split(".")[0] in others]
