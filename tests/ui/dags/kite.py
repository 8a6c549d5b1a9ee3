"""The shortest way from a prompt to a stored video."""

from __future__ import annotations

import os

from airflow.sdk import DAG

from seedance_provider.operators.seedance import CreateVideoOperator
from seedance_provider.transfers.video_to_object_storage import VideoToObjectStorageOperator

FOLDER = os.environ.get("SEEDANCE_VIDEO_FOLDER", "file:///tmp/seedance-videos")

with DAG("kite", schedule=None):
    create = CreateVideoOperator(task_id="create", prompt="A kite", duration=4)
    VideoToObjectStorageOperator(task_id="upload", video=create.output, destination=f"{FOLDER}/")
