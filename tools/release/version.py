"""Whether the version, the changelog and the state of git are those of a release."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from tools.release.finding import Finding, missing, ok

if TYPE_CHECKING:
    from tools.release.checkout import Checkout

__all__ = ["changelog_is_dated", "tag_is_free", "tree_is_clean", "version_is_next"]

_VERSION = re.compile(r"\d+\.\d+\.\d+((a|b|rc)\d+)?")
_SECTION = re.compile(r"^## (.*)$", re.MULTILINE)
_RELEASED = re.compile(r"\[(?P<version>[^]]+)\] - (?P<day>\d{4}-\d{2}-\d{2})")
#: The kinds of changes that Keep a Changelog knows.
_KINDS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")


def version_is_next(checkout: Checkout) -> Finding:
    """Look whether the version follows the last one."""
    if not _VERSION.fullmatch(checkout.version):
        return missing(f"{checkout.version!r} is not of the form 1.2.3, or 1.2.3rc1 before a release")
    version = Version(checkout.version)
    released = sorted(_tagged(checkout) - {version})
    if not released:
        return ok(f"{version} is the first release")
    if version <= released[-1]:
        return missing(f"{version} does not come after {released[-1]}")
    final = [earlier for earlier in released if not earlier.is_prerelease]
    if final and version.base_version not in _followers(final[-1]):
        return missing(f"{version} skips a number: after {final[-1]} come {', '.join(_followers(final[-1]))}")
    return ok(f"{version} follows {released[-1]}")


def tag_is_free(checkout: Checkout) -> Finding:
    """Look whether no release has this version yet."""
    tag = f"v{checkout.version}"
    return missing(f"there is a tag {tag}") if tag in _tags(checkout) else ok(f"there is no tag {tag}")


def changelog_is_dated(checkout: Checkout) -> Finding:
    """Look whether the changelog has the release on top, with its day, and nothing that waits for another one."""
    titles, texts = _sections(checkout.text("CHANGELOG.md"))
    if titles and titles[0].casefold() == "[unreleased]":
        if texts[0].strip():
            return missing("[Unreleased] is not empty")
        titles, texts = titles[1:], texts[1:]
    first = _RELEASED.fullmatch(titles[0]) if titles else None
    if first is None or first["version"] != checkout.version:
        return missing(f"the first section is not '## [{checkout.version}] - {checkout.today}'")
    if date.fromisoformat(first["day"]) > checkout.today:
        return missing(f"{first['day']} has not come yet")
    kinds = re.findall(r"^### (.*)$", texts[0], re.MULTILINE)
    if not kinds or set(kinds) - set(_KINDS):
        return missing(f"a release has the headings {', '.join(_KINDS)}, not {', '.join(kinds) or 'none'}")
    return ok(f"{checkout.version} of {first['day']}")


def tree_is_clean(checkout: Checkout) -> Finding:
    """Look whether what is built is what is committed."""
    changed = checkout.git("status", "--porcelain").splitlines()
    return (
        missing(f"{len(changed)} files differ from the last commit, such as {changed[0][3:]}")
        if changed
        else ok(f"at commit {checkout.git('rev-parse', '--short', 'HEAD').strip()}")
    )


def _tags(checkout: Checkout) -> list[str]:
    return checkout.git("tag", "--list", "v*").split()


def _tagged(checkout: Checkout) -> set[Version]:
    versions = set()
    for tag in _tags(checkout):
        try:
            versions.add(Version(tag.removeprefix("v")))
        except InvalidVersion:  # a tag that is about something else
            continue
    return versions


def _followers(version: Version) -> list[str]:
    major, minor, patch = version.release
    return [f"{major}.{minor}.{patch + 1}", f"{major}.{minor + 1}.0", f"{major + 1}.0.0"]


def _sections(changelog: str) -> tuple[list[str], list[str]]:
    _, *parts = _SECTION.split(changelog)
    return parts[::2], parts[1::2]
