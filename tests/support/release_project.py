"""A small project in a real git repository, as it should be on the day of a release."""

from __future__ import annotations

import subprocess
from datetime import date
from typing import TYPE_CHECKING

from tools.release.checkout import Checkout

if TYPE_CHECKING:
    from pathlib import Path

TODAY = date(2026, 11, 26)

FILES = {
    "seedance_provider/__init__.py": '"""A package."""\n\n__version__ = "0.2.0"\n',
    "seedance_provider/api/models.py": "PRICES_TAKEN_ON = date(2026, 11, 23)\n",
    "seedance_provider/get_provider_info.py": (
        "def get_provider_info():\n"
        "    option = {'description': 'a', 'version_added': '0.1.0', 'type': 'string', 'example': '', 'default': ''}\n"
        "    config = {'seedance': {'description': 'a', 'options': {'an_option': option}}}\n"
        "    return {'package-name': 'a-project', 'name': 'A', 'description': 'a', 'config': config}\n"
    ),
    "pyproject.toml": (
        '[project]\nname = "a-project"\nversion = "0.2.0"\nreadme = "README.md"\n'
        'dependencies = ["apache-airflow>=3.1", "apache-airflow-core"]\n'
    ),
    "constraints.txt": "# What the tests ran with\napache-airflow==3.3.2\n",
    "CHANGELOG.md": (
        "# Changelog\n\n## [Unreleased]\n\n"
        "## [0.2.0] - 2026-11-26\n\n### Added\n\n- b\n\n## [0.1.0] - 2026-01-01\n\n### Added\n\n- a\n"
    ),
    "README.md": "# A\n\n![A page](docs/images/page.png)\n\nAirflow 3.1 or newer; the tests run on 3.3.2.\n",
    "docs/airflow-versions.md": "The tests run on Airflow 3.1.8, 3.2.2 and 3.3.2.\n",
    "docs/chaos.md": "200 videos, 2026-11-20.\n",
    "docs/mutation-testing.md": "On 2026-11-22: 98 %.\n",
    "docs/images/page.png": "\x89PNG\0",
    "benchmarks/RESULTS.md": "Measured on 2026-11-21: 2 cores.\n",
    "tests/upgrade/0.2.0/rows.json": "{}\n",
}


class Project:
    """A folder with a git repository, which a test changes before it lets it be checked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, text in FILES.items():
            self.write(name, text)
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit()

    def git(self, *arguments: str) -> None:
        person = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *person, *arguments], cwd=self.folder, check=True, capture_output=True)  # noqa: S607

    def commit(self, *tags: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "A change")
        for tag in tags:
            self.git("tag", tag)

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def change(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text(encoding="utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    @property
    def checkout(self) -> Checkout:
        return Checkout(self.folder, today=TODAY)
