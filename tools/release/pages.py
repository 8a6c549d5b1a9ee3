"""Whether what people read is true of this release, and not of an earlier day."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from tools.release.finding import Finding, missing, ok, warning

if TYPE_CHECKING:
    from tools.release.checkout import Checkout

__all__ = ["airflow_versions_agree", "measurements_are_recent", "pictures_are_there", "prices_are_recent"]

#: Prices change without notice, what was measured changes with the code only.
_PRICES_AGE = timedelta(days=30)
_MEASUREMENTS_AGE = timedelta(days=90)

_RAN_ON = re.compile(r"tests run on (?:Apache )?(?:Airflow )?((?:\d+\.\d+\.\d+|, | and )+)")
_PICTURE = re.compile(r"!\[[^]]*\]\(([^)\s]+)\)")
_PRICES_DATE = re.compile(r"^PRICES_TAKEN_ON = date\((\d+), (\d+), (\d+)\)$", re.MULTILINE)
_MEASURED = {
    "benchmarks/RESULTS.md": re.compile(r"Measured on (\d{4}-\d{2}-\d{2})"),
    "docs/chaos.md": re.compile(r"\b(20\d{2}-\d{2}-\d{2})\b"),
    "docs/mutation-testing.md": re.compile(r"On (\d{4}-\d{2}-\d{2})"),
}
_VERSIONS_PAGE = "docs/airflow-versions.md"


def airflow_versions_agree(checkout: Checkout) -> Finding:
    """Look whether the pages name the Airflow that is pinned, and the oldest one that may be installed."""
    pinned = checkout.constraints[canonicalize_name("apache-airflow")]
    for name in ("README.md", _VERSIONS_PAGE):
        if pinned not in checkout.text(name):
            return missing(f"{name} does not name Airflow {pinned}, which constraints.txt pins")
    for name, page in checkout.pages.items():
        for said in _RAN_ON.findall(page):
            if pinned not in said:
                return missing(f"{name} says that the tests run on {said.strip()}, and constraints.txt pins {pinned}")
    oldest = _oldest_airflow(checkout)
    if f"Airflow {oldest} or newer" not in checkout.text("README.md"):
        return missing(f"README.md does not say 'Airflow {oldest} or newer', as pyproject.toml does")
    return ok(f"{oldest} or newer, tested on {pinned}")


def prices_are_recent(checkout: Checkout) -> Finding:
    """Look when the prices were copied from the vendor's pages."""
    found = _PRICES_DATE.search(checkout.text("seedance_provider/api/models.py"))
    if found is None:
        return missing("seedance_provider/api/models.py does not say PRICES_TAKEN_ON")
    taken_on = date(*map(int, found.groups()))
    return _age(f"taken on {taken_on}", taken_on, checkout.today, _PRICES_AGE)


def measurements_are_recent(checkout: Checkout) -> Finding:
    """Look when what the pages show was last measured."""
    oldest = checkout.today
    for name, pattern in _MEASURED.items():
        days = [date.fromisoformat(day) for day in pattern.findall(checkout.text(name))]
        if not days:
            return missing(f"{name} has no date")
        oldest = min(oldest, *days)
    return _age(f"the oldest result is of {oldest}", oldest, checkout.today, _MEASUREMENTS_AGE)


def pictures_are_there(checkout: Checkout) -> Finding:
    """Look whether every picture that a page shows is there, and every picture is shown."""
    tracked = set(checkout.tracked)
    shown = set()
    for name, page in checkout.pages.items():
        folder = (checkout.folder / name).parent
        for link in _PICTURE.findall(page):
            if "://" not in link:
                shown.add((folder / link).resolve().relative_to(checkout.folder.resolve()).as_posix())
    if gone := shown - tracked:
        return missing(f"{', '.join(sorted(gone))} not in git")
    taken = {name for name in tracked if name.startswith("docs/images/")}
    if unused := taken - shown:
        return missing(f"no page shows {', '.join(sorted(unused))}")
    return ok(f"{len(shown)} pictures")


def _oldest_airflow(checkout: Checkout) -> str:
    (needed,) = (need for need in checkout.project["dependencies"] if re.match(r"apache-airflow(?![\w-])", need))
    found = re.search(r">=\s*([\d.]+)", needed)
    return found[1] if found else ""


def _age(said: str, day: date, today: date, oldest: timedelta) -> Finding:
    if day > today:
        return missing(f"{said}, which has not come yet")
    if today - day > oldest:
        return warning(f"{said}, {(today - day).days} days ago")
    return ok(said)
