"""Whether what will be uploaded can be built, installed and read by Airflow."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
from packaging.utils import canonicalize_name
from packaging.version import Version

from tools.release.finding import Finding, missing, ok

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tools.release.checkout import Checkout

__all__ = [
    "constraints_hold",
    "packages_are_reproducible",
    "provider_info_is_valid",
    "upgrade_rows_are_kept",
    "versions_are_installed",
]

_PROVIDER_INFO = (
    "import json; from seedance_provider.get_provider_info import get_provider_info; "
    "print(json.dumps(get_provider_info()))"
)
#: Of what a failing command says, this much of its end.
_LONGEST = 600


def constraints_hold(checkout: Checkout) -> Finding:
    """Look whether the pinned versions can be together, leave nothing open, and are those that the tests ran with."""
    try:
        _resolved(checkout, "--all-extras")
        needed = _resolved(checkout, "--extra", "dev")
    except subprocess.CalledProcessError as error:
        return missing(f"they can't be together: {error.stderr.strip()[-_LONGEST:]}")
    if unpinned := needed - checkout.constraints.keys():
        return missing(f"constraints.txt does not pin {', '.join(sorted(unpinned))}")
    if said := _run(checkout.folder, sys.executable, "-m", "pip", "check"):
        return missing(said)
    return versions_are_installed(checkout) or ok(f"{len(checkout.constraints)} versions, which can be together")


def versions_are_installed(checkout: Checkout) -> Finding | None:
    """Look whether what runs this is what is pinned, as far as it is installed."""
    installed = {canonicalize_name(found.name): found.version for found in distributions()}
    for name, pinned in checkout.constraints.items():
        if installed.get(name, pinned) != pinned:
            return missing(f"constraints.txt pins {name} {pinned}, and {installed[name]} is installed")
    return None


def provider_info_is_valid(checkout: Checkout) -> Finding:
    """Look whether Airflow will understand what the provider says of itself."""
    done = subprocess.run(
        [sys.executable, "-c", _PROVIDER_INFO], cwd=checkout.folder, capture_output=True, text=True, check=True
    )
    info = json.loads(done.stdout)
    try:
        jsonschema.validate(info, _airflows_schema())
    except jsonschema.ValidationError as error:
        return missing(f"Airflow's schema refuses it: {error.message}")
    if info["package-name"] != checkout.project["name"]:
        return missing(f"package-name is {info['package-name']}, and the distribution {checkout.project['name']}")
    if later := _options_of_later_versions(info, checkout.version):
        return missing(f"added after {checkout.version}: {', '.join(later)}")
    return ok("follows Airflow's schema")


def packages_are_reproducible(checkout: Checkout) -> Finding:
    """Build wheel and sdist here and in a fresh clone, and look whether they are the same, and may be uploaded."""
    with tempfile.TemporaryDirectory() as made:
        clone, here, there = (Path(made, name) for name in ("clone", "here", "there"))
        checkout.git("clone", "--quiet", "--no-hardlinks", str(checkout.folder), str(clone))
        for source, target in ((checkout.folder, here), (clone, there)):
            if said := _run(source, sys.executable, "-m", "build", "--installer", "uv", "--outdir", target, source):
                return missing(f"they can't be built: {said}")
        built = _digests(here)
        if built != _digests(there):
            return missing("those that a fresh clone makes are different ones")
        if wrong := [name for name in built if f"-{checkout.version}" not in name]:
            return missing(f"{', '.join(wrong)} should have version {checkout.version}")
        if said := _run(here, sys.executable, "-m", "twine", "check", "--strict", *(here / name for name in built)):
            return missing(f"an index would refuse them: {said}")
        return ok(", ".join(f"{name} (SHA-256 {digest[:12]})" for name, digest in sorted(built.items())))


def upgrade_rows_are_kept(checkout: Checkout) -> Finding:
    """Look whether what this release leaves in Airflow's database is kept, for the tests of the ones to come."""
    folder = f"tests/upgrade/{checkout.version}/"
    rows = [name for name in checkout.tracked if name.startswith(folder)]
    return ok(f"{len(rows)} files in {folder}") if rows else missing(f"there is nothing in {folder}")


def _resolved(checkout: Checkout, *extras: str) -> set[str]:
    """Return the packages that installing the project with some extras would bring."""
    options = ["--constraint", "constraints.txt", "--quiet", "--no-header", "--no-annotate", *extras]
    command = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", *options]
    done = subprocess.run(command, cwd=checkout.folder, capture_output=True, text=True, check=True)
    return {canonicalize_name(line.partition("==")[0]) for line in done.stdout.splitlines() if "==" in line}


def _run(folder: Path, *command: str | Path) -> str:
    """Return nothing, or the end of what a command says that fails."""
    # As `make build` does: the same sources make the same bytes, unless somebody sets another date for them.
    environment = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    done = subprocess.run(
        list(map(str, command)), cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    said = (done.stdout + done.stderr).strip() or f"exit code {done.returncode}"
    return said[-_LONGEST:] if done.returncode else ""


def _airflows_schema() -> Any:
    found = importlib.util.find_spec("airflow")
    assert found is not None  # noqa: S101 - the provider depends on it
    assert found.origin is not None  # noqa: S101
    return json.loads((Path(found.origin).parent / "provider_info.schema.json").read_text())


def _options_of_later_versions(info: Mapping[str, Any], version: str) -> list[str]:
    return [
        f"[{section}] {name}"
        for section, described in info.get("config", {}).items()
        for name, option in described["options"].items()
        if Version(option["version_added"]) > Version(version)
    ]


def _digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
