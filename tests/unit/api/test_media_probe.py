"""What files are, by their content."""

from __future__ import annotations

import io

import pytest

from seedance_provider.api.media_probe import UNREADABLE, MediaFacts, probe
from tests.support import media


def probed(path):
    with path.open("rb") as file:
        return probe(file)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.jpeg", "a.webp"])
def test_pictures(tmp_path, name):
    assert probed(media.picture(tmp_path / name)) == MediaFacts("image")


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.webm"])
def test_videos_and_how_long_they_are(tmp_path, name):
    found = probed(media.video(tmp_path / name, seconds=3))
    assert found.kind == "video"
    assert found.seconds == pytest.approx(3, abs=0.1)


def test_sounds_and_how_long_they_are(tmp_path):
    assert probed(media.sound(tmp_path / "a.wav", seconds=4)) == MediaFacts("audio", 4.0)


def test_an_ending_proves_nothing(tmp_path):
    assert probed(media.picture(tmp_path / "a.png").rename(tmp_path / "a.mp4")).kind == "image"


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>" * 100, b"\x89PNG" + b"x" * 100, bytes(5000)])
def test_what_can_not_be_read(content):
    assert probe(io.BytesIO(content)) == MediaFacts(UNREADABLE)
