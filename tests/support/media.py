"""Real media files, as small as they can be."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

import av
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

_RATE = 8000


def picture(path: Path, colour: str = "navy") -> Path:
    """Draw a picture in the format that the ending names."""
    Image.new("RGB", (64, 64), colour).save(path)
    return path


def noise(path: Path) -> Path:
    """Draw a picture that can't be compressed to nothing."""
    Image.effect_noise((64, 64), 80).convert("RGB").save(path)
    return path


def video(path: Path, seconds: int = 2, options: dict[str, str] | None = None) -> Path:
    """Film a grey wall."""
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream("libvpx" if path.suffix == ".webm" else "libx264", rate=24)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        frame = av.VideoFrame.from_image(Image.new("RGB", (64, 64), "grey"))
        for number in range(24 * seconds):
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def sound(path: Path, seconds: int = 2) -> Path:
    """Record silence, as a wave file."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=_RATE, layout="mono")
        for number in range(seconds):
            frame = av.AudioFrame(format="s16", layout="mono", samples=_RATE)
            frame.planes[0].update(bytes(frame.planes[0].buffer_size))
            frame.sample_rate, frame.pts = _RATE, number * _RATE
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def changing_sound(path: Path, options: dict[str, str], quiet: int) -> Path:
    """Record silence and then one second of noise, in a format whose bitrate follows."""
    with av.open(str(path), "w", options=options) as container:
        varies = {"flags": "+qscale", "global_quality": "236"}
        if path.suffix == ".aac":
            stream = container.add_stream("aac", rate=44100, layout="mono")
        else:
            stream = container.add_stream("libmp3lame", rate=44100, layout="mono", options=varies)
        resampler = av.AudioResampler(format=stream.codec_context.format, layout="mono", rate=44100)
        for number in range(quiet + 1):
            frame = av.AudioFrame(format="s32", layout="mono", samples=44100)
            frame.planes[0].update(bytes(4 * 44100) if number < quiet else os.urandom(4 * 44100))
            frame.sample_rate, frame.pts = 44100, number * 44100
            for resampled in resampler.resample(frame):
                container.mux(stream.encode(resampled))
        container.mux(stream.encode())
    return path


def many_samples(samples: int) -> bytes:
    """Write a film of some hundred bytes that says it has this many pictures."""

    def box(kind: bytes, *parts: bytes) -> bytes:
        return struct.pack(">I4s", 8 + len(b"".join(parts)), kind) + b"".join(parts)

    def table(kind: bytes, *numbers: int) -> bytes:
        return box(kind, bytes(4), struct.pack(f">{len(numbers)}I", *numbers))

    entry = box(b"jpeg", bytes(7), b"\1", bytes(16), struct.pack(">HH", 64, 64), bytes(50))
    tables = (
        box(b"stsd", bytes(7), b"\1", entry),
        table(b"stts", 1, samples, 1),
        table(b"stsc", 1, 1, samples, 1),
        table(b"stsz", 1, samples),
        table(b"stco", 1, 0),
    )
    handler = box(b"hdlr", bytes(8), b"vide", bytes(13))
    track = box(b"mdia", table(b"mdhd", 0, 0, 1000, samples, 0), handler, box(b"minf", box(b"stbl", *tables)))
    head = table(b"mvhd", 0, 0, 1000, samples, *[0] * 20)
    return box(b"ftyp", b"isom", bytes(4)) + box(
        b"moov", head, box(b"trak", table(b"tkhd", 0, 0, 1, 0, samples, *[0] * 15), track)
    )
