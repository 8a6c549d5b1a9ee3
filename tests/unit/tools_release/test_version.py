"""Version, changelog, tag and tree of a release."""

from __future__ import annotations

import pytest

from tools.release.finding import State, ok
from tools.release.version import changelog_is_dated, tag_is_free, tree_is_clean, version_is_next


class TestVersion:
    def test_any_version_can_be_the_first(self, project):
        assert version_is_next(project.checkout) == ok("0.2.0 is the first release")

    @pytest.mark.parametrize("tag", ["v0.1.0", "v0.1.7", "v0.2.0rc1", "nightly", "version-9.9.9"])
    def test_follows_the_last_tag(self, project, tag):
        project.commit(tag)
        assert version_is_next(project.checkout).state is State.OK

    @pytest.mark.parametrize("last", ["0.3.0", "0.2.1rc1", "1.0.0"])
    def test_does_not_go_back(self, project, last):
        project.commit("v0.1.0", f"v{last}")
        found = version_is_next(project.checkout)
        assert (found.state, found.said) == (State.MISSING, f"0.2.0 does not come after {last}")

    @pytest.mark.parametrize("version", ["0.1.2", "0.3.0", "1.1.0", "2.0.0"])
    def test_skips_no_number(self, project, version):
        project.commit("v0.1.0")
        project.change("seedance_provider/__init__.py", "0.2.0", version)
        found = version_is_next(project.checkout)
        assert (found.state, f"{version} skips a number: after 0.1.0 come 0.1.1, 0.2.0, 1.0.0") == (
            State.MISSING,
            found.said,
        )

    @pytest.mark.parametrize("version", ["", "0.2", "0.2.0.dev1", "v0.2.0", "0.2.0-rc1"])
    def test_has_three_numbers(self, project, version):
        project.change("seedance_provider/__init__.py", "0.2.0", version)
        assert version_is_next(project.checkout).state is State.MISSING

    def test_its_own_tag_is_another_item(self, project):
        project.commit("v0.1.0", "v0.2.0")
        assert version_is_next(project.checkout).state is State.OK
        assert tag_is_free(project.checkout).state is State.MISSING

    def test_a_tag_of_another_version_is_none_of_its_own(self, project):
        project.commit("v0.1.0", "v0.2.0rc1")
        assert tag_is_free(project.checkout) == ok("there is no tag v0.2.0")


class TestChangelog:
    def test_has_the_release_on_top(self, project):
        assert changelog_is_dated(project.checkout) == ok("0.2.0 of 2026-11-26")

    def test_needs_no_empty_section_for_what_comes(self, project):
        project.change("CHANGELOG.md", "## [Unreleased]\n\n", "")
        assert changelog_is_dated(project.checkout).state is State.OK

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ("## [Unreleased]\n", "## [Unreleased]\n\n### Added\n\n- c\n", "[Unreleased] is not empty"),
            ("## [0.2.0]", "## [0.2.1]", "the first section is not '## [0.2.0] - 2026-11-26'"),
            (" - 2026-11-26", "", "the first section is not '## [0.2.0] - 2026-11-26'"),
            ("2026-11-26", "2026-11-27", "2026-11-27 has not come yet"),
            ("### Added\n\n- b", "### New\n\n- b", "not New"),
            ("### Added\n\n- b", "- b", "not none"),
        ],
    )
    def test_anything_else_is_missing(self, project, old, new, said):
        project.change("CHANGELOG.md", old, new)
        found = changelog_is_dated(project.checkout)
        assert found.state is State.MISSING
        assert said in found.said


class TestTree:
    def test_what_is_committed_is_named(self, project):
        found = tree_is_clean(project.checkout)
        assert found.state is State.OK
        assert found.said.startswith("at commit ")

    def test_a_changed_file(self, project):
        project.change("README.md", "# A", "# B")
        assert tree_is_clean(project.checkout).said == "1 files differ from the last commit, such as README.md"

    def test_a_file_that_is_not_in_git(self, project):
        project.write("notes.txt", "")
        assert tree_is_clean(project.checkout).state is State.MISSING
