"""Constraints, provider info and what is kept for upgrades. What is built is in tests/slow/test_release.py."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from tools.release.finding import State, ok
from tools.release.packages import provider_info_is_valid, upgrade_rows_are_kept, versions_are_installed


class TestInstalled:
    def test_what_is_pinned_is_installed(self, project):
        pins = f"Jinja2=={version('jinja2')}\nnever-heard-of==1.0\n"
        project.write("constraints.txt", pins)
        assert versions_are_installed(project.checkout) is None

    def test_another_version_is_installed(self, project):
        project.write("constraints.txt", "Jinja2==1.0  # an old one\n")
        said = versions_are_installed(project.checkout).said
        assert said == f"constraints.txt pins jinja2 1.0, and {version('jinja2')} is installed"


class TestProviderInfo:
    def test_is_that_of_the_checkout(self, project):
        assert provider_info_is_valid(project.checkout) == ok("follows Airflow's schema")

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ("'package-name': 'a-project'", "'package-name': 'another'", "package-name is another"),
            ("'name': 'A', ", "", "Airflow's schema refuses it: 'name' is a required property"),
            ("'version_added': '0.1.0'", "'version_added': '0.3.0'", "added after 0.2.0: [seedance] an_option"),
        ],
    )
    def test_that_is_wrong(self, project, old, new, said):
        project.change("seedance_provider/get_provider_info.py", old, new)
        found = provider_info_is_valid(project.checkout)
        assert found.state is State.MISSING
        assert said in found.said


class TestUpgradeRows:
    def test_are_in_git(self, project):
        assert upgrade_rows_are_kept(project.checkout) == ok("1 files in tests/upgrade/0.2.0/")

    def test_those_of_another_release_are_not_enough(self, project):
        project.git("mv", "tests/upgrade/0.2.0", "tests/upgrade/0.1.0")
        assert upgrade_rows_are_kept(project.checkout).state is State.MISSING

    def test_those_that_are_not_in_git_are_not_enough(self, project):
        project.git("rm", "--quiet", "--cached", "tests/upgrade/0.2.0/rows.json")
        assert upgrade_rows_are_kept(project.checkout).state is State.MISSING
