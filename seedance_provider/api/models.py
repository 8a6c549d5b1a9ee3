"""
What each Seedance model accepts and what it costs, as data: adding a model is adding one entry.

Sources: the vendor's quickstart (pixel sizes such as ``1280x720``, 200 credits for 5 seconds at 1280x720) and
the vendor's model pages (everything else). Prices were taken on 2026-11-23.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DEFAULT_MODEL", "MODELS", "QUICKSTART_SIZES", "Model", "Size", "pixel_size"]

DEFAULT_MODEL = "seedance-20"


@dataclass(frozen=True)
class Size:
    """An aspect ratio at an output resolution, the two things the newer API asks for instead of pixels."""

    aspect_ratio: str
    output_resolution: str


@dataclass(frozen=True)
class Model:
    """
    One model of the API.

    :param name: what ``createTask`` expects in ``model``, to the letter.
    :param credits_per_second: price of one second of video, by output resolution; its keys are the resolutions
        that the model offers.
    :param durations: the shortest and the longest video, in seconds, both included.
    :param prompt_limit: the longest prompt, in characters.
    :param aspect_ratios: the aspect ratios that the model offers.
    :param speaks_quickstart: whether the vendor's quickstart (pixel sizes, ``urls``) documents this model.
    """

    name: str
    credits_per_second: dict[str, float]
    durations: tuple[int, int] = (4, 15)
    prompt_limit: int = 10_000
    aspect_ratios: tuple[str, ...] = ("16:9", "9:16", "1:1", "4:3", "3:4", "21:9")
    speaks_quickstart: bool = False

    @property
    def output_resolutions(self) -> tuple[str, ...]:
        return tuple(self.credits_per_second)


MODELS: dict[str, Model] = {
    model.name: model
    for model in (
        Model(
            "seedance-20",
            credits_per_second={"480p": 15, "720p": 40, "1080p": 90, "4k": 200},
            speaks_quickstart=True,
        ),
        Model("seedance2-fast", credits_per_second={"480p": 14, "720p": 28}),
        Model("seedance2.0-mini", credits_per_second={"480p": 7.5, "720p": 20}),
    )
}

#: The pixel sizes that the quickstart's ``resolution`` accepts, and what each is called in the newer API.
#: They are priced as 720p.
QUICKSTART_SIZES: dict[str, Size] = {
    "1280x720": Size("16:9", "720p"),
    "720x1280": Size("9:16", "720p"),
    "720x720": Size("1:1", "720p"),
    "960x720": Size("4:3", "720p"),
    "720x960": Size("3:4", "720p"),
}

#: Pixel sizes of the files that the newer API delivers. At 4k only 16:9 is documented.
_PIXEL_SIZES: dict[Size, tuple[int, int]] = {
    Size(aspect_ratio, output_resolution): pixels
    for output_resolution, row in {
        "480p": {
            "16:9": (864, 496),
            "9:16": (496, 864),
            "1:1": (640, 640),
            "4:3": (752, 560),
            "3:4": (560, 752),
            "21:9": (992, 432),
        },
        "720p": {
            "16:9": (1280, 720),
            "9:16": (720, 1280),
            "1:1": (960, 960),
            "4:3": (1112, 834),
            "3:4": (834, 1112),
            "21:9": (1470, 630),
        },
        "1080p": {
            "16:9": (1920, 1080),
            "9:16": (1080, 1920),
            "1:1": (1440, 1440),
            "4:3": (1664, 1248),
            "3:4": (1248, 1664),
            "21:9": (2206, 946),
        },
        "4k": {"16:9": (3840, 2160)},
    }.items()
    for aspect_ratio, pixels in row.items()
}


def pixel_size(size: Size) -> tuple[int, int] | None:
    """Width and height of the file that the API delivers for a size; ``None`` where that is not documented."""
    return _PIXEL_SIZES.get(size)
