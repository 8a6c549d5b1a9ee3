"""What the release checklist builds and resolves, with a small project in a real git repository."""

from __future__ import annotations

import pytest

from tests.support.release_project import Project
from tools.release.finding import State
from tools.release.packages import constraints_hold, packages_are_reproducible

pytestmark = pytest.mark.long

PYPROJECT = """
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "a-project"
description = "A project."
readme = "README.md"
requires-python = ">=3.11"
dynamic = ["version"]
dependencies = []

[project.optional-dependencies]
dev = ["jinja2>=3"]

[tool.hatch.version]
path = "seedance_provider/__init__.py"

[tool.hatch.build.targets.wheel]
packages = ["seedance_provider"]
"""


@pytest.fixture
def project(tmp_path) -> Project:
    made = Project(tmp_path / "project")
    made.write("pyproject.toml", PYPROJECT)
    made.commit()
    return made


class TestPackages:
    def test_a_fresh_clone_makes_the_same_ones(self, project):
        found = packages_are_reproducible(project.checkout)
        assert found.state is State.OK, found.said
        assert "a_project-0.2.0-py3-none-any.whl" in found.said
        assert "a_project-0.2.0.tar.gz" in found.said

    def test_a_file_that_is_not_in_git_makes_them_different(self, project):
        project.write("seedance_provider/forgotten.py", "")
        found = packages_are_reproducible(project.checkout)
        assert (found.state, found.said) == (State.MISSING, "those that a fresh clone makes are different ones")

    def test_a_page_that_an_index_would_not_show_is_noticed(self, project):
        project.write("README.md", "")
        project.commit()
        found = packages_are_reproducible(project.checkout)
        assert found.state is State.MISSING
        assert found.said.startswith("an index would refuse them")

    def test_what_can_not_be_built_is_noticed(self, project):
        project.git("rm", "--quiet", "README.md")
        project.commit()
        found = packages_are_reproducible(project.checkout)
        assert found.state is State.MISSING
        assert found.said.startswith("they can't be built")


class TestConstraints:
    def test_pins_that_can_not_be_together(self, project):
        project.write("constraints.txt", "jinja2==2.11.3\n")
        found = constraints_hold(project.checkout)
        assert found.state is State.MISSING
        assert found.said.startswith("they can't be together")

    def test_what_is_not_pinned(self, project):
        project.write("constraints.txt", "jinja2==3.1.6\n")
        found = constraints_hold(project.checkout)
        assert (found.state, found.said) == (State.MISSING, "constraints.txt does not pin markupsafe")
