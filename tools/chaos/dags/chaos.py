# mypy: ignore-errors
# A DAG is checked by running it: Airflow takes XComArgs wherever the annotations promise values.
"""
The DAG that the chaos suite hurts: every video is made and landed in one of the three documented ways.

``CHAOS_SABOTAGE`` breaks the provider on purpose, because a check that cannot fail is no check:

``resend``
    sends every paid request twice.
``forget``
    writes no record of a submission.
"""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pendulum
from airflow.sdk import DAG, task_group

from seedance_provider.api.client import SeedanceClient
from seedance_provider.operators.seedance import CreateVideoOperator
from seedance_provider.sensors.seedance import VideoSensor
from seedance_provider.submission.store import SubmissionStore
from seedance_provider.transfers.video_to_object_storage import VideoToObjectStorageOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from seedance_provider.api.video_request import VideoRequest

PROMPTS = json.loads(os.environ["CHAOS_PROMPTS"])
VIDEOS = os.environ["CHAOS_VIDEOS"]
TRACES = Path(os.environ["CHAOS_TRACES"])


class TracedCreateVideoOperator(CreateVideoOperator):
    """Notes which process works for which prompt, so that the referee knows whom a kill has hit."""

    def execute(self, context: Context) -> Any:
        (TRACES / f"{os.getpid()}-{context['ti'].try_number}-{context['ti'].id}").write_text(self.prompt)
        return super().execute(context)


_create_task = SeedanceClient.create_task


def resend(client: SeedanceClient, request: VideoRequest) -> str:
    """Pay twice."""
    _create_task(client, request)
    return _create_task(client, request)


match os.environ.get("CHAOS_SABOTAGE"):
    case "resend":
        SeedanceClient.create_task = resend
    case "forget":
        SubmissionStore.save = SubmissionStore.claim = lambda *_: None


@task_group
def deferred(prompt: str) -> None:
    create = TracedCreateVideoOperator(task_id="create", prompt=prompt, duration=4, resolution="480p")
    VideoToObjectStorageOperator(task_id="land", video=create.output, destination=VIDEOS)


@task_group
def in_worker(prompt: str) -> None:
    create = TracedCreateVideoOperator(task_id="create", prompt=prompt, duration=4, resolution="480p", deferrable=False)
    VideoToObjectStorageOperator(task_id="land", video=create.output, destination=VIDEOS)


@task_group
def split(prompt: str) -> None:
    create = TracedCreateVideoOperator(
        task_id="create", prompt=prompt, duration=4, resolution="480p", wait_for_completion=False
    )
    wait = VideoSensor(task_id="wait", video_task_id=create.output["video_task_id"], poke_interval=2)
    VideoToObjectStorageOperator(task_id="land", video=wait.output, destination=VIDEOS)


with DAG(
    dag_id="chaos",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    max_active_tasks=64,
    # Every kill may cost a try, and what is proven here is that tries are free.
    default_args={"retries": 30, "retry_delay": timedelta(seconds=2), "poll_interval": 2, "error_tolerance": 120},
):
    for way in (deferred, in_worker, split):
        if PROMPTS[way.function.__name__]:
            way.expand(prompt=PROMPTS[way.function.__name__])
