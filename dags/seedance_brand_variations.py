"""
Brand variations: several scenes in several shapes, within a budget.

The budget holds over all mapped tasks: what would exceed it is refused before anything is submitted. The variations
that were made land all the same, and then the run fails.

Needs the connection ``seedance_default``; videos go to ``SEEDANCE_VIDEO_FOLDER``. One run costs 960 credits: two
scenes in three shapes, each 4 seconds of 720p at 40 credits per second.
"""

from __future__ import annotations

import os
from datetime import timedelta

import pendulum
from airflow.sdk import DAG, task_group

from seedance_provider.operators.seedance import CreateVideoOperator
from seedance_provider.transfers.video_to_object_storage import VideoToObjectStorageOperator

FOLDER = os.environ.get("SEEDANCE_VIDEO_FOLDER", "file:///tmp/seedance-videos")

with DAG(
    dag_id="seedance_brand_variations",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1)},
    tags=["seedance"],
    doc_md=__doc__,
) as dag:
    # [START howto_operator_seedance_budget]
    @task_group
    def variation(prompt: str, resolution: str) -> None:
        """Make and land one variation."""
        create = CreateVideoOperator(
            task_id="create",
            prompt=prompt,
            resolution=resolution,
            duration=4,
            max_credits=200,
            max_credits_per_run=1000,
        )
        VideoToObjectStorageOperator(
            task_id="upload",
            video=create.output,
            destination=f"{FOLDER}/brand/{{year}}-{{month}}-{{day}}/",
        )

    variation.expand(
        prompt=[
            "A bottle of olive oil on a sunny kitchen table, the camera circles it slowly",
            "A bottle of olive oil between tomatoes at a market, the camera comes closer",
        ],
        resolution=["1280x720", "720x1280", "720x720"],
    )
    # [END howto_operator_seedance_budget]
