"""What files are, by their content."""

from __future__ import annotations

import io
import os
import resource
import socket
import struct
import subprocess
import sys
import time
import wave

import pytest
from PIL import Image

from seedance_provider.api import media_probe
from seedance_provider.api.media_probe import UNREADABLE, can_measure, probe
from tests.support import media

ISO = b"\0\0\0\x18ftyp"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR"


def probed(path):
    with path.open("rb") as file:
        return probe(file, path.name)


def probed_bytes(content, name):
    return probe(io.BytesIO(content), name)


@pytest.mark.parametrize(
    ("name", "format"), [("a.png", "PNG"), ("a.jpg", "JPEG"), ("a.jpeg", "JPEG"), ("a.webp", "WebP")]
)
@pytest.mark.parametrize("ending", [".jpg", ".mp4"])
def test_pictures_whatever_their_ending(tmp_path, name, format, ending):
    path = media.picture(tmp_path / name)
    assert probed(path.rename(path.with_suffix(ending))) == ("image", None, format, 64 * 64)


@pytest.mark.parametrize("format", ["GIF", "BMP", "TIFF", "AVIF", "JPEG2000"])
def test_pictures_that_the_api_does_not_take_are_named(tmp_path, format):
    Image.new("RGB", (64, 64)).save(tmp_path / "a.jpg", format)
    assert probed(tmp_path / "a.jpg") == ("image", None, format.replace("G2", "G 2"), None)


@pytest.mark.parametrize(
    ("head", "kind", "format"),
    [
        (ISO + b"heic\0\0\0\0mif1heic", "image", "HEIC"),
        (ISO + b"mif1\0\0\0\0mif1heic", "image", "HEIC"),
        (ISO + b"mif1\0\0\0\0mif1avif", "image", "AVIF"),
        (b"MM\0*\0\0\0\x08", "image", "TIFF"),
        (b"\xff\x4f\xff\x51", "image", "JPEG 2000"),
        (b"\xff\x0a", "image", "JPEG XL"),
        (b'<?xml version="1.0"?>\n<svg xmlns="x">', "image", "SVG"),
        (b"%PDF-1.7", UNREADABLE, "PDF"),
        (b"<!DOCTYPE html><body><svg>", UNREADABLE, None),
    ],
)
def test_and_what_else_is_called_a_picture(head, kind, format):
    assert probed_bytes(head + bytes(50), "a.jpg") == (kind, None, format, None)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WebP", "lossless WebP", "extended WebP"])
def test_the_size_of_a_picture(format):
    file = io.BytesIO()
    mode, options = ("RGBA" if "extended" in format else "RGB"), {"lossless": "lossless" in format}
    exif = b"Exif\0\0" + bytes(9000)
    Image.new(mode, (310, 17), (1, 2, 3, 100)[: len(mode)]).save(file, format.split()[-1], exif=exif, **options)
    assert probed_bytes(file.getvalue(), "a.jpg").pixels == 310 * 17


@pytest.mark.parametrize(
    ("content", "pixels"),
    [
        (PNG + struct.pack(">II", 10**5, 10**5) + bytes(100), 10**10),
        (b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\xff" * 6, 2**48),
        (b"\xff\xd8\xff\xff\xc2\0\x11\x08" + b"\xff" * 4 + bytes(20), 65535**2),
        (b"\xff\xd8\xff\xe0\0\0" * 2, None),
        (b"\xff\xd8\xff\xda\0\x08", None),
        (b"\xff\xd8\xff\xe1\xff\xff", None),
        (PNG, None),
    ],
)
def test_a_picture_of_any_size_is_not_decoded(content, pixels):
    assert probed_bytes(content, "a.png").pixels == pixels


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.webm"])
def test_videos_and_how_long_they_are(tmp_path, name):
    path = media.video(tmp_path / name, seconds=3)
    assert probed(path)[:2] == ("video", pytest.approx(3, abs=0.1))
    assert probed_bytes(path.read_bytes(), "a.mp4") == probed(path)


def test_lengths_are_rounded_to_thousandths_of_a_second(tmp_path):
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(2 * 9999))
    assert probed(tmp_path / "a.wav")[:2] == ("audio", 1.25)


@pytest.mark.parametrize("called", [".mp3", ".wav"])
@pytest.mark.parametrize("title", [b"", b"ID3\4\0\0\0\0\1\0" + bytes(128)], ids=["", "with a title"])
@pytest.mark.parametrize(
    ("name", "options", "quiet"),
    [("a.aac", {}, 11), ("a.mp3", {"write_xing": "0"}, 11), ("a.mp3", {}, 11)],
    ids=["raw AAC", "MP3 without a length", "MP3 with one"],
)
def test_sounds_of_changing_bitrate_are_counted(tmp_path, name, options, quiet, title, called):
    path = media.changing_sound(tmp_path / name, options, quiet)
    assert probed_bytes(title + path.read_bytes(), name)[:2] == ("audio", pytest.approx(12, abs=0.1))
    assert probed_bytes(title + path.read_bytes(), f"a{called}")[:2] == ("audio", pytest.approx(12, abs=0.1))


@pytest.mark.parametrize(("name", "options"), [("a.webm", {"live": "1"}), ("a.mp4", {"movflags": "empty_moov"})])
def test_videos_that_were_made_to_be_streamed(tmp_path, name, options):
    assert probed(media.video(tmp_path / name, 3, options))[:2] == ("video", pytest.approx(3, abs=0.1))


def test_a_title_that_is_no_unicode_does_not_matter(tmp_path):
    content = media.sound(tmp_path / "a.wav").read_bytes()
    title = b"INFOINAM" + struct.pack("<I", 4) + b"caf\xe9"
    whole = content[12:] + b"LIST" + struct.pack("<I", len(title)) + title
    titled = b"RIFF" + struct.pack("<I", len(whole) + 4) + b"WAVE" + whole
    assert probed_bytes(titled, "a.wav")[:2] == ("audio", 2.0)


@pytest.mark.parametrize("name", ["a.mp4", "a.webm", "a.mp3", "a.wav", "a.aac", "a.ogg", "a.flac", "a.png"])
@pytest.mark.parametrize(
    "content",
    [
        b"<html>not found</html>" * 100,
        b"1\n00:00:00,000 --> 00:00:01,000\nWords only\n\n",
        b"\x89PNG" + b"x" * 100,
        bytes(5000),
    ],
    ids=["a page", "words", "half a signature", "zeros"],
)
def test_what_can_not_be_read(name, content):
    assert probed_bytes(content, name) == (UNREADABLE, None, None, None)


class TestHarm:
    """Files that are made to do harm."""

    @pytest.fixture
    def server(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.setblocking(False)
            yield server

    @pytest.mark.parametrize("name", ["a.mp4", "a.webm", "a.mp3", "a.aac", "a.ogg"])
    @pytest.mark.parametrize(
        "text",
        [
            "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            + "".join(f"m=video {20000 + 2 * i} RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n" for i in range(100)),
            "ffconcat version 1.0\nfile tcp://127.0.0.1:{port}\nfile secret.mp4\n",
            "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nhttp://127.0.0.1:{port}/x.ts\n#EXT-X-ENDLIST\n",
        ],
        ids=["SDP", "ffconcat", "HLS"],
    )
    def test_texts_that_name_other_files_and_addresses(self, tmp_path, server, name, text):
        media.video(tmp_path / "secret.mp4")
        (tmp_path / name).write_text(text.replace("{port}", str(server.getsockname()[1])))
        begun = time.monotonic()
        assert probed(tmp_path / name) == (UNREADABLE, None, None, None)
        assert time.monotonic() - begun < 8
        with pytest.raises(BlockingIOError):
            server.accept()

    @pytest.mark.parametrize("samples", [15_000_000, 60_000_000, 2**32 - 1])
    def test_many_equal_samples_in_few_bytes(self, tmp_path, samples):
        (tmp_path / "a.mp4").write_bytes(media.many_samples(samples))
        begun = time.monotonic()
        assert probed(tmp_path / "a.mp4").kind in ("video", None)
        assert time.monotonic() - begun < 12
        assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 1.5 * 1024 * 1024

    @pytest.mark.parametrize(
        "harm", ["socket.socket()", "open('/dev/null')", "bytearray(2 << 30)", "os.write(1, bytes(10))", "os.pipe()"]
    )
    def test_the_child_process_can_open_nothing_and_has_little(self, tmp_path, harm):
        program = f"import os, socket; from seedance_provider.api.media_probe import _confine; _confine(); {harm}"
        command = [sys.executable, "-c", program]
        with (tmp_path / "written").open("wb") as out:
            told = subprocess.run(command, check=False, stdout=out, stderr=subprocess.PIPE).stderr
        assert told.splitlines()[-1].startswith((b"OSError", b"MemoryError"))
        assert (tmp_path / "written").stat().st_size == 0

    def a_child(self, monkeypatch, tmp_path, program):
        script = tmp_path / "child"
        script.write_text(f"#!{sys.executable}\nimport os, sys\n{program}\n")
        script.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(script))
        return media.sound(tmp_path / "a.wav")

    @pytest.mark.parametrize("program", ["os.abort()", "print('x')", "print('[]')", "sys.exit(1)", "1 / 0"])
    def test_what_breaks_the_child_is_not_known(self, tmp_path, monkeypatch, program):
        assert probed(self.a_child(monkeypatch, tmp_path, program)) == (None, None, None, None)

    def test_nor_what_takes_too_long_and_the_child_is_gone(self, tmp_path, monkeypatch):
        monkeypatch.setattr(media_probe, "_DEADLINE_SECONDS", 1)
        path = self.a_child(
            monkeypatch,
            tmp_path,
            f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\nimport time; time.sleep(600)",
        )
        assert probed(path) == (None, None, None, None)
        with pytest.raises(ProcessLookupError):
            os.kill(int((tmp_path / "pid").read_text()), 0)

    def test_nor_without_a_program_or_room_for_a_copy(self, tmp_path, monkeypatch):
        content = media.sound(tmp_path / "a.wav").read_bytes()
        with monkeypatch.context() as changed:
            changed.setattr(media_probe, "_LARGEST_COPY", 1000)
            assert probed_bytes(content, "a.wav") == (None, None, None, None)
        monkeypatch.setattr(sys, "executable", str(tmp_path / "gone"))
        assert probed_bytes(content, "a.wav") == (None, None, None, None)

    def test_the_child_inherits_no_secret(self, tmp_path, monkeypatch):
        monkeypatch.setenv("AIRFLOW_CONN_SEEDANCE_DEFAULT", "secret")
        path = self.a_child(
            monkeypatch, tmp_path, f"open({str(tmp_path / 'env')!r}, 'w').write(' '.join(os.environ))\nos.abort()"
        )
        probed(path)
        assert set((tmp_path / "env").read_text().split()) <= {
            "PYTHONPATH",
            "LD_LIBRARY_PATH",
            "PYTHONHOME",
            "LC_CTYPE",
        }


class TestWithoutPyAV:
    """The extra ``media`` is not installed."""

    @pytest.fixture(autouse=True)
    def without(self, monkeypatch):
        assert can_measure()
        monkeypatch.setitem(sys.modules, "av", None)

    def test_lengths_can_not_be_measured(self):
        assert not can_measure()

    @pytest.mark.parametrize(("name", "format"), [("a.png", "PNG"), ("a.jpg", "JPEG"), ("a.webp", "WebP")])
    def test_pictures_and_sounds_are_known_by_their_first_bytes(self, tmp_path, name, format):
        assert probed(media.picture(tmp_path / name)) == ("image", None, format, 64 * 64)
        assert probed(media.sound(tmp_path / "a.wav")) == ("audio", None, None, None)

    @pytest.mark.parametrize(
        ("content", "kind"),
        [(b"\x1aE\xdf\xa3", "video"), (b"OggS", "audio"), (b"fLaC", "audio"), (b"ID3\4", "audio")],
    )
    def test_and_other_formats(self, content, kind):
        assert probed_bytes(content + bytes(100), "a.mp3") == (kind, None, None, None)

    @pytest.mark.parametrize("content", [b"", ISO + b"isom", b"\xff\xf1\x50\x80", b"RIFF\0\0\0\0AVI "])
    def test_what_may_be_of_several_kinds_is_not_known(self, content):
        assert probed_bytes(content, "a.mp4") == (None, None, None, None)
