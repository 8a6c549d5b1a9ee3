"""
A storyboard: several shots, each of which starts from the last picture of the one before.

The link to the last picture of a shot comes with its result; older generations of the API leave it out, and then the
next shot fails before anything is submitted. A shot that is retried or cleared uses the video that it has paid for,
so the shots after it still fit.

Needs the connection ``seedance_default``; videos go to ``SEEDANCE_VIDEO_FOLDER``. One run costs 180 credits.
"""

from __future__ import annotations

import os
from datetime import timedelta

import pendulum
from airflow.sdk import DAG

from seedance_provider.operators.seedance import CreateVideoOperator
from seedance_provider.transfers.video_to_object_storage import VideoToObjectStorageOperator

FOLDER = os.environ.get("SEEDANCE_VIDEO_FOLDER", "file:///tmp/seedance-videos")

SHOTS = [
    "A fox steps out of a snowy forest at dawn",
    "The fox sees a frozen lake and walks up to it",
    "The fox slides over the ice into the rising sun",
]

with DAG(
    dag_id="seedance_storyboard",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1), "max_credits_per_run": 200},
    tags=["seedance"],
    doc_md=__doc__,
) as dag:
    # [START howto_recipe_shots]
    last_picture = None
    for number, prompt in enumerate(SHOTS, start=1):
        shot = CreateVideoOperator(
            task_id=f"shot_{number}",
            prompt=prompt,
            duration=4,
            resolution="480p",
            first_frame=last_picture,
        )
        VideoToObjectStorageOperator(
            task_id=f"upload_{number}",
            video=shot.output,
            destination=f"{FOLDER}/storyboard/{{{{ run_id }}}}/shot-{number}.mp4",
        )
        last_picture = shot.output["last_frame_url"]
    # [END howto_recipe_shots]
