"""What Airflow learns about the provider."""

from __future__ import annotations

import importlib
import json
from importlib.metadata import entry_points, metadata
from pathlib import Path

import airflow
import jsonschema
import pytest
from airflow.sdk import Connection

from seedance_provider.api.protocol import DEFAULT_BASE_URL
from seedance_provider.api.wire_formats import WIRE_FORMATS
from seedance_provider.get_provider_info import get_provider_info
from seedance_provider.hooks.connection_settings import (
    DEFAULT_LOOKS_PER_SECOND,
    ConnectionSettings,
    ConnectionSettingsError,
)


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


class TestTheConnectionForm:
    """What the form of Airflow 3.2 and later is made of; that of 3.1 is made of the same by the hook."""

    form = get_provider_info()["connection-types"][0]
    fields = form["conn-fields"]

    def test_shows_only_what_is_used(self):
        from airflow.providers_manager import ProvidersManager

        manager = ProvidersManager()
        assert set(manager.field_behaviours["seedance"]["hidden_fields"]) == {"login", "schema", "extra"}
        shown = {name for name in manager.connection_form_widgets if name.startswith("extra__seedance__")}
        assert shown == {f"extra__seedance__{name}" for name in self.fields}

    def test_what_it_says_if_nothing_is_filled_in_means_the_defaults(self):
        extra = json.dumps({name: field["schema"]["default"] for name, field in self.fields.items()})
        untouched = Connection(conn_id="a", conn_type="seedance", password="sk-key", extra=extra)
        assert ConnectionSettings.from_connection(untouched) == ConnectionSettings("sk-key")

    def test_an_emptied_field_is_nothing(self):
        emptied = Connection(
            conn_id="a", conn_type="seedance", password="sk-key", extra=json.dumps(dict.fromkeys(self.fields))
        )
        assert ConnectionSettings.from_connection(emptied) == ConnectionSettings("sk-key")
        # Airflow 3.2 would put any other minimum into an emptied field.
        assert {field["schema"].get("minimum", 0) for field in self.fields.values()} == {0}

    def test_has_a_field_for_every_option(self):
        connection = Connection(conn_id="a", conn_type="seedance", password="sk-key", extra='{"surprise": 1}')
        with pytest.raises(ConnectionSettingsError) as caught:
            ConnectionSettings.from_connection(connection)
        assert set(str(caught.value).rpartition("the known options are ")[2].rstrip(".").split(", ")) == set(
            self.fields
        )

    def test_names_the_real_defaults(self):
        assert self.form["ui-field-behaviour"]["placeholders"]["host"].endswith(f" {DEFAULT_BASE_URL}")
        assert f"Empty: {DEFAULT_LOOKS_PER_SECOND:g}." in self.fields["looks_per_second"]["description"]

    def test_offers_every_wire_format(self):
        assert self.fields["wire_format"]["schema"]["enum"] == list(WIRE_FORMATS)

    def test_every_example_works(self):
        example = "60-300"
        assert example in self.fields["typical_seconds"]["description"]
        extra = json.dumps({"typical_seconds": example})
        connection = Connection(conn_id="a", conn_type="seedance", password="sk-key", extra=extra)
        assert ConnectionSettings.from_connection(connection).typical_seconds == (60, 300)
