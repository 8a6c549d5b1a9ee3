"""What a video costs at the emulator, by the same price list that the provider estimates with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seedance_provider.api.pricing import UPSCALE_CREDITS_PER_SECOND

if TYPE_CHECKING:
    from seedance_provider.api.models import Model

__all__ = ["Cost", "price"]


@dataclass(frozen=True)
class Cost:
    """
    Credits for one video.

    :param reserved: from the moment it is accepted.
    :param settled: a few seconds after success.
    """

    reserved: float
    settled: float


def price(
    model: Model, output_resolution: str, seconds: int, source_seconds: float | None, *, is_upscaled: bool = False
) -> Cost:
    """
    Return what a video costs.

    :param model: one that offers the resolution.
    :param output_resolution: such as ``720p``.
    :param seconds: length of the video.
    :param source_seconds: length of the reference videos together, ``None`` if there are none; images and sounds don't
        change the price.
    :param is_upscaled: whether it is made larger afterwards.
    """
    rates = model.prices[output_resolution]
    upscale = UPSCALE_CREDITS_PER_SECOND if is_upscaled else 0
    if source_seconds is None:
        whole = (rates.plain + upscale) * seconds
        return Cost(whole, whole)
    reserved = (rates.with_video + upscale) * seconds
    billed = source_seconds if model.bills_source_seconds else 0
    # Rounded, because credits have two decimals in all that is documented.
    return Cost(reserved, round(reserved + rates.with_video * billed, 2))
