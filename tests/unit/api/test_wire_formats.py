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
    @pytest.mark.parametrize(
        ("frames", "urls"),
        [
            ({}, {}),
            ({"first_frame": FIRST}, {"urls": [FIRST]}),
            ({"first_frame": FIRST, "last_frame": LAST}, {"urls": [FIRST, LAST]}),
        ],
    )
    def test_it_writes_the_very_inputs_of_the_vendors_quickstart(self, frames, urls):
        inputs = {"prompt": "A garden", "resolution": "1280x720", "duration": "5s"}
        assert encode_inputs(a_request(**frames), "quickstart") == inputs | urls

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
    @pytest.mark.parametrize(
        ("fields", "inputs"),
        [
            ({}, {"duration": 5, "outputResolution": "720p", "aspectRatio": "16:9"}),
            *(
                ({"resolution": resolution}, {"duration": 5, "outputResolution": resolution})
                for resolution in ("480p", "720p", "1080p", "4k")
            ),
            (
                {"resolution": "720p", "first_frame": FIRST, "last_frame": LAST},
                {"duration": 5, "outputResolution": "720p", "imageUrls": [FIRST, LAST]},
            ),
            (
                {"model": "seedance2-5-extend", "reference_videos": [VIDEO]},
                {"duration": 5, "outputResolution": "720p", "videoUrls": [VIDEO]},
            ),
            (
                {"model": "seedance2-5-edit", "reference_videos": [VIDEO]},
                {"outputResolution": "720p", "videoUrls": [VIDEO]},
            ),
            (
                {"model": "seedance-3", "allow_unknown_model": True, "aspect_ratio": "5:4", "resolution": "8k"},
                {"duration": 5, "outputResolution": "8k", "aspectRatio": "5:4"},
            ),
        ],
    )
    def test_what_was_not_said_is_not_sent_but_for_length_and_resolution(self, fields, inputs):
        assert encode_inputs(a_request(**fields), "models") == {"prompt": "A garden", **inputs}

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


class TestDocs:
    @pytest.mark.parametrize(
        ("fields", "inputs"),
        [
            ({}, {"aspectRatio": "16:9"}),
            ({"prompt": "x" * 4_000}, {"prompt": "x" * 4_000, "aspectRatio": "16:9"}),
            ({"first_frame": FIRST}, {"aspectRatio": "16:9", "urls": [FIRST]}),
            (
                {"reference_images": [FIRST], "reference_videos": [VIDEO], "reference_audios": [SOUND]},
                {"mode": "reference", "urls": [FIRST, VIDEO, SOUND]},
            ),
        ],
    )
    def test_lengths_are_digits_and_all_media_are_urls(self, fields, inputs):
        plain = {"prompt": "A garden", "duration": "5", "outputResolution": "720p"}
        assert encode_inputs(a_request(**fields), "docs") == plain | inputs

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
            body["inputs"]["seed"] = 8
        assert request.extra_inputs["seed"] == 7
        assert encode_inputs(a_request(seed=1, extra_inputs={"seed": 7}), "models")["seed"] == 7


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
