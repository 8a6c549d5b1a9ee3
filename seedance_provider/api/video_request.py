"""What a user asks for: checked completely before anything is sent, and independent of any wire format."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from seedance_provider.api.errors import InvalidRequestError
from seedance_provider.api.models import DEFAULT_MODEL, MODELS, QUICKSTART_SIZES, Model, Size, pixel_size

__all__ = ["DEFAULT_DURATION", "DEFAULT_RESOLUTION", "VideoRequest"]

DEFAULT_DURATION = 5
#: The size in the vendor's quickstart. It is always sent, because it sets the price and the defaults of the API's
#: generations differ.
DEFAULT_RESOLUTION = "1280x720"
_DEFAULT_OUTPUT_RESOLUTION = "720p"


@dataclass(frozen=True)
class VideoRequest:
    """
    A request for one video. Creating one costs nothing and raises
    :class:`~seedance_provider.api.errors.InvalidRequestError` naming every field that can't be right.

    :param prompt: what the video shows, in any language; up to 10,000 characters.
    :param model: ``seedance-20`` (default), ``seedance2-fast`` or ``seedance2.0-mini``.
    :param duration: length in seconds, 4 to 15; ``5``, ``"5"`` and ``"5s"`` are the same. Default 5.
    :param resolution: pixels as in the vendor's quickstart (``1280x720``, ``720x1280``, ``720x720``, ``960x720``,
        ``720x960``) or a name (``480p``, ``720p``, ``1080p``, ``4k``, as far as the model offers it).
        Default ``1280x720``, or ``720p`` if an aspect ratio is given.
    :param aspect_ratio: ``16:9``, ``9:16``, ``1:1``, ``4:3``, ``3:4`` or ``21:9``. Default: that of the resolution.
    :param first_frame: URL of the image that opens the video.
    :param last_frame: URL of the image that closes it; needs a first frame.
    :param extra_inputs: further fields of the API's ``inputs``, merged last and sent as they are. The API ignores
        unknown fields without an error.
    """

    prompt: str
    model: str = DEFAULT_MODEL
    duration: int = DEFAULT_DURATION
    resolution: str | None = None
    aspect_ratio: str | None = None
    first_frame: str | None = None
    last_frame: str | None = None
    extra_inputs: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("model", "resolution", "aspect_ratio"):
            _require_text(name, getattr(self, name))
        object.__setattr__(self, "duration", _seconds(self.duration))
        object.__setattr__(self, "extra_inputs", _mapping(self.extra_inputs))
        if self.resolution is None and self.aspect_ratio is None:
            object.__setattr__(self, "resolution", DEFAULT_RESOLUTION)
        if problems := list(self._problems()):
            raise _refusal("; ".join(problems))

    @property
    def frames(self) -> list[str]:
        """URLs of the first and the last frame, as far as given."""
        return [frame for frame in (self.first_frame, self.last_frame) if frame is not None]

    @property
    def output_resolution(self) -> str:
        """The resolution by name, which sets the price."""
        if self.resolution in QUICKSTART_SIZES:
            return QUICKSTART_SIZES[self.resolution].output_resolution
        return self.resolution or _DEFAULT_OUTPUT_RESOLUTION

    @property
    def effective_aspect_ratio(self) -> str | None:
        """The aspect ratio that was asked for, in whatever form; ``None`` leaves it to the API."""
        if self.resolution in QUICKSTART_SIZES:
            return QUICKSTART_SIZES[self.resolution].aspect_ratio
        return self.aspect_ratio

    @property
    def quickstart_resolution(self) -> str | None:
        """The size in pixels as the quickstart says it, or ``None`` if the quickstart has no word for it."""
        if self.resolution in QUICKSTART_SIZES:
            return self.resolution
        return next((pixels for pixels in QUICKSTART_SIZES if self._delivers(pixels)), None)

    def fingerprint(self, conn_id: str) -> str:
        """
        Identify what is paid for, and by whom: the same for every try of a task, and for every spelling of the
        same inputs.

        :param conn_id: the connection whose account pays.
        :return: SHA-256 in hexadecimal.
        """
        # Fields that are not set stay out, so that a field added by a later release changes no fingerprint.
        inputs = {
            "prompt": self.prompt,
            "duration": self.duration,
            "output_resolution": self.output_resolution,
            "aspect_ratio": self.effective_aspect_ratio,
            "pixels": self.quickstart_resolution,
            "frames": self.frames,
            "extra_inputs": self.extra_inputs,
        }
        said = {name: value for name, value in inputs.items() if value}
        canonical = json.dumps([conn_id, self.model, said], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()

    def _delivers(self, pixels: str) -> bool:
        """Whether the quickstart's size is the very file that this request would get."""
        if self.effective_aspect_ratio is None:
            return False
        delivered = pixel_size(Size(self.effective_aspect_ratio, self.output_resolution))
        return delivered is not None and pixels == f"{delivered[0]}x{delivered[1]}"

    def _problems(self) -> Iterator[str]:
        model = MODELS.get(self.model)
        if model is None:
            yield f"model is {self.model!r}, and the known models are {', '.join(MODELS)}"
            return
        yield from self._prompt_problems(model)
        yield from self._duration_problems(model)
        yield from self._size_problems(model)
        yield from self._frame_problems()

    def _prompt_problems(self, model: Model) -> Iterator[str]:
        if not isinstance(self.prompt, str) or not self.prompt.strip():
            yield f"prompt is {self.prompt!r}, and a text is needed"
        elif not _is_unicode(self.prompt):
            yield f"prompt is {self.prompt[:40]!a}..., and text that UTF-8 can write is needed"
        elif len(self.prompt) > model.prompt_limit:
            yield (
                f"prompt has {len(self.prompt):,} characters ({self.prompt[:40]!r}...), "
                f"and {model.prompt_limit:,} are allowed"
            )

    def _duration_problems(self, model: Model) -> Iterator[str]:
        shortest, longest = model.durations
        if not isinstance(self.duration, int) or not shortest <= self.duration <= longest:
            yield (f"duration is {self.duration!r}, and {self.model} takes whole seconds from {shortest} to {longest}")

    def _size_problems(self, model: Model) -> Iterator[str]:
        sizes = list(model.output_resolutions) + [p for p in QUICKSTART_SIZES if _offers(model, p)]
        if self.resolution is not None and self.resolution not in sizes:
            yield f"resolution is {self.resolution!r}, and {self.model} takes {', '.join(sizes)}"
            return
        if self.aspect_ratio is None:
            return
        if self.aspect_ratio not in model.aspect_ratios:
            yield f"aspect_ratio is {self.aspect_ratio!r}, and {self.model} takes {', '.join(model.aspect_ratios)}"
        elif self.aspect_ratio != self.effective_aspect_ratio:
            yield (
                f"aspect_ratio is {self.aspect_ratio!r} but resolution is {self.resolution!r}, "
                "and they have to agree: leave one out"
            )
        elif pixel_size(Size(self.aspect_ratio, self.output_resolution)) is None:
            yield f"aspect_ratio is {self.aspect_ratio!r}, and {self.output_resolution} is documented for 16:9 only"

    def _frame_problems(self) -> Iterator[str]:
        for name in ("first_frame", "last_frame"):
            url = getattr(self, name)
            if url is not None and not _is_http_url(url):
                yield f"{name} is {url!r}, and a public http(s) URL is needed (or None for no frame)"
        if self.last_frame is not None and self.first_frame is None:
            yield "last_frame is set but first_frame is not, and a last frame needs a first one"


def _offers(model: Model, pixels: str) -> bool:
    """The quickstart's sizes are documented for some models; others take those that equal one of their own."""
    size = QUICKSTART_SIZES[pixels]
    delivered = pixel_size(size)
    return model.speaks_quickstart or (delivered is not None and pixels == f"{delivered[0]}x{delivered[1]}")


def _seconds(duration: Any) -> Any:
    """Read ``5``, ``"5"``, ``"5s"`` (templates make strings); what is none of these is left for the check."""
    if isinstance(duration, bool):
        return duration
    if isinstance(duration, str) and (match := re.fullmatch(r"\s*(\d{1,6})\s*s?\s*", duration)):
        return int(match[1])
    if isinstance(duration, float) and duration.is_integer():
        return int(duration)
    return duration


def _mapping(extra_inputs: Any) -> dict[str, Any]:
    if extra_inputs is None:
        return {}
    if not isinstance(extra_inputs, Mapping) or not all(isinstance(key, str) for key in extra_inputs):
        raise _refusal(f"extra_inputs is {extra_inputs!r}, and a mapping of field names to values is needed")
    try:
        written = json.dumps(dict(extra_inputs), allow_nan=False, ensure_ascii=False)
        written.encode()
        return dict(json.loads(written))
    except (TypeError, ValueError, RecursionError) as error:
        raise _refusal(f"extra_inputs can't be written as JSON ({error})") from None


def _require_text(name: str, value: Any) -> None:
    if value is not None and not isinstance(value, str):
        raise _refusal(f"{name} is {value!r}, and a text is needed")


def _is_unicode(text: str) -> bool:
    """Half of a surrogate pair, as badly cut text has, can't be sent."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _refusal(problems: str) -> InvalidRequestError:
    return InvalidRequestError(f"The video was not requested and nothing was charged, because {problems}.")


def _is_http_url(value: Any) -> bool:
    if not isinstance(value, str) or value != value.strip() or not _is_unicode(value):
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
