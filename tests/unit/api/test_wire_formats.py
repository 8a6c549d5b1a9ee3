"""How one and the same request is written for each generation of the API."""

from __future__ import annotations

from dataclasses import fields

import pytest

from seedance_provider.api.errors import InvalidRequestError
from seedance_provider.api.video_request import VideoRequest
from seedance_provider.api.wire_formats import WIRE_FORMATS, encode_bodies, encode_inputs

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

    def test_a_refusal_names_the_format_and_all_that_it_has_no_word_for(self):
        request = a_request(prompt=None, first_frame=FIRST, resolution="1080p", seed=0)
        with pytest.raises(InvalidRequestError) as caught:
            encode_inputs(request, "quickstart")
        assert str(caught.value) == (
            "The connection pins wire_format to 'quickstart', which has no word for this request "
            "(seed; resolution 1080p, aspect ratio None; no prompt). Nothing was sent or charged."
        )


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

    def test_a_prompt_up_to_its_limit(self):
        assert encode_inputs(a_request(prompt="x" * 4_000), "docs")["prompt"] == "x" * 4_000

    @pytest.mark.parametrize(
        ("fields", "what"),
        [
            ({"model": "seedance2.0-mini"}, "model seedance2.0-mini"),
            ({"model": "seedance2-5"}, "model seedance2-5"),
            ({"resolution": "4k"}, "resolution 4k (it upscales instead: extra_inputs={'upscaleResolution': '4k'})"),
            ({"prompt": "x" * 4_001}, "prompts of more than 4,000 characters"),
            ({"seed": 7, "output_format": "mp4"}, "seed; output_format"),
        ],
    )
    def test_what_it_has_no_word_for_is_refused(self, fields, what):
        with pytest.raises(InvalidRequestError) as caught:
            encode_inputs(a_request(**fields), "docs")
        assert str(caught.value) == (
            f"The connection pins wire_format to 'docs', which has no word for this request ({what}). "
            "Nothing was sent or charged."
        )


class TestBodies:
    @pytest.mark.parametrize("wire_format", ["quickstart", "docs", "models"])
    def test_a_pinned_format_has_one_with_exactly_its_fields(self, wire_format):
        bodies = encode_bodies(a_request(), wire_format)
        assert bodies == {wire_format: {"model": "seedance-20", "inputs": encode_inputs(a_request(), wire_format)}}

    @pytest.mark.parametrize("wire_format", WIRE_FORMATS)
    def test_a_callback_stands_beside_the_inputs(self, wire_format):
        request = a_request(callback_url="https://example.com/done")
        bodies = encode_bodies(request, wire_format)
        assert {body["callBackUrl"] for body in bodies.values()} == {"https://example.com/done"}


class TestAuto:
    def test_it_is_the_default(self):
        assert encode_inputs(a_request()) == encode_inputs(a_request(), "auto")
        assert encode_bodies(a_request()) == encode_bodies(a_request(), "auto")

    @pytest.mark.parametrize(
        ("fields", "older_words"),
        [
            ({}, {"resolution": "1280x720"}),
            ({"duration": "7s", "resolution": "720x720"}, {"resolution": "720x720"}),
            ({"resolution": "720p", "aspect_ratio": "9:16"}, {"resolution": "720x1280"}),
            ({"resolution": "720p", "aspect_ratio": "1:1"}, {}),
            ({"resolution": "720p"}, {}),
            ({"resolution": "480p", "aspect_ratio": "16:9"}, {}),
            ({"first_frame": FIRST, "last_frame": LAST}, {"resolution": "1280x720", "urls": [FIRST, LAST]}),
            (
                {"reference_images": [FIRST], "reference_videos": [VIDEO], "reference_audios": [SOUND]},
                {"urls": [FIRST, VIDEO, SOUND]},
            ),
        ],
    )
    def test_it_begins_with_the_newest_words_and_the_older_ones_beside_them(self, fields, older_words):
        request = a_request(**fields)
        name, body = next(iter(encode_bodies(request).items()))
        newest = encode_inputs(request, "models")
        assert (name, body["inputs"]) == ("models", newest | older_words)
        assert not newest.keys() & older_words.keys()

    @pytest.mark.parametrize(
        ("fields", "durations"),
        [
            ({}, {"models": 5, "docs": "5", "quickstart": "5s"}),
            ({"duration": 7, "first_frame": FIRST}, {"models": 7, "docs": "7", "quickstart": "7s"}),
            ({"callback_url": "https://example.com/done"}, {"models": 5, "docs": "5", "quickstart": "5s"}),
            ({"resolution": "720p"}, {"models": 5, "docs": "5"}),
            ({"aspect_ratio": "1:1"}, {"models": 5, "docs": "5"}),
            ({"resolution": "1080p", "aspect_ratio": "16:9"}, {"models": 5, "docs": "5"}),
            ({"model": "seedance2-fast"}, {"models": 5, "docs": "5"}),
            ({"reference_images": [FIRST]}, {"models": 5, "docs": "5"}),
            ({"prompt": None, "first_frame": FIRST}, {"models": 5, "docs": "5"}),
            ({"prompt": "x" * 4_001}, {"models": 5, "quickstart": "5s"}),
            ({"extra_inputs": {"upscaleResolution": "4k"}}, {"models": 5, "docs": "5"}),
            ({"extra_inputs": {"future": 1}}, {"models": 5}),
            ({"extra_inputs": {"seed": 7}}, {"models": 5}),
            ({"seed": 7}, {"models": 5}),
            ({"generate_audio": False}, {"models": 5}),
            ({"resolution": "4k"}, {"models": 5}),
            ({"model": "seedance2-5"}, {"models": 5}),
            ({"model": "seedance2-5-edit", "reference_videos": [VIDEO]}, {"models": None}),
            ({"model": "seedance-3", "allow_unknown_model": True}, {"models": 5}),
        ],
    )
    def test_the_older_formats_that_have_the_words_come_after_it(self, fields, durations):
        bodies = encode_bodies(a_request(**fields))
        assert {name: body["inputs"].get("duration") for name, body in bodies.items()} == durations
        assert list(bodies) == list(durations)

    @pytest.mark.parametrize("fields", [{}, {"first_frame": FIRST}, {"resolution": "720x960", "duration": 9}])
    def test_each_says_all_that_its_format_says(self, fields):
        request = a_request(**fields)
        for name, body in encode_bodies(request).items():
            pinned = encode_inputs(request, name)
            assert body["inputs"] | pinned == body["inputs"]

    def test_only_the_length_differs(self):
        # An API that takes another spelling of the length, but ignores older words, must not make another video.
        first, *others = [body["inputs"] for body in encode_bodies(a_request(first_frame=FIRST)).values()]
        assert [other | {"duration": 5} for other in others] == [first, first]


class TestExtraInputs:
    @pytest.mark.parametrize("wire_format", WIRE_FORMATS)
    def test_they_are_merged_last_in_every_format(self, wire_format):
        request = a_request(extra_inputs={"seed": 7, "future": {"a": 1}})
        for body in encode_bodies(request, wire_format).values():
            assert (body["inputs"]["seed"], body["inputs"]["future"]) == (7, {"a": 1})

    def test_they_win(self):
        assert encode_inputs(a_request(seed=1, extra_inputs={"seed": 7}), "models")["seed"] == 7

    def test_writing_a_request_does_not_change_it(self):
        request = a_request(extra_inputs={"seed": 7})
        encode_inputs(request)["seed"] = 8
        assert request.extra_inputs == {"seed": 7}


#: For each field a request that has it, beside the one that is said of all of them or of the field that it needs.
EACH = {
    "prompt": ({}, {"prompt": "A park"}),
    "model": ({}, {"model": "seedance2-fast"}),
    "duration": ({}, {"duration": 6}),
    "resolution": ({}, {"resolution": "480p"}),
    "aspect_ratio": ({}, {"aspect_ratio": "1:1"}),
    "first_frame": ({}, {"first_frame": FIRST}),
    "last_frame": ({"first_frame": FIRST}, {"first_frame": FIRST, "last_frame": LAST}),
    "reference_images": ({}, {"reference_images": [FIRST]}),
    "reference_videos": ({}, {"reference_videos": [VIDEO]}),
    "reference_audios": ({"reference_images": [FIRST]}, {"reference_images": [FIRST], "reference_audios": [SOUND]}),
    "generate_audio": ({}, {"generate_audio": False}),
    "bitrate_mode": ({}, {"bitrate_mode": "high"}),
    "seed": ({}, {"seed": 7}),
    "output_format": ({}, {"output_format": "mp4"}),
    "callback_url": ({}, {"callback_url": "https://example.com/done"}),
    "extra_inputs": ({}, {"extra_inputs": {"future": 1}}),
}
NEVER_SENT = {"allow_unknown_model", "reference_video_seconds"}


class TestEveryField:
    @pytest.mark.parametrize(("without", "with_it"), EACH.values(), ids=EACH)
    def test_the_newest_format_has_a_word_for_it(self, without, with_it):
        assert encode_bodies(a_request(**without)) != encode_bodies(a_request(**with_it))

    def test_none_is_overlooked(self):
        assert EACH.keys() == {field.name for field in fields(VideoRequest)} - NEVER_SENT


def test_an_unknown_format_is_refused_and_the_known_ones_are_named():
    with pytest.raises(InvalidRequestError, match="'newest', and the known formats are auto, quickstart, docs, models"):
        encode_inputs(a_request(), "newest")
