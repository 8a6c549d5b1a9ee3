"""
Whatever goes in: a clear error before anything is sent, or a request that can be written. Whatever comes back: a value,
or an error of this package whose verdict is never laxer than the documents allow.

PROPERTY_EXAMPLES says how many examples each test tries; the slow tests try 10,000.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
from collections import deque
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from seedance_provider.api.errors import InternalServerError, InvalidRequestError, SeedanceError, Verdict
from seedance_provider.api.models import MODELS
from seedance_provider.api.pricing import estimate
from seedance_provider.api.protocol import HttpResponse, SeedanceProtocol
from seedance_provider.api.video_request import VideoRequest
from seedance_provider.api.video_task import TaskStatus, VideoTask
from seedance_provider.api.wire_formats import WIRE_FORMATS, encode_bodies
from seedance_provider.decorators.returned_inputs import inputs_of
from seedance_provider.waiting.result import WaitResult
from seedance_provider.waiting.video_wait import PollAgain, VideoWait
from tests.support.user_values import Address, Format, Length, NotAvailable, Numpy, Rows

EXAMPLES = int(os.environ.get("PROPERTY_EXAMPLES", "200"))
many = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))

IMAGE, VIDEO, SOUND = (f"https://media.example/a.{ending}" for ending in ("png", "mp4", "mp3"))


class Odd:
    """An object that equals nothing, and is no key of anything."""

    def __eq__(self, other):
        raise RuntimeError

    __hash__ = None


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


texts = st.text(st.characters(exclude_categories=()), max_size=50)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), texts, st.binary(max_size=20), st.complex_numbers(),
    st.datetimes(), st.decimals(), st.sampled_from([Odd(), object, -(10**400), sys.float_info.max]),
)  # fmt: skip
odd = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4) | st.tuples(inner, inner),
    max_leaves=8,
)
#: For each field: what could be right, what is nearly right, and what is anything but.
plausible = {
    "prompt": st.sampled_from(
        ["A kite", "@image1 walks", "@video99", "x" * 30_001, " ", "\x00\x1b[31m", "A\u202ekite"]
    ),
    "model": st.sampled_from([*MODELS, "seedance-2.0", "SEEDANCE-20", "veo"]),
    "duration": st.one_of(st.integers(-5, 40), st.sampled_from(["5", "5s", "5.0", "\u0665", "1e1", 5.0, 4.5])),
    "resolution": st.sampled_from(["480p", "720p", "1080p", "4k", "1280x720", "720x720", "1x1", "720P"]),
    "aspect_ratio": st.sampled_from(["16:9", "9:16", "1:1", "21:9", "5:4", "adaptive"]),
    "first_frame": st.sampled_from([IMAGE, VIDEO, "ftp://a/b.png", "https://[::1", "https://a b/c", "//x", "s3://b/k"]),
    "last_frame": st.sampled_from([IMAGE, "https://\ud800/", "https://a:99999/"]),
    "reference_images": st.lists(st.sampled_from([IMAGE, VIDEO, "a.png"]), max_size=12),
    "reference_videos": st.lists(st.sampled_from([VIDEO, IMAGE]), max_size=12),
    "reference_audios": st.lists(st.sampled_from([SOUND, ""]), max_size=5),
    "reference_video_seconds": st.one_of(st.floats(), st.integers(-1, 40)),
    "generate_audio": st.sampled_from([True, False, "true", "False", "yes", 1]),
    "bitrate_mode": st.sampled_from(["high", "low", "HIGH"]),
    "seed": st.one_of(st.integers(), st.sampled_from(["7", "-1", "1e3"])),
    "output_format": st.sampled_from(["mp4", "mov", "avi"]),
    "callback_url": st.sampled_from(["https://example.com/done", "example.com", "javascript:alert(1)"]),
    "extra_inputs": st.dictionaries(
        st.sampled_from(["seed", "Seed", "duration", "outputResolutoin", "future", "mode", "upscaleResolution"])
        | texts,
        odd,
        max_size=3,
    ),
    "allow_unknown_model": st.sampled_from([True, False, "true", "maybe"]),
}
wishes = st.fixed_dictionaries({}, optional={name: values | odd for name, values in plausible.items()})
others = {name: values for name, values in plausible.items() if name != "prompt"}
nearly_right = st.fixed_dictionaries({"prompt": st.just("A kite")}, optional=others)


#: What users' code has in hand: from databases, pandas, earlier tasks and files.
handed_over = st.one_of(
    st.decimals(), st.fractions(), st.dates(), st.timedeltas(), st.binary(max_size=9), st.uuids(),
    st.decimals(-5, 40, places=0), st.integers(-5, 40).map(Numpy), st.floats().map(Numpy), st.booleans().map(Numpy),
    st.builds(Numpy, st.integers(0, 20), st.sampled_from("Mm")),
    st.sampled_from([Length.SHORT, Format.MP4, Address.PICTURE, NotAvailable(), Path("a.png"), Path("/data/a.png")]),
    st.sampled_from(["5.0", "NaN", "[1, 2]", '{"a": 1}', f'["{IMAGE}"]', "~/a.png", "file://a.png", "b'a'", "<NA>"]),
    st.sampled_from([range(3), Length, Decimal("sNaN"), Decimal("1E+999999"), Decimal("-1E-999999"), 1984, 1e22]),
)  # fmt: skip
#: How they come: alone, or many of them in one of Python's many lists.
collected = st.builds(
    lambda kind, items: kind(items),
    st.sampled_from([iter, tuple, Rows, deque, lambda items: dict(enumerate(items)).values()]),
    st.lists(handed_over | st.sampled_from([IMAGE, VIDEO, SOUND]), max_size=4),
) | st.sets(st.sampled_from([IMAGE, VIDEO, SOUND, Path("/data/a.png"), 5]), max_size=3)
real = handed_over | collected


def test_every_field_is_tried():
    assert set(plausible) == {field.name for field in fields(VideoRequest)}


@many
@given(wishes | nearly_right)
@example({"prompt": "x" * 1_000_000})
def test_no_wish_leads_to_anything_but_a_request_or_a_clear_error(wish):
    request = made(wish)
    if isinstance(request, InvalidRequestError):
        said = str(request)
        assert said.startswith("The video was not requested and nothing was charged, because ")
        assert len(said) < 5_000
        said.encode()
        assert str(pickle.loads(pickle.dumps(request))) == said  # noqa: S301 - our own
        return
    assert len(request.fingerprint("seedance_default")) == 64
    estimated = estimate(request)
    assert (estimated is not None and estimated.credits > 0) or request.known_model is None
    for wire_format in WIRE_FORMATS:
        bodies = written(request, wire_format)
        if isinstance(bodies, InvalidRequestError):
            assert "Nothing was sent or charged" in str(bodies)
            assert wire_format in ("quickstart", "docs")
        else:
            assert json.loads(json.dumps(bodies, allow_nan=False).encode()) == bodies
            assert next(iter(bodies)) == ("models" if wire_format == "auto" else wire_format)
            # Each is another one: none is sent twice.
            assert len({json.dumps(body) for body in bodies.values()}) == len(bodies)
    assert made(wish).fingerprint("seedance_default") == request.fingerprint("seedance_default")


@settings(many, max_examples=max(30, EXAMPLES // 10))
@given(st.data())
@pytest.mark.parametrize("name", plausible)
def test_what_users_have_in_hand_leads_to_a_request_or_a_clear_error(name, data):
    value = data.draw(real)
    wish = {"prompt": "A kite", name: {"future": value} if name == "extra_inputs" else value}
    # Also as a retry of a decorated function reads it.
    asked = data.draw(st.sampled_from([dict, kept]))(wish)
    request = asked if isinstance(asked, InvalidRequestError) else made(asked)
    if isinstance(request, InvalidRequestError):
        assert name in str(request)
        assert str(request).count("charged") == 1
        assert len(str(request)) < 1_000
        return
    said = request.described()
    assert json.loads(json.dumps(said, allow_nan=False)) == said
    assert made({"prompt": said["prompt"], "model": said["model"], **said["inputs"]}).described() == said
    assert len(request.fingerprint("seedance_default")) == 64


@pytest.mark.parametrize("value", [nested(100_000), 10**5000], ids=["deep", "large"])
@pytest.mark.parametrize("name", plausible)
def test_what_not_even_a_report_could_show_is_refused(name, value):
    # Hypothesis itself could not show these, so they are no examples of the test above.
    said = made({"prompt": "A kite", name: {"future": value} if name == "extra_inputs" else value})
    assert isinstance(said, InvalidRequestError)
    assert len(str(said)) < 500


def made(wish):
    try:
        return VideoRequest(**wish)
    except InvalidRequestError as error:
        return error


def kept(wish):
    """What a function has returned, as a retry reads it."""
    try:
        return inputs_of(wish)
    except InvalidRequestError as error:
        return error


def written(request, wire_format):
    try:
        return encode_bodies(request, wire_format)
    except InvalidRequestError as error:
        return error


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
KEYS = ("taskId", "model", "status", "state", "creditsUsed", "output", "error", "createTime", "completeTime", "data",
        "code", "message", "errors", "required", "available", "limit", "current")  # fmt: skip
records = st.dictionaries(
    st.sampled_from(KEYS),
    json_values
    | st.sampled_from(["success", "fail", "FAIL", "waiting", "generating", "queued", 1e300, -1, 1735599634000])
    | st.lists(
        st.dictionaries(
            st.sampled_from(["url", "width", "height", "mediaType", "seed", "lastFrameImage"]), json_values, max_size=6
        ),
        max_size=2,
    ),
    max_size=9,
)
enveloped = records | st.fixed_dictionaries({"data": records}) | st.fixed_dictionaries({"error": records})


def as_bytes(value):
    return json.dumps(value).encode()


bodies = st.one_of(
    st.binary(max_size=200),
    enveloped.map(as_bytes),
    json_values.map(as_bytes),
    st.builds(lambda whole, cut: whole[: int(len(whole) * cut)], enveloped.map(as_bytes), st.floats(0, 1)),
    st.sampled_from([b"", b"null", b"[" * 100_000, b'{"a":' * 100_000, b"<html></html>", b"NaN",
                     b'{"taskId": "\\ud800"}', b"9" * 5_000, b'{"createTime": ' + b"9" * 5_000 + b"}"]),
)  # fmt: skip
responses = st.builds(
    HttpResponse,
    st.sampled_from([200, 201, 204, 301, 400, 401, 402, 403, 404, 405, 429, 500, 502, 503]) | st.integers(100, 599),
    st.dictionaries(st.sampled_from(["Content-Type", "retry-after", "X"]), st.text(max_size=30), max_size=3),
    bodies,
)
PROTOCOL = SeedanceProtocol("key")


@many
@given(responses)
def test_no_answer_to_a_submission_leads_to_anything_but_an_id_or_a_careful_error(response):
    try:
        video_task_id = PROTOCOL.read_created(response)
    except SeedanceError as error:
        check(error)
        check_money(error, response)
        return
    assert 200 <= response.status < 300
    assert video_task_id.isprintable()
    assert 0 < len(video_task_id) <= 256


@many
@given(responses)
def test_no_answer_to_a_question_leads_to_anything_but_a_record_or_an_error(response):
    try:
        task = PROTOCOL.read_record(response, "task_a")
    except SeedanceError as error:
        check(error)
        return
    assert 200 <= response.status < 300
    assert task.video_task_id == "task_a"
    assert task.raw_status
    check_task(task)


@many
@given(enveloped)
def test_every_record_can_be_read_stored_and_waited_for(record):
    task = VideoTask.from_record(record, video_task_id="task_a")
    check_task(task)
    step = VideoWait("task_a", 0.0, 1e12).on_task(task, 1_700_000_000.0)
    assert isinstance(step, PollAgain | WaitResult)
    if task.status not in (TaskStatus.SUCCESS, TaskStatus.FAIL):
        assert isinstance(step, PollAgain)
    if isinstance(step, WaitResult):
        assert WaitResult.from_event(json.loads(json.dumps(step.to_event(), allow_nan=False))) == step


def check_money(error, response):
    """Only a status that refuses says that nothing was accepted, or a 500 in the API's own words."""
    refused = 300 <= response.status < 500 and response.status != 408
    assert (error.create_verdict is Verdict.UNKNOWN_OUTCOME) is not (refused or type(error) is InternalServerError)
    if type(error) is InternalServerError:
        assert response.status == 500
        assert isinstance(json.loads(response.body)["message"], str)


def check(error):
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301 - our own
    assert error.reason
    assert len(str(error)) < 2_000


def check_task(task):
    for moment in (task.created_at, task.completed_at):
        assert moment is None or isinstance(moment, datetime)
    assert VideoTask.from_json(json.loads(json.dumps(task.to_json(), allow_nan=False))) == task
    json.dumps(task.summary(), allow_nan=False)
