"""
A nightly batch: one video for every row of a table of prompts, within a budget, and for the present night only.

The table is a CSV file. Its column ``name`` begins the name of the video's file, the others are parameters of
``CreateVideoOperator`` (``prompt``, ``duration``, ``resolution``, ...); an empty cell is the default. A row that fails
keeps no other video from landing; when all others have landed, the run fails.

Nights that were missed are not made up for, and a backfill pays for nothing unless it says so:
``airflow backfill create ... --dag-run-conf '{"pay_for_backfill": true}'``.

Needs the connection ``seedance_default`` and the pool ``seedance`` (see ``seedance_many_videos.py``).
``SEEDANCE_PROMPT_FILE`` names the table, as a URL of any storage that Airflow knows; videos go to
``SEEDANCE_VIDEO_FOLDER``. A night costs 2,000 credits at most.
"""

from __future__ import annotations

import csv
import io
import os
from datetime import timedelta
from typing import Any

import pendulum
from airflow.sdk import DAG, ObjectStoragePath, Param, task, task_group

from seedance_provider.transfers.video_to_object_storage import VideoToObjectStorageOperator

PROMPTS = os.environ.get("SEEDANCE_PROMPT_FILE", "file:///tmp/seedance-prompts.csv")
FOLDER = os.environ.get("SEEDANCE_VIDEO_FOLDER", "file:///tmp/seedance-videos")

# [START howto_recipe_nightly]
with DAG(
    dag_id="seedance_nightly_batch",
    schedule="0 2 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1), "max_credits_per_run": 2000},
    params={"pay_for_backfill": Param(False, type="boolean")},
    tags=["seedance"],
    doc_md=__doc__,
) as dag:

    @task.short_circuit
    def may_pay(params: dict, dag_run: Any = None) -> bool:
        """Skip everything in a backfill that does not say that it may pay."""
        return dag_run.run_type != "backfill" or params["pay_for_backfill"]

    @task
    def rows() -> list[dict]:
        """Turn every row into the inputs of one video, and where it lands."""
        folder = f"{FOLDER}/nightly/{{year}}-{{month}}-{{day}}"
        found = []
        for row in csv.DictReader(io.StringIO(ObjectStoragePath(PROMPTS).read_text())):
            name = row.pop("name")
            inputs = {column: cell for column, cell in row.items() if cell}
            found.append({"inputs": inputs, "destination": f"{folder}/{name}-{{video_task_id}}.mp4"})
        return found

    @task.seedance_video(pool="seedance")
    def create(inputs: dict) -> dict:
        """Describe the video of a row."""
        return inputs

    @task_group
    def one_row(inputs: dict, destination: str) -> None:
        """Make and land the video of one row."""
        VideoToObjectStorageOperator(task_id="upload", video=create(inputs), destination=destination)

    requests = rows()
    may_pay() >> requests
    one_row.expand_kwargs(requests)
# [END howto_recipe_nightly]
