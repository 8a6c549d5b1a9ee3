"""Into an empty environment: with the versions that were tested, with the newest of everything, and with each extra."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.commands import run

REPOSITORY = Path(__file__).parents[2]

# What was built and installed once serves them all.
pytestmark = pytest.mark.xdist_group("packaging")

#: Imports every module of the provider. Some need what the base installation does not bring, and are imported only
#: where that is there.
IMPORTS = """
import importlib, pkgutil
import seedance_provider

missing = set()
for module in pkgutil.walk_packages(seedance_provider.__path__, "seedance_provider."):
    if not module.name.endswith(".__main__"):
        try:
            importlib.import_module(module.name)
        except ModuleNotFoundError as error:
            missing.add(error.name)
print(*sorted(missing))
"""


def uv(*arguments: str | Path, cwd: Path) -> str:
    """Not pip where pip is not the point."""
    return run(sys.executable, "-m", "uv", "--quiet", *arguments, cwd=cwd)


@pytest.fixture(scope="session")
def tested_versions(built, tmp_path_factory) -> Path:
    """With plain pip, nothing but the wheel and what that needs, in the versions of the constraints."""
    folder = tmp_path_factory.mktemp("tested")
    (wheel,) = built.glob("*.whl")
    run(sys.executable, "-m", "venv", "venv", cwd=folder)
    pip = [folder / "venv/bin/python", "-m", "pip"]
    run(*pip, "install", "--quiet", "--constraint", REPOSITORY / "constraints.txt", wheel, cwd=folder)
    return folder


@pytest.fixture(scope="session")
def newest_versions(built, tmp_path_factory) -> Path:
    """The newest of everything, as without constraints."""
    folder = tmp_path_factory.mktemp("newest")
    (wheel,) = built.glob("*.whl")
    uv("venv", "--seed", "--python", sys.executable, "venv", cwd=folder)
    uv("pip", "install", "--python", folder / "venv/bin/python", wheel, cwd=folder)
    return folder


@pytest.fixture(scope="session", params=["*.whl", "*.tar.gz"])
def installed(request, built, tested_versions) -> Path:
    """The same with either package. Both say that they need the same, or pip's check would fail."""
    (package,) = built.glob(request.param)
    pip = [tested_versions / "venv/bin/python", "-m", "pip"]
    run(*pip, "uninstall", "--quiet", "--yes", "airflow-provider-seedance", cwd=tested_versions)
    run(*pip, "install", "--quiet", "--no-deps", package, cwd=tested_versions)
    run(*pip, "check", cwd=tested_versions)
    return tested_versions


def in_(folder: Path, program: str, *arguments: str) -> str:
    env = {"AIRFLOW_HOME": str(folder / "airflow"), "PATH": "/usr/bin:/bin", "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    return run(folder / "venv/bin" / program, *arguments, cwd=folder, env=env)


def airflow(folder: Path, *arguments: str) -> str:
    return in_(folder, "airflow", *arguments, "--output", "plain")


class TestTheTestedVersions:
    def test_airflow_lists_the_provider(self, installed):
        assert "airflow-provider-seedance" in airflow(installed, "providers", "list")

    def test_airflow_lists_its_connection_type(self, installed):
        listed = airflow(installed, "providers", "hooks").splitlines()
        (hook,) = [line for line in listed if line.startswith("seedance ")]
        assert "seedance_provider.hooks.seedance.SeedanceHook" in hook

    def test_airflow_lists_its_plugin(self, installed):
        assert "seedance" in airflow(installed, "plugins")


class TestTheNewestVersions:
    """Airflow is the one that breaks if it does: it allows newer packages than it was released with."""

    def test_fit_together(self, newest_versions):
        in_(newest_versions, "python", "-m", "pip", "check")

    def test_every_module_can_be_imported(self, newest_versions):
        missing = in_(newest_versions, "python", "-c", IMPORTS).splitlines()[-1].split()
        # The extra [emulator], with [media], and a provider that is used only where it is there.
        assert missing == ["PIL", "airflow.providers.openlineage", "av"]

    def test_airflow_lists_the_provider_and_makes_its_database(self, newest_versions):
        assert "airflow-provider-seedance" in airflow(newest_versions, "providers", "list")
        in_(newest_versions, "airflow", "db", "migrate")


@pytest.mark.parametrize("extra", ["media", "emulator", "s3", "gcs", "azure"])
def test_an_extra_can_be_installed(built, newest_versions, extra):
    (wheel,) = built.glob("*.whl")
    python = newest_versions / "venv/bin/python"
    uv("pip", "install", "--dry-run", "--python", python, f"{wheel}[{extra}]", cwd=newest_versions)
