"""A private PostgreSQL, the metadata database of an Airflow with more than one scheduler."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tools.processes import inherited_environment
from tools.server_process import ServerProcess, find_program
from tools.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["PostgresServer"]

_USER = "airflow"
_DATABASE = "postgres"  # the one that a new server has
_SETTINGS = {
    # Each process of Airflow keeps several connections.
    "max_connections": 200,
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    # What survives a kill of the server need not survive a loss of power.
    "fsync": "off",
    # In the folder of the data, so that nothing stays behind elsewhere.
    "dynamic_shared_memory_type": "mmap",
}


class PostgresServer(ServerProcess):
    """
    A PostgreSQL of its own on a free port of the loopback address, with an empty database.

    It refuses to run as root, and is run by the user ``postgres`` then, whom Debian's package creates.
    """

    def __init__(self) -> None:
        _program("postgres")  # says what to do where there is none, before anybody misses its user
        super().__init__("postgres", user="postgres" if os.geteuid() == 0 else None)

    @property
    def url(self) -> str:
        """The address of the database with user and password, as SQLAlchemy writes it."""
        return f"postgresql+psycopg2://{_USER}:{self._password}@127.0.0.1:{self.port}/{_DATABASE}"

    def answers(self) -> bool:
        """Whether it accepts connections; not while it recovers what was written before it was stopped."""
        import psycopg2

        with suppress(psycopg2.OperationalError):
            psycopg2.connect(self.url.replace("+psycopg2", "")).close()
            return True
        return False

    def kill(self) -> None:
        """End it at once, as when its machine is lost: connections break, and what was committed is kept."""
        if self._process is not None and self._process.is_running:
            # The "immediate" mode. To a process that is killed the system leaves a piece of shared memory behind.
            os.kill(self._process.pid, signal.SIGQUIT)
            with suppress(TimeoutError):
                wait_until(lambda: not self.is_running, timeout=10, what="PostgreSQL to end")
        super().kill()

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _create(self) -> None:
        password_file = self._folder / "password"
        password_file.write_text(self._password)
        where = ("--pgdata", str(self._data), "--username", _USER)
        how = ("--auth", "scram-sha-256", "--encoding", "UTF8", "--no-locale", "--no-sync")
        initdb = self._run([_program("initdb"), *where, *how, "--pwfile", str(password_file)])
        initdb.wait_for_success(timeout=120)
        password_file.unlink()

    def _command(self) -> Sequence[str]:
        settings = {"port": self.port, **_SETTINGS}
        options = (part for name, value in settings.items() for part in ("-c", f"{name}={value}"))
        return [_program("postgres"), "-D", str(self._data), *options]


def _program(name: str) -> str:
    # Debian puts the programs of the server where no PATH leads, a folder for each version.
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    return find_program(name, [*_folder_that_pg_config_knows(), *folders])


def _version(folder: Path) -> float:
    return float(folder.parent.name)


def _folder_that_pg_config_knows() -> list[Path]:
    with suppress(OSError):
        said = subprocess.run(
            ["pg_config", "--bindir"], env=inherited_environment(), capture_output=True, text=True, check=False
        )
        return [Path(said.stdout.strip())]
    return []
