"""
A second prompt for when the first one is turned down.

A video that moderation refuses is not retried, since the same prompt would be refused again, and costs nothing. Its
task leaves the reason in the XCom ``failure``, and a branch decides by it: a safer prompt after moderation, an error
after anything else.

Needs the connection ``seedance_default``; videos go to ``SEEDANCE_VIDEO_FOLDER``. One run costs 160 credits.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import pendulum
from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.sdk import DAG, task

from seedance_provider.operators.seedance import CreateVideoOperator
from seedance_provider.transfers.video_to_object_storage import VideoToObjectStorageOperator

FOLDER = os.environ.get("SEEDANCE_VIDEO_FOLDER", "file:///tmp/seedance-videos")

MODERATION = {"text_moderation", "content_moderation", "content_rejected", "output_review"}
VIDEO = {"duration": 4, "resolution": "1280x720"}

with DAG(
    dag_id="seedance_safer_prompt",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1)},
    params={
        "prompt": "Two knights fight on a bridge in the rain",
        "safer_prompt": "Two knights shake hands on a bridge in the rain",
    },
    tags=["seedance"],
    doc_md=__doc__,
) as dag:
    # [START howto_recipe_moderation]
    create = CreateVideoOperator(task_id="create", prompt="{{ params.prompt }}", **VIDEO)

    @task.branch(trigger_rule="all_done")
    def turned_down(ti: Any = None) -> str:
        """Name the task that comes next."""
        failure = ti.xcom_pull("create", key="failure")
        if failure is None and ti.xcom_pull("create") is not None:
            return "made"
        if failure is not None and failure["reason"] in MODERATION:
            return "create_safer"
        raise AirflowFailException(f"No safer prompt helps against this: {failure}")

    create_safer = CreateVideoOperator(task_id="create_safer", prompt="{{ params.safer_prompt }}", **VIDEO)

    @task(trigger_rule="none_failed_min_one_success")
    def made(ti: Any = None) -> dict:
        """Return the video that there is."""
        return ti.xcom_pull("create_safer") or ti.xcom_pull("create")

    video = made()
    create >> turned_down() >> [create_safer, video]
    create_safer >> video
    upload = VideoToObjectStorageOperator(task_id="upload", video=video, destination=f"{FOLDER}/safer/")
    # [END howto_recipe_moderation]
