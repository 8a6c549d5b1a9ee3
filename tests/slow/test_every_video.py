"""
Every model, every kind of input, every resolution: through the operators, over HTTP, to a file that is as asked for.

The emulator is of the generation that each request is written for, so a field that it would ignore shows in the file.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass

import av
import pytest
import requests

from seedance_provider.api.models import MODELS, QUICKSTART_SIZES, Size
from seedance_provider.api.pricing import estimate_credits
from seedance_provider.api.video_request import VideoRequest
from seedance_provider.emulator.server import running_emulator
from seedance_provider.emulator.settings import DEFAULT_KEY, Settings
from seedance_provider.operators.seedance import CreateVideoOperator
from seedance_provider.transfers.video_to_object_storage import VideoToObjectStorageOperator
from tests.support.scripted_api import ANY_TIME
from tests.support.task_context import StateStore, context

pytestmark = pytest.mark.long

IMAGES = ["https://media.example/a.png", "https://media.example/b.jpg", "https://media.example/c.webp"]
VIDEO, SOUND = "https://media.example/walk.mp4", "https://media.example/waves.mp3"
GENERATIONS = ("quickstart", "docs", "models")
#: What the emulator takes a video to be long that it has not made.
SOURCE_SECONDS = 5

KINDS = {
    "text": {"prompt": "A kite"},
    "first frame": {"prompt": "A kite", "first_frame": IMAGES[0]},
    "first and last frame": {"prompt": "A kite", "first_frame": IMAGES[0], "last_frame": IMAGES[1]},
    "images": {"prompt": "@image1 beside @image3", "reference_images": IMAGES},
    "video": {"prompt": "like @video1", "reference_videos": [VIDEO], "reference_video_seconds": SOURCE_SECONDS},
    "everything": {
        "prompt": "@image1 like @video1 to @audio1",
        "reference_images": IMAGES,
        "reference_videos": [VIDEO],
        "reference_audios": [SOUND],
        "reference_video_seconds": SOURCE_SECONDS,
    },
}


@dataclass(frozen=True)
class Case:
    """One request, and the generation of the API that it is written for."""

    generation: str
    model: str
    kind: str
    fields: dict

    def __str__(self):
        size = f"{self.fields.get('resolution')} {self.fields.get('aspect_ratio') or ''}".strip()
        return f"{self.generation}: {self.model}, {self.kind}, {size}"


def cases():
    for generation in GENERATIONS:
        for model in MODELS.values():
            if generation in model.wire_formats:
                yield from cases_of(generation, model)


def cases_of(generation, model):
    """All resolutions with all kinds of input (4k: two of them), in one shape; and all shapes from text."""
    if generation == "quickstart":
        for kind in ("text", "first frame", "first and last frame"):
            for pixels in QUICKSTART_SIZES:
                yield Case(generation, model.name, kind, {"resolution": pixels})
        return
    resolutions = [name for name in model.prices if (generation, name) != ("docs", "4k")]
    for resolution in resolutions:
        for kind, fields in KINDS.items():
            if model.works_on_a_video and "reference_videos" not in fields:
                continue
            # Every one of them takes a quarter of a minute of CPU.
            if resolution == "4k" and kind not in ("text", "everything"):
                continue
            shape = {} if model.works_on_a_video else {"aspect_ratio": "16:9"}
            yield Case(generation, model.name, kind, {"resolution": resolution, **shape})
        for aspect_ratio in model.aspect_ratios:
            if model.pixel_size(Size(aspect_ratio, resolution)) is not None and aspect_ratio != "16:9":
                yield Case(generation, model.name, "text", {"resolution": resolution, "aspect_ratio": aspect_ratio})


@pytest.fixture(scope="module")
def emulators():
    """One of each generation, whose videos are finished at once."""
    common = {"waiting_seconds": 0, "generation_seconds": 0, "keys": {DEFAULT_KEY: 10**9}}
    with ExitStack() as stack:
        yield {name: stack.enter_context(running_emulator(Settings(generation=name, **common))) for name in GENERATIONS}


@pytest.mark.parametrize("case", list(cases()), ids=str)
def test_the_file_is_what_was_asked_for(case, emulators, monkeypatch, tmp_path):
    connection = {
        "conn_type": "seedance",
        "host": emulators[case.generation].base_url,
        "password": DEFAULT_KEY,
        "extra": {"wire_format": case.generation, "typical_seconds": ANY_TIME},
    }
    monkeypatch.setenv("AIRFLOW_CONN_SEEDANCE_DEFAULT", json.dumps(connection))
    length = {} if MODELS[case.model].durations is None else {"duration": 4}
    fields = KINDS[case.kind] | {"model": case.model} | case.fields | length
    create = CreateVideoOperator(task_id="create", deferrable=False, poll_interval=0.05, **fields)
    video = create.execute(context(StateStore()))
    upload = VideoToObjectStorageOperator(task_id="upload", video=video, destination=f"{tmp_path.as_uri()}/")
    upload.execute(context(StateStore()))

    request = VideoRequest(**fields)
    width, height = expected_size(request, case.generation)
    (path,) = tmp_path.iterdir()
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        assert (stream.codec_context.width, stream.codec_context.height) == (width, height)
        assert file.duration / av.time_base == pytest.approx(request.duration or SOURCE_SECONDS, abs=0.1)
        assert bool(file.streams.audio) == (case.generation == "models")
    assert (video["width"], video["height"]) == (width, height)
    assert charged(emulators[case.generation], video["video_task_id"]) <= estimate_credits(request)
    if not (MODELS[case.model].bills_source_seconds and request.reference_videos):
        assert video["credits_used"] == estimate_credits(request)


def expected_size(request, generation):
    if generation == "quickstart":
        return tuple(map(int, request.resolution.split("x")))
    # What works on a video has its shape, which the emulator takes to be the usual one.
    size = Size(request.effective_aspect_ratio or "16:9", request.output_resolution)
    return MODELS[request.model].pixel_size(size)


def charged(emulator, task_id):
    ledger = requests.get(f"{emulator.url}/emulator/ledger", timeout=10).json()
    (entry,) = [entry for entry in ledger["submissions"] if entry["taskId"] == task_id]
    return entry["creditsCharged"]
