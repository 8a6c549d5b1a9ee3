"""The tables of models, prices and sizes, against the vendor's pages."""

from __future__ import annotations

import pytest

from seedance_provider.api import DEFAULT_MODEL
from seedance_provider.api.models import MODELS, Model, Size

SEEDANCE_25 = ("seedance2-5", "seedance2-5-extend", "seedance2-5-edit")
ASPECT_RATIOS = ("16:9", "9:16", "1:1", "4:3", "3:4", "21:9")

PRICES = {
    "seedance-20": {"480p": (15, 19), "720p": (40, 48), "1080p": (90, 108), "4k": (200, 240)},
    "seedance2-fast": {"480p": (14, 18), "720p": (28, 34)},
    "seedance2.0-mini": {"480p": (7.5, 9.5), "720p": (20, 24)},
    **{name: {"480p": (26, 16), "720p": (59, 35), "1080p": (143.4, 85.68)} for name in SEEDANCE_25},
}
DOCUMENTED_PIXELS = {
    "480p": [(864, 496), (496, 864), (640, 640), (752, 560), (560, 752), (992, 432)],
    "720p": [(1280, 720), (720, 1280), (960, 960), (1112, 834), (834, 1112), (1470, 630)],
    "1080p": [(1920, 1080), (1080, 1920), (1440, 1440), (1664, 1248), (1248, 1664), (2206, 946)],
    "4k": [(3840, 2160), None, None, None, None, None],
}


def test_the_models_have_their_exact_names():
    assert list(MODELS) == [model.name for model in MODELS.values()] == list(PRICES)


@pytest.mark.parametrize(("name", "prices"), PRICES.items())
def test_prices_are_the_vendors(name, prices):
    assert {key: (price.plain, price.with_video) for key, price in MODELS[name].prices.items()} == prices
    assert MODELS[name].output_resolutions == tuple(prices)
    assert MODELS[name].bills_source_seconds is (name in SEEDANCE_25)


def test_only_the_default_speaks_as_the_quickstart():
    assert [name for name, model in MODELS.items() if "quickstart" in model.wire_formats] == [DEFAULT_MODEL]


class TestExpectedSeconds:
    @pytest.mark.parametrize(
        ("name", "output_resolution", "plain", "with_video"),
        [
            ("seedance-20", "720p", (60, 300), (240, 480)),
            ("seedance-20", "4k", (360, 600), (240, 480)),
            ("seedance2-fast", "720p", (120, 240), (120, 240)),
            ("seedance2.0-mini", "480p", (120, 600), (120, 600)),
            ("seedance2-5", "480p", (180, 360), (180, 660)),
            ("seedance2-5", "720p", (180, 360), (180, 660)),
            ("seedance2-5", "1080p", (240, 660), (180, 660)),
        ],
    )
    def test_they_are_the_vendors_for_the_case_if_it_names_one(self, name, output_resolution, plain, with_video):
        model = MODELS[name]
        assert model.expected_seconds(output_resolution, with_video=False) == plain
        assert model.expected_seconds(output_resolution, with_video=True) == with_video

    def test_a_reference_video_falls_back_on_the_usual_case(self):
        model = Model("a", {}, typical_cases={"usual": (1, 2)}, typical_seconds=(3, 4))
        assert model.expected_seconds("720p", with_video=True) == (1, 2)


@pytest.mark.parametrize(
    ("model", "output_resolution", "aspect_ratio", "pixels"),
    [
        *(
            ("seedance-20", output_resolution, aspect_ratio, pixels)
            for output_resolution, row in DOCUMENTED_PIXELS.items()
            for aspect_ratio, pixels in zip(ASPECT_RATIOS, row, strict=True)
        ),
        ("seedance2-5", "480p", "16:9", (854, 480)),
        ("seedance2-5", "480p", "9:16", (480, 854)),
        ("seedance2-5", "480p", "1:1", (640, 640)),
        ("seedance2-fast", "1080p", "16:9", None),
        ("seedance-20", "720p", "5:4", None),
        ("seedance-20", "8k", "16:9", None),
        ("seedance-20", "", "", None),
    ],
)
def test_pixels_are_the_documented_ones_or_none(model, output_resolution, aspect_ratio, pixels):
    assert MODELS[model].pixel_size(Size(aspect_ratio, output_resolution)) == pixels
