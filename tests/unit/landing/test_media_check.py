"""Whether a downloaded file is a whole video, or a whole picture."""

from __future__ import annotations

import av
import pytest

from seedance_provider.landing.errors import BrokenMediaError
from seedance_provider.landing.media_check import MediaFacts, check_picture, check_video
from tests.support import media

#: The muxer leaves the times as they are, and hides what is before the beginning.
SHIFTED = {"avoid_negative_ts": "disabled"}


def checked(path) -> MediaFacts:
    return check_video(str(path), path.stat().st_size)


def cut(path, size, tmp_path):
    short = tmp_path / path.name
    short.write_bytes(path.read_bytes()[:size])
    return short


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
def mov(mp4, tmp_path_factory):
    return media.video(tmp_path_factory.mktemp("media") / "a.mov", seconds=1)


class TestCheckVideo:
    def test_tells_what_an_mp4_is(self, mp4):
        assert checked(mp4) == MediaFacts("video/mp4", "mp4", 1.0, 64, 64)

    def test_tells_what_a_mov_is(self, mov):
        assert checked(mov) == MediaFacts("video/quicktime", "mov", 1.0, 64, 64)

    def test_the_index_may_come_first(self, index_first):
        assert checked(index_first).seconds == 1.0

    def test_sound_is_welcome(self, mp4, tmp_path):
        path = tmp_path / "sound.mp4"
        sound = media.sound(tmp_path / "a.wav")
        with av.open(str(path), "w") as made, av.open(str(mp4)) as pictures, av.open(str(sound)) as noise:
            video = made.add_stream_from_template(pictures.streams.video[0])
            audio = made.add_stream("aac", rate=8000, layout="mono")
            for packet in pictures.demux():
                if packet.dts is not None:
                    packet.stream = video
                    made.mux(packet)
            for frame in noise.decode(audio=0):
                made.mux(audio.encode(frame))
            made.mux(audio.encode())
        assert checked(path).seconds == pytest.approx(2, abs=0.3)

    @pytest.mark.parametrize("share", [0, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9])
    @pytest.mark.parametrize("name", ["mp4", "mov", "index_first"])
    def test_a_part_of_one_is_refused(self, request, name, share, tmp_path):
        path = request.getfixturevalue(name)
        with pytest.raises(BrokenMediaError):
            checked(cut(path, int(path.stat().st_size * share), tmp_path))

    @pytest.mark.parametrize("missing", [1, 2, 10, 100])
    def test_also_if_only_the_last_bytes_are_missing(self, index_first, tmp_path, missing):
        size = index_first.stat().st_size
        with pytest.raises(
            BrokenMediaError, match=f"its video ends at byte {size:,}, but the file has {size - missing:,}"
        ):
            checked(cut(index_first, size - missing, tmp_path))

    def test_every_byte_of_the_index_is_needed(self, mp4, tmp_path):
        titles = mp4.read_bytes().rindex(b"udta") - 4
        index = mp4.read_bytes().rindex(b"moov") - 4
        assert checked(cut(mp4, titles, tmp_path)).seconds == 1.0
        for size in range(index, titles):
            with pytest.raises(BrokenMediaError):
                checked(cut(mp4, size, tmp_path))

    def test_frames_that_the_index_does_not_place_are_missed(self, mp4, tmp_path):
        content = bytearray(mp4.read_bytes())
        frames = content.index(b"stsc") + 16
        assert content[frames : frames + 4] == (24).to_bytes(4)
        content[frames : frames + 4] = (5).to_bytes(4)
        path = tmp_path / "a.mp4"
        path.write_bytes(content)
        with pytest.raises(BrokenMediaError, match="its video has 5 of 24 frames"):
            checked(path)

    def test_frames_that_are_not_to_be_shown_are_no_missing_ones(self, mp4, tmp_path):
        # Which a video has that was cut without encoding it again.
        path = tmp_path / "edited.mp4"
        with av.open(str(mp4)) as source, av.open(str(path), "w", container_options=SHIFTED) as made:
            stream = made.add_stream_from_template(source.streams.video[0])
            for packet in source.demux():
                if packet.dts is not None:
                    packet.stream, packet.is_keyframe = stream, True
                    packet.pts, packet.dts = packet.pts - 5000, packet.dts - 5000
                    made.mux(packet)
        with av.open(str(path)) as edited:
            assert len(list(edited.streams.video[0].index_entries)) < edited.streams.video[0].frames
        assert checked(path).media_type == "video/mp4"

    def test_what_follows_the_video_does_no_harm(self, mp4, tmp_path):
        longer = tmp_path / "longer.mp4"
        longer.write_bytes(mp4.read_bytes() + b"\0\0\0\x08free")
        assert checked(longer).seconds == 1.0

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"<!DOCTYPE html><html>This link has expired.</html>",
            b"\0\0\0\x18ftypisom",
            b"\0\0\0\x18ftypisom" + bytes(10_000),
            bytes(10_000),
            b"#EXTM3U\n#EXTINF:10,\nfile:///etc/hostname\n",
            b"ffconcat version 1.0\nfile /etc/hostname\n",
            b"\x89PNG\r\n\x1a\n" + bytes(100),
            bytes(range(256)) * 40,
        ],
        ids=[
            "nothing",
            "a page",
            "a beginning",
            "a beginning and zeros",
            "zeros",
            "a playlist",
            "a script",
            "a picture",
            "anything",
        ],
    )
    def test_anything_else_is_refused(self, tmp_path, content):
        path = tmp_path / "a.mp4"
        path.write_bytes(content)
        with pytest.raises(BrokenMediaError, match="no whole MP4 or MOV"):
            checked(path)

    @pytest.mark.parametrize(
        ("kind", "options", "text"),
        [
            ("concat", {"safe": "0"}, "ffconcat version 1.0\nfile {other}\n"),
            (
                "hls",
                {"allowed_extensions": "ALL"},
                "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{other}\n#EXT-X-ENDLIST\n",
            ),
        ],
    )
    @pytest.mark.parametrize("name", ["list.mp4", "list.m3u8"])
    def test_a_list_of_other_files_is_not_followed(self, mp4, tmp_path, kind, options, text, name):
        listed = tmp_path / name
        listed.write_text(text.format(other=mp4))
        with av.open(str(listed), format=kind, options=options) as followed:
            assert followed.streams.video
        for check in (check_video, check_picture):
            with pytest.raises(BrokenMediaError):
                check(str(listed), listed.stat().st_size)

    def test_a_video_of_another_kind_is_refused(self, tmp_path):
        webm = media.video(tmp_path / "a.webm", seconds=1)
        with pytest.raises(BrokenMediaError):
            checked(webm)

    def test_sound_alone_is_no_video(self, tmp_path):
        path = tmp_path / "a.mp4"
        sound = media.sound(tmp_path / "a.wav")
        with av.open(str(path), "w") as made, av.open(str(sound)) as noise:
            audio = made.add_stream("aac", rate=8000, layout="mono")
            for frame in noise.decode(audio=0):
                made.mux(audio.encode(frame))
            made.mux(audio.encode())
        with pytest.raises(BrokenMediaError, match="without pictures"):
            checked(path)


class TestCheckPicture:
    @pytest.mark.parametrize(
        ("name", "media_type", "suffix"),
        [("a.png", "image/png", "png"), ("a.jpg", "image/jpeg", "jpg")],
    )
    def test_tells_what_it_is(self, tmp_path, name, media_type, suffix):
        path = media.picture(tmp_path / name)
        assert check_picture(str(path), path.stat().st_size) == MediaFacts(media_type, suffix, None, 64, 64)

    @pytest.mark.parametrize(
        ("name", "other_name", "media_type"),
        [("a.png", "a.jpg", "image/png"), ("a.jpg", "a.png", "image/jpeg"), ("a.png", "a.part", "image/png")],
    )
    def test_its_name_does_not_matter(self, tmp_path, name, other_name, media_type):
        path = media.picture(tmp_path / name).rename(tmp_path / other_name)
        assert check_picture(str(path), path.stat().st_size).media_type == media_type

    @pytest.mark.parametrize("content", [b"", b"<html>", b"\x89PNG\r\n\x1a\n" + bytes(100), b"\xff\xd8\xff\xe0"])
    def test_anything_else_is_refused(self, tmp_path, content):
        path = tmp_path / "a.png"
        path.write_bytes(content)
        with pytest.raises(BrokenMediaError, match="neither PNG nor JPEG"):
            check_picture(str(path), len(content))

    @pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.mp4", "a.wav"])
    def test_nor_is_it_another_kind_of_file(self, tmp_path, mp4, name):
        made = {"a.mp4": lambda path: mp4, "a.wav": media.sound}.get(name, media.picture)
        path = made(tmp_path / name)
        with pytest.raises(BrokenMediaError, match="neither PNG nor JPEG"):
            check_picture(str(path), path.stat().st_size)

    @pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.9])
    @pytest.mark.parametrize("name", ["a.png", "a.jpg"])
    def test_a_part_of_one_is_refused(self, tmp_path, name, share):
        whole = media.noise(tmp_path / name)
        assert check_picture(str(whole), whole.stat().st_size).width == 64
        path = cut(whole, int(whole.stat().st_size * share), tmp_path)
        with pytest.raises(BrokenMediaError):
            check_picture(str(path), path.stat().st_size)

    def test_a_png_is_needed_to_its_last_byte(self, tmp_path):
        whole = media.noise(tmp_path / "a.png")
        path = cut(whole, whole.stat().st_size - 1, tmp_path)
        with pytest.raises(BrokenMediaError):
            check_picture(str(path), path.stat().st_size)
