"""How one and the same request is written for each generation of the API."""

from __future__ import annotations

import pytest

from seedance_provider.api.errors import InvalidRequestError
from seedance_provider.api.video_request import VideoRequest
from seedance_provider.api.wire_formats import WIRE_FORMATS, encode_body, encode_inputs

FIRST, LAST = "https://media.example/first.png", "https://media.example/last.png"
VIDEO, SOUND = "https://media.example/walk.mp4", "https://media.example/waves.mp3"


def a_request(**fields):
    return VideoRequest(**{"prompt": "A garden"} | fields)


class TestQuickstart:
    def test_it_writes_the_very_inputs_of_the_vendors_quickstart(self):
        request = VideoRequest("A serene Japanese garden with cherry blossoms swaying in the wind")
        assert encode_inputs(request, "quickstart") == {
            "prompt": "A serene Japanese garden with cherry blossoms swaying in the wind",
            "resolution": "1280x720",
            "duration": "5s",
        }

    @pytest.mark.parametrize(
        ("frames", "urls"),
        [({"first_frame": FIRST}, [FIRST]), ({"first_frame": FIRST, "last_frame": LAST}, [FIRST, LAST])],
    )
    def test_frames_are_urls_in_their_order(self, frames, urls):
        assert encode_inputs(a_request(**frames), "quickstart")["urls"] == urls

    @pytest.mark.parametrize(
        "fields",
        [
            {"resolution": "1080p", "aspect_ratio": "16:9"},
            {"resolution": "720p"},
            {"aspect_ratio": "21:9"},
            {"aspect_ratio": "1:1"},
            {"model": "seedance2-fast"},
            {"seed": 0},
            {"generate_audio": False},
            {"reference_images": [FIRST]},
            {"prompt": None, "first_frame": FIRST},
        ],
    )
    def test_what_it_has_no_word_for_is_refused(self, fields):
        with pytest.raises(InvalidRequestError, match="Nothing was sent or charged"):
            encode_inputs(a_request(**fields), "quickstart")


class TestModels:
    def test_a_plain_request(self):
        assert encode_inputs(a_request(), "models") == {
            "prompt": "A garden",
            "duration": 5,
            "outputResolution": "720p",
            "aspectRatio": "16:9",
        }

    def test_without_an_aspect_ratio_the_api_chooses(self):
        assert encode_inputs(a_request(resolution="720p"), "models") == {
            "prompt": "A garden",
            "duration": 5,
            "outputResolution": "720p",
        }

    def test_frames_are_image_urls_in_their_order(self):
        inputs = encode_inputs(a_request(first_frame=FIRST, last_frame=LAST), "models")
        assert inputs["imageUrls"] == [FIRST, LAST]

    @pytest.mark.parametrize("resolution", ["480p", "720p", "1080p", "4k"])
    def test_the_resolution_that_sets_the_price_is_always_sent(self, resolution):
        assert encode_inputs(a_request(resolution=resolution), "models")["outputResolution"] == resolution

    def test_everything_that_it_has_a_word_for(self):
        request = VideoRequest(
            "@image1 walks like @video1 to @audio1",
            "seedance2-5",
            30,
            "1080p",
            "9:16",
            reference_images=[FIRST],
            reference_videos=[VIDEO],
            reference_audios=[SOUND],
            generate_audio=False,
            bitrate_mode="high",
            seed=0,
            output_format="mov",
        )
        assert encode_inputs(request, "models") == {
            "prompt": "@image1 walks like @video1 to @audio1",
            "duration": 30,
            "outputResolution": "1080p",
            "aspectRatio": "9:16",
            "mode": "reference",
            "imageUrls": [FIRST],
            "videoUrls": [VIDEO],
            "audioUrls": [SOUND],
            "generate_audio": False,
            "bitrate_mode": "high",
            "seed": 0,
            "output_format": "mov",
        }

    @pytest.mark.parametrize(("model", "length"), [("extend", {"duration": 5}), ("edit", {})])
    def test_what_works_on_a_video_has_neither_shape_nor_mode(self, model, length):
        request = a_request(model=f"seedance2-5-{model}", reference_videos=[VIDEO])
        inputs = {"prompt": "A garden", "outputResolution": "720p", "videoUrls": [VIDEO], **length}
        assert encode_inputs(request, "models") == inputs

    def test_an_unknown_model(self):
        request = a_request(model="seedance-3", allow_unknown_model=True, aspect_ratio="5:4", resolution="8k")
        assert encode_inputs(request) == {
            "prompt": "A garden",
            "duration": 5,
            "outputResolution": "8k",
            "aspectRatio": "5:4",
        }


class TestDocs:
    def test_digits_and_names(self):
        assert encode_inputs(a_request(), "docs") == {
            "prompt": "A garden",
            "duration": "5",
            "outputResolution": "720p",
            "aspectRatio": "16:9",
        }

    def test_all_references_are_urls(self):
        request = a_request(reference_images=[FIRST], reference_videos=[VIDEO], reference_audios=[SOUND])
        inputs = encode_inputs(request, "docs")
        assert (inputs["mode"], inputs["urls"]) == ("reference", [FIRST, VIDEO, SOUND])
        assert encode_inputs(a_request(first_frame=FIRST), "docs")["urls"] == [FIRST]

    @pytest.mark.parametrize(
        "fields",
        [
            {"model": "seedance2.0-mini"},
            {"model": "seedance2-5"},
            {"resolution": "4k"},
            {"prompt": "x" * 4_001},
            {"seed": 7},
            {"output_format": "mp4"},
        ],
    )
    def test_what_it_has_no_word_for_is_refused(self, fields):
        with pytest.raises(InvalidRequestError, match="Nothing was sent or charged"):
            encode_inputs(a_request(**fields), "docs")


class TestBody:
    def test_the_model_stands_beside_its_inputs(self):
        assert encode_body(a_request(), "quickstart") == {
            "model": "seedance-20",
            "inputs": {"prompt": "A garden", "resolution": "1280x720", "duration": "5s"},
        }

    @pytest.mark.parametrize("wire_format", WIRE_FORMATS)
    def test_a_callback_stands_there_too(self, wire_format):
        request = a_request(callback_url="https://example.com/done")
        assert encode_body(request, wire_format)["callBackUrl"] == "https://example.com/done"


class TestAuto:
    @pytest.mark.parametrize(
        ("fields", "format_it_uses"),
        [
            ({}, "quickstart"),
            ({"duration": "7s", "resolution": "720x960"}, "quickstart"),
            ({"resolution": "720p", "aspect_ratio": "16:9"}, "quickstart"),
            ({"aspect_ratio": "9:16", "first_frame": FIRST}, "quickstart"),
            ({"resolution": "720p"}, "models"),
            ({"resolution": "1080p", "aspect_ratio": "16:9"}, "models"),
            ({"aspect_ratio": "1:1"}, "models"),
            ({"model": "seedance2-fast"}, "models"),
            ({"extra_inputs": {"seed": 7}}, "models"),
            ({"seed": 7}, "models"),
            ({"generate_audio": False}, "models"),
            ({"reference_images": [FIRST]}, "models"),
            ({"prompt": None, "first_frame": FIRST}, "models"),
            ({"callback_url": "https://example.com/done"}, "quickstart"),
        ],
    )
    def test_it_uses_the_quickstart_wherever_that_has_the_words(self, fields, format_it_uses):
        request = a_request(**fields)
        assert encode_inputs(request, "auto") == encode_inputs(request, format_it_uses)

    def test_it_is_the_default(self):
        assert encode_inputs(a_request()) == encode_inputs(a_request(), "auto")


class TestExtraInputs:
    @pytest.mark.parametrize("wire_format", WIRE_FORMATS)
    def test_they_are_merged_last_in_every_format(self, wire_format):
        request = a_request(extra_inputs={"seed": 7, "future": {"a": 1}})
        inputs = encode_inputs(request, wire_format)
        assert (inputs["seed"], inputs["future"]) == (7, {"a": 1})

    def test_they_win(self):
        assert encode_inputs(a_request(seed=1, extra_inputs={"seed": 7}), "models")["seed"] == 7

    def test_writing_a_request_does_not_change_it(self):
        request = a_request(extra_inputs={"seed": 7})
        encode_inputs(request)["seed"] = 8
        assert request.extra_inputs == {"seed": 7}


def test_an_unknown_format_is_refused_and_the_known_ones_are_named():
    with pytest.raises(InvalidRequestError, match="'newest', and the known formats are auto, quickstart, docs, models"):
        encode_inputs(a_request(), "newest")
