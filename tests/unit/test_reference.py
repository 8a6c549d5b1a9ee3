"""The reference has everything that Airflow, or a person, may import."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from sphinx.util.inventory import InventoryFile

from seedance_provider.get_provider_info import get_provider_info

# What was built once serves them all.
pytestmark = pytest.mark.xdist_group("reference")

DOCS = Path(__file__).parents[2] / "docs"
REFERENCE = DOCS / "reference"

#: Beside what the provider info names.
ALSO_PUBLIC = {
    "seedance_provider.api",
    "seedance_provider.api.async_client",
    "seedance_provider.api.client",
    "seedance_provider.api.errors",
    "seedance_provider.api.http_errors",
    "seedance_provider.api.models",
    "seedance_provider.api.pricing",
    "seedance_provider.api.protocol",
    "seedance_provider.api.task_failures",
    "seedance_provider.api.uploads",
    "seedance_provider.api.video_request",
    "seedance_provider.api.video_task",
    "seedance_provider.api.wire_formats",
    "seedance_provider.submission.options",
    "seedance_provider.emulator.faults",
    "seedance_provider.emulator.server",
    "seedance_provider.emulator.settings",
    "seedance_provider.hooks",
    "seedance_provider.hooks.connection_settings",
    "seedance_provider.landing.errors",
    "seedance_provider.reporting.metrics",
    "seedance_provider.retry_policy",
}


@pytest.fixture(scope="module")
def inventory(tmp_path_factory) -> set[str]:
    """The full names of all that the built reference has an entry for."""
    book = tmp_path_factory.mktemp("book")
    only = ["-D", "root_doc=reference/index", "-D", "include_patterns=reference/**", "-D", "html_theme=basic"]
    # Links to the guides lead nowhere here; the build of the whole book is strict.
    build = [sys.executable, "-m", "sphinx", "-Q", "-b", "html", *only, str(DOCS), str(book)]
    subprocess.run(build, check=True)
    found = InventoryFile.loads((book / "objects.inv").read_bytes(), uri="")
    return {name for kind, names in found.data.items() if kind.startswith("py:") for name in names}


def modules_of_the_provider_info() -> set[str]:
    info = get_provider_info()
    of_kinds = [module for kind in ("operators", "sensors", "hooks", "triggers") for module in info[kind]]
    return {name for found in of_kinds for name in found["python-modules"]} | {
        transfer["python-module"] for transfer in info["transfers"]
    }


def names_of_the_provider_info() -> set[str]:
    info = get_provider_info()
    return {
        *info["extra-links"],
        *info["cli"],
        *(decorator["class-name"] for decorator in info["task-decorators"]),
        *(connection["hook-class-name"] for connection in info["connection-types"]),
    }


def test_whatever_the_provider_info_names_is_in_the_reference(inventory):
    assert names_of_the_provider_info() - inventory == set()


@pytest.mark.parametrize("module", sorted(modules_of_the_provider_info() | ALSO_PUBLIC))
def test_every_public_name_is_in_the_reference(inventory, module):
    names = {f"{module}.{name}" for name in import_module(module).__all__}
    assert names - inventory == set()


@pytest.mark.parametrize("page", sorted(REFERENCE.glob("*.md")), ids=lambda page: page.name)
def test_the_reference_names_modules_that_there_are(page):
    for module in re.findall(r"automodule:: (\S+)", page.read_text()):
        assert import_module(module).__doc__


def test_every_option_of_the_configuration_is_in_the_reference():
    page = (REFERENCE / "configuration.md").read_text()
    info = get_provider_info()
    for option in info["config"]["seedance"]["options"].values():
        assert option["description"].split(".")[0] in page
        assert f"`{option['example']}`" in page
    for name in (*info["config"]["seedance"]["options"], *info["connection-types"][0]["conn-fields"]):
        assert f"| `{name}` |" in page


def test_every_flag_of_the_command_line_is_in_the_reference():
    from seedance_provider.cli.definition import get_seedance_cli_commands

    page = (REFERENCE / "cli.md").read_text()
    (group,) = get_seedance_cli_commands()
    for command in group.subcommands:
        assert f"## `airflow {group.name} {command.name}`" in page
        for argument in command.args:
            assert all(f"`{flag}`" in page for flag in argument.flags)
