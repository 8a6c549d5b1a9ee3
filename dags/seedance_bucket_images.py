"""
A video from every picture in a bucket, none of which is public.

The pictures are uploaded to the API right before their videos are paid for, which costs nothing. A task that is retried
or cleared finds its video again, also if its picture was moved or deleted meanwhile; a picture with another content
makes another video. Every video is named after its picture, and a picture that is refused keeps no other video from
landing.

Needs the connection ``seedance_default``. ``SEEDANCE_IMAGE_FOLDER`` names the pictures, as a URL of any storage that
Airflow knows, with its connection if it needs one (``s3://aws_default@my-bucket/pictures``). Videos go to
``SEEDANCE_VIDEO_FOLDER``. Each costs 160 credits.
"""

from __future__ import annotations

import os
from datetime import timedelta

import pendulum
from airflow.sdk import DAG, ObjectStoragePath, task, task_group

from seedance_provider.operators.seedance import CreateVideoOperator
from seedance_provider.transfers.video_to_object_storage import VideoToObjectStorageOperator

IMAGES = os.environ.get("SEEDANCE_IMAGE_FOLDER", "file:///tmp/seedance-images")
VIDEOS = os.environ.get("SEEDANCE_VIDEO_FOLDER", "file:///tmp/seedance-videos")

with DAG(
    dag_id="seedance_bucket_images",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1), "max_credits_per_run": 1600},
    tags=["seedance"],
    doc_md=__doc__,
) as dag:
    # [START howto_operator_seedance_files]
    @task
    def pictures() -> list[dict]:
        """Name the pictures in the folder, and where their videos land."""
        found = sorted(ObjectStoragePath(IMAGES).iterdir(), key=str)
        return [
            {"picture": str(path), "destination": f"{VIDEOS}/from-bucket/{path.stem}-{{video_task_id}}.mp4"}
            for path in found
            if path.suffix.lower() in (".png", ".jpg", ".jpeg", ".webp")
        ]

    @task_group
    def one_picture(picture: str, destination: str) -> None:
        """Make and land the video of one picture."""
        create = CreateVideoOperator(
            task_id="create",
            prompt="The picture comes to life: leaves move in the wind, light changes slowly",
            duration=4,
            first_frame=picture,
        )
        VideoToObjectStorageOperator(task_id="upload", video=create.output, destination=destination)

    one_picture.expand_kwargs(pictures())
    # [END howto_operator_seedance_files]
