"""What holds for every module of the Airflow-free core."""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys

import pytest

API_MODULES = [
    "seedance_provider.api.async_client",
    "seedance_provider.api.client",
    "seedance_provider.api.errors",
    "seedance_provider.api.http_errors",
    "seedance_provider.api.models",
    "seedance_provider.api.pricing",
    "seedance_provider.api.protocol",
    "seedance_provider.api.task_failures",
    "seedance_provider.api.video_request",
    "seedance_provider.api.video_task",
    "seedance_provider.api.wire_formats",
]
OTHER_MODULES = [
    "seedance_provider.hooks.connection_settings",
    "seedance_provider.landing.download",
    "seedance_provider.landing.errors",
    "seedance_provider.landing.known_video",
    "seedance_provider.landing.landed_video",
    "seedance_provider.landing.landing",
    "seedance_provider.landing.media_check",
    "seedance_provider.landing.names",
    "seedance_provider.landing.part_file",
    "seedance_provider.landing.record",
    "seedance_provider.landing.sidecar",
    "seedance_provider.storage.errors",
    "seedance_provider.storage.references",
    "seedance_provider.storage.stored_file",
    "seedance_provider.reporting.lineage",
    "seedance_provider.network.addresses",
    "seedance_provider.network.guarded_session",
    "seedance_provider.reporting.openlineage_facets",
    "seedance_provider.transfers.video_landing",
    "seedance_provider.waiting.video_wait",
]


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


@pytest.mark.parametrize("name", API_MODULES + OTHER_MODULES)
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
