"""
A person approves the video before it is published.

The video lands among the drafts. The task ``approve`` then waits for somebody to press a button in Airflow (Required
Actions), which costs no worker. What is approved moves to where the public sees it; what is rejected stays a draft.

Needs Airflow 3.1, whose standard provider has the buttons, and the connection ``seedance_default``; videos go to
``SEEDANCE_VIDEO_FOLDER``. One run costs 160 credits.
"""

from __future__ import annotations

import os
from datetime import timedelta

import pendulum
from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import DAG, ObjectStoragePath, task

from seedance_provider.operators.seedance import CreateVideoOperator
from seedance_provider.transfers.video_to_object_storage import VideoToObjectStorageOperator

FOLDER = os.environ.get("SEEDANCE_VIDEO_FOLDER", "file:///tmp/seedance-videos")

with DAG(
    dag_id="seedance_approval",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1)},
    params={"prompt": "A courier cycles through a city of glass"},
    tags=["seedance"],
    doc_md=__doc__,
) as dag:
    create = CreateVideoOperator(task_id="create", prompt="{{ params.prompt }}", duration=4)
    # [START howto_recipe_approval]
    upload = VideoToObjectStorageOperator(
        task_id="upload",
        video=create.output,
        destination=f"{FOLDER}/drafts/",
    )
    approve = ApprovalOperator(
        task_id="approve",
        subject="Publish this video?",
        body="{{ params.prompt }}\n\n[Watch it]({{ ti.xcom_pull(task_ids='create', key='video_url') }})",
        response_timeout=timedelta(days=7),
    )

    @task
    def publish(draft: str) -> str:
        """Move the draft to where the public sees it. A retry finds it there."""
        source = ObjectStoragePath(draft)
        published = source.parent.parent / "published" / source.name
        if source.exists() or not published.exists():
            published.parent.mkdir(parents=True, exist_ok=True)
            # In one step on a file system; on an object store a copy shows only when it is complete.
            source.fs.mv(source.path, published.path)
        return str(published)

    upload >> approve >> publish(upload.output)
    # [END howto_recipe_approval]
