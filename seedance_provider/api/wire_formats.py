"""
How a request is written for the API, which has had three documented generations.

``quickstart``
    exactly the fields of the vendor's quickstart: a size in pixels, a duration with its unit, ``urls``.
``docs``
    the vendor's documentation pages: ``aspectRatio``, ``outputResolution``, digits, everything in ``urls``.
``models``
    the vendor's newest model pages: a whole number of seconds, ``imageUrls``, ``videoUrls``, ``audioUrls``, sound.
``auto``
    ``models``, with the older words for the same video beside it; if the API refuses that, which is free, the same with
    the length as ``docs`` spells it, and then as ``quickstart`` does.

The API ignores fields that it does not know, so what a format has no word for is refused here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedance_provider.api.errors import InvalidRequestError
from seedance_provider.api.media_file import Media, MediaFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from seedance_provider.api.video_request import VideoRequest

__all__ = ["WIRE_FORMATS", "encode_bodies", "encode_inputs"]

#: The longest prompt that the ``docs`` generation takes, whatever the model.
_DOCS_PROMPT_LIMIT = 4_000
#: What only the ``docs`` generation knows, and no parameter says.
_DOCS_EXTRA_INPUTS = frozenset({"upscaleResolution"})


def encode_bodies(request: VideoRequest, wire_format: str = "auto") -> dict[str, dict[str, Any]]:
    """
    Return the bodies of ``createTask`` to try, by the name of the format: the next one only if the API has refused all
    before it as a bad request. A pinned format has one.

    :param request: what to ask for.
    :param wire_format: one of :data:`WIRE_FORMATS`.
    :raises InvalidRequestError: if the request can't be said in that format, or there is no such format.
    """
    inputs = encode_inputs(request, wire_format)
    tried = {"models" if wire_format == "auto" else wire_format: inputs}
    if wire_format == "auto":
        # All of them say everything: an API that takes another spelling of the length, but not the older words, would
        # make, and charge for, another video.
        tried |= {name: inputs | {"duration": spell(request.duration)} for name, spell in _older_durations(request)}
    further = {} if request.callback_url is None else {"callBackUrl": request.callback_url}
    return {name: {"model": request.model, "inputs": said, **further} for name, said in tried.items()}


def encode_inputs(request: VideoRequest, wire_format: str = "auto") -> dict[str, Any]:
    """
    Return the ``inputs`` object of ``createTask``.

    :param request: what to ask for.
    :param wire_format: one of :data:`WIRE_FORMATS`.
    :raises InvalidRequestError: if the request can't be said in that format, or there is no such format, or it has a
        file that was not uploaded.
    """
    try:
        encode = WIRE_FORMATS[wire_format]
    except KeyError:
        raise InvalidRequestError(
            f"wire_format is {wire_format!r}, and the known formats are {', '.join(WIRE_FORMATS)}."
        ) from None
    said = {name: value for name, value in encode(request).items() if value is not None}
    return said | dict(request.extra_inputs)


def _quickstart(request: VideoRequest) -> dict[str, Any]:
    _refuse("quickstart", _beyond_quickstart(request))
    return {
        "prompt": request.sent_prompt,
        "resolution": request.quickstart_resolution,
        "duration": _with_unit(request.duration),
        "urls": _urls(request.frames),
    }


def _docs(request: VideoRequest) -> dict[str, Any]:
    _refuse("docs", _beyond_docs(request))
    return {
        "prompt": request.sent_prompt,
        "duration": str(request.duration),
        "outputResolution": request.output_resolution,
        "aspectRatio": request.effective_aspect_ratio,
        "mode": _mode(request),
        "urls": _urls(_all_media(request)),
    }


def _models(request: VideoRequest) -> dict[str, Any]:
    return {
        "prompt": request.sent_prompt,
        "duration": request.duration,
        "outputResolution": request.output_resolution,
        "aspectRatio": request.effective_aspect_ratio,
        "mode": _mode(request),
        "imageUrls": _urls([*request.frames, *request.reference_images]),
        "videoUrls": _urls(request.reference_videos),
        "audioUrls": _urls(request.reference_audios),
        "generate_audio": request.generate_audio,
        "bitrate_mode": request.bitrate_mode,
        "seed": request.seed,
        "output_format": request.output_format,
    }


def _auto(request: VideoRequest) -> dict[str, Any]:
    """The newest API ignores the older words, and the older ones the newest. Only the length is one word for all."""
    return {**_models(request), "resolution": request.quickstart_resolution, "urls": _urls(_all_media(request))}


def _older_durations(request: VideoRequest) -> Iterator[tuple[str, Callable[[int | None], str]]]:
    """Name the older formats that have the words for a request, and how they spell a length."""
    extra = request.extra_inputs.keys()
    if not (_beyond_docs(request) or extra - _DOCS_EXTRA_INPUTS):
        yield "docs", str
    if not (_beyond_quickstart(request) or extra):
        yield "quickstart", _with_unit


def _with_unit(seconds: int | None) -> str:
    return f"{seconds}s"


def _all_media(request: VideoRequest) -> list[Media]:
    return [*request.frames, *(item for items in request.references.values() for item in items)]


def _urls(media: Iterable[Media]) -> list[str] | None:
    """No media are not said at all."""
    return [_url(item) for item in media] or None


def _url(media: Media) -> str:
    if not isinstance(media, MediaFile):
        return media
    if media.url is None:
        raise InvalidRequestError(f"{media} was not uploaded, so the API can't fetch it. Nothing was sent or charged.")
    return media.url


def _mode(request: VideoRequest) -> str | None:
    """Images are frames unless something else is said. What continues or changes a video has no such choice."""
    works_on_a_video = request.known_model is not None and request.known_model.works_on_a_video
    return "reference" if request.has_references and not works_on_a_video else None


def _beyond_quickstart(request: VideoRequest) -> list[str]:
    """Name what the quickstart has no word for."""
    beyond = _unknown_to("quickstart", request)
    if request.quickstart_resolution is None:
        beyond.append(f"resolution {request.resolution}, aspect ratio {request.aspect_ratio}")
    if request.prompt is None:
        beyond.append("no prompt")
    return beyond + [name for name, urls in request.references.items() if urls]


def _beyond_docs(request: VideoRequest) -> list[str]:
    beyond = _unknown_to("docs", request)
    if request.output_resolution == "4k":
        beyond.append("resolution 4k (it upscales instead: extra_inputs={'upscaleResolution': '4k'})")
    if request.prompt is not None and len(request.prompt) > _DOCS_PROMPT_LIMIT:
        beyond.append(f"prompts of more than {_DOCS_PROMPT_LIMIT:,} characters")
    return beyond


def _unknown_to(wire_format: str, request: VideoRequest) -> list[str]:
    """Name the model and the choices that only the newest generation knows."""
    model = request.known_model
    known = model is not None and wire_format in model.wire_formats
    choices = ("generate_audio", "bitrate_mode", "seed", "output_format")
    said = [name for name in choices if getattr(request, name) is not None]
    return said if known else [f"model {request.model}", *said]


def _refuse(wire_format: str, beyond: list[str]) -> None:
    if beyond:
        raise InvalidRequestError(
            f"The connection pins wire_format to {wire_format!r}, which has no word for this request "
            f"({'; '.join(beyond)}). Nothing was sent or charged."
        )


#: How each generation of the API is written to, by the name that a connection gives it.
#:
#: :meta hide-value:
WIRE_FORMATS: dict[str, Callable[[VideoRequest], dict[str, Any]]] = {
    "auto": _auto,
    "quickstart": _quickstart,
    "docs": _docs,
    "models": _models,
}
