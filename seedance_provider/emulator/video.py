"""Rendering: a video order becomes an H.264 file in an MP4 or MOV container, as the API's own files are."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from fractions import Fraction
from typing import TYPE_CHECKING

import av

from seedance_provider.emulator.scene import Scene
from seedance_provider.emulator.sound import SAMPLES_PER_SECOND, notes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from av.container import OutputContainer

    from seedance_provider.emulator.order import VideoOrder

__all__ = ["FRAMES_PER_SECOND", "render", "render_last_frame"]

#: From the vendor's model pages.
FRAMES_PER_SECOND = 24

_PRESET = {"preset": "ultrafast", "crf": "21"}


def render(order: VideoOrder, task_id: str, path: Path) -> None:
    """
    Write the video file; at ``path`` it is whole or not there.

    :param order: what to show.
    :param task_id: shown in the picture.
    :param path: where the file goes.
    """
    options = {"movflags": "+faststart"}
    with (
        _published(path) as unfinished,
        av.open(str(unfinished), "w", format=order.container, options=options) as container,
    ):
        _encode(container, Scene(order, task_id), order)


def render_last_frame(order: VideoOrder, task_id: str, path: Path) -> None:
    """
    Write the picture that a video ends with, in the format that the ending of ``path`` names, whole or not at all.

    :param order: what to show.
    :param task_id: shown in the picture.
    :param path: where the file goes.
    """
    picture = Scene(order, task_id).frame(order.seconds - 1 / FRAMES_PER_SECOND)
    with _published(path) as unfinished:
        picture.convert("RGB").save(unfinished, format={".png": "PNG", ".jpg": "JPEG"}[path.suffix])


@contextmanager
def _published(path: Path) -> Iterator[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _encode(container: OutputContainer, scene: Scene, order: VideoOrder) -> None:
    pictures = container.add_stream("libx264", rate=FRAMES_PER_SECOND, options=_PRESET)
    pictures.width, pictures.height, pictures.pix_fmt = order.width, order.height, "yuv420p"
    # A thread per video is enough: videos of several tasks are rendered side by side.
    pictures.codec_context.thread_count = 1
    # The header names all streams, so there is none to add once the first picture is written.
    sound = container.add_stream("aac", rate=SAMPLES_PER_SECOND, layout="mono") if order.has_sound else None
    for number in range(order.seconds * FRAMES_PER_SECOND):
        picture = scene.frame(number / FRAMES_PER_SECOND)
        rgb = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
        frame = rgb.reformat(format="yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, FRAMES_PER_SECOND)
        container.mux(pictures.encode(frame))
    container.mux(pictures.encode(None))
    if sound is not None:
        for note in notes(order.seconds):
            container.mux(sound.encode(note))
        container.mux(sound.encode(None))
