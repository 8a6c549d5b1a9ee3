"""Whether the sources tell of the machine that they were written on, or hold a secret."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from tools.release.finding import Finding, missing, ok

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.release.checkout import Checkout

__all__ = ["nothing_leaks"]

#: Pieces of these are said apart, so that this file does not hold what it looks for.
_PATTERNS = {
    "a home folder": re.compile("/(?:home|Users)/" + r"[a-z][\w.-]*/|\b[A-Z]:\\Users\\" + "|/ro" + "ot/"),
    "a private key": re.compile("-----BEGIN [A-Z ]*PRIVATE" + " KEY-----"),
    "a host of a private network": re.compile(r"https?://[\w.-]+\.(?:internal|intranet|corp|lan)\b"),
}
#: Where packages come from is for the one who installs them to say.
_INDEX = re.compile(r"--(?:extra-)?index-url|--find-links|--trusted-host|@ (?:file|https?)://")
_INSTALLED_FROM = re.compile(
    r"(^|/)([\w-]*constraints|peers|[\w-]*requirements)\.txt$|^pyproject\.toml$|^Makefile$|^\.ci/"
)
#: A shorter name of a host is one that any text may have in it.
_SHORTEST_HOST = 8


def nothing_leaks(checkout: Checkout) -> Finding:
    """Look into every file of the project."""
    for name in checkout.tracked:
        content = (checkout.folder / name).read_bytes()
        if b"\0" in content:
            continue
        for number, line in enumerate(content.decode("utf-8", errors="replace").splitlines(), start=1):
            for what in _found(name, line, checkout.folder):
                return missing(f"{name}:{number} has {what}")
    return ok(f"nothing in {len(checkout.tracked)} files")


def _found(name: str, line: str, folder: Path) -> Iterator[str]:
    if any(place in line for place in _places_of_this_machine(folder)):
        yield "the name of a place on this machine"
    for what, pattern in _PATTERNS.items():
        if pattern.search(line):
            yield what
    if _INSTALLED_FROM.search(name) and _INDEX.search(line):
        yield "the address of a package index"


def _places_of_this_machine(folder: Path) -> set[str]:
    host = socket.gethostname()
    names = {f"{folder.resolve()}/", f"{Path.home()}/"}
    return names | ({host} if len(host) >= _SHORTEST_HOST and host != "localhost" else set())
