"""
A storyboard: several shots, each of which starts from the last picture of the one before.

The link to the last picture of a shot comes with its result. Older generations of the API leave it out, and then the
picture is taken from the clip that has landed, which needs the extra ``media``. A shot that is retried or cleared uses
the video that it has paid for, so the shots after it still fit.

Needs the connection ``seedance_default``; videos go to ``SEEDANCE_VIDEO_FOLDER``. One run costs 480 credits.
"""

from __future__ import annotations

import os
from collections import deque
from datetime import timedelta

import pendulum
from airflow.sdk import DAG, ObjectStoragePath, task

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
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1), "max_credits_per_run": 500},
    tags=["seedance"],
    doc_md=__doc__,
) as dag:
    # [START howto_recipe_shots]
    @task
    def last_picture(video: dict, clip: str) -> str:
        """Return where the last picture of a shot is."""
        return video["last_frame_url"] or taken_from(clip)

    picture = None
    for number, prompt in enumerate(SHOTS, start=1):
        shot = CreateVideoOperator(
            task_id=f"shot_{number}",
            prompt=prompt,
            duration=4,
            first_frame=picture,
        )
        upload = VideoToObjectStorageOperator(
            task_id=f"upload_{number}",
            video=shot.output,
            destination=f"{FOLDER}/storyboard/{{{{ run_id }}}}/shot-{number}.mp4",
        )
        if number < len(SHOTS):
            picture = last_picture.override(task_id=f"picture_{number}")(shot.output, upload.output)
    # [END howto_recipe_shots]

    def taken_from(clip: str) -> str:
        """Put the last picture of a clip beside it, and return where that is."""
        import av

        path = ObjectStoragePath(clip)
        beside = path.with_name(f"{path.stem}-last-frame.png")
        with path.open("rb") as opened, av.open(opened) as video:
            (frame,) = deque(video.decode(video=0), maxlen=1)
        with beside.open("wb") as opened, av.open(opened, "w", format="image2pipe") as pictures:
            stream = pictures.add_stream("png")
            stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, "rgb24"
            pictures.mux(stream.encode(frame.reformat(format="rgb24")))
            pictures.mux(stream.encode())
        return str(beside)
