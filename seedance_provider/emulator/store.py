"""
The memory of the emulator: one SQLite table of jobs, which are added and, but for faults, never changed; and who has
the keys of which account.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from seedance_provider.emulator.database import open_database, transaction
from seedance_provider.emulator.jobs import SETTLEMENT_MS, Job, Standing
from seedance_provider.emulator.order import VideoOrder
from seedance_provider.emulator.uploads import UploadedFile

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Store"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    task_id TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL,
    prompt TEXT NOT NULL,
    credits REAL NOT NULL,
    video_order TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    starts_at INTEGER NOT NULL,
    ends_at INTEGER,
    seed INTEGER NOT NULL,
    generating_status TEXT NOT NULL,
    error_code TEXT,
    error_message TEXT
);
CREATE INDEX IF NOT EXISTS jobs_of_an_account ON jobs (account, ends_at);
CREATE TABLE IF NOT EXISTS hidden_jobs (task_id TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS uploads (
    path TEXT PRIMARY KEY, content_type TEXT NOT NULL, asked_at INTEGER NOT NULL, uploaded_at INTEGER,
    size INTEGER, kind TEXT, seconds REAL
);
CREATE TABLE IF NOT EXISTS callbacks (task_id TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS rotated_keys (key_name TEXT PRIMARY KEY, account TEXT);
"""

_ADD = """
INSERT INTO jobs (task_id, account, prompt, credits, video_order, created_at, starts_at, ends_at, seed,
                  generating_status, error_code, error_message)
VALUES (:task_id, :account, :prompt, :credits, :video_order, :created_at, :starts_at, :ends_at, :seed,
        :generating_status, :error_code, :error_message)
"""

_STANDING = """
SELECT
    COALESCE(SUM(
        CASE WHEN ends_at + :settlement <= :now
            THEN COALESCE(json_extract(video_order, '$.settled_credits'), credits)
            ELSE credits
        END
    ) FILTER (WHERE error_message IS NULL OR ends_at IS NULL OR ends_at > :now), 0) AS reserved,
    COUNT(*) FILTER (WHERE ends_at IS NULL OR ends_at > :now) AS in_progress,
    COUNT(*) FILTER (WHERE prompt = :prompt) AS same_prompt,
    (SELECT COUNT(*) FROM jobs) AS submissions
FROM jobs WHERE account = :account
"""


class Store:
    """
    All jobs.

    :param path: the SQLite file, made if it isn't there.
    """

    def __init__(self, path: Path) -> None:
        self._database = open_database(path)
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Let nobody write between what is read and what is written inside, and commit at the end."""
        with transaction(self._database):
            yield

    def add(self, job: Job) -> None:
        """Store a new job."""
        fields = {name: getattr(job, name) for name in Job.__dataclass_fields__ if name != "order"}
        order = job.order
        self._database.execute(
            _ADD, {**fields, "prompt": order.prompt, "credits": order.credits, "video_order": order.to_json()}
        )

    def get(self, task_id: str) -> Job | None:
        """Return one job, or ``None`` if there is none with that id."""
        row = self._database.execute("SELECT * FROM jobs WHERE task_id = ?", (task_id,)).fetchone()
        return None if row is None else _job(row)

    def hide(self, task_id: str) -> None:
        """Let a job vanish: the API says that there is none. It stays in the ledger."""
        self._database.execute("INSERT OR IGNORE INTO hidden_jobs VALUES (?)", (task_id,))

    def is_hidden(self, task_id: str) -> bool:
        """Whether a job has vanished."""
        return self._database.execute("SELECT 1 FROM hidden_jobs WHERE task_id = ?", (task_id,)).fetchone() is not None

    def never_end(self, task_id: str) -> None:
        """Let a job never end."""
        self._database.execute("UPDATE jobs SET ends_at = NULL WHERE task_id = ?", (task_id,))

    def add_upload(self, place: UploadedFile) -> None:
        """Store a place for a file."""
        self._database.execute(
            "INSERT INTO uploads VALUES (?, ?, ?, NULL, 0, NULL, NULL)",
            (place.path, place.content_type, place.asked_at),
        )

    def note_upload(self, path: str, uploaded_at: int, size: int, kind: str | None, seconds: float | None) -> None:
        """Store that the bytes have come, and what they are."""
        self._database.execute(
            "UPDATE uploads SET uploaded_at = ?, size = ?, kind = ?, seconds = ? WHERE path = ?",
            (uploaded_at, size, kind, seconds, path),
        )

    def upload(self, path: str) -> UploadedFile | None:
        """Return a place, ``None`` if there is none of that path."""
        row = self._database.execute("SELECT * FROM uploads WHERE path = ?", (path,)).fetchone()
        return None if row is None else UploadedFile(**dict(row))

    def called_back(self) -> set[str]:
        """Return the ids of the jobs whose result was posted."""
        return {row["task_id"] for row in self._database.execute("SELECT task_id FROM callbacks")}

    def note_callback(self, task_id: str) -> None:
        """Remember that the result of a job was posted."""
        self._database.execute("INSERT OR IGNORE INTO callbacks VALUES (?)", (task_id,))

    def rotated_keys(self) -> dict[str, str | None]:
        """Return the names of keys that were handed out later, with their accounts; ``None`` for those taken back."""
        return {row["key_name"]: row["account"] for row in self._database.execute("SELECT * FROM rotated_keys")}

    def rotate_key(self, old: str, new: str, account: str) -> None:
        """
        Take a key back, and hand out another one for the same account.

        :param old: name of the key that is good no longer.
        :param new: name of the key that is good from now on.
        :param account: name of the account.
        """
        with transaction(self._database):
            for key_name, holder in ((old, None), (new, account)):
                self._database.execute("INSERT OR REPLACE INTO rotated_keys VALUES (?, ?)", (key_name, holder))

    def all(self) -> list[Job]:
        """Return all jobs in the order in which they were accepted."""
        return [_job(row) for row in self._database.execute("SELECT * FROM jobs ORDER BY number")]

    def standing(self, account: str, prompt: str, now: int) -> Standing:
        """
        Return what an account holds.

        :param account: name of the account.
        :param prompt: whose submissions to count.
        :param now: Unix milliseconds.
        """
        row = self._database.execute(
            _STANDING, {"account": account, "prompt": prompt, "now": now, "settlement": SETTLEMENT_MS}
        ).fetchone()
        return Standing(**dict(row))


def _job(row: sqlite3.Row) -> Job:
    fields: dict[str, Any] = {name: row[name] for name in Job.__dataclass_fields__ if name != "order"}
    return Job(**fields, order=VideoOrder.from_json(row["video_order"]))
