"""What the client asks for is what each generation of the API makes, and charges for once, whatever it understands."""

from __future__ import annotations

import pytest

from seedance_provider.api.client import SeedanceClient
from seedance_provider.api.errors import BadRequestError
from seedance_provider.api.protocol import SeedanceProtocol
from seedance_provider.api.video_request import VideoRequest
from seedance_provider.emulator.settings import DEFAULT_KEY

FIRST, LAST = "https://example.com/first.png", "https://example.com/last.png"
GENERATIONS = ("quickstart", "docs", "models")
#: What all generations have words for, and its size in pixels. Only the quickstart's own square has 720 lines.
WISHES = {
    "landscape": ({}, (1280, 720)),
    "portrait": ({"resolution": "720x1280", "duration": 7}, (720, 1280)),
    "square": ({"resolution": "720x720"}, (960, 960)),
    "by name": ({"resolution": "720p", "aspect_ratio": "9:16", "duration": 15}, (720, 1280)),
    "first frame": ({"first_frame": FIRST, "duration": 4}, (1280, 720)),
    "two frames": ({"first_frame": FIRST, "last_frame": LAST}, (1280, 720)),
}


def create(client, request, wire_format="auto"):
    with SeedanceClient(SeedanceProtocol(DEFAULT_KEY, client.base_url, wire_format)) as opened:
        return opened.create_task(request)


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("wish", WISHES)
@pytest.mark.parametrize("pinned", [False, True])
def test_every_generation_makes_what_was_asked_for_and_charges_once(start, generation, wish, pinned):
    client = start(generation=generation)
    fields, size = WISHES[wish]
    request = VideoRequest(prompt="A kite", **fields)
    task_id = create(client, request, generation if pinned else "auto")
    (made,) = client.ledger()["submissions"]
    assert made["taskId"] == task_id
    assert (made["width"], made["height"]) == ((720, 720) if (wish, generation) == ("square", "quickstart") else size)
    assert (made["duration"], made["credits"]) == (request.duration, 40 * request.duration)
    assert [url for _, url in made["references"]] == request.frames


@pytest.mark.parametrize(
    ("fields", "generations"),
    [
        ({"model": "seedance2-fast"}, ["docs", "models"]),
        ({"resolution": "1080p", "aspect_ratio": "21:9"}, ["docs", "models"]),
        ({"reference_images": [FIRST]}, ["docs", "models"]),
        ({"model": "seedance2.0-mini"}, ["models"]),
        ({"seed": 7}, ["models"]),
        ({"generate_audio": False}, ["models"]),
    ],
)
def test_what_a_generation_has_no_word_for_is_not_made_there(start, fields, generations):
    request = VideoRequest(prompt="A kite", **fields)
    for generation in GENERATIONS:
        client = start(generation=generation)
        if generation in generations:
            create(client, request)
        else:
            with pytest.raises(BadRequestError):
                create(client, request)
        assert client.ledger()["submissionCount"] == (generation in generations)
