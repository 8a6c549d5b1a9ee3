"""What was made, compared with what was asked for."""

from __future__ import annotations

import pytest

from seedance_provider.api.mismatches import length_mismatches, size_mismatches
from seedance_provider.api.models import MODELS, QUICKSTART_SIZES
from seedance_provider.api.video_request import VideoRequest


def inputs_of(**asked) -> dict:
    return VideoRequest(prompt="A kite", **asked).described()["inputs"]


class TestSize:
    @pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
    def test_every_documented_size_is_what_was_asked_for(self, model):
        for size, (width, height) in model.pixels.items():
            asked = {"resolution": size.output_resolution, "aspect_ratio": size.aspect_ratio}
            assert size_mismatches(asked, width, height) == []

    @pytest.mark.parametrize("pixels", QUICKSTART_SIZES)
    def test_a_size_in_pixels_may_be_delivered_as_it_is_or_on_the_newest_grid(self, pixels):
        asked = inputs_of(resolution=pixels)
        assert size_mismatches(asked, *map(int, pixels.split("x"))) == []
        assert size_mismatches(asked, *MODELS["seedance-20"].pixels[QUICKSTART_SIZES[pixels]]) == []

    @pytest.mark.parametrize(
        ("asked", "made", "mismatches"),
        [
            ({"resolution": "720x1280"}, (1280, 720), ["aspect_ratio: 9:16 asked, 16:9 made"]),
            ({"aspect_ratio": "1:1"}, (1112, 834), ["aspect_ratio: 1:1 asked, 4:3 made"]),
            ({"aspect_ratio": "21:9"}, (1280, 720), ["aspect_ratio: 21:9 asked, 16:9 made"]),
            ({"aspect_ratio": "16:9"}, (1000, 900), ["aspect_ratio: 16:9 asked, 1000x900 made"]),
            ({"resolution": "1080p"}, (1280, 720), ["resolution: 1080p asked, 720p made (1280x720)"]),
            ({"resolution": "1280x720"}, (864, 496), ["resolution: 720p asked, 480p made (864x496)"]),
            ({"resolution": "4k", "aspect_ratio": "16:9"}, (3840, 2160), []),
            ({"resolution": "720p", "extra_inputs": {"upscaleResolution": "4k"}}, (3840, 2160), []),
            (
                {"resolution": "1080p", "aspect_ratio": "9:16"},
                (1280, 720),
                ["aspect_ratio: 9:16 asked, 16:9 made", "resolution: 1080p asked, 720p made (1280x720)"],
            ),
        ],
    )
    def test_what_differs_is_named(self, asked, made, mismatches):
        assert size_mismatches(inputs_of(**asked), *made) == mismatches

    def test_a_shape_that_nobody_asked_for_is_none_to_differ_from(self):
        asked = inputs_of(reference_images=["https://media.example/a.png"])
        assert size_mismatches(asked, 720, 1280) == []

    @pytest.mark.parametrize("made", [(None, 720), (1280, None), (0, 720), (-1, 720), (None, None)])
    def test_what_is_not_known_differs_from_nothing(self, made):
        assert size_mismatches(inputs_of(), *made) == []

    @pytest.mark.parametrize("asked", [{}, {"resolution": ["720p"], "aspect_ratio": 7}, {"extra_inputs": None}])
    def test_nor_does_what_another_task_has_handed_over(self, asked):
        assert size_mismatches(asked, 1280, 720) == []


class TestLength:
    @pytest.mark.parametrize("seconds", [7.6, 8.0, 8.1, 8.5, None])
    def test_about_what_was_asked_for(self, seconds):
        assert length_mismatches(inputs_of(duration="8s"), seconds) == []

    @pytest.mark.parametrize(("seconds", "made"), [(5.04, "5.04"), (5, "5"), (15.1, "15.1")])
    def test_another_one_is_named(self, seconds, made):
        assert length_mismatches(inputs_of(duration=8), seconds) == [f"duration: 8 s asked, {made} s made"]

    @pytest.mark.parametrize("asked", [{}, {"duration": "8"}, {"duration": True}, {"duration": None}])
    def test_what_is_no_length_differs_from_nothing(self, asked):
        assert length_mismatches(asked, 5.0) == []
