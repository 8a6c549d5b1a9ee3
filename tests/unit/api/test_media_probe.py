"""What files are, by their content."""

from __future__ import annotations

import io
import struct
import wave

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


def test_lengths_are_rounded_to_thousandths_of_a_second(tmp_path):
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(2 * 9999))
    assert probed(tmp_path / "a.wav") == MediaFacts("audio", 1.25)


def test_a_title_that_is_no_unicode_does_not_matter(tmp_path):
    content = media.sound(tmp_path / "a.wav").read_bytes()
    title = b"INFOINAM" + struct.pack("<I", 4) + b"caf\xe9"
    whole = content[12:] + b"LIST" + struct.pack("<I", len(title)) + title
    titled = b"RIFF" + struct.pack("<I", len(whole) + 4) + b"WAVE" + whole
    assert probe(io.BytesIO(titled)) == MediaFacts("audio", 2.0)


def test_what_can_be_neither_seen_nor_heard_is_not_readable_for_the_api(tmp_path):
    subtitles = tmp_path / "a.srt"
    subtitles.write_text("1\n00:00:00,000 --> 00:00:01,000\nWords only\n\n")
    assert probed(subtitles).kind == UNREADABLE


def test_an_ending_proves_nothing(tmp_path):
    assert probed(media.picture(tmp_path / "a.png").rename(tmp_path / "a.mp4")).kind == "image"


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>" * 100, b"\x89PNG" + b"x" * 100, bytes(5000)])
def test_what_can_not_be_read(content):
    assert probe(io.BytesIO(content)) == MediaFacts(UNREADABLE)
