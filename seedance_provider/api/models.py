"""
What each Seedance model accepts and what it costs, as data: adding a model is adding one entry to :data:`MODELS`.

Checks, wire formats, estimates, the emulator and the tables in the documentation all read this. Sources: the vendor's
quickstart (pixel sizes such as ``1280x720``, 200 credits for 5 seconds at 1280x720) and the vendor's model pages
(everything else).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "BITRATE_MODES",
    "LARGEST_SEED",
    "MODELS",
    "PICTURE_ENDINGS",
    "PRICES_TAKEN_ON",
    "QUICKSTART_SIZES",
    "SUFFIXES",
    "MediaLimit",
    "Model",
    "Price",
    "Size",
]


#: When the prices below were copied from the vendor's pages.
PRICES_TAKEN_ON = date(2026, 11, 23)

#: What ``bitrate_mode`` accepts; ``high`` makes the file about 2 to 2.5 times as large.
BITRATE_MODES = ("high",)
#: The smallest is 0, and -1 asks for a random one.
LARGEST_SEED = 4_294_967_295

#: The formats of pictures that the API takes, and the endings of their names.
PICTURE_ENDINGS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"JPEG": (".jpg", ".jpeg"), "PNG": (".png",), "WebP": (".webp",)}
)

#: Endings of the files that the API takes, by kind of reference.
SUFFIXES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "image": tuple(ending for endings in PICTURE_ENDINGS.values() for ending in endings),
        "video": (".mp4", ".mov", ".webm"),
        "audio": (".mp3", ".wav", ".m4a", ".aac", ".ogg", ".flac"),
    }
)


@dataclass(frozen=True)
class Size:
    """An aspect ratio at an output resolution, the two things the newer API asks for instead of pixels."""

    aspect_ratio: str
    output_resolution: str


@dataclass(frozen=True)
class Price:
    """
    Credits for one second of video.

    :param plain: from text, frames, or reference images and sounds, which cost nothing by themselves.
    :param with_video: with a reference video.
    """

    plain: float
    with_video: float


@dataclass(frozen=True)
class MediaLimit:
    """
    How much reference media of one kind a model takes.

    :param count: how many files.
    :param seconds: how long all of them together may be; ``None`` for pictures.
    :param seconds_each: the shortest and the longest single file, where the vendor names them.
    """

    count: int
    seconds: float | None = None
    seconds_each: tuple[float, float] | None = None


def _rows(*rows: tuple[str, str, tuple[int, int]]) -> Mapping[Size, tuple[int, int]]:
    return {Size(aspect_ratio, output_resolution): pixels for output_resolution, aspect_ratio, pixels in rows}


#: Pixel sizes of the files that the newer API delivers. At 4k only 16:9 is documented.
_PIXELS = _rows(
    ("480p", "16:9", (864, 496)),
    ("480p", "9:16", (496, 864)),
    ("480p", "1:1", (640, 640)),
    ("480p", "4:3", (752, 560)),
    ("480p", "3:4", (560, 752)),
    ("480p", "21:9", (992, 432)),
    ("720p", "16:9", (1280, 720)),
    ("720p", "9:16", (720, 1280)),
    ("720p", "1:1", (960, 960)),
    ("720p", "4:3", (1112, 834)),
    ("720p", "3:4", (834, 1112)),
    ("720p", "21:9", (1470, 630)),
    ("1080p", "16:9", (1920, 1080)),
    ("1080p", "9:16", (1080, 1920)),
    ("1080p", "1:1", (1440, 1440)),
    ("1080p", "4:3", (1664, 1248)),
    ("1080p", "3:4", (1248, 1664)),
    ("1080p", "21:9", (2206, 946)),
    ("4k", "16:9", (3840, 2160)),
)
#: Seedance 2.5 differs at 480p.
_PIXELS_OF_25 = {**_PIXELS, **_rows(("480p", "16:9", (854, 480)), ("480p", "9:16", (480, 854)))}


@dataclass(frozen=True)
class Model:
    """
    One model of the API.

    :param name: what ``createTask`` expects in ``model``, to the letter.
    :param prices: by output resolution; its keys are the resolutions that the model offers.
    :param durations: the shortest and the longest video, in seconds, both included; ``None`` if the length is that of
        the reference video, and none is sent.
    :param prompt_limit: the longest prompt, in characters.
    :param aspect_ratios: what it offers; none if the shape is that of the reference video.
    :param images: limits on reference images.
    :param videos: limits on reference videos.
    :param audios: limits on reference sounds.
    :param works_on_a_video: whether it continues or changes an existing video, so that it needs a reference video and
        takes no frames.
    :param output_formats: the containers that it offers; the first is the default.
    :param bills_source_seconds: whether with a reference video its seconds are paid for, too. How many they are is
        known to the API only, so the credits settle a few seconds after success.
    :param typical_seconds: how long the vendor says that a video usually takes, from the fastest to the slowest.
    :param typical_cases: the same where the vendor tells cases apart: by output resolution, ``video`` for those with a
        reference video, which wins, and ``usual`` for all others.
    :param wire_formats: the generations of the API that document it, see :mod:`seedance_provider.api.wire_formats`.
    :param pixels: sizes of the files.
    """

    name: str
    prices: Mapping[str, Price]
    durations: tuple[int, int] | None = (4, 15)
    prompt_limit: int = 10_000
    aspect_ratios: tuple[str, ...] = ("16:9", "9:16", "1:1", "4:3", "3:4", "21:9")
    images: MediaLimit = MediaLimit(9)
    videos: MediaLimit = MediaLimit(3, seconds=15)
    audios: MediaLimit = MediaLimit(3, seconds=15)
    works_on_a_video: bool = False
    output_formats: tuple[str, ...] = ("mp4",)
    bills_source_seconds: bool = False
    typical_seconds: tuple[int, int] = (120, 240)
    typical_cases: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    wire_formats: frozenset[str] = frozenset({"models"})
    pixels: Mapping[Size, tuple[int, int]] = field(default_factory=lambda: _PIXELS, repr=False)

    @property
    def output_resolutions(self) -> tuple[str, ...]:
        """The resolutions that have a price."""
        return tuple(self.prices)

    def expected_seconds(self, output_resolution: str, *, with_video: bool) -> tuple[int, int]:
        """
        Return how long a video usually takes, from the fastest to the slowest.

        :param output_resolution: of the video.
        :param with_video: whether it has a reference video.
        """
        cases = ("video", "usual") if with_video else (output_resolution, "usual")
        return next((self.typical_cases[case] for case in cases if case in self.typical_cases), self.typical_seconds)

    def pixel_size(self, size: Size) -> tuple[int, int] | None:
        """Return width and height of the file that is delivered for a size; ``None`` where it is not documented."""
        return self.pixels.get(size) if size.output_resolution in self.prices else None


def _seedance_25(name: str, **differences: object) -> Model:
    """One of the three models of Seedance 2.5, which share their limits and, as far as is documented, their prices."""
    shared: dict[str, object] = {
        "prices": {"480p": Price(26, 16), "720p": Price(59, 35), "1080p": Price(143.4, 85.68)},
        "durations": (4, 30),
        "prompt_limit": 30_000,
        "images": MediaLimit(30),
        "videos": MediaLimit(10, seconds=30, seconds_each=(2, 30)),
        "audios": MediaLimit(10, seconds=30),
        "output_formats": ("mp4", "mov"),
        "bills_source_seconds": True,
        "typical_seconds": (180, 660),
        "typical_cases": {"480p": (180, 360), "720p": (180, 360), "1080p": (240, 660)},
        "pixels": _PIXELS_OF_25,
    }
    return Model(name, **shared | differences)  # type: ignore[arg-type]  # mypy can't look into a dict


#: Every model that this release knows, by its name.
#:
#: :meta hide-value:
MODELS: Mapping[str, Model] = MappingProxyType(
    {
        model.name: model
        for model in (
            Model(
                "seedance-20",
                prices={"480p": Price(15, 19), "720p": Price(40, 48), "1080p": Price(90, 108), "4k": Price(200, 240)},
                typical_seconds=(120, 480),
                # The quickstart says 1 to 5 minutes, the newer pages 2 to 4, and name these two as slower.
                typical_cases={"usual": (60, 300), "4k": (360, 600), "video": (240, 480)},
                wire_formats=frozenset({"quickstart", "docs", "models"}),
            ),
            Model(
                "seedance2-fast",
                prices={"480p": Price(14, 18), "720p": Price(28, 34)},
                wire_formats=frozenset({"docs", "models"}),
            ),
            Model(
                "seedance2.0-mini",
                prices={"480p": Price(7.5, 9.5), "720p": Price(20, 24)},
                typical_seconds=(120, 600),
            ),
            _seedance_25("seedance2-5"),
            _seedance_25("seedance2-5-extend", works_on_a_video=True, aspect_ratios=()),
            _seedance_25(
                "seedance2-5-edit",
                works_on_a_video=True,
                aspect_ratios=(),
                durations=None,
                videos=MediaLimit(10, seconds=30, seconds_each=(4, 30)),
            ),
        )
    }
)

#: The pixel sizes that the quickstart's ``resolution`` accepts, and what each is called in the newer API.
#: They are priced as 720p.
QUICKSTART_SIZES: Mapping[str, Size] = MappingProxyType(
    {
        "1280x720": Size("16:9", "720p"),
        "720x1280": Size("9:16", "720p"),
        "720x720": Size("1:1", "720p"),
        "960x720": Size("4:3", "720p"),
        "720x960": Size("3:4", "720p"),
    }
)
