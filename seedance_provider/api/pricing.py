"""What a request will cost, from the prices in :mod:`seedance_provider.api.models`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seedance_provider.api.video_request import VideoRequest

__all__ = [
    "DOLLARS_PER_CREDIT",
    "UPSCALE_CREDITS_PER_SECOND",
    "Estimate",
    "estimate",
    "estimate_credits",
    "format_credits",
    "is_amount",
    "settles",
]

#: From the vendor's quickstart: 200 credits are $1.00. Bulk packs are cheaper.
DOLLARS_PER_CREDIT = 0.005

#: What ``upscaleResolution`` adds, which only the older generation of the API knows (an extra input here).
UPSCALE_CREDITS_PER_SECOND = 28


@dataclass(frozen=True)
class Estimate:
    """
    What a video will cost.

    :param credits: at most, or exactly.
    :param is_exact: whether all that sets the price is known. It is not if the seconds of a reference video are paid
        for whose length was not said: then ``credits`` are for the longest one that the model takes.
    """

    credits: float
    is_exact: bool = True


def estimate(request: VideoRequest) -> Estimate | None:
    """
    Return what a video will cost, or ``None`` for a model whose prices are not known.

    The price of a second depends on model, resolution and on whether there is a reference video. ``extra_inputs``
    are ignored, except for ``upscaleResolution``.

    :param request: what to ask for.
    """
    model = request.known_model
    if model is None or request.output_resolution not in model.prices:
        return None
    price = model.prices[request.output_resolution]
    upscale = UPSCALE_CREDITS_PER_SECOND if request.extra_inputs.get("upscaleResolution") else 0
    if not request.reference_videos:
        return Estimate((price.plain + upscale) * (request.duration or 0))
    if not model.bills_source_seconds:
        return Estimate((price.with_video + upscale) * (request.duration or 0))
    source = request.reference_video_seconds or model.videos.seconds or 0
    # A changed video is as long as the one that it is made from.
    made = source if request.duration is None else request.duration
    credits_ = price.with_video * (source + made) + upscale * made
    return Estimate(credits_, is_exact=request.reference_video_seconds is not None)


def settles(request: VideoRequest) -> bool:
    """Return whether the credits for a video may change within seconds after success."""
    model = request.known_model
    return model is not None and model.bills_source_seconds and bool(request.reference_videos)


def estimate_credits(request: VideoRequest) -> float | None:
    """
    Return the credits that a video will cost: price per second times seconds. ``None`` for a model whose prices are
    not known. See :func:`estimate`, which also says how sure that is.

    :param request: what to ask for.
    """
    estimated = estimate(request)
    return None if estimated is None else estimated.credits


def is_amount(value: object) -> bool:
    """Return whether a value is a number of credits, as a limit is."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf")


def format_credits(credits_: float | None) -> str:
    """
    Return credits as a person wants to read them, with what they are worth at the price of the vendor's quickstart.

    :param credits_: ``None`` if they are not known.
    """
    if credits_ is None:
        return "an unknown number of credits"
    return f"about {credits_:g} credits (${credits_ * DOLLARS_PER_CREDIT:.2f})"
