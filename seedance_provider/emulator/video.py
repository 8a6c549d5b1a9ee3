"""Rendering: a video order becomes an H.264 file in an MP4 container, as the API's own files are."""

from __future__ import annotations

import secrets
from fractions import Fraction
from typing import TYPE_CHECKING

import av

from seedance_provider.emulator.scene import Scene

if TYPE_CHECKING:
    from pathlib import Path

    from av.container import OutputContainer

    from seedance_provider.emulator.order import VideoOrder

__all__ = ["FRAMES_PER_SECOND", "render"]

#: From the vendor's model pages.
FRAMES_PER_SECOND = 24

_PRESET = {"preset": "ultrafast", "crf": "21"}


def render(order: VideoOrder, task_id: str, path: Path) -> None:
    """
    Write the video file; whoever looks at ``path`` sees all of it or nothing.

    :param order: what to show.
    :param task_id: shown in the picture.
    :param path: where the file goes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with av.open(str(unfinished), "w", format="mp4", options={"movflags": "+faststart"}) as container:
            _encode(container, Scene(order, task_id), order)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _encode(container: OutputContainer, scene: Scene, order: VideoOrder) -> None:
    stream = container.add_stream("libx264", rate=FRAMES_PER_SECOND, options=_PRESET)
    stream.width, stream.height, stream.pix_fmt = order.width, order.height, "yuv420p"
    # A thread per video is enough: videos of several tasks are rendered side by side.
    stream.codec_context.thread_count = 1
    for number in range(order.seconds * FRAMES_PER_SECOND):
        picture = scene.frame(number / FRAMES_PER_SECOND)
        rgb = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
        frame = rgb.reformat(format="yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, FRAMES_PER_SECOND)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
