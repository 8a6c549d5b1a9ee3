"""What a video file says about itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import av

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["VideoFile"]


@dataclass(frozen=True)
class VideoFile:
    """
    A video file that was read to its end.

    :param path: where it is.
    :param size: in bytes.
    :param codec: such as ``h264``.
    :param width: in pixels.
    :param height: in pixels.
    :param duration: in seconds.
    """

    path: Path
    size: int
    codec: str
    width: int
    height: int
    duration: float

    @classmethod
    def read(cls, path: Path) -> VideoFile:
        """Read a file; its length is that of the frames that can really be shown."""
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            frames = sum(1 for _ in container.decode(stream))
            duration = float(frames / stream.average_rate) if stream.average_rate else 0.0
            codec = stream.codec_context
            return cls(path, path.stat().st_size, codec.name, codec.width, codec.height, duration)

    def __str__(self) -> str:
        return f"{self.codec}, {self.width}x{self.height}, {self.duration:.1f} s, {self.size} bytes"
