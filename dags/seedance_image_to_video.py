"""
Image to video: the first image opens the video, the last one closes it. Both have to be public URLs.

Trigger it with your own images. Needs the connection ``seedance_default``; videos go to ``SEEDANCE_VIDEO_FOLDER``.
"""

from __future__ import annotations

import os
from datetime import timedelta

import pendulum
from airflow.sdk import DAG, Param

from seedance_provider.operators.seedance import CreateVideoOperator
from seedance_provider.transfers.video_to_object_storage import VideoToObjectStorageOperator

FOLDER = os.environ.get("SEEDANCE_VIDEO_FOLDER", "file:///tmp/seedance-videos")

with DAG(
    dag_id="seedance_image_to_video",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1)},
    params={
        "prompt": "The bud slowly opens into a flower, soft morning light",
        "first_frame": Param("https://example.com/bud.jpg", type="string", format="uri"),
        "last_frame": Param("https://example.com/flower.jpg", type="string", format="uri"),
    },
    tags=["seedance"],
    doc_md=__doc__,
) as dag:
    # [START howto_operator_seedance_image_to_video]
    create = CreateVideoOperator(
        task_id="create",
        prompt="{{ params.prompt }}",
        first_frame="{{ params.first_frame }}",
        last_frame="{{ params.last_frame }}",
        resolution="720x1280",
        duration=4,
    )
    # [END howto_operator_seedance_image_to_video]
    upload = VideoToObjectStorageOperator(
        task_id="upload",
        video=create.output,
        destination=f"{FOLDER}/image-to-video/",
    )
