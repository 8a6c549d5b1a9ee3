"""Real media files, as small as they can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

_RATE = 8000


def picture(path: Path, colour: str = "navy") -> Path:
    """Draw a picture in the format that the ending names."""
    Image.new("RGB", (64, 64), colour).save(path)
    return path


def noise(path: Path) -> Path:
    """Draw a picture that can't be compressed to nothing."""
    Image.effect_noise((64, 64), 80).convert("RGB").save(path)
    return path


def video(path: Path, seconds: int = 2) -> Path:
    """Film a grey wall."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libvpx" if path.suffix == ".webm" else "libx264", rate=24)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        frame = av.VideoFrame.from_image(Image.new("RGB", (64, 64), "grey"))
        for number in range(24 * seconds):
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def sound(path: Path, seconds: int = 2) -> Path:
    """Record silence, as a wave file."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=_RATE, layout="mono")
        for number in range(seconds):
            frame = av.AudioFrame(format="s16", layout="mono", samples=_RATE)
            frame.planes[0].update(bytes(frame.planes[0].buffer_size))
            frame.sample_rate, frame.pts = _RATE, number * _RATE
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
