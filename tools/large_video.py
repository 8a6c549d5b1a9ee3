"""Real videos as large as wanted."""

from __future__ import annotations

import os
from fractions import Fraction
from typing import TYPE_CHECKING

import av

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["large_video"]


def large_video(path: Path, megabytes: int) -> Path:
    """
    Film noise, without taking the time to encode it, and return where it is.

    :param path: of the file to make.
    :param megabytes: how large it becomes.
    """
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=24)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for number in range(megabytes):
            packet = av.Packet(os.urandom(1024 * 1024))
            packet.stream, packet.pts, packet.dts, packet.duration = stream, number, number, 1
            packet.time_base, packet.is_keyframe = Fraction(1, 24), True
            container.mux(packet)
    return path
