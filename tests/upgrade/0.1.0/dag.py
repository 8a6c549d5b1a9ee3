"""A DAG as somebody wrote it for this release, with a task for every situation that an upgrade can find one in."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from airflow.sdk import DAG, task

from seedance_provider.operators.seedance import CreateVideoOperator
from seedance_provider.sensors.seedance import VideoSensor
from seedance_provider.transfers.upload_reference import UploadReferenceOperator
from seedance_provider.transfers.video_to_object_storage import VideoToObjectStorageOperator

PICTURE = os.environ.get("SEEDANCE_IMAGE_FOLDER", "file:///images") + "/navy.png"
VIDEOS = os.environ.get("SEEDANCE_VIDEO_FOLDER", "file:///videos")

with DAG(
    Path(__file__).stem,
    schedule=None,
    default_args={"retries": 2, "retry_delay": timedelta(seconds=1)},
) as dag:
    CreateVideoOperator(
        task_id="waits_for_video",
        prompt="A kite rises over a windy beach",
        resolution="1280x720",
        duration=5,
        seedance_conn_id="slow",
    )
    CreateVideoOperator(
        task_id="waits_with_file",
        prompt="The picture comes to life",
        first_frame=PICTURE,
        duration=4,
        poll_interval=1,
        max_credits=1000,
        max_credits_per_run=5000,
        seedance_conn_id="slow",
    )

    @task.seedance_video(seedance_conn_id="slow", poll_interval=1)
    def waits_in_taskflow(place: str) -> dict[str, object]:
        return {"prompt": f"A lighthouse at {place}", "model": "seedance2-5", "duration": 6, "seed": 7}

    waits_in_taskflow("dusk")

    submitted_only = CreateVideoOperator(
        task_id="submitted_only",
        prompt="A heron lands",
        model="seedance2.0-mini",
        aspect_ratio="9:16",
        wait_for_completion=False,
        seedance_conn_id="slow",
    )
    VideoSensor(
        task_id="waits_for_submitted",
        video_task_id=submitted_only.output["video_task_id"],  # type: ignore[index]  # Airflow's stub does not know it
        poke_interval=1,
        seedance_conn_id="slow",
    )

    occupies_slot = CreateVideoOperator(
        task_id="occupies_slot",
        prompt="A snail crosses a road",
        duration=4,
        wait_for_completion=False,
        seedance_conn_id="small",
    )
    occupies_slot >> CreateVideoOperator(
        task_id="waits_for_slot", prompt="A queue in the rain", duration=4, poll_interval=1, seedance_conn_id="small"
    )

    CreateVideoOperator(task_id="waits_for_api", prompt="A message in a bottle", duration=4, poll_interval=1)
    CreateVideoOperator(task_id="is_submitting", prompt="A letter is posted", duration=4)
    CreateVideoOperator(task_id="has_failed", prompt="[fail:text_moderation] A bad idea", duration=4)
    CreateVideoOperator(
        task_id="tries_again",
        prompt="[fail:server_error:9] A bad day",
        duration=4,
        poll_interval=1,
        retry_delay=timedelta(hours=1),
    )
    has_delivered = CreateVideoOperator(task_id="has_delivered", prompt="A parcel arrives", duration=4, poll_interval=1)
    VideoToObjectStorageOperator(
        task_id="has_landed",
        video=has_delivered.output,  # type: ignore[arg-type]  # Airflow resolves it
        destination=VIDEOS + "/{video_task_id}.mp4",
        sidecar=True,
    )
    UploadReferenceOperator(task_id="has_uploaded", source=PICTURE)
