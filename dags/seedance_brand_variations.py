"""
Brand variations: one prompt in several shapes, by several models, within a budget.

The budget holds over all mapped tasks: what would exceed it is refused before anything is submitted, and the variations
that were made are uploaded all the same.

Needs the connection ``seedance_default``; videos go to ``SEEDANCE_VIDEO_FOLDER``. One run costs 348 credits: 4 seconds
of 480p in three shapes, at 15 (``seedance-20``) and 14 credits (``seedance2-fast``) per second.
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
    dag_id="seedance_brand_variations",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1)},
    params={"prompt": "A bottle of olive oil on a sunny kitchen table, the camera circles it slowly"},
    tags=["seedance"],
    doc_md=__doc__,
) as dag:
    # [START howto_operator_seedance_budget]
    create = CreateVideoOperator.partial(
        task_id="create",
        prompt="{{ params.prompt }}",
        duration=4,
        resolution="480p",
        max_credits=100,
        max_credits_per_run=400,
    ).expand(aspect_ratio=["16:9", "9:16", "1:1"], model=["seedance-20", "seedance2-fast"])
    # [END howto_operator_seedance_budget]
    upload = VideoToObjectStorageOperator.partial(
        task_id="upload",
        destination=f"{FOLDER}/brand/{{model}}/",
        trigger_rule="all_done",
    ).expand(video=create.output)
