"""What a user may ask for, and how the same wish is recognised again."""

from __future__ import annotations

import itertools
import math

import pytest

from seedance_provider.api.errors import InvalidRequestError
from seedance_provider.api.video_request import DEFAULT_DURATION, DEFAULT_RESOLUTION, VideoRequest

FIRST, LAST = "https://media.example/first.png", "https://media.example/last.png"


def a_request(**fields):
    return VideoRequest(**{"prompt": "A garden"} | fields)


def refusal(**fields):
    with pytest.raises(InvalidRequestError) as caught:
        a_request(**fields)
    return str(caught.value)


class TestDefaults:
    def test_a_prompt_is_enough_and_gives_the_quickstarts_video(self):
        request = VideoRequest("A garden")
        assert (request.model, request.duration, request.resolution) == (
            "seedance-20",
            DEFAULT_DURATION,
            DEFAULT_RESOLUTION,
        )
        assert (DEFAULT_DURATION, DEFAULT_RESOLUTION) == (5, "1280x720")

    def test_with_an_aspect_ratio_the_resolution_is_720p(self):
        request = a_request(aspect_ratio="9:16")
        assert (request.resolution, request.output_resolution) == (None, "720p")
        assert request.effective_aspect_ratio == "9:16"

    def test_a_resolution_by_name_leaves_the_shape_to_the_api(self):
        request = a_request(resolution="1080p")
        assert (request.output_resolution, request.effective_aspect_ratio) == ("1080p", None)


class TestAccepted:
    @pytest.mark.parametrize(
        ("duration", "seconds"),
        [(4, 4), (15, 15), ("5", 5), ("5s", 5), (" 12 s ", 12), (7.0, 7)],
    )
    def test_duration_in_every_spelling(self, duration, seconds):
        request = a_request(duration=duration)
        assert request.duration == seconds
        assert type(request.duration) is int

    @pytest.mark.parametrize(
        ("resolution", "output_resolution", "aspect_ratio"),
        [
            ("1280x720", "720p", "16:9"),
            ("720x1280", "720p", "9:16"),
            ("720x720", "720p", "1:1"),
            ("960x720", "720p", "4:3"),
            ("720x960", "720p", "3:4"),
            ("480p", "480p", None),
            ("720p", "720p", None),
            ("1080p", "1080p", None),
            ("4k", "4k", None),
        ],
    )
    def test_every_resolution_of_the_standard_model(self, resolution, output_resolution, aspect_ratio):
        request = a_request(resolution=resolution)
        assert (request.output_resolution, request.effective_aspect_ratio) == (output_resolution, aspect_ratio)

    @pytest.mark.parametrize("model", ["seedance2-fast", "seedance2.0-mini"])
    @pytest.mark.parametrize("resolution", ["480p", "720p", "1280x720", "720x1280", None])
    def test_every_resolution_of_the_small_models(self, model, resolution):
        assert a_request(model=model, resolution=resolution).output_resolution in ("480p", "720p")

    @pytest.mark.parametrize("aspect_ratio", ["16:9", "9:16", "1:1", "4:3", "3:4", "21:9"])
    def test_every_aspect_ratio(self, aspect_ratio):
        assert a_request(aspect_ratio=aspect_ratio, resolution="1080p").effective_aspect_ratio == aspect_ratio

    def test_an_aspect_ratio_may_repeat_what_the_pixels_say(self):
        assert a_request(resolution="720x1280", aspect_ratio="9:16").effective_aspect_ratio == "9:16"

    def test_4k_in_its_documented_shape(self):
        assert a_request(resolution="4k", aspect_ratio="16:9").output_resolution == "4k"

    @pytest.mark.parametrize("length", [1, 10_000])
    def test_a_prompt_up_to_the_limit(self, length):
        assert len(a_request(prompt="x" * length).prompt) == length

    @pytest.mark.parametrize(
        ("fields", "frames"),
        [
            ({}, []),
            ({"first_frame": FIRST}, [FIRST]),
            ({"first_frame": FIRST, "last_frame": LAST}, [FIRST, LAST]),
        ],
    )
    def test_frames_in_their_order(self, fields, frames):
        assert a_request(**fields).frames == frames

    def test_extra_inputs_may_be_left_out_as_none(self):
        assert a_request(extra_inputs=None).extra_inputs == {}

    def test_extra_inputs_are_a_copy(self):
        given = {"seed": 7, "nested": {"a": [1]}}
        request = a_request(extra_inputs=given)
        given["nested"]["a"].append(2)
        assert request.extra_inputs == {"seed": 7, "nested": {"a": [1]}}


class TestRefused:
    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"prompt": ""}, "prompt is '', and a text is needed"),
            ({"prompt": " \n"}, "prompt is ' \\n', and a text is needed"),
            ({"prompt": None}, "prompt is None, and a text is needed"),
            ({"prompt": 7}, "prompt is 7, and a text is needed"),
            ({"prompt": "x" * 10_001}, "prompt has 10,001 characters"),
            ({"model": "seedance-2.0"}, "model is 'seedance-2.0', and the known models are seedance-20, "),
            ({"model": None}, "model is None"),
            ({"model": 20}, "model is 20"),
            ({"duration": 3}, "duration is 3, and seedance-20 takes whole seconds from 4 to 15"),
            ({"duration": 16}, "duration is 16"),
            ({"duration": "16s"}, "duration is 16"),
            ({"duration": 5.5}, "duration is 5.5"),
            ({"duration": "5.5"}, "duration is '5.5'"),
            ({"duration": "five"}, "duration is 'five'"),
            ({"duration": "-5"}, "duration is '-5'"),
            ({"duration": "5m"}, "duration is '5m'"),
            ({"duration": ""}, "duration is ''"),
            ({"duration": None}, "duration is None"),
            ({"duration": True}, "duration is True"),
            ({"duration": math.nan}, "duration is nan"),
            ({"duration": math.inf}, "duration is inf"),
            ({"duration": [5]}, "duration is [5]"),
            ({"resolution": "1920x1080"}, "resolution is '1920x1080', and seedance-20 takes 480p, 720p, "),
            ({"resolution": "720P"}, "resolution is '720P'"),
            ({"resolution": ""}, "resolution is ''"),
            ({"resolution": 720}, "resolution is 720"),
            ({"model": "seedance2-fast", "resolution": "1080p"}, "resolution is '1080p', and seedance2-fast takes"),
            ({"model": "seedance2.0-mini", "resolution": "4k"}, "resolution is '4k', and seedance2.0-mini takes"),
            ({"model": "seedance2-fast", "resolution": "720x720"}, "resolution is '720x720', and seedance2-fast"),
            ({"aspect_ratio": "5:4"}, "aspect_ratio is '5:4', and seedance-20 takes 16:9, "),
            ({"aspect_ratio": ""}, "aspect_ratio is ''"),
            ({"aspect_ratio": 1.78}, "aspect_ratio is 1.78"),
            (
                {"aspect_ratio": "9:16", "resolution": "1280x720"},
                "aspect_ratio is '9:16' but resolution is '1280x720', and they have to agree",
            ),
            ({"aspect_ratio": "9:16", "resolution": "4k"}, "4k is documented for 16:9 only"),
            ({"first_frame": ""}, "first_frame is '', and a public http(s) URL is needed"),
            ({"first_frame": "a.png"}, "first_frame is 'a.png'"),
            ({"first_frame": "s3://bucket/a.png"}, "first_frame is 's3://bucket/a.png'"),
            ({"first_frame": "https://"}, "first_frame is 'https://'"),
            ({"first_frame": f" {FIRST}"}, f"first_frame is ' {FIRST}'"),
            ({"first_frame": "https://[media"}, "first_frame is 'https://[media'"),
            ({"first_frame": 7}, "first_frame is 7"),
            ({"first_frame": FIRST, "last_frame": "b.png"}, "last_frame is 'b.png'"),
            ({"last_frame": LAST}, "last_frame is set but first_frame is not"),
            ({"extra_inputs": [("seed", 7)]}, "extra_inputs is [('seed', 7)], and a mapping"),
            ({"extra_inputs": {7: "seed"}}, "extra_inputs is {7: 'seed'}, and a mapping"),
            ({"extra_inputs": {"seed": object}}, "extra_inputs can't be written as JSON"),
            ({"extra_inputs": {"seed": math.nan}}, "extra_inputs can't be written as JSON"),
        ],
    )
    def test_the_field_and_its_value_are_named(self, fields, said):
        assert said in refusal(**fields)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("prompt", "half a \ud83c symbol"),
            ("first_frame", f"{FIRST}?\ud83c"),
            ("extra_inputs", {"negative_prompt": "half a \ud83c symbol"}),
        ],
    )
    def test_a_text_that_is_no_unicode_is_refused_here_and_not_when_it_is_sent(self, name, value):
        assert name in refusal(**{name: value})

    def test_all_problems_are_named_at_once(self):
        said = refusal(prompt="", duration=99, resolution="8k", last_frame="b.png")
        for name in ("prompt", "duration", "resolution", "last_frame"):
            assert f"{name} is " in said

    def test_the_refusal_says_that_nothing_was_charged(self):
        assert refusal(duration=99).startswith("The video was not requested and nothing was charged, because ")

    def test_a_long_prompt_is_not_repeated_in_full(self):
        assert len(refusal(prompt="x" * 100_000)) < 300


class TestQuickstartResolution:
    @pytest.mark.parametrize(
        ("fields", "pixels"),
        [
            ({}, "1280x720"),
            ({"resolution": "720x720"}, "720x720"),
            ({"aspect_ratio": "16:9"}, "1280x720"),
            ({"resolution": "720p", "aspect_ratio": "9:16"}, "720x1280"),
            # The newer API's square 720p is 960x960, another file than the quickstart's 720x720.
            ({"aspect_ratio": "1:1"}, None),
            ({"resolution": "720p"}, None),
            ({"resolution": "1080p", "aspect_ratio": "16:9"}, None),
        ],
    )
    def test_it_is_named_only_where_the_file_would_be_the_same(self, fields, pixels):
        assert a_request(**fields).quickstart_resolution == pixels


class TestFingerprint:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ({}, {"duration": "5s"}),
            ({}, {"duration": "5"}),
            ({}, {"duration": 5.0}),
            ({}, {"model": "seedance-20"}),
            ({}, {"resolution": "1280x720"}),
            ({}, {"resolution": "720p", "aspect_ratio": "16:9"}),
            ({}, {"aspect_ratio": "16:9"}),
            ({}, {"resolution": "1280x720", "aspect_ratio": "16:9"}),
            ({}, {"first_frame": None, "last_frame": None}),
            ({}, {"extra_inputs": {}}),
            ({}, {"extra_inputs": None}),
            ({"aspect_ratio": "9:16"}, {"resolution": "720x1280"}),
            ({"extra_inputs": {"a": 1, "b": (2, 3)}}, {"extra_inputs": {"b": [2, 3], "a": 1}}),
        ],
    )
    def test_it_is_the_same_for_every_spelling(self, one, other):
        assert a_request(**one).fingerprint("seedance_default") == a_request(**other).fingerprint("seedance_default")

    def test_it_differs_for_every_field_and_connection(self):
        frames = {"first_frame": FIRST, "last_frame": LAST}
        wishes = [
            a_request(**fields)
            for fields in (
                {},
                {"prompt": "A garden "},
                {"prompt": "a garden"},
                {"model": "seedance2-fast"},
                {"model": "seedance2.0-mini"},
                {"duration": 6},
                {"resolution": "480p"},
                {"resolution": "720p"},
                {"resolution": "720x720"},
                {"aspect_ratio": "1:1"},
                {"aspect_ratio": "9:16"},
                {"first_frame": FIRST},
                {"first_frame": LAST},
                frames,
                {"first_frame": LAST, "last_frame": FIRST},
                {"extra_inputs": {"seed": 7}},
                {"extra_inputs": {"seed": "7"}},
                {"extra_inputs": {"Seed": 7}},
                {"extra_inputs": {"urls": [FIRST]}},
            )
        ]
        fingerprints = [
            request.fingerprint(conn_id) for request, conn_id in itertools.product(wishes, ("account_a", "account_b"))
        ]
        assert len(set(fingerprints)) == len(fingerprints)

    @pytest.mark.parametrize(
        ("request_", "pinned"),
        [
            (a_request(), "9d46b50fece00fd1886079180efeb7affc7f9f18321f85a9ca59b16c5ec69f39"),
            (
                VideoRequest(
                    "Ein Garten \N{CHERRY BLOSSOM}",
                    "seedance2-fast",
                    "7s",
                    "480p",
                    "1:1",
                    FIRST,
                    LAST,
                    {"seed": 7, "generate_audio": False},
                ),
                "d5f50c956dbe25a59c14cebdbe743d396dc2307b67a98d313ac36ab2f81954fc",
            ),
        ],
        ids=["plain", "every field"],
    )
    def test_it_never_changes_between_releases(self, request_, pinned):
        # A changed fingerprint makes a retry after an upgrade forget the video it paid for, and pay again.
        assert request_.fingerprint("seedance_default") == pinned
