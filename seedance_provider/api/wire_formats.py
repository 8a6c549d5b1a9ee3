"""
How a request is written for the API, which has had several documented generations.

``quickstart``
    exactly the fields of the vendor's quickstart: a size in pixels, a duration with its unit, ``urls``.
``models``
    the vendor's newest model pages: ``aspectRatio``, ``outputResolution``, a whole number of seconds, ``imageUrls``.
``auto``
    the quickstart whenever the request can be said in it, otherwise the newest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedance_provider.api.errors import InvalidRequestError
from seedance_provider.api.models import MODELS

if TYPE_CHECKING:
    from collections.abc import Callable

    from seedance_provider.api.video_request import VideoRequest

__all__ = ["WIRE_FORMATS", "encode_inputs"]


def encode_inputs(request: VideoRequest, wire_format: str = "auto") -> dict[str, Any]:
    """
    Return the ``inputs`` object of ``createTask``.

    :param request: what to ask for.
    :param wire_format: one of :data:`WIRE_FORMATS`.
    :raises InvalidRequestError: if the request can't be said in that format, or there is no such format.
    """
    try:
        encode = WIRE_FORMATS[wire_format]
    except KeyError:
        raise InvalidRequestError(
            f"wire_format is {wire_format!r}, and the known formats are {', '.join(WIRE_FORMATS)}."
        ) from None
    return encode(request) | dict(request.extra_inputs)


def _quickstart(request: VideoRequest) -> dict[str, Any]:
    if not _fits_quickstart(request):
        raise InvalidRequestError(
            "The connection pins wire_format to 'quickstart', which has no word for this request "
            f"(model {request.model}, resolution {request.resolution}, aspect ratio {request.aspect_ratio}). "
            "Nothing was sent or charged."
        )
    inputs: dict[str, Any] = {
        "prompt": request.prompt,
        "resolution": request.quickstart_resolution,
        "duration": f"{request.duration}s",
    }
    if request.frames:
        inputs["urls"] = request.frames
    return inputs


def _models(request: VideoRequest) -> dict[str, Any]:
    inputs: dict[str, Any] = {
        "prompt": request.prompt,
        "duration": request.duration,
        "outputResolution": request.output_resolution,
    }
    if request.effective_aspect_ratio is not None:
        inputs["aspectRatio"] = request.effective_aspect_ratio
    if request.frames:
        inputs["imageUrls"] = request.frames
    return inputs


def _auto(request: VideoRequest) -> dict[str, Any]:
    # Extra inputs are fields of the newer pages, which the quickstart does not know.
    newer = request.extra_inputs or not _fits_quickstart(request)
    return _models(request) if newer else _quickstart(request)


def _fits_quickstart(request: VideoRequest) -> bool:
    return MODELS[request.model].speaks_quickstart and request.quickstart_resolution is not None


WIRE_FORMATS: dict[str, Callable[[VideoRequest], dict[str, Any]]] = {
    "auto": _auto,
    "quickstart": _quickstart,
    "models": _models,
}
