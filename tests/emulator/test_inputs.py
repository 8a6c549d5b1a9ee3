"""Request bodies become orders or refusals."""

import json

import pytest

from seedance_provider.api.models import MODELS, QUICKSTART_SIZES, Size
from seedance_provider.emulator.generations import GENERATIONS
from seedance_provider.emulator.inputs import Body, read_body
from seedance_provider.emulator.inputs import read_order as read_order_of_body
from seedance_provider.emulator.refusals import RefusedError

PNG, VIDEO = "https://example.com/a.png", "https://example.com/a.mp4"


def read_order(model, inputs, generation="models", **options):
    return read_order_of_body(Body(model, inputs, None), GENERATIONS[generation], **options)


def problems_of(inputs, model="seedance-20", generation="models"):
    with pytest.raises(RefusedError) as refused:
        read_order(model, inputs, generation)
    assert refused.value.status == 400
    assert refused.value.body["message"] == "Invalid inputs for model"
    for problem in refused.value.body["errors"]:
        assert set(problem) == {"code", "message", "path"}
    return [problem["path"] for problem in refused.value.body["errors"]]


class TestBody:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"nonsense",
            b"\xff\xfe",
            b"[]",
            b"null",
            b"[" * 100_000,
            b'{"inputs": {}}',
            b'{"model": 5, "inputs": {}}',
            b'{"model": "seedance-20"}',
            b'{"model": "seedance-20", "inputs": "A cat"}',
            b'{"model": "seedance-20", "inputs": {"prompt": "\\ud800"}}',
        ],
        ids=lambda body: body[:40].decode(errors="replace"),
    )
    def test_malformed(self, body):
        self.assert_malformed("application/json", body)

    @pytest.mark.parametrize("link", ["", "not a link", "ftp://example.com", "https://", "http://[", 5, None])
    def test_a_callback_must_be_a_link(self, link):
        body = json.dumps({"model": "seedance-20", "inputs": {}, "callBackUrl": link}).encode()
        self.assert_malformed("application/json", body)

    def test_must_be_declared_as_json(self):
        self.assert_malformed("text/plain", b'{"model": "seedance-20", "inputs": {}}')

    def test_good(self):
        body = b'{"model": "m", "inputs": {"a": 1}, "callBackUrl": "https://example.com/done", "other": 1}'
        assert read_body("application/json", body) == Body("m", {"a": 1}, "https://example.com/done")

    @staticmethod
    def assert_malformed(content_type, body):
        with pytest.raises(RefusedError) as refused:
            read_body(content_type, body)
        assert (refused.value.status, refused.value.body) == (400, {"message": "Invalid request parameters"})


@pytest.mark.parametrize("model", ["seedance-2.0", "seedance-2-fast", "Seedance-20", ""])
def test_unknown_model(model):
    with pytest.raises(RefusedError) as refused:
        read_order(model, {"prompt": "A cat"})
    assert (refused.value.status, refused.value.body) == (400, {"message": "Unknown model"})


@pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.name)
def test_every_size_of_every_model(model):
    for output_resolution, price in model.prices.items():
        for aspect_ratio in model.aspect_ratios:
            inputs = {"prompt": "A cat", "aspectRatio": aspect_ratio, "outputResolution": output_resolution}
            pixels = model.pixel_size(Size(aspect_ratio, output_resolution))
            if pixels is None:
                assert problems_of(inputs, model.name) == [["aspectRatio"]]
                continue
            order = read_order(model.name, inputs)
            assert (order.width, order.height) == pixels
            assert order.credits == price.plain * 5
            # H.264 with 4:2:0 chroma has no odd sides.
            assert order.width % 2 == order.height % 2 == 0


QUICKSTART_ORDERS = [
    ({"resolution": pixels, "duration": "5s"}, (*map(int, pixels.split("x")), 200)) for pixels in QUICKSTART_SIZES
]


@pytest.mark.parametrize(
    ("generation", "inputs", "size_and_credits"),
    [
        *(("quickstart", *order) for order in QUICKSTART_ORDERS),
        ("models", {}, (1280, 720, 200)),
        ("docs", {"duration": "4"}, (1920, 1080, 90 * 4)),
        # A field that a generation does not know is ignored, and what is made and charged is the default.
        ("models", {"resolutoin": "720x720", "generateAudio": "no"}, (1280, 720, 200)),
        ("models", {"resolution": "720x720", "urls": [PNG]}, (1280, 720, 200)),
        ("docs", {"resolution": "720x720"}, (1920, 1080, 450)),
        ("quickstart", {"resolution": "720x720", "outputResolution": "4k", "seed": 7}, (720, 720, 200)),
        # Images are free, and a video makes every second dearer.
        ("models", {"imageUrls": [PNG]}, (1280, 720, 200)),
        ("models", {"imageUrls": [PNG], "videoUrls": [VIDEO]}, (1280, 720, 240)),
        ("docs", {"urls": [PNG, VIDEO]}, (1920, 1080, 108 * 5)),
        # So does upscaling.
        ("docs", {"outputResolution": "720p", "upscaleResolution": "4k"}, (3840, 2160, (40 + 28) * 5)),
        ("docs", {"outputResolution": "720p", "upscaleResolution": "4k", "urls": [VIDEO]}, (3840, 2160, (48 + 28) * 5)),
    ],
)
def test_what_is_made_and_charged(generation, inputs, size_and_credits):
    order = read_order("seedance-20", {"prompt": "A cat", **inputs}, generation)
    assert (order.width, order.height, order.credits) == size_and_credits
    assert order.settled_credits == order.credits


def test_a_small_model_has_its_own_default_and_price():
    assert read_order("seedance2-fast", {"prompt": "A cat", "videoUrls": [VIDEO]}).credits == 170
    assert read_order("seedance2-fast", {"prompt": "A cat"}, "docs").height == 720


@pytest.mark.parametrize(
    ("inputs", "field", "value"),
    [
        ({}, "seconds", 5),
        ({"duration": 7}, "seconds", 7),
        # JavaScript has one type for both.
        ({"duration": 7.0}, "seconds", 7),
        ({"prompt": "x" * 10_000}, "prompt", "x" * 10_000),
        ({"prompt": None, "imageUrls": [PNG]}, "prompt", ""),
        ({}, "has_sound", True),
        ({}, "seed", None),
        ({"seed": -1}, "seed", None),
        ({"seed": 0}, "seed", 0),
        ({"seed": 4_294_967_295}, "seed", 4_294_967_295),
    ],
)
def test_a_field_of_an_order(inputs, field, value):
    given = {name: value for name, value in {"prompt": "A cat", **inputs}.items() if value is not None}
    kept = getattr(read_order("seedance-20", given), field)
    assert (kept, type(kept)) == (value, type(value))


@pytest.mark.parametrize(
    ("generation", "inputs", "references"),
    [
        ("models", {}, ()),
        *(
            (generation, {field: [PNG, PNG + "2", PNG + "3"]}, (("First frame", PNG), ("Last frame", PNG + "2")))
            for field, generation in (("urls", "quickstart"), ("urls", "docs"), ("imageUrls", "models"))
        ),
        ("models", {"imageUrls": [PNG] * 3, "mode": "reference"}, (("Image", PNG),) * 3),
        ("models", {"imageUrls": [PNG], "videoUrls": [VIDEO]}, (("Image", PNG), ("Video", VIDEO))),
        # Endings tell what is in urls.
        (
            "docs",
            {"urls": [PNG, "https://example.com/a.MP4?x=1", "https://example.com/a.mp3"]},
            (("Image", PNG), ("Video", "https://example.com/a.MP4?x=1"), ("Sound", "https://example.com/a.mp3")),
        ),
    ],
)
def test_references(generation, inputs, references):
    assert read_order("seedance-20", {"prompt": "A cat", **inputs}, generation).references == references


@pytest.mark.parametrize(
    ("duration", "message"),
    [
        (3, "Duration must be between 4 and 15 seconds"),
        (16, "Duration must be between 4 and 15 seconds"),
        ("5", "Duration must be a whole number of seconds"),
        (5.5, "Duration must be a whole number of seconds"),
        (float("inf"), "Duration must be a whole number of seconds"),
        (True, "Duration must be a whole number of seconds"),
        (None, "Duration must be a whole number of seconds"),
    ],
)
def test_wrong_durations(duration, message):
    with pytest.raises(RefusedError) as refused:
        read_order("seedance-20", {"prompt": "A cat", "duration": duration})
    (problem,) = refused.value.body["errors"]
    assert (problem["message"], problem["path"]) == (message, ["duration"])


@pytest.mark.parametrize(
    ("generation", "field", "values"),
    [
        ("models", "prompt", ["", "  ", 5, None, "x" * 10_001, "[fail:no_such_thing]", "[status:no_such_thing]"]),
        ("models", "aspectRatio", ["5:4"]),
        ("models", "outputResolution", ["2k", ["720p"]]),
        ("models", "mode", ["fast"]),
        ("models", "generate_audio", ["yes"]),
        ("models", "bitrate_mode", ["low"]),
        ("models", "seed", [-2, 4_294_967_296, "1"]),
        ("models", "imageUrls", [[PNG] * 10, ["a.png"], [5]]),
        ("models", "videoUrls", [[VIDEO] * 4]),
        ("models", "audioUrls", [["https://example.com/a.mp3"] * 4]),
        ("docs", "prompt", ["x" * 4_001]),
        ("docs", "outputResolution", ["4k"]),
        ("docs", "upscaleResolution", ["8k"]),
        ("quickstart", "resolution", ["1920x1080", "720p", None]),
        ("quickstart", "duration", ["16s"]),
        ("quickstart", "urls", [PNG, ["file:///a.png"]]),
    ],
)
def test_wrong_values_are_named(generation, field, values):
    for value in values:
        assert problems_of({"prompt": "A cat", field: value}, generation=generation) == [[field]]


@pytest.mark.parametrize(
    ("model", "inputs", "field"),
    [
        ("seedance2-fast", {"outputResolution": "1080p"}, "outputResolution"),
        ("seedance2.0-mini", {"outputResolution": "4k"}, "outputResolution"),
        ("seedance2-5-extend", {"videoUrls": [VIDEO]}, "duration"),
        ("seedance2-5", {"output_format": "avi"}, "output_format"),
    ],
)
def test_what_a_model_does_not_take_is_named(model, inputs, field):
    assert problems_of({"prompt": "A cat", **inputs}, model) == [[field]]


def test_all_wrong_values_are_named_at_once():
    assert problems_of({"duration": 99, "mode": "x"}) == [["prompt"], ["duration"], ["mode"]]


class TestGenerations:
    @pytest.mark.parametrize(
        ("generation", "good", "wrong"),
        [
            ("quickstart", "5s", ["5", 5, "5 s", "5.0s", None]),
            ("docs", "5", ["5s", 5, "5.0", " 5", None]),
            ("models", 5, ["5", "5s", 5.5, None]),
        ],
    )
    def test_each_spells_a_duration_its_own_way(self, generation, good, wrong):
        assert read_order("seedance-20", {"prompt": "A cat", "duration": good}, generation).seconds == 5
        for duration in wrong:
            assert problems_of({"prompt": "A cat", "duration": duration}, generation=generation) == [["duration"]]

    def test_a_model_that_a_generation_does_not_document_is_unknown_to_it(self):
        for model, generation in (("seedance2-fast", "quickstart"), ("seedance2.0-mini", "docs")):
            with pytest.raises(RefusedError, match="Unknown model"):
                read_order(model, {"prompt": "A cat"}, generation)


class TestSeedance25:
    @pytest.mark.parametrize("model", ["seedance2-5-extend", "seedance2-5-edit"])
    def test_what_works_on_a_video_needs_one(self, model):
        with pytest.raises(RefusedError) as refused:
            read_order(model, {"prompt": "A cat", "duration": 5})
        assert "At least one reference video (videoUrls) is required." in str(refused.value.body["errors"])

    def test_an_edited_video_is_as_long_as_its_source(self):
        order = read_order("seedance2-5-edit", {"videoUrls": [VIDEO], "duration": 20}, seconds_of=lambda _: 8)
        assert order.seconds == 8

    def test_source_seconds_are_paid_for_when_the_credits_settle(self):
        inputs = {"prompt": "A cat", "videoUrls": [VIDEO], "duration": 10}
        order = read_order("seedance2-5", inputs, seconds_of=lambda _: 8)
        assert (order.credits, order.settled_credits) == (350, 630)

    def test_without_a_video_the_credits_are_final(self):
        order = read_order("seedance2-5", {"prompt": "A cat", "duration": 30, "outputResolution": "1080p"})
        assert order.credits == order.settled_credits == pytest.approx(4302)

    def test_a_mov(self):
        order = read_order("seedance2-5", {"prompt": "A cat", "output_format": "mov"})
        assert (order.container, order.media_type) == ("mov", "video/quicktime")
        assert read_order("seedance-20", {"prompt": "A cat", "output_format": "mov"}).container == "mp4"

    @pytest.mark.parametrize(
        ("model", "inputs", "doom"),
        [
            ("seedance-20", {"audioUrls": ["https://example.com/a.mp3"]}, "audio_only"),
            ("seedance-20", {"videoUrls": [VIDEO] * 2}, "reference_video_length"),
            ("seedance2-5", {"videoUrls": [VIDEO] * 4}, "content_parameter"),
            ("seedance2-5-extend", {"videoUrls": [VIDEO], "duration": 5, "aspectRatio": "1:1"}, "extension_parameters"),
            ("seedance2-5-edit", {"videoUrls": [VIDEO], "aspectRatio": "1:1"}, "editing_parameters"),
            ("seedance2-5-edit", {"videoUrls": [VIDEO], "aspectRatio": "adaptive"}, None),
        ],
    )
    def test_what_is_accepted_and_fails_afterwards(self, model, inputs, doom):
        assert read_order(model, inputs, seconds_of=lambda _: 8).doom == doom
