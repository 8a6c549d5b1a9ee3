"""
Reading a ``createTask`` body: either a complete :class:`VideoOrder`, or a refusal that names every wrong value.

What fields there are and how they are spelt is up to the generation of the API. As at the real API, a field that
doesn't exist is ignored without a word: a client that misspells one gets the default.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from seedance_provider.api.models import BITRATE_MODES, LARGEST_SEED, MODELS, QUICKSTART_SIZES, SUFFIXES, Model, Size
from seedance_provider.emulator.failures import UnknownMarkerError, read_markers
from seedance_provider.emulator.generations import GENERATIONS, Generation
from seedance_provider.emulator.order import VideoOrder
from seedance_provider.emulator.prices import price
from seedance_provider.emulator.refusals import RefusedError, invalid_inputs, invalid_request

__all__ = ["Body", "SecondsOf", "read_body", "read_order"]

Inputs = Mapping[str, Any]
T = TypeVar("T")

_DEFAULT_SECONDS = 5
_DEFAULT_ASPECT_RATIO = "16:9"
_MODES = ("keyframe", "reference")
_MEDIA = ("urls", "imageUrls", "videoUrls", "audioUrls")

#: How long a reference video is taken to be that was not made here: nothing is fetched.
_SOURCE_SECONDS = 5

#: Tells how long a video behind a link is, ``None`` if that is not known.
SecondsOf = Callable[[str], float | None]


class _InvalidInputError(Exception):
    """One wrong value. The texts and codes are guesses, as is most of what the API says here, in the style of zod."""

    def __init__(self, field: str, message: str, code: str = "invalid_value") -> None:
        super().__init__(message)
        self.problem = {"code": code, "message": message, "path": [field]}


@dataclass(frozen=True)
class Body:
    """A request as a whole."""

    model: str
    inputs: Inputs
    callback_url: str | None


@dataclass(frozen=True)
class _Asked:
    """What was asked for, by whose rules."""

    model: Model
    inputs: Inputs
    generation: Generation
    seconds_of: SecondsOf


@dataclass(frozen=True)
class _VideoSize:
    """How large the file is, and what that is called in the price list."""

    width: int
    height: int
    output_resolution: str


class _Reader:
    """Runs the readers of the single fields, and continues after a wrong value to find the other ones."""

    def __init__(self, asked: _Asked) -> None:
        self._asked = asked
        self.problems: list[dict[str, Any]] = []

    def __call__(self, read: Callable[[_Asked], T]) -> T | None:
        try:
            return read(self._asked)
        except _InvalidInputError as error:
            self.problems.append(error.problem)
            return None


def read_body(content_type: str, body: bytes) -> Body:
    """
    Return what a request says, before its ``inputs`` are read.

    :param content_type: media type of the request.
    :param body: as it was sent.
    :raises RefusedError: 400 if the body as a whole isn't one of ``createTask``.
    """
    if content_type != "application/json":
        raise invalid_request()
    try:
        fields = json.loads(body)
        json.dumps(fields, ensure_ascii=False).encode()  # JSON can spell half characters, which are no text.
    except (ValueError, RecursionError):
        raise invalid_request() from None
    if not isinstance(fields, dict) or ("callBackUrl" in fields and not _is_link(fields["callBackUrl"])):
        raise invalid_request()
    model, inputs = fields.get("model"), fields.get("inputs")
    if not isinstance(model, str) or not isinstance(inputs, dict):
        raise invalid_request()
    return Body(model, inputs, fields.get("callBackUrl"))


def read_order(
    body: Body, generation: Generation = GENERATIONS["models"], seconds_of: SecondsOf = lambda _: None
) -> VideoOrder:
    """
    Return what a request asks for.

    :param body: as it was sent.
    :param generation: whose fields are known.
    :param seconds_of: tells how long a reference video is; where it doesn't know, five seconds are taken.
    :raises RefusedError: 400 if there is no such model, or if a value is wrong.
    """
    model = MODELS.get(body.model)
    if model is None or generation.name not in model.wire_formats:
        raise RefusedError(400, "Unknown model")
    asked = _Asked(model, generation.known(body.inputs), generation, seconds_of)
    read = _Reader(asked)
    prompt, seconds, size, seed = read(_prompt), read(_seconds), read(_size), read(_seed)
    references, sound = read(_references), read(_sound)
    for check in (_check_mode, _check_bitrate, _check_output_format, _check_upscaling):
        read(check)
    if read.problems or prompt is None or seconds is None or size is None:
        raise invalid_inputs(read.problems)
    cost = price(
        model,
        size.output_resolution,
        seconds,
        _source_seconds(asked) if _videos(asked) else None,
        is_upscaled="upscaleResolution" in asked.inputs,
    )
    return VideoOrder(
        model.name,
        prompt,
        seconds,
        size.width,
        size.height,
        cost.reserved,
        seed,
        references or (),
        settled_credits=cost.settled,
        has_sound=bool(sound),
        container=_container(asked),
        callback_url=body.callback_url,
        doom=_doom(asked),
    )


def _prompt(asked: _Asked) -> str:
    prompt = asked.inputs.get("prompt", "")
    limit = min(asked.model.prompt_limit, asked.generation.prompt_limit or asked.model.prompt_limit)
    if not isinstance(prompt, str):
        raise _InvalidInputError("prompt", "Prompt must be a string", "invalid_type")
    if not prompt.strip() and not any(asked.inputs.get(field) for field in _MEDIA):
        raise _InvalidInputError("prompt", "Prompt is required", "too_small")
    if len(prompt) > limit:
        raise _InvalidInputError("prompt", f"Prompt must be at most {limit} characters", "too_big")
    try:
        read_markers(prompt)
    except UnknownMarkerError as error:
        raise _InvalidInputError("prompt", str(error)) from None
    return prompt


def _seconds(asked: _Asked) -> int:
    if asked.model.durations is None:
        # What is changed is as long as it was. A duration would be one more unknown field.
        return round(_source_seconds(asked))
    if asked.model.works_on_a_video and "duration" not in asked.inputs:
        raise _InvalidInputError("duration", "Duration is required", "invalid_type")
    duration = asked.inputs.get("duration", _DEFAULT_SECONDS)
    if asked.generation.spelling is not None and "duration" in asked.inputs:
        number = asked.generation.spelling.fullmatch(duration) if isinstance(duration, str) else None
        duration = int(number[1]) if number else None
    if not _is_whole(duration):
        raise _InvalidInputError("duration", "Duration must be a whole number of seconds", "invalid_type")
    shortest, longest = asked.model.durations
    if not shortest <= duration <= longest:
        code = "too_small" if duration < shortest else "too_big"
        raise _InvalidInputError("duration", f"Duration must be between {shortest} and {longest} seconds", code)
    return int(duration)


def _size(asked: _Asked) -> _VideoSize:
    if "resolution" not in asked.inputs:
        return _newest_size(asked)
    pixels = _one_of(QUICKSTART_SIZES, "resolution", asked.inputs["resolution"])
    width, height = pixels.split("x")
    return _VideoSize(int(width), int(height), QUICKSTART_SIZES[pixels].output_resolution)


def _newest_size(asked: _Asked) -> _VideoSize:
    # A reference would decide the default aspect ratio at the real API; the emulator doesn't fetch it.
    aspect_ratio = _DEFAULT_ASPECT_RATIO
    if not asked.model.works_on_a_video:
        aspect_ratio = asked.inputs.get("aspectRatio", _DEFAULT_ASPECT_RATIO)
        _one_of(asked.model.aspect_ratios, "aspectRatio", aspect_ratio)
    default = min(asked.generation.output_resolution, asked.model.output_resolutions[-1], key=_lines)
    output_resolution = _one_of(
        _output_resolutions(asked), "outputResolution", asked.inputs.get("outputResolution", default)
    )
    pixels = asked.model.pixel_size(Size(aspect_ratio, output_resolution))
    if pixels is None:
        raise _InvalidInputError("aspectRatio", f"{aspect_ratio} is not available at {output_resolution}")
    if "upscaleResolution" in asked.inputs:
        pixels = asked.model.pixel_size(Size(aspect_ratio, "4k")) or pixels
    return _VideoSize(*pixels, output_resolution)


def _output_resolutions(asked: _Asked) -> tuple[str, ...]:
    """The documentation pages have upscaling in place of a native 4k."""
    offered = asked.model.output_resolutions
    return tuple(name for name in offered if name != "4k") if asked.generation.name == "docs" else offered


def _lines(output_resolution: str) -> int:
    return 2160 if output_resolution == "4k" else int(output_resolution.rstrip("p"))


def _references(asked: _Asked) -> tuple[tuple[str, str], ...]:
    """Name what each link is for: in keyframe mode only the first two images are used."""
    links = {field: _links(asked, field) for field in _MEDIA}
    if asked.model.works_on_a_video and not _videos(asked):
        raise _InvalidInputError("videoUrls", "At least one reference video (videoUrls) is required.")
    kinds = [(_kind(url), url) for url in links["urls"]]
    kinds += [("Image", url) for url in links["imageUrls"]]
    kinds += [("Video", url) for url in links["videoUrls"]] + [("Sound", url) for url in links["audioUrls"]]
    many = len(kinds) > 2 and asked.model.name.startswith("seedance2-5")
    mode = asked.inputs.get("mode", "reference" if many else "keyframe")
    if mode == "reference" or any(kind != "Image" for kind, _ in kinds):
        return tuple(kinds)
    return tuple(zip(("First frame", "Last frame"), (url for _, url in kinds), strict=False))


def _links(asked: _Asked, field: str) -> list[str]:
    links = asked.inputs.get(field, [])
    limit = {"videoUrls": asked.model.videos.count, "audioUrls": asked.model.audios.count}.get(
        field, asked.model.images.count
    )
    if not isinstance(links, list):
        raise _InvalidInputError(field, f"{field} must be a list", "invalid_type")
    if len(links) > limit:
        raise _InvalidInputError(field, f"{field} must have at most {limit} items", "too_big")
    if not all(_is_link(link) for link in links):
        raise _InvalidInputError(field, f"{field} must be http(s) URLs", "invalid_format")
    return links


def _kind(url: str) -> str:
    """In ``urls`` the ending tells what a link is."""
    path = urlsplit(url).path.lower()
    if path.endswith(SUFFIXES["video"]):
        return "Video"
    return "Sound" if path.endswith(SUFFIXES["audio"]) else "Image"


def _videos(asked: _Asked) -> list[str]:
    fields = [asked.inputs.get(field, []) for field in ("videoUrls", "urls")]
    videos, mixed = ([url for url in field if _is_link(url)] if isinstance(field, list) else [] for field in fields)
    return [*videos, *(url for url in mixed if _kind(url) == "Video")]


def _source_seconds(asked: _Asked) -> float:
    return sum(asked.seconds_of(url) or _SOURCE_SECONDS for url in _videos(asked))


def _doom(asked: _Asked) -> str | None:
    """Name what is documented as accepted, and failing afterwards."""
    links = [url for field in _MEDIA for url in asked.inputs.get(field) or [] if isinstance(url, str)]
    sounds = [url for url in asked.inputs.get("audioUrls") or [] if isinstance(url, str)]
    if links and all(url in sounds or _kind(url) == "Sound" for url in links):
        return "audio_only"
    if asked.model.works_on_a_video and asked.inputs.get("aspectRatio", "adaptive") != "adaptive":
        return "extension_parameters" if asked.model.durations else "editing_parameters"
    source, limit = _source_seconds(asked), asked.model.videos
    shortest = limit.seconds_each[0] if limit.seconds_each and links else 0
    if _videos(asked) and asked.model.durations is None and source < shortest:
        return "editing_parameters"
    if limit.seconds is not None and source > limit.seconds:
        return "content_parameter" if asked.model.bills_source_seconds else "reference_video_length"
    return None


def _container(asked: _Asked) -> str:
    """A model without a choice doesn't know the field."""
    formats = asked.model.output_formats
    return str(asked.inputs.get("output_format", formats[0])) if len(formats) > 1 else formats[0]


def _seed(asked: _Asked) -> int | None:
    seed = asked.inputs.get("seed", -1)
    if not _is_whole(seed) or not -1 <= seed <= LARGEST_SEED:
        raise _InvalidInputError("seed", f"Seed must be between 0 and {LARGEST_SEED}, or -1")
    return None if seed == -1 else int(seed)


def _sound(asked: _Asked) -> bool:
    sound = asked.inputs.get("generate_audio", asked.generation.has_sound)
    if not isinstance(sound, bool):
        raise _InvalidInputError("generate_audio", "generate_audio must be true or false", "invalid_type")
    return sound


def _check_mode(asked: _Asked) -> None:
    if "mode" in asked.inputs:
        _one_of(_MODES, "mode", asked.inputs["mode"])


def _check_bitrate(asked: _Asked) -> None:
    if "bitrate_mode" in asked.inputs:
        _one_of(BITRATE_MODES, "bitrate_mode", asked.inputs["bitrate_mode"])


def _check_output_format(asked: _Asked) -> None:
    if "output_format" in asked.inputs and len(asked.model.output_formats) > 1:
        _one_of(asked.model.output_formats, "output_format", asked.inputs["output_format"])


def _check_upscaling(asked: _Asked) -> None:
    if "upscaleResolution" in asked.inputs:
        _one_of(("4k",), "upscaleResolution", asked.inputs["upscaleResolution"])


def _one_of(allowed: Mapping[str, Any] | tuple[str, ...], field: str, value: Any) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise _InvalidInputError(field, f"{field} must be one of {', '.join(allowed)}")
    return value


def _is_whole(value: Any) -> bool:
    """Whether JSON has a whole number there; JavaScript makes no difference between 5 and 5.0."""
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, float) and value.is_integer())


def _is_link(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"\s", value)
