"""The wheel and the sdist: the same bytes wherever they are built, all that belongs in them, and nothing else."""

from __future__ import annotations

import email
import os
import re
import shutil
import struct
import sys
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest
from packaging.specifiers import SpecifierSet

from tests.support.commands import run

if TYPE_CHECKING:
    from email.message import Message
    from pathlib import Path

# What was built once serves them all, and those in test_installing.py, too.
pytestmark = pytest.mark.xdist_group("packaging")


def only(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found


@pytest.fixture(scope="module")
def unpacked(built, tmp_path_factory) -> Path:
    """The sdist, as somebody unpacks it who lets nobody else read his files."""
    folder = tmp_path_factory.mktemp("unpacked")
    run("tar", "--extract", "--file", only(built, "*.tar.gz"), cwd=folder, umask=0o077)
    return only(folder, "*")


@pytest.fixture(scope="module")
def wheel(built) -> zipfile.ZipFile:
    return zipfile.ZipFile(only(built, "*.whl"))


@pytest.fixture(scope="module")
def metadata(wheel) -> Message:
    (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    return email.message_from_bytes(wheel.read(name))


class TestReproducing:
    """Whoever has the sources can see that the packages were made of them."""

    @pytest.fixture(scope="class")
    def built_elsewhere(self, unpacked, tmp_path_factory) -> Path:
        """Both again, of the unpacked sdist, on what might be another machine in another year."""
        folder = tmp_path_factory.mktemp("elsewhere")
        copy = shutil.copytree(unpacked, folder / "a" / "much" / "longer" / "path")
        for path in copy.rglob("*"):
            os.utime(path, (1_000_000_000, 1_000_000_000))
        env = {**os.environ, "TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "7", "PYTHONUTF8": "0"}
        build = (sys.executable, "-m", "build", "--installer", "uv", "--outdir", folder / "dist", copy)
        run(*build, cwd=folder, env=env, umask=0o077)
        return folder / "dist"

    @pytest.mark.parametrize("kind", ["*.whl", "*.tar.gz"])
    def test_makes_the_same_bytes(self, built, built_elsewhere, kind):
        assert only(built, kind).name == only(built_elsewhere, kind).name
        assert only(built, kind).read_bytes() == only(built_elsewhere, kind).read_bytes()

    def test_a_wheel_of_the_checkout_is_the_wheel_of_the_sdist(self, built, sources, tmp_path):
        run(sys.executable, "-m", "build", "--installer", "uv", "--wheel", "--outdir", tmp_path, sources, cwd=tmp_path)
        assert only(built, "*.whl").read_bytes() == only(tmp_path, "*.whl").read_bytes()

    def test_the_sdist_tells_nothing_of_the_machine(self, built):
        sdist = only(built, "*.tar.gz")
        flags, packed_at = struct.unpack("<xxxBI", sdist.read_bytes()[:8])
        # No name of a file, and a time that is the same each time.
        assert not flags & 0b1000
        with tarfile.open(sdist) as archive:
            members = archive.getmembers()
        assert {(member.uid, member.gid, member.uname, member.gname) for member in members} == {(0, 0, "", "")}
        assert {member.mtime for member in members} == {packed_at}
        assert {member.mode for member in members} <= {0o644, 0o755}


class TestContents:
    def test_the_wheel_holds_the_package_and_nothing_else(self, wheel, sources):
        package = {
            str(path.relative_to(sources)) for path in (sources / "seedance_provider").rglob("*") if path.is_file()
        }
        described = only_folder(wheel, ".dist-info")
        assert {name for name in wheel.namelist() if not name.startswith(described)} == package
        assert {"seedance_provider/py.typed", "seedance_provider/plugins/videos_page/index.html"} <= package

    def test_the_wheel_holds_the_licence(self, wheel, sources):
        licence = wheel.read(only_folder(wheel, ".dist-info") + "licenses/LICENSE")
        assert licence == (sources / "LICENSE").read_bytes()

    def test_the_sdist_is_the_whole_checkout(self, unpacked, sources):
        assert files_in(unpacked) - {"PKG-INFO"} == files_in(sources)

    def test_scripts_can_be_run(self, unpacked):
        assert os.access(unpacked / "tools" / "beside.sh", os.X_OK)

    def test_the_tests_run_from_the_sdist(self, unpacked, tmp_path):
        env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
        quiet = (
            "-q",
            "-p",
            "no:cacheprovider",
            "--basetemp",
            tmp_path / "base",
            "-o",
            "addopts=--import-mode=importlib",
        )
        pytest_ = (sys.executable, "-m", "pytest", *quiet)
        everything = ("tests", "--collect-only", "--ignore=tests/ui")
        collected = run(*pytest_, *everything, cwd=unpacked, env=env)
        assert re.search(r"\d{4} tests collected", collected)
        run(*pytest_, "tests/unit/submission/test_plans.py", "tests/unit/test_docs.py", cwd=unpacked, env=env)
        tested = "import seedance_provider as s, sys; sys.exit(not s.__file__.startswith(sys.argv[1]))"
        run(sys.executable, "-c", tested, unpacked, cwd=unpacked, env=env)


class TestMetadata:
    def test_an_index_would_take_both(self, built):
        files = sorted(built.iterdir())
        run(sys.executable, "-m", "twine", "check", "--strict", *files, cwd=built)

    def test_names_the_package(self, metadata, sources):
        scope: dict[str, str] = {}
        exec((sources / "seedance_provider/__init__.py").read_text(), scope)  # noqa: S102
        assert (metadata["Name"], metadata["Version"]) == ("airflow-provider-seedance", scope["__version__"])
        assert (metadata["License-Expression"], metadata["License-File"]) == ("Apache-2.0", "LICENSE")

    def test_python_is_what_the_classifiers_say(self, metadata):
        said = {line.rpartition(" :: ")[2] for line in metadata.get_all("Classifier") if "Python :: 3." in line}
        supported = SpecifierSet(metadata["Requires-Python"])
        assert {f"3.{minor}" for minor in range(6, 14) if f"3.{minor}" in supported} == said

    def test_the_description_is_the_readme(self, metadata, sources):
        heads = re.compile(r"^#+ .*$", re.MULTILINE)
        readme = (sources / "README.md").read_text()
        assert heads.findall(metadata.get_payload()) == heads.findall(readme)

    def test_nothing_in_the_description_leads_nowhere(self, metadata):
        links = re.findall(r"\]\(([^)]*)\)", metadata.get_payload())
        assert links
        assert [link for link in links if not link.startswith("https://")] == []


def only_folder(wheel: zipfile.ZipFile, ending: str) -> str:
    (folder,) = {name.split("/")[0] for name in wheel.namelist() if name.split("/")[0].endswith(ending)}
    return folder + "/"


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
