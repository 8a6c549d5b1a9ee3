"""
Reading a ``createTask`` body: either a complete :class:`VideoOrder`, or a refusal that names every wrong value.

Two generations of the API are understood, field by field: the quickstart's (``resolution`` in pixels, ``"5s"``,
``urls``), and the newest (``aspectRatio``, ``outputResolution``, a number of seconds, ``imageUrls``). As at the real
API, a field that doesn't exist is ignored without a word: a client that misspells one gets the default.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from seedance_provider.api.models import MODELS, QUICKSTART_SIZES, Model, Size, pixel_size
from seedance_provider.emulator.failures import UnknownMarkerError, read_markers
from seedance_provider.emulator.order import VideoOrder
from seedance_provider.emulator.prices import price
from seedance_provider.emulator.refusals import RefusedError, invalid_inputs, invalid_request

__all__ = ["read_body", "read_order"]

Inputs = Mapping[str, Any]
T = TypeVar("T")

_DEFAULT_SECONDS = 5
_DEFAULT_SIZE = Size("16:9", "720p")
_MODES = ("keyframe", "reference")
_LARGEST_SEED = 4_294_967_295
_MEDIA_LIMITS = {"urls": 9, "imageUrls": 9, "videoUrls": 3, "audioUrls": 3}

#: ``5``, ``"5"`` and ``"5s"`` are what the three generations of the API call five seconds.
_SECONDS = re.compile(r"([0-9]{1,9})s?")


class _InvalidInputError(Exception):
    """One wrong value. The texts and codes are guesses, as is most of what the API says here, in the style of zod."""

    def __init__(self, field: str, message: str, code: str = "invalid_value") -> None:
        super().__init__(message)
        self.problem = {"code": code, "message": message, "path": [field]}


@dataclass(frozen=True)
class _VideoSize:
    """How large the file is, and what that is called in the price list."""

    width: int
    height: int
    output_resolution: str


class _Reader:
    """Runs the readers of the single fields, and goes on after a wrong value to find the other ones."""

    def __init__(self, model: Model, inputs: Inputs) -> None:
        self._model = model
        self._inputs = inputs
        self.problems: list[dict[str, Any]] = []

    def __call__(self, read: Callable[[Model, Inputs], T]) -> T | None:
        try:
            return read(self._model, self._inputs)
        except _InvalidInputError as error:
            self.problems.append(error.problem)
            return None


def read_body(content_type: str, body: bytes) -> tuple[str, Inputs]:
    """
    Return the model name and the ``inputs`` of a request.

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
    if not isinstance(fields, dict) or not _is_link(fields.get("callBackUrl", "https://none.example")):
        raise invalid_request()
    model, inputs = fields.get("model"), fields.get("inputs")
    if not isinstance(model, str) or not isinstance(inputs, dict):
        raise invalid_request()
    return model, inputs


def read_order(model_name: str, inputs: Inputs) -> VideoOrder:
    """
    Return what a request asks for.

    :param model_name: as it was sent.
    :param inputs: as they were sent.
    :raises RefusedError: 400 if there is no such model, or if a value is wrong.
    """
    model = MODELS.get(model_name)
    if model is None:
        raise RefusedError(400, "Unknown model")
    read = _Reader(model, inputs)
    prompt, seconds, size, seed = read(_prompt), read(_seconds), read(_size), read(_seed)
    references = read(_references)
    for check in (_check_mode, _check_sound, _check_bitrate):
        read(check)
    if read.problems or prompt is None or seconds is None or size is None:
        raise invalid_inputs(read.problems)
    cost = price(model, size.output_resolution, seconds, reference_video=bool(inputs.get("videoUrls")))
    return VideoOrder(model.name, prompt, seconds, size.width, size.height, cost, seed, references or ())


def _prompt(model: Model, inputs: Inputs) -> str:
    prompt = inputs.get("prompt", "")
    if not isinstance(prompt, str):
        raise _InvalidInputError("prompt", "Prompt must be a string", "invalid_type")
    if not prompt.strip() and not any(inputs.get(field) for field in _MEDIA_LIMITS):
        raise _InvalidInputError("prompt", "Prompt is required", "too_small")
    if len(prompt) > model.prompt_limit:
        raise _InvalidInputError("prompt", f"Prompt must be at most {model.prompt_limit} characters", "too_big")
    try:
        read_markers(prompt)
    except UnknownMarkerError as error:
        raise _InvalidInputError("prompt", str(error)) from None
    return prompt


def _seconds(model: Model, inputs: Inputs) -> int:
    duration = inputs.get("duration", _DEFAULT_SECONDS)
    number = _SECONDS.fullmatch(duration) if isinstance(duration, str) else None
    if number is not None:
        duration = int(number[1])
    if not _is_whole(duration):
        raise _InvalidInputError("duration", "Duration must be a whole number of seconds", "invalid_type")
    shortest, longest = model.durations
    if not shortest <= duration <= longest:
        code = "too_small" if duration < shortest else "too_big"
        raise _InvalidInputError("duration", f"Duration must be between {shortest} and {longest} seconds", code)
    return int(duration)


def _size(model: Model, inputs: Inputs) -> _VideoSize:
    # Which one wins if a request has the size fields of both generations is not documented.
    newest = "aspectRatio" in inputs or "outputResolution" in inputs
    quickstart = _quickstart_size(inputs)
    return quickstart if quickstart is not None and not newest else _newest_size(model, inputs)


def _quickstart_size(inputs: Inputs) -> _VideoSize | None:
    if "resolution" not in inputs:
        return None
    pixels = _one_of(QUICKSTART_SIZES, "resolution", inputs["resolution"])
    width, height = pixels.split("x")
    return _VideoSize(int(width), int(height), QUICKSTART_SIZES[pixels].output_resolution)


def _newest_size(model: Model, inputs: Inputs) -> _VideoSize:
    # A reference would decide the default aspect ratio at the real API; the emulator doesn't fetch it.
    aspect_ratio = inputs.get("aspectRatio", _DEFAULT_SIZE.aspect_ratio)
    output_resolution = inputs.get("outputResolution", _DEFAULT_SIZE.output_resolution)
    _one_of(model.aspect_ratios, "aspectRatio", aspect_ratio)
    _one_of(model.output_resolutions, "outputResolution", output_resolution)
    pixels = pixel_size(Size(aspect_ratio, output_resolution))
    if pixels is None:
        raise _InvalidInputError("aspectRatio", f"{aspect_ratio} is not available at {output_resolution}")
    return _VideoSize(*pixels, output_resolution)


def _references(_: Model, inputs: Inputs) -> tuple[tuple[str, str], ...]:
    """Name what each link is for: in keyframe mode only the first two images are used."""
    links = {field: _links(inputs, field, limit) for field, limit in _MEDIA_LIMITS.items()}
    images = links["urls"] + links["imageUrls"]
    named = [("Video", url) for url in links["videoUrls"]] + [("Sound", url) for url in links["audioUrls"]]
    if named or inputs.get("mode") == "reference":
        return tuple([("Image", url) for url in images] + named)
    return tuple(zip(("First frame", "Last frame"), images, strict=False))


def _links(inputs: Inputs, field: str, limit: int) -> list[str]:
    links = inputs.get(field, [])
    if not isinstance(links, list):
        raise _InvalidInputError(field, f"{field} must be a list", "invalid_type")
    if len(links) > limit:
        raise _InvalidInputError(field, f"{field} must have at most {limit} items", "too_big")
    if not all(_is_link(link) for link in links):
        raise _InvalidInputError(field, f"{field} must be http(s) URLs", "invalid_format")
    return links


def _seed(_: Model, inputs: Inputs) -> int | None:
    seed = inputs.get("seed", -1)
    if not _is_whole(seed) or not -1 <= seed <= _LARGEST_SEED:
        raise _InvalidInputError("seed", f"Seed must be between 0 and {_LARGEST_SEED}, or -1")
    return None if seed == -1 else int(seed)


def _check_mode(_: Model, inputs: Inputs) -> None:
    if "mode" in inputs:
        _one_of(_MODES, "mode", inputs["mode"])


def _check_sound(_: Model, inputs: Inputs) -> None:
    if not isinstance(inputs.get("generate_audio", True), bool):
        raise _InvalidInputError("generate_audio", "generate_audio must be true or false", "invalid_type")


def _check_bitrate(_: Model, inputs: Inputs) -> None:
    if "bitrate_mode" in inputs:
        _one_of(("high",), "bitrate_mode", inputs["bitrate_mode"])


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
