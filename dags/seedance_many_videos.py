"""
One video for every prompt of a list, each with an upload of its own.

The task group is mapped, not the tasks: a prompt that is refused fails its own upload only. The other videos land, and
then the run fails.

The pool is the account's concurrency limit: it counts deferred tasks (``include_deferred``), so no more videos are
in progress than the account allows, and the others wait in Airflow's queue for nothing. Create it once::

    airflow pools set seedance 3 "Videos in progress" --include-deferred

Needs the connection ``seedance_default``; videos go to ``SEEDANCE_VIDEO_FOLDER``.
"""

from __future__ import annotations

import os
from datetime import timedelta

import pendulum
from airflow.sdk import DAG, task, task_group

from seedance_provider.operators.seedance import CreateVideoOperator
from seedance_provider.transfers.video_to_object_storage import VideoToObjectStorageOperator

FOLDER = os.environ.get("SEEDANCE_VIDEO_FOLDER", "file:///tmp/seedance-videos")

with DAG(
    dag_id="seedance_many_videos",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1)},
    params={
        "prompts": [
            "A paper boat sails down a rainy street",
            "A lighthouse at dusk, waves breaking on the rocks",
            "Steam rises from a cup of tea by the window",
        ]
    },
    tags=["seedance"],
    doc_md=__doc__,
) as dag:
    # [START howto_operator_seedance_many_videos]
    @task
    def prompts(params: dict) -> list[str]:
        """Return the prompts of this run."""
        return params["prompts"]

    @task_group
    def one_video(prompt: str) -> None:
        """Make and land one video."""
        create = CreateVideoOperator(task_id="create", prompt=prompt, duration=4, pool="seedance")
        VideoToObjectStorageOperator(task_id="upload", video=create.output, destination=f"{FOLDER}/many/")

    one_video.expand(prompt=prompts())
    # [END howto_operator_seedance_many_videos]
