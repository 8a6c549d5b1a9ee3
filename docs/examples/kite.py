"""A DAG of one's own, as an example of how to test one."""

from __future__ import annotations

import os

from airflow.sdk import DAG

from seedance_provider.operators.seedance import CreateVideoOperator
from seedance_provider.transfers.video_to_object_storage import VideoToObjectStorageOperator

with DAG(dag_id="kite", schedule=None, default_args={"retries": 3}) as dag:
    create = CreateVideoOperator(task_id="create", prompt="A kite over a beach", duration=4)
    VideoToObjectStorageOperator(task_id="upload", video=create.output, destination=os.environ["VIDEO_FOLDER"] + "/")
