"""Prices against the vendor's published figures."""

from __future__ import annotations

import pytest

from seedance_provider.api.models import MODELS
from seedance_provider.api.pricing import DOLLARS_PER_CREDIT, estimate_credits, estimate_dollars
from seedance_provider.api.video_request import VideoRequest


class TestEstimateCredits:
    def test_the_quickstarts_video_costs_what_the_quickstart_says(self):
        request = VideoRequest("A garden", resolution="1280x720", duration=5)
        assert estimate_credits(request) == 200
        assert estimate_dollars(request) == 1.00

    @pytest.mark.parametrize(
        ("model", "resolution", "duration", "expected"),
        [
            ("seedance-20", "480p", 4, 60),
            ("seedance-20", "720p", 15, 600),
            ("seedance-20", "1080p", 5, 450),
            ("seedance-20", "4k", 5, 1000),
            ("seedance-20", "720x720", 5, 200),
            ("seedance-20", "720x1280", 6, 240),
            ("seedance2-fast", "480p", 5, 70),
            ("seedance2-fast", "720p", 5, 140),
            ("seedance2-fast", "1280x720", 5, 140),
            ("seedance2.0-mini", "480p", 5, 37.5),
            ("seedance2.0-mini", "720p", 5, 100),
        ],
    )
    def test_price_is_per_second_by_model_and_resolution(self, model, resolution, duration, expected):
        assert estimate_credits(VideoRequest("A garden", model, duration, resolution)) == expected

    @pytest.mark.parametrize("model", MODELS)
    def test_the_default_resolution_is_priced_as_720p_for_every_model(self, model):
        implied = VideoRequest("A garden", model)
        said = VideoRequest("A garden", model, resolution="720p")
        assert estimate_credits(implied) == estimate_credits(said)

    @pytest.mark.parametrize("aspect_ratio", ["9:16", "21:9"])
    def test_the_shape_does_not_change_the_price(self, aspect_ratio):
        assert estimate_credits(VideoRequest("A garden", aspect_ratio=aspect_ratio)) == 200

    def test_images_do_not_change_the_price(self):
        frames = {"first_frame": "https://media.example/a.png", "last_frame": "https://media.example/b.png"}
        assert estimate_credits(VideoRequest("A garden", **frames)) == 200

    def test_extra_inputs_are_not_looked_at(self):
        assert estimate_credits(VideoRequest("A garden", extra_inputs={"outputResolution": "4k"})) == 200


class TestEstimateDollars:
    def test_a_credit_is_half_a_cent(self):
        assert DOLLARS_PER_CREDIT == 0.005
        assert estimate_dollars(VideoRequest("A garden", "seedance2.0-mini", 5, "480p")) == pytest.approx(0.1875)
