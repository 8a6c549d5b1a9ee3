"""
A DAG file is parsed again and again: what it imports must be light. Modules are counted, not seconds. And what imports
what is as the map in CONTRIBUTING.md says.
"""

from __future__ import annotations

import ast
import functools
import os
import re
import subprocess
import sys
from dataclasses import dataclass
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
    foreign = {module for module in added if not module.startswith("seedance_provider")}
    assert foreign <= {
        # Which Airflow 3.1 has not imported before, the last three for a decorator; and one more of 3.4 for it.
        "airflow.providers.common",
        "airflow.providers.common.compat",
        "airflow.sdk.definitions._internal.contextmanager",
        "airflow.sdk.definitions.xcom_arg",
        "airflow.sdk.execution_time.lazy_sequence",
        "airflow.utils.operator_helpers",
        "airflow.providers.common.compat.sdk",
        "airflow.providers.common.compat._compat_utils",
        "airflow.providers.common.compat.version_compat",
        "airflow.sdk.bases.decorator",
        "airflow.sdk.bases.operatorlink",
        "airflow.sdk.bases.sensor",
        "airflow.sdk.bases.xcom",
    }
    assert len(added) <= 22


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_imports_no_http_library(name):
    assert modules_added_by(name, before="pass").isdisjoint({"aiohttp", "av", "PIL"})
    assert modules_added_by(name).isdisjoint({"requests", "urllib3", "aiohttp"})


def test_to_declare_a_task_imports_nothing_of_what_it_does():
    program = "seedance_provider.operators.seedance as made; made.CreateVideoOperator(task_id='a', prompt='b')"
    added = {name for name in modules_added_by(program) if name.startswith("seedance_provider.")}
    assert added == {
        "seedance_provider.api",
        "seedance_provider.choices",
        "seedance_provider.ending",
        "seedance_provider.hooks",
        "seedance_provider.links",
        "seedance_provider.links.seedance",
        "seedance_provider.operators",
        "seedance_provider.operators.seedance",
        "seedance_provider.poll_settings",
    }


def test_the_retry_policy_imports_nothing_until_it_is_asked_for():
    assert modules_added_by("seedance_provider.retry_policy") <= {"seedance_provider", "seedance_provider.retry_policy"}


def test_the_provider_info_imports_nothing():
    assert modules_added_by("seedance_provider.get_provider_info", before="import typing") == {
        "__future__",
        "seedance_provider",
        "seedance_provider.get_provider_info",
    }


REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class Layer:
    """One row of the map."""

    name: str
    modules: frozenset[str]
    imports: frozenset[str]
    airflow: str

    @classmethod
    def read(cls, name, modules, imports, airflow):
        others = frozenset() if imports == "nothing" else frozenset(imports.split(", "))
        return cls(name, frozenset(re.findall(r"`([\w/.]+)`", modules)), others, airflow)


LAYERS = [
    Layer.read(*row)
    for row in table((REPOSITORY / "CONTRIBUTING.md").read_text(), "| layer | modules | imports | Airflow |")
]
LAYER_OF = {module: layer.name for layer in LAYERS for module in layer.modules}


def group(path):
    """What the map calls a module: itself, or the folder that it is in."""
    first, *rest = path.parts
    return f"{first}/" if rest else first


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


@functools.cache
def imports_of_the_layers():
    """By layer: the layers that it imports, and when it imports Airflow."""
    package = REPOSITORY / "seedance_provider"
    others = {layer.name: set() for layer in LAYERS}
    airflow = {layer.name: set() for layer in LAYERS}
    for path in package.rglob("*.py"):
        module = group(path.relative_to(package))
        if module == "__init__.py":
            continue
        for name, at_once in imports_of(path):
            top, *rest = name.split(".")
            if top == "airflow":
                airflow[LAYER_OF[module]].add("yes" if at_once else "when it runs")
            # ``seedance_provider.__version__`` is nobody's.
            elif top == "seedance_provider" and rest and rest[0] != "__version__":
                imported = f"{rest[0]}/" if (package / rest[0]).is_dir() else f"{rest[0]}.py"
                others[LAYER_OF[module]].add(LAYER_OF[imported])
    return {name: found - {name} for name, found in others.items()}, airflow


def test_the_map_has_every_module_in_one_layer():
    package = REPOSITORY / "seedance_provider"
    there = {group(path.relative_to(package)) for path in package.rglob("*.py")} - {"__init__.py"}
    assert set(LAYER_OF) == there
    assert sum(len(layer.modules) for layer in LAYERS) == len(LAYER_OF)


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_a_layer_imports_what_the_map_says(layer):
    others, _ = imports_of_the_layers()
    assert others[layer.name] == layer.imports


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_a_layer_imports_only_layers_above_it(layer):
    above = LAYERS[: LAYERS.index(layer)]
    assert layer.imports <= {other.name for other in above}


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_a_layer_imports_airflow_when_the_map_says(layer):
    _, airflow = imports_of_the_layers()
    found = airflow[layer.name]
    assert layer.airflow == ("yes" if "yes" in found else "when it runs" if found else "never")


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
