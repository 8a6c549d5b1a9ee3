"""What a user may ask for, and how the same wish is recognised again."""

from __future__ import annotations

import itertools
import math
from collections import deque
from dataclasses import fields
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from seedance_provider.api.errors import FileUnavailableError, InvalidRequestError
from seedance_provider.api.media_file import MediaFile
from seedance_provider.api.models import MODELS
from seedance_provider.api.video_request import VideoRequest
from seedance_provider.api.wire_formats import encode_inputs
from tests.support.user_values import Address, Format, Length, Numpy, Rows

FIRST, LAST = "https://media.example/first.png", "https://media.example/last.png"
VIDEO, SOUND = "https://media.example/walk.mp4", "https://media.example/waves.mp3"


class Message:
    """Has items, and yet is no list: Python would take it for an empty one."""

    def __init__(self, *items):
        self._items = dict(enumerate(items, 1))

    def __getitem__(self, key):
        if key not in self._items:
            raise IndexError
        return self._items[key]

    def __repr__(self):
        return "Message()"


EDIT = {"model": "seedance2-5-edit", "reference_videos": [VIDEO]}


#: What each field is that takes texts, with one in it.
TEXT_FIELDS = {
    **dict.fromkeys(("prompt", "model", "resolution", "aspect_ratio", "first_frame", "last_frame"), str),
    **dict.fromkeys(("bitrate_mode", "output_format", "callback_url"), str),
    **dict.fromkeys(("reference_images", "reference_videos", "reference_audios"), lambda text: [text]),
    "extra_inputs": lambda text: {"future": [{"deep": text}]},
}


def a_request(**fields):
    return VideoRequest(**{"prompt": "A garden"} | fields)


def refusal(**fields):
    with pytest.raises(InvalidRequestError) as caught:
        a_request(**fields)
    return str(caught.value)


def test_a_prompt_is_enough_and_gives_the_quickstarts_video():
    request = VideoRequest("A garden")
    assert (request.model, request.duration, request.resolution) == ("seedance-20", 5, "1280x720")


class TestAccepted:
    @pytest.mark.parametrize(
        ("duration", "seconds"),
        [(4, 4), (15, 15), ("5", 5), ("5s", 5), (" 12 s ", 12), (7.0, 7), ("5.0", 5), ("5.00 s", 5)],
    )
    def test_duration_in_every_spelling(self, duration, seconds):
        request = a_request(duration=duration)
        assert (request.duration, type(request.duration)) == (seconds, int)

    @pytest.mark.parametrize(
        ("name", "value", "read"),
        [
            ("duration", Decimal(5), 5),
            ("duration", Decimal("5.00"), 5),
            ("duration", Numpy(5), 5),
            ("duration", Numpy(5.0), 5),
            ("duration", Length.SHORT, 5),
            ("seed", "7.0", 7),
            ("seed", Decimal(-1), -1),
            ("seed", Numpy(0), 0),
            ("generate_audio", Numpy(True), True),
            ("generate_audio", 0, False),
            ("generate_audio", "1", True),
            ("generate_audio", 1.0, True),
            ("generate_audio", Decimal(0), False),
            ("allow_unknown_model", 1, True),
            (
                "extra_inputs",
                {"future": [Decimal(5), Decimal("0.5"), Numpy(7), Format.MP4]},
                {"future": [5, 0.5, 7, "mp4"]},
            ),
            ("output_format", Format.MP4, "mp4"),
            ("first_frame", Address.PICTURE, FIRST),
            ("prompt", 1984, "1984"),
            ("prompt", 19.5, "19.5"),
            ("prompt", Decimal(1984), "1984"),
            ("prompt", Numpy(1984), "1984"),
        ],
    )
    def test_values_of_databases_pandas_and_native_templates(self, name, value, read):
        request = a_request(**{name: value})
        assert getattr(request, name) == read
        assert type(getattr(request, name)) is type(read)
        assert request.fingerprint("c") == a_request(**{name: read}).fingerprint("c")

    @pytest.mark.parametrize("seconds", [Decimal("4.5"), Numpy(4.5), "4.5"])
    def test_seconds_of_a_reference_in_every_spelling(self, seconds):
        request = a_request(reference_videos=[VIDEO], reference_video_seconds=seconds)
        assert repr(request.reference_video_seconds) == "4.5"

    @pytest.mark.parametrize(
        "kind",
        [list, tuple, iter, deque, Rows, lambda urls: (url for url in urls), lambda urls: dict.fromkeys(urls).keys()],
    )
    def test_any_iterable_is_a_list(self, kind):
        assert a_request(reference_images=kind([FIRST, LAST])).reference_images == (FIRST, LAST)

    def test_a_set_of_one_has_an_order(self):
        assert a_request(reference_images={FIRST}).reference_images == (FIRST,)

    def test_a_sequence_that_ends_before_its_length_is_read_again_by_a_retry(self):
        with pytest.raises(FileUnavailableError, match="Only 1 of 2 items"):
            a_request(reference_images=Rows([FIRST, LAST], readable=1))

    def test_numpy_itself(self):
        numpy = pytest.importorskip("numpy", reason="needs numpy, which only the lowest versions bring")
        images = numpy.array([FIRST, LAST])
        request = a_request(
            duration=numpy.int64(6), generate_audio=numpy.bool_(False), seed=numpy.float64(3), reference_images=images
        )
        assert request == a_request(duration=6, generate_audio=False, seed=3, reference_images=[FIRST, LAST])
        assert "reference_images is " in refusal(reference_images=numpy.void(b"x"))
        for moment in (numpy.datetime64(5, "ns"), numpy.timedelta64(5, "s"), numpy.array([5])):
            assert "duration is " in refusal(duration=moment)

    def test_pandas_itself(self):
        pandas = pytest.importorskip("pandas", reason="needs pandas, which only the lowest versions bring")
        row = pandas.DataFrame({"duration": [6], "url": [FIRST], "sound": [True]})
        request = a_request(duration=row["duration"][0], reference_images=row["url"], generate_audio=row["sound"][0])
        assert request == a_request(duration=6, generate_audio=True, reference_images=[FIRST])

    @pytest.mark.parametrize(
        ("fields", "output_resolution", "aspect_ratio"),
        [
            ({"resolution": "1280x720"}, "720p", "16:9"),
            ({"resolution": "720x1280"}, "720p", "9:16"),
            ({"resolution": "720x720"}, "720p", "1:1"),
            ({"resolution": "960x720"}, "720p", "4:3"),
            ({"resolution": "720x960"}, "720p", "3:4"),
            *(({"resolution": resolution}, resolution, None) for resolution in ("480p", "720p", "1080p", "4k")),
            ({"model": "seedance2-fast", "resolution": "480p"}, "480p", None),
            ({"model": "seedance2-fast"}, "720p", "16:9"),
            ({"model": "seedance2.0-mini", "resolution": "720x1280"}, "720p", "9:16"),
            ({"aspect_ratio": "9:16"}, "720p", "9:16"),
            ({"aspect_ratio": "9:16", "resolution": "720x1280"}, "720p", "9:16"),
            ({"aspect_ratio": "16:9", "resolution": "4k"}, "4k", "16:9"),
            *(
                ({"aspect_ratio": shape, "resolution": "1080p"}, "1080p", shape)
                for shape in MODELS["seedance-20"].aspect_ratios
            ),
            # The shape follows references, unless something else is said.
            ({"reference_images": [FIRST]}, "720p", None),
            ({"reference_images": [FIRST], "resolution": "1280x720"}, "720p", "16:9"),
            (EDIT, "720p", None),
        ],
    )
    def test_every_size(self, fields, output_resolution, aspect_ratio):
        request = a_request(**fields)
        assert (request.output_resolution, request.effective_aspect_ratio) == (output_resolution, aspect_ratio)

    @pytest.mark.parametrize(
        "fields",
        [
            {"prompt": "x"},
            {"prompt": "x" * 10_000},
            {"model": "seedance2-5", "prompt": "x" * 30_000},
            {"model": "seedance2-5", "duration": 30},
            {"model": "seedance2-5", "output_format": "mov"},
            {"prompt": None, "first_frame": FIRST},
            {"prompt": None, "reference_videos": [VIDEO]},
            {"reference_videos": ["https://media.example/watch?v=7"]},
            {"seed": -1},
            {"seed": 0},
            {"seed": 4_294_967_295},
            {"first_frame": "http://media.example/a.png"},
            {"first_frame": "https://shop.example/a.heic?width=900&format=jpg"},
            {"first_frame": "https://shop.example/a.gif/converted"},
            {"first_frame": "https://media.example:1/a.png"},
            {"reference_video_seconds": 3.8, **EDIT},
            {"reference_video_seconds": 30.2, **EDIT},
        ],
    )
    def test_what_is_within_the_limits_is_kept_as_it_is(self, fields):
        request = a_request(**fields)
        for name, value in fields.items():
            kept = getattr(request, name)
            assert (list(kept) if isinstance(kept, tuple) else kept) == value

    def test_frames_in_their_order(self):
        assert a_request().frames == []
        assert a_request(first_frame=FIRST, last_frame=LAST).frames == [FIRST, LAST]

    def test_extra_inputs_are_a_copy(self):
        given = {"seed": 7, "nested": {"a": [1]}}
        request = a_request(extra_inputs=given)
        given["nested"]["a"].append(2)
        assert request.extra_inputs == {"seed": 7, "nested": {"a": [1]}}


class TestWarnings:
    def test_what_may_be_a_slip_is_told_and_made(self):
        request = a_request(prompt="None flies a kite", extra_inputs={"future": ["over None"]})
        assert [warning.split(" has ")[0] for warning in request.warnings] == ["prompt", "extra_inputs['future']"]
        assert "'None'" in request.warnings[0]

    def test_usually_there_are_none(self):
        request = a_request(first_frame=MediaFile("file:///None.png", "None.png", 10, "f1"))
        assert request.warnings == a_request().warnings == ()


class TestRefused:
    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"prompt": ""}, "prompt is '', and a text is needed"),
            ({"prompt": " \n"}, "prompt is ' \\n', and a text is needed"),
            ({"prompt": None}, "because prompt is None, and without frames or references a text is needed."),
            ({"prompt": "half a \ud83c"}, "prompt is 'half a \\ud83c', and text that UTF-8 can write is needed"),
            ({"prompt": b"7"}, "prompt is b'7', and a text is needed"),
            ({"prompt": "x" * 10_001}, f"prompt has 10,001 characters ('{'x' * 40}'...), and 10,000 are allowed"),
            ({"model": "seedance-2.0"}, "model is 'seedance-2.0', which is not known; did you mean seedance-20 or "),
            ({"model": None}, "model is None"),
            ({"model": 20}, "model is 20"),
            ({"duration": 3}, "duration is 3, and seedance-20 takes whole seconds from 4 to 15"),
            ({"duration": 16}, "duration is 16"),
            ({"duration": "16s"}, "duration is 16"),
            ({"duration": 5.5}, "duration is 5.5"),
            ({"duration": "5.5"}, "duration is '5.5'"),
            ({"duration": "five"}, "duration is 'five'"),
            ({"duration": "\u0665"}, "duration is '\u0665'"),
            ({"seed": "\u0665"}, "seed is '\u0665'"),
            ({"reference_videos": [VIDEO], "reference_video_seconds": "\u0665"}, "seconds is '\u0665', and a number"),
            ({"duration": "-5"}, "duration is -5, and"),
            ({"duration": "5m"}, "duration is '5m'"),
            ({"duration": ""}, "duration is ''"),
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
            ({"first_frame": ""}, "first_frame is '', and a public http(s) URL or a file is needed"),
            ({"first_frame": "a.png"}, "first_frame is 'a.png'"),
            ({"first_frame": "s3://bucket/a.png"}, "first_frame is 's3://bucket/a.png'"),
            ({"first_frame": "https://"}, "first_frame is 'https://'"),
            ({"first_frame": f" {FIRST}"}, f"first_frame is ' {FIRST}'"),
            ({"first_frame": "https://[media"}, "first_frame is 'https://[media'"),
            ({"first_frame": 7}, "first_frame is 7"),
            ({"first_frame": FIRST, "last_frame": "b.png"}, "last_frame is 'b.png'"),
            ({"last_frame": LAST}, "because last_frame is set but first_frame is not, and a last frame needs a first"),
            ({"extra_inputs": [("seed", 7)]}, "extra_inputs is [('seed', 7)], and a mapping"),
            ({"extra_inputs": {7: "seed"}}, "extra_inputs is {7: 'seed'}, and a mapping"),
            ({"extra_inputs": {"future": object}}, "extra_inputs can't be written as JSON"),
            ({"extra_inputs": {"future": math.nan}}, "extra_inputs can't be written as JSON"),
        ],
    )
    def test_the_field_and_its_value_are_named(self, fields, said):
        assert said in refusal(**fields)

    @pytest.mark.parametrize("name", TEXT_FIELDS)
    @pytest.mark.parametrize(
        "text", ["None", "{{ x }}", "['a']", "\u200b", "a\x00", "\ud800", "half \ud83c", "<a object at 0x7f00>"]
    )
    def test_no_field_takes_a_text_that_nobody_has_meant(self, name, text):
        value = TEXT_FIELDS[name](text)
        said = refusal(allow_unknown_model=True, **{name: value})
        assert f"{name} is {text!r}" in said or f"{name} 1 is {text!r}" in said or "extra_inputs" in said
        if text == "None":
            assert "xcom_pull of a task that pushed nothing" in said

    @pytest.mark.parametrize("text", ["None", "{{ x }}", "\u200b", "a\x00", "\ud800"])
    def test_nor_does_a_name_in_extra_inputs(self, text):
        assert "extra_inputs" in refusal(extra_inputs={text: 1})
        assert "extra_inputs" in refusal(extra_inputs={"future": [{text: 1}]})

    def test_nor_does_a_file_come_from_where_nobody_can_note_it(self):
        assert "first_frame is the file" in refusal(first_frame=MediaFile("file:///a\x00.png", "a.png", 10, "f1"))

    def test_a_choice_that_only_the_api_knows_may_be_none(self):
        assert a_request(extra_inputs={"camera": "none"}).extra_inputs == {"camera": "none"}

    def test_a_cause_is_named_once(self):
        assert refusal(prompt="None", resolution="None", callback_url="None").count("xcom_pull") == 1

    def test_extra_inputs_that_go_round_in_circles_are_refused(self):
        circle = {}
        circle[1] = circle
        assert "extra_inputs is" in refusal(extra_inputs=circle)

    def test_the_problems_of_all_references_are_named_at_once(self):
        said = refusal(reference_images=FIRST, reference_videos=VIDEO, reference_audios=["a.mp3"])
        for named in ("reference_images is ", "reference_videos is ", "reference_audios 1 is 'a.mp3'"):
            assert named in said

    def test_all_problems_are_named_at_once(self):
        said = refusal(prompt="", duration=99, resolution="8k", last_frame="b.png")
        assert said.startswith(
            "The video was not requested and nothing was charged, because prompt is '', and a text is "
        )
        for name in ("duration", "resolution", "last_frame"):
            assert f"; {name} is " in said

    def test_a_long_prompt_is_not_repeated_in_full(self):
        assert len(refusal(prompt="x" * 100_000)) < 300

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"model": "seedance-30"}, "seedance-20"),
            ({"model": "seedance2-5-extent"}, "did you mean seedance2-5-extend"),
            ({"model": "seedance2"}, "did you mean seedance2-5 or seedance-20 or seedance2-fast? All that are known: "),
            ({"model": "veo"}, "which is not known; all that are known: seedance-20, "),
            ({"model": "seedance-30"}, "seedance2-5-edit (allow_unknown_model=True sends it unchecked)."),
            ({"allow_unknown_model": "maybe"}, "allow_unknown_model is 'maybe'"),
            ({"model": "x\ud800"}, "text that UTF-8 can write is needed"),
            ({"duration": 16, "model": "seedance2-fast"}, "whole seconds from 4 to 15"),
            ({"duration": 31, "model": "seedance2-5"}, "seedance2-5 takes whole seconds from 4 to 30"),
            ({"duration": 5, **EDIT}, "duration is 5, and seedance2-5-edit takes none: the length is that of the"),
            ({"aspect_ratio": "16:9", **EDIT}, "is '16:9', and seedance2-5-edit takes none: the shape is that of the"),
            ({"resolution": "1280x720", **EDIT}, "resolution is '1280x720', and seedance2-5-edit takes 480p, "),
            ({"model": "seedance2-5-extend"}, "reference_videos is empty, and seedance2-5-extend needs the video"),
            ({"first_frame": FIRST, "model": "seedance2-5-extend"}, "takes no frames"),
            ({"model": "seedance2-5", "resolution": "4k"}, "resolution is '4k', and seedance2-5 takes 480p, 720p, "),
            ({"first_frame": FIRST, "reference_images": [LAST]}, "because first_frame comes together with references"),
            ({"reference_audios": [SOUND]}, "because reference_audios come alone, and the API needs a reference image"),
            ({"reference_images": [FIRST] * 10}, "reference_images has 10 items, and seedance-20 takes at most 9"),
            ({"reference_videos": [VIDEO] * 4}, "reference_videos has 4 items, and seedance-20 takes at most 3"),
            ({"reference_videos": [VIDEO], "reference_audios": [SOUND] * 4}, "reference_audios has 4 items, and seed"),
            ({"reference_images": FIRST}, f"reference_images is '{FIRST}', and a list of public http(s) URLs or files"),
            ({"reference_images": [FIRST, "a.png"]}, "because reference_images 2 is 'a.png', and a public http(s) URL"),
            (
                {"reference_images": ["pics/a.png"]},
                f"a path must be absolute, here '{Path.cwd()}/pics/a.png', and a URL",
            ),
            (
                {"first_frame": "../a.png"},
                f"a path must be absolute, here '{Path.cwd().parent}/a.png', and a URL begins",
            ),
            ({"first_frame": "~/a.png"}, f"here '{Path.home()}/a.png'"),
            ({"first_frame": Path("a.png")}, f"must be absolute, here '{Path.cwd()}/a.png'"),
            ({"first_frame": "x" * 5000}, "x..., and a URL begins"),
            (
                {"first_frame": "data:image/png;base64,AAAA"},
                "a public http(s) URL or a file is needed (or None for no frame).",
            ),
            ({"first_frame": b"a.png"}, "a public http(s) URL or a file is needed (or None for no frame)."),
            ({"reference_images": [None]}, "reference_images 1 is None"),
            ({"reference_images": [VIDEO]}, "which is of kind video, and .jpg, .jpeg, .png, .webp are accepted"),
            ({"first_frame": "https://media.example/A.MP4?x=1"}, "/A.MP4?x=1', which is of kind video"),
            ({"first_frame": "https://media.example:0/a.png"}, "first_frame is 'https://media.example:0/a.png', and a"),
            ({"reference_videos": [FIRST]}, "which is of kind image"),
            (
                {"first_frame": "https://media.example/IMG_1.HEIC"},
                "which ends in .heic, and .jpg, .jpeg, .png, .webp are",
            ),
            ({"reference_images": ["https://media.example/a.gif?v=2"]}, "which ends in .gif, and .jpg, .jpeg, .png, "),
            ({"first_frame": "https://media.example/a%2Epdf"}, "which ends in .pdf"),
            ({"reference_videos": ["https://media.example/a.avi"]}, "which ends in .avi, and .mp4, .mov, .webm are"),
            ({"reference_images": [FIRST], "reference_audios": [VIDEO]}, "which is of kind video"),
            ({"reference_videos": [VIDEO], "reference_video_seconds": 16}, "is 16, and seedance-20 takes 0 to 15 s in"),
            ({"reference_video_seconds": 5}, "there is no reference video"),
            ({"reference_videos": [VIDEO], "reference_video_seconds": 0}, "a number above 0 is needed"),
            ({"reference_videos": [VIDEO], "reference_video_seconds": "long"}, "a number above 0 is needed"),
            ({"reference_videos": [VIDEO], "reference_video_seconds": math.nan}, "a number above 0 is needed"),
            ({"reference_video_seconds": 3, **EDIT}, "takes 4 to 30 s in total"),
            ({"reference_video_seconds": 3.79, **EDIT}, "takes 4 to 30 s in total"),
            ({"reference_video_seconds": 30.21, **EDIT}, "takes 4 to 30 s in total"),
            ({**EDIT, "reference_videos": [VIDEO] * 2, "reference_video_seconds": 7}, "takes 8 to 30 s in total"),
            ({"generate_audio": "yes"}, "generate_audio is 'yes', and True or False is needed"),
            ({"generate_audio": 2}, "generate_audio is 2"),
            ({"generate_audio": 0.5}, "generate_audio is 0.5"),
            ({"duration": Decimal("5.5")}, "duration is Decimal('5.5'), and seedance-20 takes whole seconds"),
            ({"duration": Decimal("1E+999999")}, "duration is Decimal('1E+999999'), and"),
            ({"duration": Decimal("NaN")}, "duration is Decimal('NaN'), and"),
            ({"duration": Numpy(True)}, "duration is True, and"),
            ({"seed": "7.5"}, "seed is '7.5', and"),
            ({"duration": date(2024, 1, 5)}, "duration is datetime.date(2024, 1, 5), and"),
            ({"prompt": True}, "prompt is True, and a text is needed"),
            ({"prompt": math.inf}, "prompt is inf, and a text is needed"),
            ({"prompt": [1, 2]}, "prompt is [1, 2], and a text is needed, no list: pass one text of it, or its JSON"),
            ({"prompt": {"a": 1}}, "prompt is {'a': 1}, and a text is needed, no dict: pass"),
            ({"prompt": [1]}, "render_template_as_native_obj=True made it of a text, write {{ '%r' | format(...) }}"),
            ({"model": ["seedance-20"]}, "model is ['seedance-20'], and a text is needed, no list: pass"),
            (
                {"reference_images": f'["{FIRST}"]'},
                "is needed, not the text of one: pass task.output, or set render_te",
            ),
            (
                {"reference_images": f"['{FIRST}']"},
                "is needed, not the text of one: pass task.output, or set render_te",
            ),
            ({"reference_videos": VIDEO}, "files is needed: put it into a list"),
            (
                {"extra_inputs": '{"future": 1}'},
                "a mapping of field names to values is needed, not the text of one: pass",
            ),
            (
                {"reference_images": {FIRST, LAST}},
                "is needed: a set has no order, and prompts name references by position",
            ),
            ({"reference_images": frozenset({FIRST, LAST})}, "files is needed: a set has no order"),
            ({"reference_images": (FIRST for _ in itertools.count())}, "reference_images has more than 1,000 items"),
            ({"reference_images": Message(FIRST)}, "reference_images is Message(), and a list of public"),
            ({"reference_images": {FIRST: 1}}, "and a list of public http(s) URLs or files is needed"),
            ({"reference_images": FIRST.encode()}, "and a list of public http(s) URLs or files is needed"),
            ({"bitrate_mode": "low"}, "bitrate_mode is 'low', and high is accepted"),
            ({"seed": -2}, "seed is -2, and a whole number from 0 to 4,294,967,295 is needed, or -1"),
            ({"seed": 2**32}, "seed is 4294967296"),
            ({"seed": True}, "seed is True"),
            ({"seed": 10**5000}, "seed is "),
            ({"output_format": "mov"}, "output_format is 'mov', and seedance-20 makes mp4"),
            ({"output_format": 5}, "output_format is 5, and a text is needed"),
            ({"output_format": "avi", "model": "seedance2-5"}, "seedance2-5 makes mp4, mov"),
            ({"callback_url": "example.com"}, "callback_url is 'example.com', and an http(s) URL is needed"),
            ({"prompt": "like @image1"}, "prompt names @image1, and the number of images that were passed is 0"),
            ({"prompt": "@Video2 walks", "reference_videos": [VIDEO]}, "names @Video2, and the number of videos that"),
            ({"prompt": "@image0", "first_frame": FIRST}, "prompt names @image0"),
            ({"prompt": "@audio3"}, "passed is 0 (write @@audio3 if it is no reference)"),
            ({"prompt": "@image9"}, "prompt names @image9"),
            ({"prompt": "@image10", "model": "seedance2-5"}, "prompt names @image10"),
            ({"prompt": "@video2024", "first_frame": FIRST}, "prompt names @video2024"),
            ({"prompt": "@Video1", "reference_images": [FIRST]}, "prompt names @Video1"),
            ({"extra_inputs": {"outputResolution": "4k"}}, "has a parameter of its own: use resolution"),
            ({"extra_inputs": {"videoUrls": [VIDEO]}}, "has a parameter of its own: use reference_videos"),
            ({"extra_inputs": {"aspect_ratio": "1:1"}}, "if 'aspectRatio' is meant, use aspect_ratio"),
            (
                {"extra_inputs": {"generateAudio": True}},
                "extra_inputs has 'generateAudio', which the API would ignore; "
                "if 'generate_audio' is meant, use 'generate_audio'",
            ),
            ({"extra_inputs": {"generate---audio---": True}}, "if 'generate_audio' is meant"),
            ({"extra_inputs": {"outputResoluton": "4k"}}, "if 'outputResolution' is meant, use resolution"),
            ({"extra_inputs": {"seed": "7"}}, "extra_inputs['seed'] is '7', and a whole number"),
            ({"extra_inputs": {"generate_audio": "true"}}, "extra_inputs['generate_audio'] is 'true', and True or"),
        ],
    )
    def test_what_the_api_would_refuse_ignore_or_fail_is_refused_here(self, fields, said):
        assert said in refusal(**fields)

    def test_half_a_symbol_is_shown_so_that_any_log_takes_it(self):
        assert "model is 'Sä\\ud83c', and text" in refusal(model="Sä\ud83c")

    @pytest.mark.parametrize(("length", "shown"), [(78, f"'{'x' * 78}', and"), (79, f"'{'x' * 79}..., and")])
    def test_a_long_value_is_cut(self, length, shown):
        assert f"resolution is {shown}" in refusal(resolution="x" * length)

    def test_an_object_that_can_not_be_shown_is_named_by_its_kind(self):
        class Odd:
            def __repr__(self):
                raise RuntimeError

        assert "prompt is a Odd, and a text is needed" in refusal(prompt=Odd())


class TestTags:
    @pytest.mark.parametrize(
        ("prompt", "fields"),
        [
            ("@image1 opens", {"first_frame": FIRST}),
            ("from @image1 to @IMAGE2", {"first_frame": FIRST, "last_frame": LAST}),
            ("@image1 as @video1", {"reference_images": [FIRST], "reference_videos": [VIDEO]}),
            ("to @audio1.", {"reference_images": [FIRST], "reference_audios": [SOUND]}),
            ("mail me@image1.example or @images or @image1st", {}),
            ("Follow @video2024 for more", {}),
            ("Follow @Image1, @image0, @image10 and @video4", {}),
            ("Follow @@video1 and @@image2, like @image1", {"first_frame": FIRST}),
        ],
    )
    def test_a_tag_that_names_what_was_passed_is_fine(self, prompt, fields):
        assert a_request(prompt=prompt, **fields).prompt == prompt

    @pytest.mark.parametrize(
        ("prompt", "sent"),
        [
            ("@@video1 and @@Image2024.", "@video1 and @Image2024."),
            ("@image1, a@@image1, @@images, @@@image1", "@image1, a@@image1, @@images, @@@image1"),
        ],
    )
    def test_one_that_is_insisted_on_is_sent_as_it_is_meant(self, prompt, sent):
        request = a_request(prompt=prompt, first_frame=FIRST)
        assert request.described()["prompt"] == sent
        for wire_format in ("auto", "quickstart", "docs", "models"):
            assert encode_inputs(request, wire_format)["prompt"] == sent

    def test_without_a_prompt_none_is_sent(self):
        assert a_request(prompt=None, first_frame=FIRST).sent_prompt is None


class TestReferences:
    def test_they_are_kept_in_their_order_and_as_many_as_the_model_takes(self):
        images = [FIRST, LAST] + [FIRST] * 7
        request = a_request(reference_images=images, reference_videos=[VIDEO] * 3, reference_audios=[SOUND] * 3)
        assert request.references == {
            "reference_images": tuple(images),
            "reference_videos": (VIDEO,) * 3,
            "reference_audios": (SOUND,) * 3,
        }


class TestUnknownModel:
    def test_it_may_be_sent_unchecked(self):
        request = a_request(
            model="seedance-3", allow_unknown_model=True, duration=90, resolution="8k", aspect_ratio="5:4"
        )
        assert (request.duration, request.output_resolution, request.effective_aspect_ratio) == (90, "8k", "5:4")

    @pytest.mark.parametrize("duration", [1, 999_999])
    @pytest.mark.parametrize("seconds", [0.1, 999_999])
    def test_lengths_have_only_to_be_lengths(self, duration, seconds):
        fields = {"duration": duration, "reference_videos": [VIDEO], "reference_video_seconds": seconds}
        request = a_request(model="seedance-3", allow_unknown_model=True, **fields)
        assert (request.duration, request.reference_video_seconds) == (duration, seconds)

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"prompt": ""}, "prompt is ''"),
            ({"duration": "soon"}, "duration is 'soon'"),
            ({"duration": 0}, "duration is 0"),
            ({"duration": 1_000_000}, "duration is 1000000, and a whole number of seconds is needed"),
            ({"reference_videos": [VIDEO], "reference_video_seconds": 1e6}, "is 1000000.0, and a number above 0 is"),
            ({"first_frame": "a.png"}, "first_frame is 'a.png'"),
            ({"extra_inputs": {"imageUrls": []}}, "has a parameter of its own"),
            ({"output_format": 5}, "output_format is 5"),
        ],
    )
    def test_what_can_not_be_right_for_any_model_is_refused(self, fields, said):
        assert said in refusal(model="seedance-3", allow_unknown_model=True, **fields)


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


#: Inputs that are different videos. Whoever adds a field adds a pair here that shows it.
DIFFERENT = (
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
    {"first_frame": FIRST, "last_frame": LAST},
    {"first_frame": LAST, "last_frame": FIRST},
    {"extra_inputs": {"seed": 7}},
    {"extra_inputs": {"future": 7}},
    {"extra_inputs": {"future": "7"}},
    {"seed": 7},
    {"seed": 0},
    {"generate_audio": False},
    {"generate_audio": True},
    {"bitrate_mode": "high"},
    {"output_format": "mp4"},
    {"reference_images": [FIRST]},
    {"reference_images": [FIRST, LAST]},
    {"reference_images": [LAST, FIRST]},
    {"reference_videos": [VIDEO]},
    {"reference_videos": [VIDEO], "reference_audios": [SOUND]},
    {"reference_images": [FIRST], "aspect_ratio": "16:9"},
)
#: They are not sent, or change nothing of the video.
NO_PART_OF_THE_VIDEO = {"allow_unknown_model", "callback_url", "reference_video_seconds"}


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
            ({}, {"duration": None}),
            ({}, {"reference_images": [], "reference_videos": None}),
            ({}, {"callback_url": "https://example.com/done"}),
            ({}, {"allow_unknown_model": True}),
            ({"seed": 7}, {"seed": " 7 "}),
            ({"generate_audio": False}, {"generate_audio": "False"}),
            (
                {"reference_videos": [VIDEO]},
                {"reference_videos": (VIDEO,), "resolution": "720p", "reference_video_seconds": 8},
            ),
            ({"aspect_ratio": "9:16"}, {"resolution": "720x1280"}),
            ({"extra_inputs": {"a": 1, "b": (2, 3)}}, {"extra_inputs": {"b": [2, 3], "a": 1}}),
        ],
    )
    def test_it_is_the_same_for_every_spelling(self, one, other):
        assert a_request(**one).fingerprint("seedance_default") == a_request(**other).fingerprint("seedance_default")

    def test_it_differs_for_every_field_and_connection(self):
        wishes = [a_request(**wish) for wish in DIFFERENT]
        fingerprints = [
            request.fingerprint(conn_id) for request, conn_id in itertools.product(wishes, ("account_a", "account_b"))
        ]
        assert len(set(fingerprints)) == len(fingerprints)

    def test_every_field_has_its_place_in_it(self):
        # A field that is left out would let a changed task use the video of before.
        shown = {name for wish in DIFFERENT for name in wish}
        assert shown == {field.name for field in fields(VideoRequest)} - NO_PART_OF_THE_VIDEO

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
                    extra_inputs={"seed": 7, "generate_audio": False},
                ),
                "d5f50c956dbe25a59c14cebdbe743d396dc2307b67a98d313ac36ab2f81954fc",
            ),
            (
                VideoRequest(
                    "A garden",
                    "seedance2-5",
                    8,
                    reference_images=[FIRST, LAST],
                    reference_videos=[VIDEO],
                    reference_audios=[SOUND],
                    generate_audio=False,
                    bitrate_mode="high",
                    seed=0,
                    output_format="mov",
                ),
                "e3f56cf19bb49841b38d8dab7807c0c46fb2ab655cc28bb70951a22bed6b3497",
            ),
            (
                a_request(first_frame=MediaFile("file:///a.png", "a.png", 10, "f1")),
                "bbb1a8fd7fd81aa0dee755a4bda09133a2917855b5f987b92bd9857cb3bdb51e",
            ),
        ],
        ids=["plain", "frames", "references and choices", "a file"],
    )
    def test_it_never_changes_between_releases(self, request_, pinned):
        # A changed fingerprint makes a retry after an upgrade forget the video it paid for, and pay again.
        assert request_.fingerprint("seedance_default") == pinned
