"""The pictures, one at a time."""

import pytest

from seedance_provider.api.models import MODELS, Size
from seedance_provider.emulator.order import VideoOrder
from seedance_provider.emulator.scene import Scene


def scene(prompt="A serene Japanese garden", size=(864, 496), references=(), task_id="task_1"):
    return Scene(VideoOrder("seedance2.0-mini", prompt, 4, *size, 30, references=references), task_id)


def picture(elapsed=0.0, **fields):
    return scene(**fields).frame(elapsed)


def test_frames_differ_and_can_be_drawn_in_any_order():
    one = scene()
    forward = [one.frame(elapsed).tobytes() for elapsed in (0, 1, 2, 3.9)]
    backward = [one.frame(elapsed).tobytes() for elapsed in (3.9, 2, 1, 0)]
    assert len(set(forward)) == 4
    assert forward == backward[::-1]


@pytest.mark.parametrize(
    "fields",
    [
        {"prompt": "Another garden"},
        {"task_id": "task_2"},
        {"references": (("First frame", "https://example.com/a.png"),)},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_what_is_asked_for_is_in_the_picture(fields):
    assert picture(**fields).tobytes() != picture().tobytes()


@pytest.mark.parametrize("aspect_ratio", MODELS["seedance-20"].aspect_ratios)
@pytest.mark.parametrize("output_resolution", ["480p", "1080p"])
def test_any_text_can_be_drawn_in_every_shape(aspect_ratio, output_resolution):
    size = MODELS["seedance-20"].pixel_size(Size(aspect_ratio, output_resolution))
    for prompt in ("", " ", "桜の庭、風に揺れる花", "\x00\u202e\n\t🌸", "x" * 10_000, "A very long story " * 500):
        assert picture(size=size, prompt=prompt, references=(("Image", "https://" + "x" * 500),) * 9).size == size
