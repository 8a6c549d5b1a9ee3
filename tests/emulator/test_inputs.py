"""Request bodies become orders or refusals."""

import json

import pytest

from seedance_provider.api.models import MODELS, QUICKSTART_SIZES, Size
from seedance_provider.emulator.generations import GENERATIONS
from seedance_provider.emulator.inputs import Body, read_body
from seedance_provider.emulator.inputs import read_order as read_order_of_body
from seedance_provider.emulator.refusals import RefusedError

PNG = "https://example.com/a.png"


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


def test_the_quickstart_example():
    order = read_order("seedance-20", {"prompt": "A cat", "resolution": "1280x720", "duration": "5s"}, "quickstart")
    assert (order.width, order.height, order.seconds, order.credits) == (1280, 720, 5, 200)


@pytest.mark.parametrize("resolution", QUICKSTART_SIZES)
def test_quickstart_sizes_are_taken_at_their_word(resolution):
    order = read_order("seedance-20", {"prompt": "A cat", "resolution": resolution}, "quickstart")
    assert f"{order.width}x{order.height}" == resolution
    assert order.credits == 200


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


def test_defaults():
    order = read_order("seedance-20", {"prompt": "A cat"})
    assert (order.width, order.height, order.seconds, order.seed, order.references) == (1280, 720, 5, None, ())


# JavaScript has one type for both.
@pytest.mark.parametrize("duration", [7, 7.0])
def test_a_whole_number_is_a_duration(duration):
    order = read_order("seedance-20", {"prompt": "A cat", "duration": duration})
    assert order.seconds == 7
    assert isinstance(order.seconds, int)


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
    ("field", "value"),
    [
        ("prompt", ""),
        ("prompt", "  "),
        ("prompt", 5),
        ("prompt", None),
        ("prompt", "x" * 10_001),
        ("prompt", "[fail:no_such_thing]"),
        ("prompt", "[status:no_such_thing]"),
        ("aspectRatio", "5:4"),
        ("outputResolution", "2k"),
        ("outputResolution", ["720p"]),
        ("mode", "fast"),
        ("generate_audio", "yes"),
        ("bitrate_mode", "low"),
        ("seed", -2),
        ("seed", 4_294_967_296),
        ("seed", "1"),
        ("imageUrls", [PNG] * 10),
        ("imageUrls", ["a.png"]),
        ("imageUrls", [5]),
        ("videoUrls", ["https://example.com/a.mp4"] * 4),
        ("audioUrls", ["https://example.com/a.mp3"] * 4),
    ],
)
def test_wrong_values_are_named(field, value):
    assert problems_of({"prompt": "A cat", field: value}) == [[field]]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("resolution", "1920x1080"),
        ("resolution", "720p"),
        ("resolution", None),
        ("duration", "16s"),
        ("urls", PNG),
        ("urls", ["file:///a.png"]),
    ],
)
def test_wrong_values_of_the_quickstart_are_named(field, value):
    assert problems_of({"prompt": "A cat", field: value}, generation="quickstart") == [[field]]


def test_all_wrong_values_are_named_at_once():
    assert problems_of({"duration": 99, "mode": "x"}) == [["prompt"], ["duration"], ["mode"]]


@pytest.mark.parametrize("output_resolution", ["1080p", "4k"])
@pytest.mark.parametrize("model", ["seedance2-fast", "seedance2.0-mini"])
def test_small_models_have_no_large_sizes(model, output_resolution):
    assert problems_of({"prompt": "A cat", "outputResolution": output_resolution}, model) == [["outputResolution"]]


def test_unknown_fields_are_ignored():
    order = read_order("seedance-20", {"prompt": "A cat", "resolutoin": "720x720", "generateAudio": "no"})
    assert (order.width, order.credits) == (1280, 200)


def test_longest_prompt():
    assert len(read_order("seedance-20", {"prompt": "x" * 10_000}).prompt) == 10_000


class TestReferences:
    @pytest.mark.parametrize(
        ("field", "generation"), [("urls", "quickstart"), ("urls", "docs"), ("imageUrls", "models")]
    )
    def test_first_and_last_frame(self, field, generation):
        order = read_order("seedance-20", {"prompt": "A cat", field: [PNG, PNG + "2", PNG + "3"]}, generation)
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


class TestGenerations:
    """A field that a generation does not know is ignored, and what is made and charged is the default."""

    def test_the_quickstart_knows_pixels_only(self):
        inputs = {"prompt": "A cat", "resolution": "720x720", "duration": "4s", "outputResolution": "4k", "seed": 7}
        order = read_order("seedance-20", inputs, "quickstart")
        assert (order.width, order.height, order.credits, order.seed, order.has_sound) == (720, 720, 160, None, False)

    def test_the_documentation_pages_make_1080p_unless_told_otherwise(self):
        order = read_order("seedance-20", {"prompt": "A cat", "resolution": "720x720"}, "docs")
        assert (order.width, order.height, order.credits) == (1920, 1080, 450)
        assert read_order("seedance2-fast", {"prompt": "A cat"}, "docs").height == 720

    def test_the_documentation_pages_upscale_for_a_price(self):
        inputs = {"prompt": "A cat", "outputResolution": "720p", "upscaleResolution": "4k", "duration": "4"}
        order = read_order("seedance-20", inputs, "docs")
        assert (order.width, order.credits) == (3840, (40 + 28) * 4)
        assert problems_of(inputs | {"upscaleResolution": "8k"}, generation="docs") == [["upscaleResolution"]]
        assert problems_of(inputs | {"outputResolution": "4k"}, generation="docs") == [["outputResolution"]]

    def test_upscaling_has_its_price_with_a_reference_video_too(self):
        inputs = {"prompt": "A cat", "outputResolution": "720p", "upscaleResolution": "4k", "duration": "4"}
        order = read_order("seedance-20", inputs | {"urls": ["https://example.com/a.mp4"]}, "docs")
        assert order.credits == order.settled_credits == (48 + 28) * 4

    def test_the_newest_pages_ignore_the_quickstarts_fields(self):
        inputs = {"prompt": "A cat", "resolution": "720x720", "urls": [PNG]}
        order = read_order("seedance-20", inputs, "models")
        assert (order.width, order.height, order.references, order.has_sound) == (1280, 720, (), True)

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

    def test_prompts_of_the_documentation_pages_are_shorter(self):
        assert problems_of({"prompt": "x" * 4_001}, generation="docs") == [["prompt"]]

    def test_endings_tell_what_is_in_urls(self):
        video, sound = "https://example.com/a.MP4?x=1", "https://example.com/a.mp3"
        order = read_order("seedance-20", {"prompt": "A cat", "urls": [PNG, video, sound]}, "docs")
        assert order.references == (("Image", PNG), ("Video", video), ("Sound", sound))
        assert order.credits == 108 * 5


class TestSeedance25:
    VIDEO = "https://example.com/a.mp4"

    @pytest.mark.parametrize("model", ["seedance2-5-extend", "seedance2-5-edit"])
    def test_what_works_on_a_video_needs_one(self, model):
        with pytest.raises(RefusedError) as refused:
            read_order(model, {"prompt": "A cat", "duration": 5})
        assert "At least one reference video (videoUrls) is required." in str(refused.value.body["errors"])

    def test_extending_needs_a_duration(self):
        assert problems_of({"prompt": "A cat", "videoUrls": [self.VIDEO]}, "seedance2-5-extend") == [["duration"]]

    def test_an_edited_video_is_as_long_as_its_source(self):
        order = read_order("seedance2-5-edit", {"videoUrls": [self.VIDEO], "duration": 20}, seconds_of=lambda _: 8)
        assert order.seconds == 8

    def test_source_seconds_are_paid_for_when_the_credits_settle(self):
        inputs = {"prompt": "A cat", "videoUrls": [self.VIDEO], "duration": 10}
        order = read_order("seedance2-5", inputs, seconds_of=lambda _: 8)
        assert (order.credits, order.settled_credits) == (350, 630)

    def test_without_a_video_the_credits_are_final(self):
        order = read_order("seedance2-5", {"prompt": "A cat", "duration": 30, "outputResolution": "1080p"})
        assert order.credits == order.settled_credits == pytest.approx(4302)

    def test_many_images_are_references(self):
        assert read_order("seedance2-5", {"imageUrls": [PNG] * 3}).references == (("Image", PNG),) * 3

    def test_a_mov(self):
        order = read_order("seedance2-5", {"prompt": "A cat", "output_format": "mov"})
        assert (order.container, order.media_type) == ("mov", "video/quicktime")
        assert problems_of({"prompt": "A cat", "output_format": "avi"}, "seedance2-5") == [["output_format"]]
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


@pytest.mark.parametrize(("seed", "kept"), [(-1, None), (0, 0), (4_294_967_295, 4_294_967_295)])
def test_seed(seed, kept):
    assert read_order("seedance-20", {"prompt": "A cat", "seed": seed}).seed == kept
