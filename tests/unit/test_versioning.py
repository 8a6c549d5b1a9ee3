"""What the page about versions promises to keep is there, and nothing that is kept is forgotten."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

from seedance_provider.get_provider_info import get_provider_info
from seedance_provider.hooks import connection_settings

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs" / "versioning.md").read_text()
PUBLIC, KEPT = PAGE.split("## What is in your database")


def keys_of_what_is_kept() -> set[str]:
    """The keys under which modules keep something in Airflow's database, by the names of their constants."""
    keys = set()
    for path in (REPOSITORY / "seedance_provider").rglob("*.py"):
        for node in ast.parse(path.read_text()).body:
            match node:
                case ast.Assign(targets=[ast.Name(id="_KEY" | "BUDGET_KEY")], value=ast.Constant(value=key)):
                    keys.add(key)
    return keys


def test_every_operator_and_sensor_is_public():
    info = get_provider_info()
    modules = [name for kind in ("operators", "sensors") for name in info[kind][0]["python-modules"]]
    modules += [transfer["python-module"] for transfer in info["transfers"]]
    for module in modules:
        for name in importlib.import_module(module).__all__:
            assert f"`{name}`" in PUBLIC
    assert [f"@task.{decorator['name']}" for decorator in info["task-decorators"]] == ["@task.seedance_video"]
    assert "`@task.seedance_video`" in PUBLIC


def test_every_extra_of_a_connection_is_public():
    (row,) = [line for line in PUBLIC.splitlines() if "its extras" in line]
    named = set(re.findall(r"`([^`]+)`", row.split("its extras")[1].split("[The connection]")[0]))
    assert named == set(connection_settings._OPTIONS)


def test_every_option_of_the_configuration_is_public():
    for section, described in get_provider_info()["config"].items():
        for name in described["options"]:
            assert f"`[{section}] {name}`" in PUBLIC


def test_everything_that_is_kept_in_the_database_is_promised_to_stay_readable():
    keys = keys_of_what_is_kept()
    assert "seedance_submission" in keys
    assert set(re.findall(r"\| `(seedance_\w+)` \|", KEPT)) == keys
    for trigger in importlib.import_module("seedance_provider.triggers.seedance").__all__:
        assert f"`{trigger}`" in KEPT


def test_the_methods_that_a_wait_resumes_with_are_there():
    from seedance_provider.operators.seedance import CreateVideoOperator

    named = re.findall(r"`((?:on|resume)_\w+)`", KEPT)
    assert named == ["on_slot", "on_video", "resume_after_outage"]
    assert all(hasattr(CreateVideoOperator, name) for name in named)
