"""A shell into which a test types, as a person does into a terminal."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Self

from tools.processes import ManagedProcess, stop_all
from tools.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# With job control, as in a terminal. What fails ends the shell, so that no failure can be overlooked.
_PROGRAM = """
set -m -o pipefail
exec 3<>"$1"
while read -r typed <&3; do
    set -e
    . "$typed" < /dev/null > "$typed.printed" 2>&1
    : > "$typed.done"
done
"""


class Shell:
    """
    Starts a bash on ``with``; at the end of the block nothing is left of it, and of what it has started.

    :param folder: for what is typed and printed.
    :param env: all of its environment.
    :param cwd: where it begins.
    """

    def __init__(self, folder: Path, *, env: Mapping[str, str], cwd: Path) -> None:
        self._folder = folder
        self._env = env
        self._cwd = cwd
        self._typed = 0

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        queue = self._folder / "queue"
        os.mkfifo(queue)
        self.process = ManagedProcess(
            "the shell",
            ["bash", "--noprofile", "--norc", "-c", _PROGRAM, "bash", str(queue)],
            env=self._env,
            log=self._folder / "shell.log",
            cwd=self._cwd,
        )
        self._queue = queue.open("w")
        return self

    def __exit__(self, *error: object) -> None:
        self._queue.close()
        stop_all([self.process])

    def run(self, text: str, *, timeout: float) -> str:
        """
        Type something, and return what it prints. An error if a command of it fails.

        :param text: commands, of any number of lines.
        :param timeout: seconds that they may take. Those in the background may go on.
        """
        self._typed += 1
        typed = self._folder / f"typed-{self._typed}.sh"
        printed, done = typed.with_suffix(".sh.printed"), typed.with_suffix(".sh.done")
        typed.write_text(text)
        self._queue.write(f"{typed}\n")
        self._queue.flush()

        def so_far() -> str:
            return printed.read_text(errors="replace") if printed.exists() else ""

        wait_until(
            lambda: done.exists() or not self.process.is_running,
            timeout=timeout,
            what=lambda: f"the end of this:\n{text}\nIt has printed:\n{so_far()}",
        )
        assert done.exists(), f"This failed:\n{text}\nIt has printed:\n{so_far()}\n{self.process.log.read_text()}"
        return so_far()
