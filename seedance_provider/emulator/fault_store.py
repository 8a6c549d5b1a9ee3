"""The memory of the faults: when the emulator is killed, its rules stay, and so does what they did."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from seedance_provider.emulator.database import open_database, transaction
from seedance_provider.emulator.faults import Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

__all__ = ["FaultStore"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS fault_rules (number INTEGER PRIMARY KEY, place TEXT NOT NULL, rule TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS fault_flags (rules TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS injected_faults (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    fault TEXT NOT NULL,
    place TEXT NOT NULL,
    time REAL NOT NULL,
    prompt TEXT,
    task_id TEXT,
    accepted INTEGER NOT NULL
);
"""


class FaultStore:
    """
    All rules, and all faults that were injected.

    :param path: the SQLite file, in which the jobs are, too.
    """

    def __init__(self, path: Path) -> None:
        self._database = open_database(path)
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def start_with(self, rules: Sequence[Rule]) -> None:
        """Take over the rules of the command line, unless it had the same ones the last time: those continue."""
        flags = json.dumps([rule.to_json() for rule in rules])
        before = self._database.execute("SELECT rules FROM fault_flags").fetchone()
        if rules and (before is None or before["rules"] != flags):
            with transaction(self._database):
                self._database.execute("DELETE FROM fault_flags")
                self._database.execute("INSERT INTO fault_flags VALUES (?)", (flags,))
                self._put(rules)

    def replace_rules(self, rules: Sequence[Rule]) -> None:
        """Replace all rules."""
        with transaction(self._database):
            self._put(rules)

    def rules(self) -> list[Rule]:
        """Return all rules as they stand."""
        rows = self._database.execute("SELECT rule FROM fault_rules ORDER BY number")
        return [Rule(**json.loads(row["rule"])) for row in rows]

    def strike(self, place: str, prompt: Callable[[], str | None] = lambda: None) -> Rule | None:
        """
        Return the first rule that strikes the next request, after counting it.

        :param place: where the request is going.
        :param prompt: returns that of the video that it is about. It is not called if there is no rule.
        """
        rows = self._database.execute(
            "SELECT number, rule FROM fault_rules WHERE place = ? ORDER BY number", (place,)
        ).fetchall()
        if not rows:
            return None
        striking, asked = None, prompt()
        with transaction(self._database):
            for row in rows:
                rule = Rule(**json.loads(row["rule"]))
                if not rule.is_about(asked):
                    continue
                is_struck = striking is None and rule.strikes()
                striking = rule if is_struck else striking
                self._write(row["number"], replace(rule, seen=rule.seen + 1, struck=rule.struck + is_struck))
        return striking

    def note(self, rule: Rule, time: float, *, prompt: str | None, task_id: str | None, accepted: bool) -> None:
        """
        Remember a fault that was injected.

        :param rule: which one.
        :param time: when, as Unix seconds.
        :param prompt: of the video that it was about, if that is known.
        :param task_id: of that video, if there is one.
        :param accepted: whether the request has created it.
        """
        self._database.execute(
            "INSERT INTO injected_faults (fault, place, time, prompt, task_id, accepted) VALUES (?, ?, ?, ?, ?, ?)",
            (rule.fault, rule.on, time, prompt, task_id, accepted),
        )

    def injected(self) -> list[dict[str, Any]]:
        """Return all faults that were injected, in order."""
        return [
            {
                "number": row["number"],
                "fault": row["fault"],
                "on": row["place"],
                "time": row["time"],
                "prompt": row["prompt"],
                "taskId": row["task_id"],
                "accepted": bool(row["accepted"]),
            }
            for row in self._database.execute("SELECT * FROM injected_faults ORDER BY number")
        ]

    def _put(self, rules: Sequence[Rule]) -> None:
        self._database.execute("DELETE FROM fault_rules")
        for rule in rules:
            self._database.execute(
                "INSERT INTO fault_rules (place, rule) VALUES (?, ?)", (rule.on, json.dumps(rule.to_json()))
            )

    def _write(self, number: int, rule: Rule) -> None:
        self._database.execute("UPDATE fault_rules SET rule = ? WHERE number = ?", (json.dumps(rule.to_json()), number))
