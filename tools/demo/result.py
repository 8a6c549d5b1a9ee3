"""What came out of the demo, and whether it is what was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import av

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from seedance_provider.api.video_request import VideoRequest
    from tools.demo.accounts import Receipt

__all__ = ["Result", "VideoFile"]

# A generator may deliver a few frames more or less than what was asked for.
_SECONDS_OF_TOLERANCE = 0.5


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


@dataclass(frozen=True)
class Result:
    """
    The outcome of a run of the DAG.

    :param request: what the DAG asks for.
    :param reported: what its task ``create`` returned.
    :param file: what its task ``upload`` stored.
    :param receipt: what was paid.
    """

    request: VideoRequest
    reported: dict[str, Any]
    file: VideoFile
    receipt: Receipt

    def problems(self) -> list[str]:
        """Return everything in which file, report and receipt disagree."""
        return [f"{name} is {value}, but {where} {other}" for name, value, where, other in self._disagreements()]

    def _disagreements(self) -> Iterator[tuple[str, object, str, object]]:
        if self.receipt.submissions != 1:
            yield "the number of submissions", self.receipt.submissions, "should be", 1
        if self.receipt.credits != self.reported["credits_used"]:
            yield "the charge", self.receipt.credits, "the provider reported", self.reported["credits_used"]
        for side in ("width", "height"):
            if self.reported[side] not in (None, getattr(self.file, side)):
                yield f"the {side} of the file", getattr(self.file, side), "the provider reported", self.reported[side]
        if abs(self.file.duration - (self.request.duration or 0)) > _SECONDS_OF_TOLERANCE:
            yield "the length of the file", self.file.duration, "the DAG asked for", self.request.duration

    def __str__(self) -> str:
        return (
            f"video={self.file.path} width={self.file.width} height={self.file.height} "
            f"duration={self.file.duration:.1f} credits={self.receipt.credits:g} "
            f"submissions={self.receipt.submissions}"
        )
