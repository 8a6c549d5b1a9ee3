"""
One video for each of several accounts: of customers, say, or of teams.

Every account is a connection of its own, whose credits pay for its video, and every video lands in a folder of its
own. A video belongs to the account that has made it: another connection asks, and pays, for another video.

Name the connections in the parameter ``accounts`` (they have to exist); videos go to ``SEEDANCE_VIDEO_FOLDER``. Each
account pays 160 credits.
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
    dag_id="seedance_accounts",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1)},
    params={
        "accounts": ["seedance_north", "seedance_south"],
        "prompt": "A shop window at night, snow begins to fall",
    },
    tags=["seedance"],
    doc_md=__doc__,
) as dag:
    # [START howto_recipe_accounts]
    @task
    def accounts(params: dict) -> list[dict]:
        """Name the connection and the folder of every account."""
        return [{"conn_id": conn_id, "folder": f"{FOLDER}/accounts/{conn_id}/"} for conn_id in params["accounts"]]

    @task_group
    def one_account(conn_id: str, folder: str) -> None:
        """Make and land the video of one account."""
        create = CreateVideoOperator(
            task_id="create",
            prompt="{{ params.prompt }}",
            duration=4,
            seedance_conn_id=conn_id,
        )
        VideoToObjectStorageOperator(
            task_id="upload",
            video=create.output,
            destination=folder,
            seedance_conn_id=conn_id,
        )

    one_account.expand_kwargs(accounts())
    # [END howto_recipe_accounts]
