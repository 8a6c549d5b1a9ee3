"""A server of ours in a process of its own, for as long as it is needed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["local_server"]


@contextmanager
def local_server(module: str, path: Path) -> Iterator[str]:
    """
    Start it, give the line in which it says where it is, and end it.

    :param module: that is the program.
    :param path: what it is given.
    """
    command = [sys.executable, "-m", module, str(path)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own program
    try:
        yield (server.stdout.readline() if server.stdout else "").strip()
    finally:
        server.terminate()
        server.wait()
