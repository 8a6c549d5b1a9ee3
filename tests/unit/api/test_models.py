"""The tables of models, prices and sizes, against the vendor's pages."""

from __future__ import annotations

from datetime import date

import pytest

from seedance_provider.api import DEFAULT_MODEL
from seedance_provider.api.models import MODELS, PRICES_TAKEN_ON, QUICKSTART_SIZES, Model, Size

SEEDANCE_20 = ("seedance-20", "seedance2-fast", "seedance2.0-mini")
SEEDANCE_25 = ("seedance2-5", "seedance2-5-extend", "seedance2-5-edit")
ASPECT_RATIOS = ("16:9", "9:16", "1:1", "4:3", "3:4", "21:9")

DOCUMENTED_PIXELS = {
    "480p": [(864, 496), (496, 864), (640, 640), (752, 560), (560, 752), (992, 432)],
    "720p": [(1280, 720), (720, 1280), (960, 960), (1112, 834), (834, 1112), (1470, 630)],
    "1080p": [(1920, 1080), (1080, 1920), (1440, 1440), (1664, 1248), (1248, 1664), (2206, 946)],
    "4k": [(3840, 2160), None, None, None, None, None],
}


class TestModels:
    @pytest.mark.parametrize(
        ("name", "prices"),
        [
            ("seedance-20", {"480p": (15, 19), "720p": (40, 48), "1080p": (90, 108), "4k": (200, 240)}),
            ("seedance2-fast", {"480p": (14, 18), "720p": (28, 34)}),
            ("seedance2.0-mini", {"480p": (7.5, 9.5), "720p": (20, 24)}),
            *((name, {"480p": (26, 16), "720p": (59, 35), "1080p": (143.4, 85.68)}) for name in SEEDANCE_25),
        ],
    )
    def test_prices_are_the_vendors(self, name, prices):
        assert {key: (price.plain, price.with_video) for key, price in MODELS[name].prices.items()} == prices
        assert date(2026, 11, 23) == PRICES_TAKEN_ON

    def test_the_models_have_their_exact_names(self):
        assert list(MODELS) == [*SEEDANCE_20, *SEEDANCE_25]
        assert [model.name for model in MODELS.values()] == list(MODELS)

    def test_the_default_is_the_model_of_the_quickstart_and_the_only_one_that_speaks_it(self):
        assert DEFAULT_MODEL == "seedance-20"
        assert [name for name, model in MODELS.items() if "quickstart" in model.wire_formats] == ["seedance-20"]

    def test_every_model_speaks_the_newest(self):
        assert all("models" in model.wire_formats for model in MODELS.values())

    @pytest.mark.parametrize("name", SEEDANCE_20)
    def test_seedance_20_shares_its_limits(self, name):
        model = MODELS[name]
        assert (model.durations, model.prompt_limit, model.output_formats) == ((4, 15), 10_000, ("mp4",))
        assert model.aspect_ratios == ASPECT_RATIOS
        assert (model.images.count, model.videos.count, model.audios.count) == (9, 3, 3)
        assert (model.videos.seconds, model.audios.seconds) == (15, 15)
        assert not model.bills_source_seconds

    @pytest.mark.parametrize("name", SEEDANCE_25)
    def test_seedance_25_shares_its_limits(self, name):
        model = MODELS[name]
        assert model.durations == (None if name == "seedance2-5-edit" else (4, 30))
        assert (model.prompt_limit, model.output_formats) == (30_000, ("mp4", "mov"))
        assert (model.images.count, model.videos.count, model.audios.count) == (30, 10, 10)
        assert (model.videos.seconds, model.audios.seconds) == (30, 30)
        assert model.bills_source_seconds
        assert model.pixels[Size("16:9", "480p")] == (854, 480)
        assert model.aspect_ratios == (() if model.works_on_a_video else ASPECT_RATIOS)
        assert model.videos.seconds_each == ((4, 30) if name == "seedance2-5-edit" else (2, 30))
        assert (model.images.seconds_each, model.audios.seconds_each) == (None, None)

    def test_two_models_work_on_a_video(self):
        working = [model for model in MODELS.values() if model.works_on_a_video]
        assert [model.name for model in working] == ["seedance2-5-extend", "seedance2-5-edit"]
        assert not any(model.aspect_ratios for model in working)
        assert MODELS["seedance2-5-edit"].videos.seconds_each == (4, 30)

    @pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
    def test_a_resolution_is_offered_if_it_has_a_price(self, model):
        assert model.output_resolutions == tuple(model.prices)


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


class TestPixelSize:
    @pytest.mark.parametrize(
        ("output_resolution", "aspect_ratio", "pixels"),
        [
            (output_resolution, aspect_ratio, pixels)
            for output_resolution, row in DOCUMENTED_PIXELS.items()
            for aspect_ratio, pixels in zip(ASPECT_RATIOS, row, strict=True)
        ],
    )
    def test_pixels_are_the_documented_ones_or_none(self, output_resolution, aspect_ratio, pixels):
        assert MODELS["seedance-20"].pixel_size(Size(aspect_ratio, output_resolution)) == pixels

    def test_seedance_25_differs_at_480p(self):
        model = MODELS["seedance2-5"]
        assert model.pixel_size(Size("16:9", "480p")) == (854, 480)
        assert model.pixel_size(Size("9:16", "480p")) == (480, 854)
        assert model.pixel_size(Size("1:1", "480p")) == (640, 640)

    def test_a_resolution_that_a_model_does_not_offer_has_no_pixels(self):
        assert MODELS["seedance2-fast"].pixel_size(Size("16:9", "1080p")) is None

    @pytest.mark.parametrize("size", [Size("5:4", "720p"), Size("16:9", "8k"), Size("", "")])
    def test_an_unknown_size_has_no_pixels(self, size):
        assert MODELS["seedance-20"].pixel_size(size) is None


class TestQuickstartSizes:
    @pytest.mark.parametrize(
        ("pixels", "aspect_ratio"),
        [("1280x720", "16:9"), ("720x1280", "9:16"), ("720x720", "1:1"), ("960x720", "4:3"), ("720x960", "3:4")],
    )
    def test_each_is_a_720p_of_its_shape(self, pixels, aspect_ratio):
        assert QUICKSTART_SIZES[pixels] == Size(aspect_ratio, "720p")

    def test_there_are_five(self):
        assert len(QUICKSTART_SIZES) == 5
