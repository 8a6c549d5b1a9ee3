"""
What was made, compared with what was asked for. The API ignores input fields that it does not know, so a request in an
older or newer spelling can be accepted, and paid for, and make another video than was meant.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from seedance_provider.api.models import QUICKSTART_SIZES

__all__ = ["length_mismatches", "size_mismatches"]

_RATIOS = {"16:9": 16 / 9, "9:16": 9 / 16, "1:1": 1.0, "4:3": 4 / 3, "3:4": 3 / 4, "21:9": 21 / 9}
#: Sizes are near a ratio and not on it: 864x496 is called 16:9. The nearest two ratios differ by a quarter.
_RATIO_TOLERANCE = 0.06
#: The largest area, in pixels, of each resolution: the geometric means between the sizes that the vendor documents.
_TIERS = (("480p", 470_000), ("720p", 1_380_000), ("1080p", 4_150_000), ("4k", math.inf))
#: The vendor says a tenth of a second.
_LENGTH_TOLERANCE = 0.5


def size_mismatches(inputs: Mapping[str, Any], width: int | None, height: int | None) -> list[str]:
    """
    Return how the picture differs from what was asked for: ``aspect_ratio: 9:16 asked, 16:9 made``.

    :param inputs: ``inputs`` of :meth:`~seedance_provider.api.video_request.VideoRequest.described`.
    :param width: in pixels, as it was made; nothing differs if it is not known.
    :param height: in pixels, as it was made.
    """
    if not width or not height or width < 0 or height < 0:
        return []
    resolution, aspect_ratio = str(inputs.get("resolution")), str(inputs.get("aspect_ratio"))
    if (size := QUICKSTART_SIZES.get(resolution)) is not None:
        resolution, aspect_ratio = size.output_resolution, size.aspect_ratio
    extra = inputs.get("extra_inputs")
    if isinstance(extra, Mapping) and extra.get("upscaleResolution"):
        resolution = "4k"
    found = []
    if aspect_ratio in _RATIOS and not _is_near(width / height, _RATIOS[aspect_ratio]):
        made = next((name for name, ratio in _RATIOS.items() if _is_near(width / height, ratio)), f"{width}x{height}")
        found.append(f"aspect_ratio: {aspect_ratio} asked, {made} made")
    made = next(name for name, largest in _TIERS if width * height <= largest)
    if resolution in dict(_TIERS) and resolution != made:
        found.append(f"resolution: {resolution} asked, {made} made ({width}x{height})")
    return found


def length_mismatches(inputs: Mapping[str, Any], seconds: float | None) -> list[str]:
    """
    Return how the length differs from what was asked for: ``duration: 8 s asked, 5 s made``.

    :param inputs: as above.
    :param seconds: as it was made; nothing differs if it is not known.
    """
    asked = inputs.get("duration")
    if isinstance(asked, bool) or not isinstance(asked, int | float) or seconds is None:
        return []
    if abs(asked - seconds) <= _LENGTH_TOLERANCE:
        return []
    return [f"duration: {asked:g} s asked, {seconds:g} s made"]


def _is_near(made: float, asked: float) -> bool:
    return abs(math.log(made / asked)) < _RATIO_TOLERANCE
