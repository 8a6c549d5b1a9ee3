"""
TaskFlow: a function says what to show, and the task makes the video.

The function is called once for the video, however often the task is retried: see the guide on TaskFlow.

Needs the connection ``seedance_default``; videos go to ``SEEDANCE_VIDEO_FOLDER``. One run costs 320 credits.
"""

from __future__ import annotations

import os
import random
from datetime import timedelta

import pendulum
from airflow.sdk import dag, task, task_group

from seedance_provider.transfers.video_to_object_storage import VideoToObjectStorageOperator

FOLDER = os.environ.get("SEEDANCE_VIDEO_FOLDER", "file:///tmp/seedance-videos")


@dag(
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1)},
    tags=["seedance"],
    doc_md=__doc__,
)
def seedance_taskflow() -> None:
    """Two cities in the weather of the day."""

    # [START howto_decorator_seedance_video]
    @task.seedance_video(resolution="1280x720")
    def create(city: str) -> dict:
        """Describe the video."""
        weather = random.choice(["rain", "snow", "morning fog"])  # noqa: S311 - not for secrets
        return {"prompt": f"{city} in {weather}, seen from a slow tram", "duration": 4}

    @task_group
    def one_city(city: str) -> None:
        """Make and land the video of one city."""
        VideoToObjectStorageOperator(task_id="upload", video=create(city), destination=f"{FOLDER}/taskflow/")

    one_city.expand(city=["Lisbon", "Prague"])
    # [END howto_decorator_seedance_video]


seedance_taskflow()
