"""Prices against the vendor's published figures."""

from __future__ import annotations

import math

import pytest

from seedance_provider.api.pricing import (
    DOLLARS_PER_CREDIT,
    Estimate,
    estimate,
    estimate_credits,
    format_credits,
    is_amount,
    settles,
)
from seedance_provider.api.video_request import VideoRequest

IMAGE, VIDEO = "https://media.example/a.png", "https://media.example/a.mp4"


class TestEstimateCredits:
    def test_the_quickstarts_video_costs_what_the_quickstart_says(self):
        request = VideoRequest("A garden", resolution="1280x720", duration=5)
        assert estimate_credits(request) == 200
        assert format_credits(200) == "about 200 credits ($1.00)"

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

    @pytest.mark.parametrize("model", ["seedance-20", "seedance2-fast", "seedance2.0-mini", "seedance2-5"])
    def test_the_default_resolution_is_priced_as_720p_for_every_model(self, model):
        implied = VideoRequest("A garden", model)
        said = VideoRequest("A garden", model, resolution="720p")
        assert estimate_credits(implied) == estimate_credits(said)

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({"aspect_ratio": "9:16"}, 200),
            ({"aspect_ratio": "21:9"}, 200),
            ({"first_frame": IMAGE, "last_frame": IMAGE}, 200),
            ({"reference_images": [IMAGE]}, 200),
            ({"reference_images": [IMAGE], "reference_audios": ["https://media.example/a.mp3"]}, 200),
            ({"reference_videos": [VIDEO]}, 240),
            ({"reference_videos": [VIDEO, VIDEO], "reference_images": [IMAGE]}, 240),
            # Its seconds are paid for with Seedance 2.5 only.
            ({"reference_videos": [VIDEO], "reference_video_seconds": 9}, 240),
            ({"resolution": "1080p", "extra_inputs": {"upscaleResolution": "4k"}}, (90 + 28) * 5),
        ],
    )
    def test_of_all_else_only_videos_and_upscaling_change_the_price(self, fields, expected):
        assert estimate(VideoRequest("A garden", **fields)) == Estimate(expected)

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({}, Estimate(295)),
            ({"reference_videos": [VIDEO], "reference_video_seconds": 8}, Estimate(35 * (5 + 8))),
            ({"reference_videos": [VIDEO]}, Estimate(35 * (5 + 30), is_exact=False)),
            (
                {"model": "seedance2-5-extend", "duration": 30, "reference_videos": [VIDEO]},
                Estimate(35 * 60, is_exact=False),
            ),
            (
                {"model": "seedance2-5-edit", "reference_videos": [VIDEO], "reference_video_seconds": "6.5"},
                Estimate(35 * 13),
            ),
        ],
    )
    def test_seedance_25_charges_for_the_seconds_of_the_reference(self, fields, expected):
        assert estimate(VideoRequest(**{"prompt": "A garden", "model": "seedance2-5"} | fields)) == expected

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({}, Estimate((48 + 28) * 5)),
            ({"model": "seedance2-5", "reference_video_seconds": 8}, Estimate(35 * (5 + 8) + 28 * 5)),
            ({"model": "seedance2-5-edit", "reference_video_seconds": 6}, Estimate((2 * 35 + 28) * 6)),
        ],
    )
    def test_upscaling_has_its_price_with_a_reference_video_too(self, fields, expected):
        fields = {"reference_videos": [VIDEO], "extra_inputs": {"upscaleResolution": "4k"}} | fields
        assert estimate(VideoRequest("A garden", **fields)) == expected

    def test_an_unknown_model_has_no_price(self):
        request = VideoRequest("A garden", "seedance-3", allow_unknown_model=True)
        assert estimate(request) is estimate_credits(request) is None


class TestSettles:
    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({"model": "seedance2-5", "reference_videos": [VIDEO]}, True),
            ({"model": "seedance2-5"}, False),
            ({"model": "seedance2-5", "reference_images": [IMAGE]}, False),
            ({"reference_videos": [VIDEO]}, False),
            ({"model": "seedance-3", "allow_unknown_model": True, "reference_videos": [VIDEO]}, False),
        ],
    )
    def test_only_where_the_seconds_of_a_reference_video_are_paid_for(self, fields, expected):
        assert settles(VideoRequest("A garden", **fields)) is expected


def test_an_amount_is_a_number_from_0():
    assert all(map(is_amount, [0, 0.0, 1, 37.5, 10**12]))
    assert not any(map(is_amount, [-1, -0.01, math.inf, math.nan, True, False, None, "5", [5]]))


def test_credits_in_words():
    assert DOLLARS_PER_CREDIT == 0.005
    assert format_credits(37.5) == "about 37.5 credits ($0.19)"
    assert format_credits(None) == "an unknown number of credits"
