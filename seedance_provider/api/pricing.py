"""What a request will cost, from the vendor's published prices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedance_provider.api.models import MODELS

if TYPE_CHECKING:
    from seedance_provider.api.video_request import VideoRequest

__all__ = ["DOLLARS_PER_CREDIT", "estimate_credits", "estimate_dollars"]

#: From the vendor's quickstart: 200 credits are $1.00. Bulk packs are cheaper.
DOLLARS_PER_CREDIT = 0.005


def estimate_credits(request: VideoRequest) -> float:
    """
    Return the credits that a video will cost: price per second times seconds. ``extra_inputs`` are not looked at.

    :param request: what to ask for.
    """
    credits_per_second = MODELS[request.model].credits_per_second[request.output_resolution]
    return credits_per_second * request.duration


def estimate_dollars(request: VideoRequest) -> float:
    """Return about how many US dollars a video will cost, at the price of the vendor's quickstart."""
    return estimate_credits(request) * DOLLARS_PER_CREDIT
