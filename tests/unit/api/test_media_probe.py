"""What files are, by their content."""

from __future__ import annotations

import io
import struct
import sys
import wave

import pytest

from seedance_provider.api.media_probe import UNREADABLE, can_measure, probe
from tests.support import media


def probed(path):
    with path.open("rb") as file:
        return probe(file)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.jpeg", "a.webp"])
def test_pictures_whatever_their_ending(tmp_path, name):
    assert probed(media.picture(tmp_path / name)) == ("image", None)
    assert probed((tmp_path / name).rename(tmp_path / "a.mp4")) == ("image", None)


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.webm"])
def test_videos_and_how_long_they_are(tmp_path, name):
    assert probed(media.video(tmp_path / name, seconds=3)) == ("video", pytest.approx(3, abs=0.1))


def test_lengths_are_rounded_to_thousandths_of_a_second(tmp_path):
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(2 * 9999))
    assert probed(tmp_path / "a.wav") == ("audio", 1.25)


def test_a_title_that_is_no_unicode_does_not_matter(tmp_path):
    content = media.sound(tmp_path / "a.wav").read_bytes()
    title = b"INFOINAM" + struct.pack("<I", 4) + b"caf\xe9"
    whole = content[12:] + b"LIST" + struct.pack("<I", len(title)) + title
    titled = b"RIFF" + struct.pack("<I", len(whole) + 4) + b"WAVE" + whole
    assert probe(io.BytesIO(titled)) == ("audio", 2.0)


def test_what_can_be_neither_seen_nor_heard_is_not_readable_for_the_api(tmp_path):
    subtitles = tmp_path / "a.srt"
    subtitles.write_text("1\n00:00:00,000 --> 00:00:01,000\nWords only\n\n")
    assert probed(subtitles) == (UNREADABLE, None)


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>" * 100, b"\x89PNG" + b"x" * 100, bytes(5000)])
def test_what_can_not_be_read(content):
    assert probe(io.BytesIO(content)) == (UNREADABLE, None)


class TestWithoutPyAV:
    """The extra ``media`` is not installed."""

    @pytest.fixture(autouse=True)
    def without(self, monkeypatch):
        assert can_measure()
        monkeypatch.setitem(sys.modules, "av", None)

    def test_lengths_can_not_be_measured(self):
        assert not can_measure()

    @pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp"])
    def test_pictures_and_sounds_are_known_by_their_first_bytes(self, tmp_path, name):
        assert probed(media.picture(tmp_path / name)) == ("image", None)
        assert probed(media.sound(tmp_path / "a.wav")) == ("audio", None)

    @pytest.mark.parametrize(
        ("content", "kind"),
        [(b"\x1aE\xdf\xa3", "video"), (b"OggS", "audio"), (b"fLaC", "audio"), (b"ID3\4", "audio")],
    )
    def test_and_other_formats(self, content, kind):
        assert probe(io.BytesIO(content + bytes(100))) == (kind, None)

    @pytest.mark.parametrize("content", [b"", b"\0\0\0\x18ftypisom", b"\xff\xf1\x50\x80", b"RIFF\0\0\0\0AVI "])
    def test_what_may_be_of_several_kinds_is_not_known(self, content):
        assert probe(io.BytesIO(content)) == (None, None)
