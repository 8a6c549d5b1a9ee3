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
    transfers = {transfer["python-module"] for transfer in info["transfers"]}
    return transfers | {name for found in of_kinds for name in found["python-modules"]}


def modules_of_the_reference() -> set[str]:
    """Those that are there as a whole."""
    pages = [page.read_text() for page in REFERENCE.glob("*.md")]
    whole = re.compile(r"automodule:: (\S+)$(?!\n +:members: \S)", re.MULTILINE)
    return {module for page in pages for module in whole.findall(page)}


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


@pytest.mark.parametrize("module", sorted(modules_of_the_provider_info() | modules_of_the_reference()))
def test_every_public_name_is_in_the_reference(inventory, module):
    imported = import_module(module)
    assert imported.__doc__
    assert {f"{module}.{name}" for name in imported.__all__} - inventory == set()


def test_every_option_of_the_configuration_is_in_the_reference():
    page = (REFERENCE / "configuration.md").read_text()
    info = get_provider_info()
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
