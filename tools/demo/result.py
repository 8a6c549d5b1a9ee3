"""What came out of the demo, and whether it is what was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seedance_provider.api.video_request import VideoRequest
    from tools.demo.accounts import Receipt
    from tools.demo.video_file import VideoFile

__all__ = ["Result"]

# A generator may deliver a few frames more or less than what was asked for.
_SECONDS_OF_TOLERANCE = 0.5


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
