"""Whether a downloaded file is a whole video, or a whole picture."""

from __future__ import annotations

import io
import struct
import time
import tracemalloc
from dataclasses import replace

import av
import pytest
from PIL import Image

from seedance_provider.emulator.order import VideoOrder
from seedance_provider.emulator.video import render, render_last_frame
from seedance_provider.landing.errors import BrokenMediaError
from seedance_provider.landing.media_check import MediaFacts, check_picture, check_video
from tests.support import media

ORDER = VideoOrder("seedance2.0-mini", "A serene Japanese garden", 4, 864, 496, 30)


def box(kind, *contents, size=None):
    """Of 32 bits; of any size that it claims to have."""
    content = b"".join(contents)
    return struct.pack(">I4s", len(content) + 8 if size is None else size, kind) + content


def large_box(kind, content, size=None):
    """Of 64 bits."""
    return struct.pack(">I4sQ", 1, kind, len(content) + 16 if size is None else size) + content


def track(handler=b"vide", width=864, height=496, version=0):
    times = bytes(84 if version else 72)
    header = box(b"tkhd", bytes([version, 0, 0, 7]), times, struct.pack(">II", width << 16, height << 16))
    return box(b"trak", header, box(b"mdia", box(b"mdhd"), box(b"hdlr", bytes(8), handler)))


def times(scale=1000, duration=4040, version=0):
    head, layout = (20, ">IQ") if version else (12, ">II")
    return box(b"mvhd", bytes([version]), bytes(head - 1), struct.pack(layout, scale, duration), bytes(80))


FTYP = box(b"ftyp", b"isom", bytes(4), b"isommp41")
MOOV = box(b"moov", times(), track())
MDAT = box(b"mdat", b"frames")
WHOLE = FTYP + MOOV + MDAT


def with_index(*boxes):
    return FTYP + box(b"moov", *boxes) + MDAT


def checked(path) -> MediaFacts:
    return check_video(str(path), path.stat().st_size)


@pytest.fixture
def check(tmp_path):
    """Check these bytes."""

    def check(content):
        path = tmp_path / "a.mp4"
        path.write_bytes(content)
        return checked(path)

    return check


@pytest.fixture
def refused(check):
    """Return why these bytes are no whole video."""

    def refused(content):
        with pytest.raises(BrokenMediaError, match="MP4 or MOV") as caught:
            check(content)
        return str(caught.value)

    return refused


@pytest.fixture(scope="session")
def index_first(mp4, tmp_path_factory):
    """As for the web: the index before what it is about."""
    path = tmp_path_factory.mktemp("media") / "faststart.mp4"
    with av.open(str(mp4)) as source, av.open(str(path), "w", options={"movflags": "faststart"}) as made:
        stream = made.add_stream_from_template(source.streams.video[0])
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = stream
                made.mux(packet)
    return path


@pytest.fixture(scope="session")
def mov(tmp_path_factory):
    return media.video(tmp_path_factory.mktemp("media") / "a.mov", seconds=1)


class TestCheckVideo:
    @pytest.mark.parametrize(
        ("name", "media_type"), [("mp4", "video/mp4"), ("index_first", "video/mp4"), ("mov", "video/quicktime")]
    )
    def test_tells_what_a_real_one_is(self, request, name, media_type):
        assert checked(request.getfixturevalue(name)) == MediaFacts(media_type, 1.0, 64, 64)

    @pytest.mark.parametrize(
        ("content", "facts"),
        [
            (WHOLE + box(b"free") + box(b"uuid", bytes(16)), (4.04, 864, 496)),
            (FTYP + box(b"mdat") + MOOV + MDAT, (4.04, 864, 496)),
            # A size may have 64 bits, and 0 is to the end of the file.
            (FTYP + large_box(b"mdat", b"frames") + MOOV, (4.04, 864, 496)),
            (FTYP + MOOV + box(b"mdat", b"frames", size=0), (4.04, 864, 496)),
            # Sound may come first, and times may have 64 bits.
            (with_index(times(), track(b"soun", 0, 0), track(width=1280, height=720)), (4.04, 1280, 720)),
            (with_index(times(24000, 2**33, version=1), track(version=1)), (round(2**33 / 24000, 3), 864, 496)),
            # What the index does not say is not known.
            *(
                (with_index(unknown, track(width=0, height=0)), (None, None, None))
                for unknown in (
                    times(0),
                    times(duration=0),
                    times(duration=0xFFFFFFFF),
                    times(1000, 2**64 - 1, version=1),
                )
            ),
        ],
    )
    def test_tells_what_a_strange_one_is(self, check, content, facts):
        assert check(content) == MediaFacts("video/mp4", *facts)

    @pytest.mark.parametrize("has_sound", [False, True])
    @pytest.mark.parametrize(("container", "media_type"), [("mp4", "video/mp4"), ("mov", "video/quicktime")])
    def test_what_the_emulator_makes_is_whole(self, tmp_path, container, media_type, has_sound):
        path = tmp_path / f"a.{container}"
        render(replace(ORDER, container=container, has_sound=has_sound), "task_a", path)
        assert checked(path) == MediaFacts(media_type, 4.0, 864, 496)

    @pytest.mark.parametrize("share", [0, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9])
    @pytest.mark.parametrize("name", ["mp4", "mov", "index_first"])
    def test_a_part_of_one_is_refused(self, request, refused, name, share):
        content = request.getfixturevalue(name).read_bytes()
        assert refused(content[: int(len(content) * share)])

    @pytest.mark.parametrize("missing", [1, 2, 10, 100])
    def test_also_if_only_the_last_bytes_are_missing(self, index_first, refused, missing):
        content = index_first.read_bytes()
        ends = f"its mdat ends at byte {len(content):,}, but the file has {len(content) - missing:,}"
        assert ends in refused(content[:-missing])

    def test_every_byte_is_needed(self, mp4, refused):
        content = mp4.read_bytes()
        assert content.rindex(b"moov") > content.rindex(b"mdat")
        for missing in range(1, len(content) - content.rindex(b"moov")):
            assert refused(content[:-missing])

    @pytest.mark.parametrize("padding", [b"\0", bytes(7), bytes(8), bytes(4096), b"\n", b" " * 20, b"\xff" * 20])
    def test_padding_is_refused(self, refused, padding):
        assert refused(WHOLE + padding)

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"<!DOCTYPE html><html>This link has expired.</html>",
            bytes(10_000),
            b"#EXTM3U\n#EXTINF:10,\nfile:///etc/hostname\n",
            b"ffconcat version 1.0\nfile /etc/hostname\n",
            b"\x89PNG\r\n\x1a\n" + bytes(100),
            MOOV + MDAT,
            box(b"free") + WHOLE,
        ],
    )
    def test_anything_that_begins_otherwise_is_refused(self, refused, content):
        assert "does not begin with its type (ftyp)" in refused(content)

    @pytest.mark.parametrize(
        ("content", "missing"),
        [
            (FTYP, "no index"),
            (FTYP + MDAT, "no index"),
            (FTYP + box(b"moov") + MDAT, "no index"),
            (FTYP + MOOV, "no media data"),
            (FTYP + MOOV + box(b"mdat"), "no media data"),
            (FTYP + MOOV + large_box(b"mdat", b""), "no media data"),
            (FTYP + box(b"moov", track()) + MDAT, "its moov has no mvhd"),
            (FTYP + box(b"moov", times()) + MDAT, "without pictures"),
            (FTYP + box(b"moov", times(), track(b"soun", 0, 0)) + MDAT, "without pictures"),
            (FTYP + box(b"moov", times(), box(b"trak")) + MDAT, "its trak has no mdia"),
            (FTYP + box(b"moov", times(), box(b"trak", box(b"mdia"))) + MDAT, "its mdia has no hdlr"),
            (FTYP + box(b"moov", times(), box(b"trak", box(b"mdia", box(b"hdlr")))) + MDAT, "its hdlr is too short"),
            (FTYP + box(b"moov", box(b"mvhd"), track()) + MDAT, "its mvhd is too short"),
            (FTYP + box(b"moov", box(b"mvhd", b"\1" + bytes(30)), track()) + MDAT, "its mvhd is too short"),
        ],
    )
    def test_what_is_missing_is_named(self, refused, content, missing):
        assert missing in refused(content)


class TestSizesOfBoxes:
    """They are claims."""

    @pytest.mark.parametrize(
        ("content", "place"),
        [
            # Shorter than its own header.
            *((FTYP + MOOV + box(b"mdat", b"frames", size=size), len(FTYP + MOOV)) for size in range(2, 8)),
            *((FTYP + large_box(b"mdat", b"frames", size=size) + MOOV, len(FTYP)) for size in (0, 1, 8, 15)),
            (WHOLE + struct.pack(">I4sI", 1, b"free", 0), len(WHOLE)),
            # With 0 it would be the same box again and again, for who adds it to where he is.
            *((with_index(times(), box(b"trak", size=size)), len(FTYP) + 8 + len(times())) for size in (0, 1, 7)),
            # Without a name.
            *((WHOLE + box(kind, b"anything"), len(WHOLE)) for kind in (bytes(4), b"\xffmda", b"md\nt")),
        ],
    )
    def test_what_is_no_box_is_refused(self, refused, content, place):
        assert f"no box at byte {place}" in refused(content)

    @pytest.mark.parametrize(
        ("content", "told"),
        [
            # Nothing can follow a box to the end of the file.
            (FTYP + box(b"mdat", b"frames", size=0) + MOOV, "no index"),
            (
                with_index(times(), box(b"trak", track()[8:], size=len(track()) + 1)),
                f"its trak ends at byte {len(FTYP + MOOV) + 1}, but the moov has",
            ),
            *(
                (FTYP + box(b"moov", MOOV[8:], size=size) + MDAT, "")
                for size in (len(MOOV) - 1, len(MOOV) + 1, len(MOOV) + 8, len(MOOV) + len(MDAT) + 1)
            ),
        ],
    )
    def test_boxes_that_overlap_are_refused(self, refused, content, told):
        assert told in refused(content)

    @pytest.mark.parametrize("size", [23, 2**32, 2**63, 2**64 - 1, 2**64 - len(FTYP)])
    def test_none_ends_after_the_file(self, refused, size):
        assert "its mdat ends at byte" in refused(FTYP + MOOV + large_box(b"mdat", b"frames", size=size))


class TestHostileFiles:
    @pytest.mark.parametrize(
        "content",
        [
            WHOLE + box(b"free") * 300_000,
            FTYP + box(b"moov", times(), box(b"free") * 300_000, track()) + MDAT,
            FTYP + box(b"moov", times(), track(b"soun") * 15_000) + MDAT,
            FTYP + box(b"moov", times(), *[box(b"trak", box(b"free") * 1000, track(b"soun")[8:])] * 300) + MDAT,
        ],
        ids=["behind", "in the index", "tracks", "in tracks"],
    )
    def test_boxes_without_end_are_not_followed(self, refused, content):
        began = time.process_time()
        assert refused(content).endswith("it has more than 20,000 boxes")
        assert time.process_time() - began < 5

    def test_boxes_in_boxes_are_not_followed_either(self, check):
        nested = b""
        for _ in range(10_000):
            nested = box(b"moov", nested)
        assert check(WHOLE + nested)

    @pytest.mark.parametrize("name", [b"mvhd", b"trak", b"mdat", b"free"])
    def test_memory_does_not_follow_what_is_claimed(self, tmp_path, name):
        path = tmp_path / "a.mp4"
        with path.open("wb") as file:
            # A file of 8 GB that takes no room.
            file.write(FTYP + MOOV + MDAT + large_box(name, b"", size=2**33))
            file.truncate(len(WHOLE) + 2**33)
        tracemalloc.start()
        try:
            assert checked(path).width == 864
            assert tracemalloc.get_traced_memory()[1] < 1_000_000
        finally:
            tracemalloc.stop()

    @pytest.mark.parametrize("kind", [b"mvhd", b"tkhd", b"hdlr", b"trak", b"mdia", b"moov", b"mdat", b"ftyp"])
    def test_no_byte_of_a_header_may_be_wrong(self, check, refused, kind):
        at = WHOLE.index(kind) - 4
        for position in range(at, at + 8):
            for value in (0, 1, 7, 0x7F, 0xFF):
                broken = bytearray(WHOLE)
                broken[position] = value
                if broken[at : at + 4] == bytes(4) and kind == b"mdat":
                    assert check(bytes(broken))
                elif broken != WHOLE:
                    assert refused(bytes(broken))

    def test_a_file_that_is_shorter_than_was_said_is_refused(self, tmp_path):
        path = tmp_path / "a.mp4"
        path.write_bytes(WHOLE)
        with pytest.raises(BrokenMediaError):
            check_video(str(path), len(WHOLE) + 1)


def saved(picture_format, **options):
    """A picture that can't be compressed to nothing."""
    content = io.BytesIO()
    Image.effect_noise((64, 48), 80).convert("RGB").save(content, picture_format, **options)
    return content.getvalue()


PICTURES = {
    "png": ("image/png", saved("PNG")),
    "jpeg": ("image/jpeg", saved("JPEG")),
    "progressive jpeg": ("image/jpeg", saved("JPEG", progressive=True)),
    "webp": ("image/webp", saved("WEBP")),
    "lossless webp": ("image/webp", saved("WEBP", lossless=True)),
    "webp with a profile": ("image/webp", saved("WEBP", exif=b"Exif\0\0II*\0")),
}


class TestCheckPicture:
    @pytest.fixture
    def check(self, tmp_path):
        def check(content):
            path = tmp_path / "a.part"
            path.write_bytes(content)
            return check_picture(str(path), len(content))

        return check

    @pytest.fixture
    def refused(self, check):
        def refused(content):
            with pytest.raises(BrokenMediaError, match="no whole PNG, JPEG or WebP"):
                check(content)
            return True

        return refused

    @pytest.mark.parametrize("name", PICTURES)
    def test_tells_what_it_is(self, check, name):
        media_type, content = PICTURES[name]
        assert check(content) == MediaFacts(media_type, None, 64, 48)

    @pytest.mark.parametrize(("name", "media_type"), [("a.png", "image/png"), ("a.jpg", "image/jpeg")])
    def test_what_the_emulator_makes_is_whole(self, tmp_path, check, name, media_type):
        render_last_frame(ORDER, "task_a", tmp_path / name)
        assert check((tmp_path / name).read_bytes()) == MediaFacts(media_type, None, 864, 496)

    @pytest.mark.parametrize("name", PICTURES)
    def test_a_part_of_one_is_refused_and_so_is_one_with_something_behind_it(self, refused, name):
        content = PICTURES[name][1]
        for size in [*range(min(64, len(content))), *range(64, len(content), 97), len(content) - 2, len(content) - 1]:
            assert refused(content[:size])
        assert refused(content + b"\0")

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"<html>",
            b"\x89PNG\r\n\x1a\n" + bytes(100),
            b"\xff\xd8\xff\xe0",
            b"\xff\xd8\xff\xd9",
            b"\xff\xd8\xff\xe0\0\x04\0\0" + bytes(20) + b"\xff\xd9",
            b"\xff\xd8" + b"\xff\xe0\0\0" * 100_000 + b"\xff\xd9",
            b"RIFF\x16\0\0\0WEBPVP8?" + bytes(14),
            b"RIFF\x0e\0\0\0WEBPVP8X" + bytes(6),
        ],
    )
    def test_anything_else_is_refused(self, refused, content):
        assert refused(content)

    @pytest.mark.parametrize("position", [16, 20])
    def test_a_picture_has_a_size(self, refused, position):
        content = bytearray(PICTURES["png"][1])
        content[position : position + 4] = bytes(4)
        assert refused(bytes(content))

    def test_a_marker_may_be_filled_up(self, check):
        content = PICTURES["jpeg"][1]
        assert check(content[:2] + b"\xff" * 10 + content[2:]).height == 48

    @pytest.mark.parametrize("name", ["a.gif", "a.mp4", "a.wav"])
    def test_nor_is_it_another_kind_of_file(self, tmp_path, mp4, refused, name):
        made = {"a.mp4": lambda path: mp4, "a.wav": media.sound}.get(name, media.picture)
        assert refused(made(tmp_path / name).read_bytes())
