"""Request bodies become orders or refusals."""

import json

import pytest

from seedance_provider.api.models import MODELS, QUICKSTART_SIZES, Size, pixel_size
from seedance_provider.emulator.inputs import read_body, read_order
from seedance_provider.emulator.refusals import RefusedError

PNG = "https://example.com/a.png"


def problems_of(inputs, model="seedance-20"):
    with pytest.raises(RefusedError) as refused:
        read_order(model, inputs)
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
        assert read_body("application/json", body) == ("m", {"a": 1})

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


def test_the_quickstart_example():
    order = read_order("seedance-20", {"prompt": "A cat", "resolution": "1280x720", "duration": "5s"})
    assert (order.width, order.height, order.seconds, order.credits) == (1280, 720, 5, 200)


@pytest.mark.parametrize("resolution", QUICKSTART_SIZES)
def test_quickstart_sizes_are_taken_at_their_word(resolution):
    order = read_order("seedance-20", {"prompt": "A cat", "resolution": resolution})
    assert f"{order.width}x{order.height}" == resolution
    assert order.credits == 200


@pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.name)
def test_every_size_of_every_model(model):
    for output_resolution, rate in model.credits_per_second.items():
        for aspect_ratio in model.aspect_ratios:
            inputs = {"prompt": "A cat", "aspectRatio": aspect_ratio, "outputResolution": output_resolution}
            pixels = pixel_size(Size(aspect_ratio, output_resolution))
            if pixels is None:
                assert problems_of(inputs, model.name) == [["aspectRatio"]]
                continue
            order = read_order(model.name, inputs)
            assert (order.width, order.height) == pixels
            assert order.credits == rate * 5
            # H.264 with 4:2:0 chroma has no odd sides.
            assert order.width % 2 == order.height % 2 == 0


def test_defaults():
    order = read_order("seedance-20", {"prompt": "A cat"})
    assert (order.width, order.height, order.seconds, order.seed, order.references) == (1280, 720, 5, None, ())


def test_the_newest_fields_win_over_the_quickstart_size():
    order = read_order("seedance-20", {"prompt": "A cat", "resolution": "720x720", "outputResolution": "480p"})
    assert (order.width, order.height) == (864, 496)


@pytest.mark.parametrize("duration", ["7s", "7", 7, 7.0])
def test_durations_of_all_generations(duration):
    order = read_order("seedance-20", {"prompt": "A cat", "duration": duration})
    assert order.seconds == 7
    assert isinstance(order.seconds, int)


@pytest.mark.parametrize(
    ("duration", "message"),
    [
        (3, "Duration must be between 4 and 15 seconds"),
        ("16s", "Duration must be between 4 and 15 seconds"),
        ("5 s", "Duration must be a whole number of seconds"),
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
    ("field", "value"),
    [
        ("prompt", ""),
        ("prompt", "  "),
        ("prompt", 5),
        ("prompt", None),
        ("prompt", "x" * 10_001),
        ("prompt", "[fail:no_such_thing]"),
        ("prompt", "[status:no_such_thing]"),
        ("resolution", "1920x1080"),
        ("resolution", "720p"),
        ("resolution", None),
        ("aspectRatio", "5:4"),
        ("outputResolution", "2k"),
        ("outputResolution", ["720p"]),
        ("mode", "fast"),
        ("generate_audio", "yes"),
        ("bitrate_mode", "low"),
        ("seed", -2),
        ("seed", 4_294_967_296),
        ("seed", "1"),
        ("urls", PNG),
        ("urls", ["file:///a.png"]),
        ("imageUrls", [PNG] * 10),
        ("imageUrls", ["a.png"]),
        ("imageUrls", [5]),
        ("videoUrls", ["https://example.com/a.mp4"] * 4),
        ("audioUrls", ["https://example.com/a.mp3"] * 4),
    ],
)
def test_wrong_values_are_named(field, value):
    assert problems_of({"prompt": "A cat", field: value}) == [[field]]


def test_all_wrong_values_are_named_at_once():
    assert problems_of({"duration": 99, "mode": "x"}) == [["prompt"], ["duration"], ["mode"]]


@pytest.mark.parametrize("output_resolution", ["1080p", "4k"])
@pytest.mark.parametrize("model", ["seedance2-fast", "seedance2.0-mini"])
def test_small_models_have_no_large_sizes(model, output_resolution):
    assert problems_of({"prompt": "A cat", "outputResolution": output_resolution}, model) == [["outputResolution"]]


def test_unknown_fields_are_ignored():
    order = read_order("seedance-20", {"prompt": "A cat", "resolutoin": "720x720", "upscaleResolution": "4k"})
    assert (order.width, order.credits) == (1280, 200)


def test_longest_prompt():
    assert len(read_order("seedance-20", {"prompt": "x" * 10_000}).prompt) == 10_000


class TestReferences:
    @pytest.mark.parametrize("field", ["urls", "imageUrls"])
    def test_first_and_last_frame(self, field):
        order = read_order("seedance-20", {"prompt": "A cat", field: [PNG, PNG + "2", PNG + "3"]})
        assert order.references == (("First frame", PNG), ("Last frame", PNG + "2"))

    def test_reference_mode(self):
        order = read_order("seedance-20", {"prompt": "A cat", "imageUrls": [PNG] * 3, "mode": "reference"})
        assert order.references == (("Image", PNG),) * 3

    def test_an_image_needs_no_words(self):
        assert read_order("seedance-20", {"imageUrls": [PNG]}).prompt == ""

    def test_images_are_free(self):
        assert read_order("seedance-20", {"prompt": "A cat", "imageUrls": [PNG]}).credits == 200

    @pytest.mark.parametrize(("model", "cost"), [("seedance-20", 240), ("seedance2-fast", 170)])
    def test_a_reference_video_costs_more_and_makes_images_references(self, model, cost):
        video = "https://example.com/a.mp4"
        order = read_order(model, {"prompt": "A cat", "imageUrls": [PNG], "videoUrls": [video]})
        assert order.credits == cost
        assert order.references == (("Image", PNG), ("Video", video))


@pytest.mark.parametrize(("seed", "kept"), [(-1, None), (0, 0), (4_294_967_295, 4_294_967_295)])
def test_seed(seed, kept):
    assert read_order("seedance-20", {"prompt": "A cat", "seed": seed}).seed == kept
