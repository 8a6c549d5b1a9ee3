"""
What a block of commands does: it is typed into a real bash, one for each page.

The bash has a home and an Airflow (with a migrated database) of its own, and nothing on its PATH but PROGRAMS. The
commands of commands.sh stand before those. So a block with any other command fails. Where a page speaks of port 8765,
there is an emulator on a free port, which takes the place of 8765 in what is typed.
"""

from __future__ import annotations

import shutil
import sqlite3
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Self

from airflow.configuration import conf
from airflow.sdk import Connection
from packaging.requirements import Requirement

from seedance_provider.hooks.connection_settings import ConnectionSettings
from tests.docs.documents import REPOSITORY, blocks
from tests.support.shell import Shell
from tools.ports import free_ports

if TYPE_CHECKING:
    from tests.docs.documents import Block

COMMANDS = Path(__file__).with_name("commands.sh")

#: What is run as it is.
PROGRAMS = ("bash", "cat", "curl", "grep", "head", "ls", "make", "mkdir", "sed", "sleep", "sort", "tail", "tr")

#: What takes minutes, or is the whole project, and which test runs it for real. Here it only has to be possible:
#: targets of make, extras and files have to exist.
RUN_ELSEWHERE = {
    "make chaos": "tests/slow/test_chaos.py",
    "make demo": "tests/slow/test_demo.py",
    "make freeze": "by hand, when another Airflow is to be tested with something else",
    "make hooks": "whoever works on the code",
    "make test": "for every change, and this is a part of it",
    "make test-matrix": "for every change, in another environment",
    "make test-unit": "whoever works on the code",
    "pip install": "tests/slow/test_quickstart.py, tests/slow/test_packaging.py",
    "git clone": "whoever reads this has done so",
}

#: Pages all of whose commands another test types.
PAGES_TYPED_ELSEWHERE = {"docs/quickstart.md": "tests/slow/test_quickstart.py"}

#: Variables besides connections and options of Airflow that the pages set.
VARIABLES = {"SEEDANCE_API_KEY", "SEEDANCE_VIDEO_FOLDER", "SEEDANCE_IMAGE_FOLDER"}

_PAGE_PORT = "8765"
_PATIENCE = 90


@dataclass(frozen=True)
class _Terminal:
    shell: Shell
    recorded: Path
    port: str


class Shells:
    """
    The terminals of all pages; at the end of the ``with`` block they are closed, and what was started in them ends.
    """

    def __init__(self, database: Path, folder: Path) -> None:
        self._database = database
        self._folder = folder
        self._open: dict[str, _Terminal] = {}
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._exits.close()

    def run(self, block: Block) -> None:
        """Type a block into the terminal of its page, and look at what is only recorded."""
        if block.page in PAGES_TYPED_ELSEWHERE:
            return
        terminal = self._open.get(block.page)
        # A block that failed has ended it.
        if terminal is None or not terminal.shell.process.is_running:
            terminal = self._open[block.page] = self._begin(block.page)
        terminal.recorded.write_text("")
        terminal.shell.run(block.text.replace(_PAGE_PORT, terminal.port), timeout=_PATIENCE)
        check_recorded(terminal.recorded.read_text())

    def _begin(self, page: str) -> _Terminal:
        home = Path(tempfile.mkdtemp(dir=self._folder))
        airflow, programs, scratch = home / "airflow", home / "programs", home / "scratch"
        for folder in (airflow, programs, scratch):
            folder.mkdir()
        with sqlite3.connect(self._database) as migrated, sqlite3.connect(airflow / "airflow.db") as copy:
            migrated.backup(copy)
        for program in PROGRAMS:
            (programs / program).symlink_to(shutil.which(program))
        port, recorded = str(free_ports(1)[0]), home / "recorded"
        env = {
            "HOME": str(home),
            "PATH": str(programs),
            "LANG": "C.UTF-8",
            "AIRFLOW_HOME": str(airflow),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "SEEDANCE_API_KEY": "my-key",
            "PYTHON": sys.executable,
            "REPOSITORY": str(REPOSITORY),
            "EMULATOR_PORT": port,
            "RECORDED": str(recorded),
        }
        shell = self._exits.enter_context(Shell(home / "typed", env=env, cwd=scratch))
        shell.run(f". {COMMANDS}", timeout=_PATIENCE)
        typed = "".join(block.text for block in blocks(REPOSITORY / page) if block.language == "bash")
        if _PAGE_PORT in typed:
            shell.run("python -m seedance_provider.emulator", timeout=_PATIENCE)
        return _Terminal(shell, recorded, port)


def check_recorded(text: str) -> None:
    """
    Look at commands that the shell has only recorded.

    :param text: each word with a zero byte behind it, and a line break as the last word of every command.
    """
    connections: dict[str, ConnectionSettings] = {}
    for command in text.split("\n\0")[:-1]:
        name, *words = command.split("\0")[:-1]
        match name:
            case "export":
                for word in words:
                    check_variable(*word.split("=", 1), connections)
            case "pip":
                check_pip(*words)
            case _:
                target = next((word for word in words if not word.startswith("-") and "=" not in word), "")
                assert f"{name} {target}" in RUN_ELSEWHERE, f"RUN_ELSEWHERE does not know {name} {target}"


def check_variable(name: str, value: str, connections: dict[str, ConnectionSettings]) -> None:
    """
    Look whether a variable is what it is for. What a block says of one connection has to lead to the same account.
    """
    prefix, _, rest = name.partition("__")
    if name.startswith("AIRFLOW_CONN_"):
        conn_id = name.removeprefix("AIRFLOW_CONN_").lower()
        connection = _connection(value, conn_id)
        if connection.conn_type == "seedance":
            settings = ConnectionSettings.from_connection(connection)
            assert connections.setdefault(name, settings) == settings, f"{name} is said in two ways that differ"
    elif prefix == "AIRFLOW":
        section, _, option = rest.lower().partition("__")
        assert conf.has_option(section, option) or option in conf.configuration_description[section]["options"], name
    else:
        assert name in VARIABLES, f"{name} is not known here"


def _connection(value: str, conn_id: str) -> Connection:
    # As Airflow's secrets back ends tell them apart.
    if value.startswith("{"):
        return Connection.from_json(value, conn_id=conn_id)
    return Connection.from_uri(value, conn_id=conn_id)


def check_pip(*words: str) -> None:
    """Look whether pip could install that: the extras and files exist."""
    action, *words = words
    assert action == "install", f"pip {action} is not known here"
    package = metadata("airflow-provider-seedance")
    while words:
        word = words.pop(0)
        if word in ("-c", "--constraint", "-r", "--requirement"):
            file = words.pop(0)
            assert (REPOSITORY / file).exists(), file
        elif not word.startswith("-"):
            own = word.startswith(".")
            requirement = Requirement(word.replace(".", package["Name"], 1) if own else word)
            if requirement.name == package["Name"]:
                assert requirement.extras <= set(package.get_all("Provides-Extra")), word
