"""The tables of models, prices and sizes, against the vendor's pages."""

from __future__ import annotations

import pytest

from seedance_provider.api.models import DEFAULT_MODEL, MODELS, QUICKSTART_SIZES, Size, pixel_size

ASPECT_RATIOS = ("16:9", "9:16", "1:1", "4:3", "3:4", "21:9")

DOCUMENTED_PIXELS = {
    "480p": [(864, 496), (496, 864), (640, 640), (752, 560), (560, 752), (992, 432)],
    "720p": [(1280, 720), (720, 1280), (960, 960), (1112, 834), (834, 1112), (1470, 630)],
    "1080p": [(1920, 1080), (1080, 1920), (1440, 1440), (1664, 1248), (1248, 1664), (2206, 946)],
    "4k": [(3840, 2160), None, None, None, None, None],
}


class TestModels:
    @pytest.mark.parametrize(
        ("name", "credits_per_second"),
        [
            ("seedance-20", {"480p": 15, "720p": 40, "1080p": 90, "4k": 200}),
            ("seedance2-fast", {"480p": 14, "720p": 28}),
            ("seedance2.0-mini", {"480p": 7.5, "720p": 20}),
        ],
    )
    def test_prices_are_the_vendors(self, name, credits_per_second):
        assert MODELS[name].credits_per_second == credits_per_second

    def test_there_are_three_models_under_their_exact_names(self):
        assert list(MODELS) == ["seedance-20", "seedance2-fast", "seedance2.0-mini"]
        assert [model.name for model in MODELS.values()] == list(MODELS)

    def test_the_default_is_the_model_of_the_quickstart_and_the_only_one_that_speaks_it(self):
        assert DEFAULT_MODEL == "seedance-20"
        assert [name for name, model in MODELS.items() if model.speaks_quickstart] == ["seedance-20"]

    @pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
    def test_the_whole_family_shares_its_limits(self, model):
        assert model.durations == (4, 15)
        assert model.prompt_limit == 10_000
        assert model.aspect_ratios == ASPECT_RATIOS

    @pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
    def test_a_resolution_is_offered_if_it_has_a_price(self, model):
        assert model.output_resolutions == tuple(model.credits_per_second)


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
        assert pixel_size(Size(aspect_ratio, output_resolution)) == pixels

    @pytest.mark.parametrize("size", [Size("5:4", "720p"), Size("16:9", "8k"), Size("", "")])
    def test_an_unknown_size_has_no_pixels(self, size):
        assert pixel_size(size) is None


class TestQuickstartSizes:
    @pytest.mark.parametrize(
        ("pixels", "aspect_ratio"),
        [("1280x720", "16:9"), ("720x1280", "9:16"), ("720x720", "1:1"), ("960x720", "4:3"), ("720x960", "3:4")],
    )
    def test_each_is_a_720p_of_its_shape(self, pixels, aspect_ratio):
        assert QUICKSTART_SIZES[pixels] == Size(aspect_ratio, "720p")

    def test_there_are_five(self):
        assert len(QUICKSTART_SIZES) == 5
