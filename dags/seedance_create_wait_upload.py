"""
The three steps as three tasks: submit, wait, upload.

Below Airflow 3.3, where tasks have no store that survives a retry, this is the safe form: the task that pays has no
retries, the one that waits has as many as you like.

Needs the connection ``seedance_default``; videos go to ``SEEDANCE_VIDEO_FOLDER``.
"""

from __future__ import annotations

import os
from datetime import timedelta

import pendulum
from airflow.sdk import DAG

from seedance_provider.operators.seedance import CreateVideoOperator
from seedance_provider.sensors.seedance import VideoSensor
from seedance_provider.transfers.video_to_object_storage import VideoToObjectStorageOperator

FOLDER = os.environ.get("SEEDANCE_VIDEO_FOLDER", "file:///tmp/seedance-videos")

with DAG(
    dag_id="seedance_create_wait_upload",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1)},
    tags=["seedance"],
    doc_md=__doc__,
) as dag:
    # [START howto_sensor_seedance_video]
    create = CreateVideoOperator(
        task_id="create",
        prompt="A kite rises over a windy beach, {{ dag_run.run_id }}",
        wait_for_completion=False,
        duration=4,
        retries=0,
    )
    wait = VideoSensor(
        task_id="wait",
        video_task_id=create.output["video_task_id"],
        timeout=timedelta(minutes=30),
    )
    # [END howto_sensor_seedance_video]
    upload = VideoToObjectStorageOperator(
        task_id="upload",
        video=wait.output,
        destination=f"{FOLDER}/split/",
    )
