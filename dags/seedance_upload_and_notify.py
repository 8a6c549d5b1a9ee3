"""
A video lands in a bucket, and a webhook gets a link to it: a chat, say, or the system that publishes it.

The link to an object on S3 is signed, and opens for a day without an account. In other storages it is the object's URI.

Needs the connection ``seedance_default`` and an HTTP connection ``video_webhook``; videos go to
``SEEDANCE_VIDEO_FOLDER``, such as ``s3://aws_default@my-bucket/videos``. One run costs 160 credits.
"""

from __future__ import annotations

import json
import os
from datetime import timedelta

import pendulum
from airflow.providers.http.operators.http import HttpOperator
from airflow.sdk import DAG, AssetAlias, ObjectStoragePath, task

from seedance_provider.operators.seedance import CreateVideoOperator
from seedance_provider.transfers.video_to_object_storage import VideoToObjectStorageOperator

FOLDER = os.environ.get("SEEDANCE_VIDEO_FOLDER", "file:///tmp/seedance-videos")
SECONDS_A_LINK_OPENS = 24 * 60 * 60

with DAG(
    dag_id="seedance_upload_and_notify",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1)},
    params={"prompt": "Hot-air balloons rise over a valley in the morning mist"},
    tags=["seedance"],
    doc_md=__doc__,
) as dag:
    create = CreateVideoOperator(task_id="create", prompt="{{ params.prompt }}", duration=4)
    # [START howto_transfer_seedance_notify]
    upload = VideoToObjectStorageOperator(
        task_id="upload",
        video=create.output,
        destination=f"{FOLDER}/notified/{{year}}/{{month}}/",
        sidecar=True,
        # seedance_catalogue.py listens to it.
        outlets=[AssetAlias("seedance_videos")],
    )

    @task
    def message(landed: dict) -> str:
        """Say what has landed, and where it can be seen."""
        path = ObjectStoragePath(landed["path"])
        is_signed = path.protocol in ("s3", "s3a")
        link = path.fs.sign(path.path, expiration=SECONDS_A_LINK_OPENS) if is_signed else landed["uri"]
        return json.dumps({"text": landed["prompt"], "link": link, "credits": landed["credits_used"]})

    HttpOperator(
        task_id="notify",
        http_conn_id="video_webhook",
        method="POST",
        endpoint="/videos",
        headers={"Content-Type": "application/json"},
        data=message(upload.output["landed"]),
    )
    # [END howto_transfer_seedance_notify]
