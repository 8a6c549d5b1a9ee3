"""
A film of several clips: one video for every scene, all landed, and then put together by FFmpeg's libraries (PyAV).

If a scene fails, the clips of the others land, and there is no film: clear the scene, and the film follows.

Nothing is encoded again: the packets of the clips are written one after the other, which takes a moment. That needs
clips of one model, one resolution and one aspect ratio, as here.

Needs the connection ``seedance_default``, the pool ``seedance`` (see ``seedance_many_videos.py``) and, in the worker,
the extra ``media``; videos go to ``SEEDANCE_VIDEO_FOLDER``. One run costs 480 credits.
"""

from __future__ import annotations

import os
import tempfile
from datetime import timedelta
from fractions import Fraction

import pendulum
from airflow.sdk import DAG, ObjectStoragePath, XComArg, task, task_group

from seedance_provider.operators.seedance import CreateVideoOperator
from seedance_provider.transfers.video_to_object_storage import VideoToObjectStorageOperator

FOLDER = os.environ.get("SEEDANCE_VIDEO_FOLDER", "file:///tmp/seedance-videos")

with DAG(
    dag_id="seedance_film",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1)},
    tags=["seedance"],
    doc_md=__doc__,
) as dag:
    # [START howto_transfer_seedance_film]
    @task_group
    def scene(prompt: str) -> XComArg:
        """Make and land one clip, and return where it is."""
        create = CreateVideoOperator(task_id="create", prompt=prompt, duration=4, pool="seedance")
        upload = VideoToObjectStorageOperator(
            task_id="upload", video=create.output, destination=f"{FOLDER}/film/{{{{ run_id }}}}/"
        )
        return upload.output

    clips = scene.expand(
        prompt=[
            "A seed falls into dark soil",
            "A green shoot breaks through the soil",
            "A sunflower turns towards the evening sun",
        ]
    )

    @task
    def film(clips: list[str], run_id: str) -> str:
        """Put the clips together, in the order of the scenes, and return where the film is."""
        destination = ObjectStoragePath(f"{FOLDER}/film/{run_id}/film.mp4")
        with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
            join([ObjectStoragePath(clip) for clip in clips], file.name)
            # Under a hidden name until it is complete; an object store needs no such name.
            part = destination.with_name(".film.part")
            part.fs.put_file(file.name, part.path)
            part.fs.mv(part.path, destination.path)
        return str(destination)

    # [END howto_transfer_seedance_film]

    def join(clips: list[ObjectStoragePath], name: str) -> None:
        """Write the packets of all clips into one file."""
        import av

        with av.open(name, "w") as joined:
            streams: list = []
            start = Fraction(0)
            for clip in clips:
                with clip.open("rb") as opened, av.open(opened) as source:
                    streams = streams or [joined.add_stream_from_template(stream) for stream in source.streams]
                    for packet in source.demux():
                        # Sound begins a moment early, to give the decoder a start. In the middle is no room for that.
                        if packet.dts is None or (start and packet.pts < 0):
                            continue
                        # In the units of the clip; the muxer turns them into those of the film.
                        shift = round(start / packet.time_base)
                        packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                        packet.stream = streams[packet.stream.index]
                        joined.mux(packet)
                    start += Fraction(source.duration, av.time_base)

    film(clips)
