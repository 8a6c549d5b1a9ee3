"""The sound of the emulator's videos: one soft note."""

from __future__ import annotations

import math
from array import array
from fractions import Fraction
from typing import TYPE_CHECKING

import av

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SAMPLES_PER_SECOND", "notes"]

SAMPLES_PER_SECOND = 44_100

_SAMPLES_PER_FRAME = 1024
_HERTZ = 220
_LOUDNESS = 0.05


def notes(seconds: int) -> Iterator[av.AudioFrame]:
    """
    Return the frames of a sound.

    :param seconds: how long it is.
    """
    total = seconds * SAMPLES_PER_SECOND
    for start in range(0, total, _SAMPLES_PER_FRAME):
        samples = range(start, min(start + _SAMPLES_PER_FRAME, total))
        wave = array("f", (_LOUDNESS * math.sin(math.tau * _HERTZ * n / SAMPLES_PER_SECOND) for n in samples))
        frame = av.AudioFrame(format="fltp", layout="mono", samples=len(wave))
        # A plane may be padded, and is then larger than what is heard of it.
        frame.planes[0].update(wave.tobytes().ljust(frame.planes[0].buffer_size, b"\0"))
        frame.sample_rate, frame.pts, frame.time_base = SAMPLES_PER_SECOND, start, Fraction(1, SAMPLES_PER_SECOND)
        yield frame
