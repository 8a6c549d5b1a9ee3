"""What pages say of Airflow, of days, and which pictures they show."""

from __future__ import annotations

import re

import pytest

from tests.support.release_project import FILES
from tools.release.finding import State, ok
from tools.release.pages import (
    airflow_versions_agree,
    measurements_are_recent,
    pictures_are_there,
    prices_are_recent,
)


class TestAirflowVersions:
    def test_the_pages_name_what_is_pinned(self, project):
        assert airflow_versions_agree(project.checkout) == ok("3.1 or newer, tested on 3.3.2")

    @pytest.mark.parametrize(
        ("name", "old", "new", "said"),
        [
            ("constraints.txt", "3.3.2", "3.4.0", "README.md does not name Airflow 3.4.0"),
            ("README.md", "on 3.3.2", "on 3.3.1 (not 3.3.2)", "README.md says that the tests run on 3.3.1"),
            ("README.md", "3.1 or newer", "3.2 or newer", "README.md does not say 'Airflow 3.1 or newer'"),
            ("pyproject.toml", ">=3.1", ">=3.2", "README.md does not say 'Airflow 3.2 or newer'"),
            ("docs/airflow-versions.md", "3.3.2", "3.3.1", "docs/airflow-versions.md does not name Airflow 3.3.2"),
            ("docs/chaos.md", "200", "The tests run on Airflow 3.2.2. 200", "docs/chaos.md says that the tests run on"),
        ],
    )
    def test_a_page_that_says_something_else(self, project, name, old, new, said):
        project.change(name, old, new)
        found = airflow_versions_agree(project.checkout)
        assert found.state is State.MISSING
        assert said in found.said


class TestDays:
    @pytest.mark.parametrize(
        ("day", "state"),
        [
            ("2026, 11, 26", State.OK),
            ("2026, 10, 27", State.OK),
            ("2026, 10, 26", State.WARNING),
            ("2026, 11, 27", State.MISSING),
        ],
    )
    def test_prices_are_old_after_a_month(self, project, day, state):
        project.change("seedance_provider/api/models.py", "2026, 11, 23", day)
        assert prices_are_recent(project.checkout).state is state

    def test_prices_without_a_day(self, project):
        project.change("seedance_provider/api/models.py", "PRICES_TAKEN_ON", "TAKEN")
        assert prices_are_recent(project.checkout).state is State.MISSING

    @pytest.mark.parametrize("name", ["docs/chaos.md", "docs/mutation-testing.md", "benchmarks/RESULTS.md"])
    @pytest.mark.parametrize(
        ("day", "state"),
        [
            ("2026-08-28", State.OK),
            ("2026-08-27", State.WARNING),
            ("2026-11-27", State.OK),
            ("yesterday", State.MISSING),
        ],
    )
    def test_measurements_are_old_after_three(self, project, name, day, state):
        (measured_on,) = re.findall(r"2026-11-\d\d", FILES[name])
        project.change(name, measured_on, day)
        assert measurements_are_recent(project.checkout).state is state

    def test_the_oldest_measurement_counts(self, project):
        project.change("benchmarks/RESULTS.md", "2 cores.", "2 cores. Measured on 2026-01-01: 4 cores.")
        found = measurements_are_recent(project.checkout)
        assert (found.state, found.said) == (State.WARNING, "the oldest result is of 2026-01-01, 329 days ago")


class TestPictures:
    def test_all_that_are_shown_are_there(self, project):
        assert pictures_are_there(project.checkout) == ok("1 pictures")

    def test_one_that_is_not_in_git(self, project):
        project.git("rm", "--quiet", "--cached", "docs/images/page.png")
        assert pictures_are_there(project.checkout).said == "docs/images/page.png not in git"

    def test_one_that_no_page_shows(self, project):
        project.change("README.md", "![A page](docs/images/page.png)", "")
        assert pictures_are_there(project.checkout).said == "no page shows docs/images/page.png"

    def test_one_of_another_site_is_not_ours(self, project):
        project.change("README.md", "# A", "# A\n\n![Badge](https://example.com/badge.svg)")
        assert pictures_are_there(project.checkout).state is State.OK
