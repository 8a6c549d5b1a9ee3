"""What Airflow learns about the provider."""

from __future__ import annotations

import importlib
import json
from importlib.metadata import entry_points, metadata
from pathlib import Path

import airflow
import jsonschema
import pytest

from seedance_provider.get_provider_info import get_provider_info


def modules() -> list[str]:
    info = get_provider_info()
    named = [name for kind in ("operators", "sensors", "hooks", "triggers") for name in info[kind][0]["python-modules"]]
    return [*named, *(transfer["python-module"] for transfer in info["transfers"])]


def test_follows_airflows_schema():
    schema = json.loads((Path(airflow.__file__).parent / "provider_info.schema.json").read_text())
    jsonschema.validate(get_provider_info(), schema)


def test_is_named_like_the_distribution():
    assert get_provider_info()["package-name"] == metadata("airflow-provider-seedance")["Name"]


def test_is_found_by_airflow():
    (entry,) = [e for e in entry_points(group="apache_airflow_provider") if "seedance" in e.value]
    assert entry.load() is get_provider_info


@pytest.mark.parametrize("name", modules())
def test_every_module_can_be_imported(name):
    importlib.import_module(name)


#: What the hooks and triggers are made of.
PARTS = ("__init__", "account", "connection_settings", "look_queue", "reader", "slot_queue")


def test_every_module_of_a_kind_is_named():
    package = Path(importlib.import_module("seedance_provider").__file__).parent
    for kind in ("operators", "sensors", "hooks", "triggers", "transfers"):
        public = {
            f"seedance_provider.{kind}.{path.stem}" for path in (package / kind).glob("*.py") if path.stem not in PARTS
        }
        assert public <= set(modules())


def test_every_class_can_be_imported():
    info = get_provider_info()
    for path in [*info["extra-links"], info["connection-types"][0]["hook-class-name"]]:
        module, name = path.rsplit(".", 1)
        assert isinstance(getattr(importlib.import_module(module), name), type)


def test_the_connection_form_shows_only_what_is_used():
    from airflow.providers_manager import ProvidersManager

    manager = ProvidersManager()
    behaviour = manager.field_behaviours["seedance"]
    assert set(behaviour["hidden_fields"]) == {"login", "port", "schema", "extra"}
    assert "extra__seedance__wire_format" in manager.connection_form_widgets
