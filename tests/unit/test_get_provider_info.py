"""What Airflow learns about the provider."""

from __future__ import annotations

import importlib
import json
import pkgutil
from importlib.metadata import entry_points, metadata
from pathlib import Path

import airflow
import jsonschema
import pytest
from airflow.providers.common.compat.sdk import BaseHook, BaseOperator, BaseOperatorLink, BaseSensorOperator
from airflow.sdk import Connection
from airflow.triggers.base import BaseTrigger

from seedance_provider.api.protocol import DEFAULT_BASE_URL
from seedance_provider.api.wire_formats import WIRE_FORMATS
from seedance_provider.get_provider_info import get_provider_info
from seedance_provider.hooks.connection_settings import (
    DEFAULT_MAX_POLLS_PER_SECOND,
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


class TestClasses:
    """Whatever is named is there, is what Airflow expects, and nothing that is there is missing."""

    info = get_provider_info()

    @pytest.mark.parametrize(
        ("kind", "base"),
        [("operators", BaseOperator), ("sensors", BaseSensorOperator), ("hooks", BaseHook), ("triggers", BaseTrigger)],
    )
    def test_every_module_brings_what_it_is_named_for(self, kind, base):
        for name in self.info[kind][0]["python-modules"]:
            assert classes_of(importlib.import_module(name), base), name
        for transfer in self.info["transfers"]:
            assert classes_of(importlib.import_module(transfer["python-module"]), BaseOperator)

    @pytest.mark.parametrize("base", [BaseOperator, BaseHook, BaseTrigger])
    def test_every_class_is_in_a_module_that_is_named(self, base):
        listed = {*modules(), *(entry["class-name"].rpartition(".")[0] for entry in self.info["task-decorators"])}
        assert {kind.__module__ for module in package_modules() for kind in classes_of(module, base)} <= listed

    def test_every_link_is_named(self):
        links = {path_of(link) for module in package_modules() for link in classes_of(module, BaseOperatorLink)}
        assert set(self.info["extra-links"]) == links
        assert links

    def test_the_hook_is_that_of_its_connection_type(self):
        (entry,) = self.info["connection-types"]
        hook = named(entry["hook-class-name"])
        assert issubclass(hook, BaseHook)
        assert (hook.conn_type, hook.hook_name) == (entry["connection-type"], entry["hook-name"])

    def test_the_decorator_is_one_of_a_task(self):
        from airflow.sdk import task

        (entry,) = self.info["task-decorators"]
        # Named nowhere but in the provider info.
        assert getattr(task, entry["name"]) is named(entry["class-name"])

    def test_the_commands_are_those_of_airflow(self):
        from airflow.cli.cli_config import ActionCommand, GroupCommand

        for path in self.info["cli"]:
            commands = named(path)()
            assert [type(command) for command in commands] == [GroupCommand] * len(commands) != []
            assert {type(command) for group in commands for command in group.subcommands} == {ActionCommand}

    def test_airflow_knows_every_option(self):
        from airflow.providers_manager import ProvidersManager

        assert dict(ProvidersManager().provider_configs)[self.info["package-name"]] == self.info["config"]

    def test_the_plugin_is_one(self):
        from airflow.plugins_manager import AirflowPlugin

        (entry,) = [e for e in entry_points(group="airflow.plugins") if "seedance" in e.value]
        assert issubclass(entry.load(), AirflowPlugin)
        # From here Airflow would load it a second time.
        assert "plugins" not in self.info


def named(path: str):
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def path_of(kind: type) -> str:
    return f"{kind.__module__}.{kind.__name__}"


def classes_of(module, base: type) -> list[type]:
    """The classes that a module defines itself."""
    found = [value for value in vars(module).values() if isinstance(value, type) and issubclass(value, base)]
    return [kind for kind in found if kind.__module__ == module.__name__]


def package_modules():
    """All that a DAG can use, but for the policy of retries, which needs Airflow 3.3 and has no kind of its own."""
    package = importlib.import_module("seedance_provider")
    names = {module.name for module in pkgutil.walk_packages(package.__path__, "seedance_provider.")}
    elsewhere = tuple(f"seedance_provider.{name}" for name in ("emulator", "plugins", "retry_", "submission.retry_"))
    return [importlib.import_module(name) for name in sorted(names) if not name.startswith(elsewhere)]


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

    @staticmethod
    def settings_of(extra):
        connection = Connection(conn_id="a", conn_type="seedance", password="sk-key", extra=json.dumps(extra))
        return ConnectionSettings.from_connection(connection)

    def test_what_it_says_if_nothing_is_filled_in_means_the_defaults(self):
        untouched = {name: field["schema"]["default"] for name, field in self.fields.items()}
        assert self.settings_of(untouched) == ConnectionSettings("sk-key")

    def test_an_emptied_field_is_nothing(self):
        assert self.settings_of(dict.fromkeys(self.fields)) == ConnectionSettings("sk-key")
        # Airflow 3.2 would put any other minimum into an emptied field.
        assert {field["schema"].get("minimum", 0) for field in self.fields.values()} == {0}

    def test_has_a_field_for_every_option(self):
        with pytest.raises(ConnectionSettingsError) as caught:
            self.settings_of({"surprise": 1})
        known = str(caught.value).rpartition("the known options are ")[2].rstrip(".").split(", ")
        assert set(known) == set(self.fields)

    def test_names_the_real_defaults(self):
        assert self.form["ui-field-behaviour"]["placeholders"]["host"].endswith(f" {DEFAULT_BASE_URL}")
        assert f"Empty: {DEFAULT_MAX_POLLS_PER_SECOND:g}." in self.fields["max_polls_per_second"]["description"]

    def test_offers_every_wire_format(self):
        assert self.fields["wire_format"]["schema"]["enum"] == list(WIRE_FORMATS)

    def test_every_example_works(self):
        assert "60-300" in self.fields["typical_seconds"]["description"]
        assert self.settings_of({"typical_seconds": "60-300"}).typical_seconds == (60, 300)
