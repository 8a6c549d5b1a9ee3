"""What holds for every module, and for the Airflow-free core."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import subprocess
import sys

import pytest

import seedance_provider

MODULES = [
    module.name
    for module in pkgutil.walk_packages(seedance_provider.__path__, "seedance_provider.")
    # The policy can't be imported below Airflow 3.3.
    if not module.ispkg and not module.name.endswith(("__main__", "retry_decisions"))
]
API_MODULES = [name for name in MODULES if name.startswith("seedance_provider.api.")]
#: Nobody imports anything of these.
PROGRAMS = ("seedance_provider.emulator.", "seedance_provider.plugins.")


def public_definitions(module):
    """Names without an underscore that a module defines itself, at its top level."""
    for node in ast.parse(inspect.getsource(module)).body:
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                names = [name]
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                names = [name]
            case _:
                names = []
        yield from (name for name in names if not name.startswith("_"))


@pytest.mark.parametrize("name", [name for name in MODULES if not name.startswith(PROGRAMS)])
def test_all_names_what_the_module_defines_for_others(name):
    module = importlib.import_module(name)
    assert sorted(module.__all__) == sorted(public_definitions(module))


def modules_after_importing(*names):
    code = f"import sys, {', '.join(names)}; sys.stdout.write(' '.join(sys.modules))"
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    ).stdout.split()


def test_the_api_package_imports_no_airflow():
    loaded = modules_after_importing(*API_MODULES, "seedance_provider.waiting.video_wait")
    assert "seedance_provider.api.async_client" in loaded
    assert [name for name in loaded if name.partition(".")[0] == "airflow"] == []


def test_what_a_dag_file_needs_of_the_api_imports_no_http_library():
    loaded = modules_after_importing(
        "seedance_provider.api.video_request", "seedance_provider.api.pricing", "seedance_provider.waiting.video_wait"
    )
    assert [name for name in loaded if name in ("requests", "aiohttp")] == []
