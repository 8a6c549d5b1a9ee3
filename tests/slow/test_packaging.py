"""The wheel and the sdist: they build, install into an empty environment, and Airflow lists what they bring."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]

# What was built and installed once serves them all.
pytestmark = pytest.mark.xdist_group("packaging")


def run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", folder, REPOSITORY, cwd=folder)
    return folder


@pytest.fixture(scope="module")
def environment(built, tmp_path_factory) -> Path:
    """An environment with nothing but the wheel, and what that needs."""
    folder = tmp_path_factory.mktemp("installed")
    (wheel,) = built.glob("*.whl")
    run(sys.executable, "-m", "venv", "venv", cwd=folder)
    pip = [folder / "venv/bin/python", "-m", "pip"]
    run(*pip, "install", "--quiet", "--constraint", REPOSITORY / "constraints.txt", wheel, cwd=folder)
    return folder


@pytest.fixture(scope="module", params=["*.whl", "*.tar.gz"])
def installed(request, built, environment) -> Path:
    """The same with either package. Both say that they need the same, or pip's check would fail."""
    (package,) = built.glob(request.param)
    pip = [environment / "venv/bin/python", "-m", "pip"]
    run(*pip, "uninstall", "--quiet", "--yes", "airflow-provider-seedance", cwd=environment)
    run(*pip, "install", "--quiet", "--no-deps", package, cwd=environment)
    run(*pip, "check", cwd=environment)
    return environment


def airflow(folder: Path, *arguments: str) -> str:
    env = {"AIRFLOW_HOME": str(folder / "airflow"), "PATH": "/usr/bin:/bin"}
    return run(folder / "venv/bin/airflow", *arguments, "--output", "plain", cwd=folder, env=env)


def test_airflow_lists_the_provider(installed):
    assert "airflow-provider-seedance" in airflow(installed, "providers", "list")


def test_airflow_lists_its_connection_type(installed):
    hooks = [line for line in airflow(installed, "providers", "hooks").splitlines() if line.startswith("seedance ")]
    assert len(hooks) == 1
    assert "seedance_provider.hooks.seedance.SeedanceHook" in hooks[0]


def test_airflow_lists_its_plugin(installed):
    assert "seedance" in airflow(installed, "plugins")


def test_the_wheel_holds_the_package_and_nothing_else(built):
    (wheel,) = built.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "seedance_provider/py.typed" in names
    page = REPOSITORY / "seedance_provider/plugins/videos_page"
    assert {f"seedance_provider/plugins/videos_page/{path.name}" for path in page.iterdir()} <= set(names)
    assert {name.split("/")[0] for name in names} == {"seedance_provider", wheel.name.split("-py3")[0] + ".dist-info"}


def test_the_sdist_holds_what_the_tests_need(built):
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"Makefile", "constraints.txt", "LICENSE", "dags/seedance_text_to_video.py", "tests/conftest.py"} <= names
    assert "tools/airflow_stack.py" in names
