"""
The checklist of a release. ``docs/releasing.md`` shows the same items, which a test compares.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.release import leaks, packages, pages, version
from tools.release.finding import Finding, State, missing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tools.release.checkout import Checkout

__all__ = ["CHECKLIST", "Item", "check"]


@dataclass(frozen=True)
class Item:
    """
    One thing that has to be true before a release.

    :param name: short, for the list.
    :param what: what has to be true.
    :param remedy: what to do if it is not, or for what no program can check.
    :param look: what checks it; ``None`` if a person has to.
    """

    name: str
    what: str
    remedy: str
    poll: Callable[[Checkout], Finding] | None = None

    def found(self, checkout: Checkout) -> Finding:
        """
        Return how far it is. What can't be checked is missing: nobody knows that it is true.

        :param checkout: what is to be released.
        """
        if self.poll is None:
            return Finding(State.BY_HAND, self.what)
        try:
            return self.poll(checkout)
        except Exception as error:
            return missing(f"it could not be checked: {type(error).__name__}: {error}")


CHECKLIST: Sequence[Item] = (
    Item(
        "version",
        "The version in `seedance_provider/__init__.py` is the next one after the last tag",
        "Set `__version__`. [Versioning](versioning.md) says which number it is.",
        version.version_is_next,
    ),
    Item(
        "tag",
        "No tag has this version yet",
        "Take the next version: what was released once is never changed.",
        version.tag_is_free,
    ),
    Item(
        "changelog",
        "`CHANGELOG.md` has the version on top, with a day, and nothing under Unreleased",
        "Rename `[Unreleased]` to the version and the day of the release.",
        version.changelog_is_dated,
    ),
    Item(
        "airflow",
        "README and the page of Airflow versions name the Airflow that `constraints.txt` pins, and the oldest one of "
        "`pyproject.toml`",
        "Run `make test-matrix`, and write down on which versions it ran.",
        pages.airflow_versions_agree,
    ),
    Item(
        "prices",
        "The prices were compared with the vendor's pages in the last 30 days (else a warning)",
        "Compare `api/models.py` with the vendor's pages, and set `PRICES_TAKEN_ON` there and in `docs/models.md`.",
        pages.prices_are_recent,
    ),
    Item(
        "measurements",
        "Benchmarks, chaos, coverage and mutants have dates of the last 90 days (else a warning)",
        "Run `make bench` and `make chaos N=200 SEED=1`, then the latter with `STACK=celery`, too; write the table of "
        "`docs/chaos.md` anew. Run `make coverage mutants`, and write those of `docs/mutation-testing.md` anew.",
        pages.measurements_are_recent,
    ),
    Item(
        "pictures",
        "Every picture that a page shows is in git, and every picture is shown",
        "Run `make screenshots`, and commit what it takes.",
        pages.pictures_are_there,
    ),
    Item(
        "constraints",
        "What `constraints.txt` pins goes together with every extra, leaves nothing open that the tests need, and is "
        "installed here",
        "Run `make`; if the pins are in conflict, mend them.",
        packages.constraints_hold,
    ),
    Item(
        "provider",
        "The provider info follows Airflow's schema, has the name of the distribution, and no option of a later "
        "version",
        "Mend `seedance_provider/get_provider_info.py`.",
        packages.provider_info_is_valid,
    ),
    Item(
        "upgrade",
        "`tests/upgrade/VERSION/` keeps what this release leaves in Airflow's database",
        "Run `python -m tools.record_release`, and commit what it writes. It is done once for each release.",
        packages.upgrade_rows_are_kept,
    ),
    Item(
        "leaks",
        "No file tells of the machine that it was written on, of a package index, or has a private key",
        "Take it out. If it was pushed, a key is no secret any more: make a new one.",
        leaks.nothing_leaks,
    ),
    Item(
        "clean",
        "Nothing differs from the last commit",
        "Commit it, or take it back.",
        version.tree_is_clean,
    ),
    Item(
        "packages",
        "Wheel and sdist are the same byte for byte here and in a fresh clone, and `twine check --strict` takes them",
        "Read what it says. Files that are not in git are what usually differs.",
        packages.packages_are_reproducible,
    ),
    Item(
        "ci",
        "`.ci/run` passed in a fresh clone of this commit",
        "Run it on a machine that has never seen the project.",
    ),
    Item(
        "matrix",
        "The tests passed on the other versions of Airflow, and with the lowest versions of everything",
        "Run `make test-matrix`. `.ci/run` leaves out pre-releases, the lowest versions, and the unit tests on 3.2.2.",
    ),
    Item(
        "long",
        "The tests that are left out of `.ci/run` because they take long passed",
        "Run `make test-long`, and `KILLS=100 make test-slow`.",
    ),
    Item(
        "audit",
        "No dependency has a known weakness",
        "Run `make audit` where there is internet.",
    ),
    Item(
        "live",
        "The real API makes a video",
        "Run `make demo LIVE=1`, which costs 200 credits, and look at the video. Nothing else tells what the API "
        "really answers.",
    ),
    Item(
        "eyes",
        "A person has read the changelog, the README and the pictures as a stranger would",
        "Read them on the page where they will be seen.",
    ),
)


def check(checkout: Checkout, checklist: Sequence[Item] = CHECKLIST) -> dict[Item, Finding]:
    """
    Go through the checklist.

    :param checkout: what is to be released.
    :param checklist: what to check.
    """
    return {item: item.found(checkout) for item in checklist}
