"""The files are what the API's own files are: H.264, 24 frames a second, the asked size and length."""

from dataclasses import dataclass, replace

import av
import pytest
from PIL import Image, ImageChops, ImageStat

from seedance_provider.emulator.order import VideoOrder
from seedance_provider.emulator.video import render, render_last_frame


@dataclass(frozen=True)
class Probe:
    codec: str
    pixel_format: str
    size: tuple[int, int]
    rate: float
    seconds: float
    frames: list[bytes]


def order(seconds=4, size=(864, 496)):
    return VideoOrder("seedance2.0-mini", "A serene Japanese garden", seconds, *size, 30)


def probe(path):
    with av.open(str(path)) as container:
        (stream,) = container.streams.video
        frames = [
            bytes(frame.reformat(width=64, height=36, format="gray").planes[0]) for frame in container.decode(video=0)
        ]
        seconds = container.duration / av.time_base
        context = stream.codec_context
        size = (context.width, context.height)
        return Probe(context.name, context.pix_fmt, size, float(stream.average_rate), seconds, frames)


@pytest.mark.parametrize("seconds", [4, 6])
def test_codec_size_length_and_motion(tmp_path, seconds):
    path = tmp_path / "new" / "video.mp4"
    render(order(seconds), "task_1", path)
    probed = probe(path)
    assert (probed.codec, probed.pixel_format, probed.size, probed.rate) == ("h264", "yuv420p", (864, 496), 24)
    assert probed.seconds == pytest.approx(seconds, abs=0.1)
    assert len(probed.frames) == 24 * seconds
    assert len(set(probed.frames)) > len(probed.frames) * 0.9
    assert all(max(frame) - min(frame) > 100 for frame in probed.frames)
    with av.open(str(path)) as file:
        assert not file.streams.audio
    # A player can start before the download has ended.
    content = path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(("container", "format_name"), [("mp4", "mp4"), ("mov", "mov")])
def test_sound_is_as_long_as_the_video(tmp_path, container, format_name):
    path = tmp_path / f"video.{container}"
    render(replace(order(), has_sound=True, container=container), "task_1", path)
    with av.open(str(path)) as file:
        (sound,) = file.streams.audio
        assert format_name in file.format.name
        assert sound.codec_context.name == "aac"
        assert float(sound.duration * sound.time_base) == pytest.approx(4, abs=0.1)
        loudest = max(abs(sample) for frame in file.decode(sound) for sample in memoryview(frame.planes[0]).cast("f"))
        assert loudest > 0.01
    assert probe(path).seconds == pytest.approx(4, abs=0.1)


@pytest.mark.parametrize(("suffix", "kind"), [("png", "PNG"), ("jpg", "JPEG")])
def test_the_last_frame_is_that_of_the_video(tmp_path, suffix, kind):
    render(order(), "task_1", tmp_path / "video.mp4")
    render_last_frame(order(), "task_1", tmp_path / f"last.{suffix}")
    with av.open(str(tmp_path / "video.mp4")) as container:
        *_, last = container.decode(video=0)
    with Image.open(tmp_path / f"last.{suffix}") as picture:
        assert (picture.format, picture.size) == (kind, (864, 496))
        # Alike but for what the two compressions lose.
        difference = ImageStat.Stat(ImageChops.difference(picture.convert("RGB"), last.to_image()))
    assert max(difference.mean) < 6


def test_a_failure_leaves_nothing_behind(tmp_path):
    with pytest.raises(av.error.FFmpegError):
        render(order(size=(865, 497)), "task_1", tmp_path / "video.mp4")
    assert list(tmp_path.iterdir()) == []
