"""
Text to video on a schedule, with the upload chained after it.

Needs the connection ``seedance_default``. Videos go to the folder or bucket in the environment variable
``SEEDANCE_VIDEO_FOLDER``, such as ``s3://my-bucket/videos``. Each run makes one video of 5 seconds at 1280x720, which
costs 200 credits. As with any schedule, unpausing the DAG starts the run that is due.
"""

from __future__ import annotations

import os
from datetime import timedelta

import pendulum
from airflow.sdk import DAG

from seedance_provider.operators.seedance import CreateVideoOperator
from seedance_provider.transfers.video_to_object_storage import VideoToObjectStorageOperator

FOLDER = os.environ.get("SEEDANCE_VIDEO_FOLDER", "file:///tmp/seedance-videos")

with DAG(
    dag_id="seedance_text_to_video",
    schedule="@daily",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    # Retries are safe: a retry re-attaches to the video that is already paid for.
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1)},
    params={"prompt": "A serene Japanese garden with cherry blossoms swaying in the wind"},
    tags=["seedance"],
    doc_md=__doc__,
) as dag:
    # [START howto_operator_seedance_create_video]
    create = CreateVideoOperator(
        task_id="create",
        prompt="{{ params.prompt }}",
        resolution="1280x720",
        duration=5,
    )
    # [END howto_operator_seedance_create_video]
    # [START howto_transfer_seedance_video_to_object_storage]
    upload = VideoToObjectStorageOperator(
        task_id="upload",
        video=create.output,
        destination=f"{FOLDER}/text-to-video/",
    )
    # [END howto_transfer_seedance_video_to_object_storage]
