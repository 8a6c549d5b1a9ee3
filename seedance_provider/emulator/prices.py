"""What a video costs at the emulator."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seedance_provider.api.models import Model

__all__ = ["price"]

#: Credits for a second of video when a reference video is sent along, from the vendor's model pages.
_WITH_REFERENCE_VIDEO: dict[str, dict[str, float]] = {
    "seedance-20": {"480p": 19, "720p": 48, "1080p": 108, "4k": 240},
    "seedance2-fast": {"480p": 18, "720p": 34},
    "seedance2.0-mini": {"480p": 9.5, "720p": 24},
}


def price(model: Model, output_resolution: str, seconds: int, *, reference_video: bool) -> float:
    """
    Return the credits that a video costs.

    :param model: one that offers the resolution.
    :param output_resolution: such as ``720p``.
    :param seconds: length of the video.
    :param reference_video: whether the request has a reference video; images and sounds don't change the price.
    """
    rates = _WITH_REFERENCE_VIDEO[model.name] if reference_video else model.credits_per_second
    return rates[output_resolution] * seconds
