"""What a user asks for: checked completely before anything is sent, and independent of any wire format."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from seedance_provider.api import DEFAULT_MODEL, coercion
from seedance_provider.api.errors import InvalidRequestError
from seedance_provider.api.media_file import Media, MediaFile, identity_of, total_seconds
from seedance_provider.api.models import MODELS, QUICKSTART_SIZES, Model, Size
from seedance_provider.api.request_checks import doubts, problems

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DEFAULT_DURATION", "DEFAULT_RESOLUTION", "VideoRequest"]

#: The length of the video in the vendor's quickstart, in seconds.
DEFAULT_DURATION = 5
#: The size in the vendor's quickstart. It is always sent, because it sets the price and the defaults of the API's
#: generations differ.
DEFAULT_RESOLUTION = "1280x720"
_DEFAULT_OUTPUT_RESOLUTION = "720p"
_NO_TAG = re.compile(r"(?<![\w@])@@(?=(?:image|video|audio)\d{1,9}(?!\w))", re.IGNORECASE)


@dataclass(frozen=True)
class VideoRequest:
    """
    A request for one video. Creating one costs nothing and raises
    :class:`~seedance_provider.api.errors.InvalidRequestError` naming every field that can't be right.

    Values may be what templates, databases and pandas make of them: ``"5"``, ``Decimal("5")``, ``numpy.bool_``, and
    any iterable in place of a list.

    :param prompt: what the video shows, in any language; up to 10,000 characters, 30,000 for Seedance 2.5. ``None``
        only with frames or references. ``@image1``, ``@video2``, ``@audio1`` name what was passed, by position;
        ``@@video2`` is sent as ``@video2`` and names nothing.
    :param model: a key of :data:`~seedance_provider.api.models.MODELS`. Default ``seedance-20``.
    :param duration: length in seconds, 4 to 15 (4 to 30 for Seedance 2.5); ``5``, ``"5"`` and ``"5s"`` are the same.
        Default 5. ``seedance2-5-edit`` takes none.
    :param resolution: pixels as in the vendor's quickstart (``1280x720``, ``720x1280``, ``720x720``, ``960x720``,
        ``720x960``) or a name (``480p``, ``720p``, ``1080p``, ``4k``, as far as the model offers it).
        Default ``1280x720``, or ``720p`` if an aspect ratio or a reference is given.
    :param aspect_ratio: ``16:9``, ``9:16``, ``1:1``, ``4:3``, ``3:4`` or ``21:9``. Default: that of the resolution,
        and where it has none, that of the references.
    :param first_frame: the image that opens the video: its URL, or a file, which has to be uploaded before the request
        can be sent.
    :param last_frame: the image that closes it: a URL or a file; needs a first frame.
    :param reference_images: images that guide style and subject: URLs or files.
    :param reference_videos: videos that guide motion and style, or that are continued or changed: URLs or files. They
        raise the price.
    :param reference_audios: sounds: URLs or files; never alone.
    :param reference_video_seconds: how long the reference videos are together, if you know it. It is not sent: it
        makes the estimate exact where the seconds of the reference are paid for. Default: that of the files, if all
        are files whose length is known.
    :param generate_audio: whether the video has sound. Default: the API's, which is yes in its newest generation.
    :param bitrate_mode: ``high`` for a file of about twice the size.
    :param seed: 0 to 4,294,967,295, or -1 for a random one. It does not reproduce a video.
    :param output_format: ``mp4`` or, for Seedance 2.5, ``mov``.
    :param callback_url: where the API posts the result once, unsigned. The provider itself does not need it. It is no
        part of the fingerprint.
    :param extra_inputs: further fields of the API's ``inputs``, merged last and sent as they are. The API ignores
        unknown fields without an error, so what looks like a misspelt field is refused.
    :param allow_unknown_model: send a model name that this release does not know, unchecked and without an estimate.
    """

    prompt: str | None = None
    model: str = DEFAULT_MODEL
    duration: int | None = None
    resolution: str | None = None
    aspect_ratio: str | None = None
    first_frame: Media | None = None
    last_frame: Media | None = None
    reference_images: tuple[Media, ...] = ()
    reference_videos: tuple[Media, ...] = ()
    reference_audios: tuple[Media, ...] = ()
    reference_video_seconds: float | None = None
    generate_audio: bool | None = None
    bitrate_mode: str | None = None
    seed: int | None = None
    output_format: str | None = None
    callback_url: str | None = None
    extra_inputs: Mapping[str, Any] = field(default_factory=dict)
    allow_unknown_model: bool = False

    def __post_init__(self) -> None:
        for name, read in _SPELLINGS.items():
            object.__setattr__(self, name, read(getattr(self, name)))
        if self.duration is None and self._has_a_duration:
            object.__setattr__(self, "duration", DEFAULT_DURATION)
        if self.resolution is None and self.known_model is not None:
            object.__setattr__(self, "resolution", self._default_resolution)
        if self.reference_video_seconds is None:
            object.__setattr__(self, "reference_video_seconds", total_seconds(self.reference_videos))
        if found := list(problems(self)):
            raise InvalidRequestError(
                f"The video was not requested and nothing was charged, because {'; '.join(found)}."
            )

    @property
    def warnings(self) -> tuple[str, ...]:
        """What may be a mistake, as far as one can tell without refusing what may be meant; for the log."""
        return tuple(doubts(self))

    @property
    def sent_prompt(self) -> str | None:
        """The prompt as the API gets it: with ``@video1`` where ``@@video1`` says that it is no reference."""
        return None if self.prompt is None else _NO_TAG.sub("@", self.prompt)

    @property
    def known_model(self) -> Model | None:
        """What is known of the model; ``None`` if that is nothing."""
        return MODELS.get(self.model) if isinstance(self.model, str) else None

    @property
    def frames(self) -> list[Media]:
        """The first and the last frame, as far as given."""
        return [frame for frame in (self.first_frame, self.last_frame) if frame is not None]

    @property
    def references(self) -> dict[str, tuple[Media, ...]]:
        """The references, by the name of their parameter."""
        return {name: getattr(self, name) for name in ("reference_images", "reference_videos", "reference_audios")}

    @property
    def has_references(self) -> bool:
        """Whether there are any references, frames not counted."""
        # What is no list is refused later, and may be a missing value, of which nobody may ask whether it is true.
        return any(not isinstance(media, tuple) or media for media in self.references.values())

    @property
    def files(self) -> list[MediaFile]:
        """What stands where a URL is expected."""
        media = [*self.frames, *(item for items in self.references.values() for item in items)]
        return [item for item in media if isinstance(item, MediaFile)]

    def uploaded(self, urls: Mapping[str, str]) -> VideoRequest:
        """
        Return the same request with the addresses of its files. Its fingerprint is the same, too.

        :param urls: by the SHA-256 of the file.
        """

        def at(media: Media | None) -> Any:
            return replace(media, url=urls.get(media.sha256, media.url)) if isinstance(media, MediaFile) else media

        references: dict[str, Any] = {name: tuple(map(at, media)) for name, media in self.references.items()}
        return replace(self, first_frame=at(self.first_frame), last_frame=at(self.last_frame), **references)

    @property
    def output_resolution(self) -> str:
        """The resolution by name, which sets the price."""
        if self.resolution is not None and self.resolution in QUICKSTART_SIZES:
            return QUICKSTART_SIZES[self.resolution].output_resolution
        return self.resolution or _DEFAULT_OUTPUT_RESOLUTION

    @property
    def effective_aspect_ratio(self) -> str | None:
        """The aspect ratio that was asked for, in whatever form; ``None`` leaves it to the API."""
        if self.resolution is not None and self.resolution in QUICKSTART_SIZES:
            return QUICKSTART_SIZES[self.resolution].aspect_ratio
        return self.aspect_ratio

    @property
    def quickstart_resolution(self) -> str | None:
        """The size in pixels as the quickstart says it, or ``None`` if the quickstart has no word for it."""
        if self.resolution in QUICKSTART_SIZES:
            return self.resolution
        return next((pixels for pixels in QUICKSTART_SIZES if self._delivers(pixels)), None)

    def described(self) -> dict[str, Any]:
        """
        Return what is asked for as plain values, for people and for the tasks after this one: ``prompt``, ``model`` and
        ``inputs``, which are all others that were given or have a default here. A file goes by its name.
        """
        inputs = {
            "duration": self.duration,
            "resolution": self.resolution,
            "aspect_ratio": self.aspect_ratio,
            "first_frame": _shown(self.first_frame),
            "last_frame": _shown(self.last_frame),
            "reference_images": [_shown(media) for media in self.reference_images],
            "reference_videos": [_shown(media) for media in self.reference_videos],
            "reference_audios": [_shown(media) for media in self.reference_audios],
            "reference_video_seconds": self.reference_video_seconds,
            "generate_audio": self.generate_audio,
            "bitrate_mode": self.bitrate_mode,
            "seed": self.seed,
            "output_format": self.output_format,
            "extra_inputs": dict(self.extra_inputs),
        }
        given = {name: value for name, value in inputs.items() if value not in (None, [], {})}
        return {"model": self.model, "prompt": self.sent_prompt, "inputs": given}

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
            "frames": [identity_of(frame) for frame in self.frames],
            **{name: [identity_of(item) for item in media] for name, media in self.references.items()},
            "bitrate_mode": self.bitrate_mode,
            "output_format": self.output_format,
            "extra_inputs": self.extra_inputs,
        }
        said = {name: value for name, value in inputs.items() if value}
        # Here "no sound" and seed 0 are something that was said.
        choices = {"generate_audio": self.generate_audio, "seed": self.seed}
        said |= {name: value for name, value in choices.items() if value is not None}
        canonical = json.dumps([conn_id, self.model, said], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()

    @property
    def _has_a_duration(self) -> bool:
        return self.known_model is None or self.known_model.durations is not None

    @property
    def _default_resolution(self) -> str | None:
        if self.aspect_ratio is not None:
            return None
        follows_references = self.has_references or (self.known_model is not None and self.known_model.works_on_a_video)
        return _DEFAULT_OUTPUT_RESOLUTION if follows_references else DEFAULT_RESOLUTION

    def _delivers(self, pixels: str) -> bool:
        """Whether the quickstart's size is the very file that this request would get."""
        if self.effective_aspect_ratio is None or self.known_model is None:
            return False
        delivered = self.known_model.pixel_size(Size(self.effective_aspect_ratio, self.output_resolution))
        return delivered is not None and pixels == f"{delivered[0]}x{delivered[1]}"


def _shown(media: Media | None) -> str | None:
    return media.source if isinstance(media, MediaFile) else media


_SPELLINGS = {
    "prompt": coercion.text,
    **dict.fromkeys(("model", "resolution", "aspect_ratio", "first_frame", "last_frame"), coercion.plain),
    **dict.fromkeys(("bitrate_mode", "output_format", "callback_url"), coercion.plain),
    "duration": coercion.seconds,
    "reference_images": coercion.texts,
    "reference_videos": coercion.texts,
    "reference_audios": coercion.texts,
    "reference_video_seconds": coercion.number,
    "generate_audio": coercion.boolean,
    "seed": coercion.integer,
    "extra_inputs": coercion.mapping,
    "allow_unknown_model": coercion.boolean,
}
