"""The checkout that is to be released, read without importing it."""

from __future__ import annotations

import re
import subprocess
import tomllib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.utils import NormalizedName

__all__ = ["Checkout"]

_VERSION = re.compile(r'^__version__ = "([^"]*)"$', re.MULTILINE)


def _today() -> date:
    return datetime.now(UTC).date()


@dataclass(frozen=True)
class Checkout:
    """
    A folder with the sources and their git repository.

    :param folder: its top.
    :param today: the day of the release.
    """

    folder: Path
    today: date = field(default_factory=_today)

    @cached_property
    def version(self) -> str:
        """The version that the package gives itself."""
        found = _VERSION.search(self.text("seedance_provider/__init__.py"))
        return found[1] if found else ""

    @cached_property
    def project(self) -> dict[str, Any]:
        """What ``pyproject.toml`` says of the project."""
        project: dict[str, Any] = tomllib.loads(self.text("pyproject.toml"))["project"]
        return project

    @cached_property
    def tracked(self) -> list[str]:
        """The files that belong to the project: those in git."""
        return [name for name in self.git("ls-files", "-z").split("\0") if name and (self.folder / name).is_file()]

    @cached_property
    def pages(self) -> dict[str, str]:
        """The texts that people read, by path."""
        return {name: self.text(name) for name in self.tracked if name.endswith(".md")}

    @cached_property
    def constraints(self) -> dict[NormalizedName, str]:
        """The pinned versions, by the normal form of the name."""
        lines = (line.partition("#")[0].strip() for line in self.text("constraints.txt").splitlines())
        pins = (line.split("==", 1) for line in lines if "==" in line)
        return {canonicalize_name(name): version for name, version in pins}

    def text(self, path: str) -> str:
        """
        Return what a file says.

        :param path: from the top of the checkout.
        """
        return (self.folder / path).read_text(encoding="utf-8")

    def git(self, *arguments: str) -> str:
        """
        Return what a git command says.

        :param arguments: of the command.
        """
        done = subprocess.run(["git", *arguments], cwd=self.folder, capture_output=True, text=True, check=True)
        return done.stdout
