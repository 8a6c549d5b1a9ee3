"""Whose account the demo uses: that of the emulator, which is free, or a real one."""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from seedance_provider.api.pricing import estimate_credits, format_credits

if TYPE_CHECKING:
    from seedance_provider.api.video_request import VideoRequest
    from tools.airflow_api import AirflowApi
    from tools.emulator_process import EmulatorProcess

__all__ = ["Account", "DemoFailedError", "EmulatedAccount", "LiveAccount", "Receipt"]

_KEY_VARIABLE = "SEEDANCE_API_KEY"
_SUBMITTED = re.compile(r"Submitted video task (\w[\w-]*)")


class DemoFailedError(Exception):
    """The demo could not show what it is there to show. The text is for the person who started it."""


@dataclass(frozen=True)
class Receipt:
    """
    What a run of the DAG has cost.

    :param submissions: how many videos were ordered.
    :param credits: how many credits were charged for them.
    """

    submissions: int
    credits: float


class Account(Protocol):
    """Somebody who pays."""

    @property
    def connection(self) -> str:
        """The Airflow connection as JSON."""

    @property
    def run_seconds(self) -> float:
        """How long the run of the DAG may take."""

    def receipt(self, airflow: AirflowApi, dag_id: str, run_id: str) -> Receipt:
        """Return what a run has cost."""


class EmulatedAccount:
    """The account of the emulator, which keeps a ledger of all submissions."""

    run_seconds = 300.0

    def __init__(self, emulator: EmulatorProcess) -> None:
        self._emulator = emulator

    @property
    def connection(self) -> str:
        """The connection to the emulator."""
        return self._emulator.connection

    def receipt(self, airflow: AirflowApi, dag_id: str, run_id: str) -> Receipt:  # noqa: ARG002 - it has its own books
        """Return what the emulator has noted down."""
        submissions = self._emulator.ledger()["submissions"]
        return Receipt(len(submissions), sum(submission["creditsCharged"] for submission in submissions))


class LiveAccount:
    """The account of the API key in the environment. The key goes nowhere but into the connection."""

    run_seconds = 3600.0

    def __init__(self) -> None:
        # Taken out of the environment, so that the connection is the only place where Airflow can find it.
        self._key = os.environ.pop(_KEY_VARIABLE, "").strip()
        if not self._key:
            raise DemoFailedError(f"Set the environment variable {_KEY_VARIABLE} to an API key for a live demo.")

    @property
    def connection(self) -> str:
        """The connection to the real API."""
        return json.dumps({"conn_type": "seedance", "password": self._key})

    def confirm_cost(self, request: VideoRequest) -> None:
        """Say what a video costs, and continue only if a person at a terminal says yes."""
        print(
            f"This demo uses the real API. One video of {request.duration} s at {request.resolution} costs "
            f"{format_credits(estimate_credits(request))}.",
            flush=True,
        )
        if not sys.stdin.isatty():
            raise DemoFailedError("Only a person at a terminal can agree to the cost. Nothing was submitted.")
        if input("Type yes to pay for it: ").strip().lower() != "yes":
            raise DemoFailedError("The cost was not agreed to. Nothing was submitted.")

    def receipt(self, airflow: AirflowApi, dag_id: str, run_id: str) -> Receipt:
        """Count what the tasks have submitted, in all their tries: the API has no list of submissions."""
        video = airflow.xcom(dag_id, run_id, "create")
        submitted = {video["video_task_id"]}
        for task in airflow.task_instances(dag_id, run_id):
            for number in range(1, task["try_number"] + 1):
                log = airflow.task_log(dag_id, run_id, task["task_id"], try_number=number)
                submitted.update(_SUBMITTED.findall(log))
        return Receipt(len(submitted), video["credits_used"])
