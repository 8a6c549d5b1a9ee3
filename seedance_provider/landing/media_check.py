"""Whether a downloaded file is a whole video, or a whole picture. FFmpeg's libraries look, by way of PyAV."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seedance_provider.landing.errors import BrokenMediaError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import av.container
    import av.stream

__all__ = ["MediaFacts", "check_picture", "check_video"]

#: Nothing but these two may read the file: some formats of FFmpeg's name other files, and addresses.
_VIDEO_FORMAT = "mov"
_PICTURE_FORMATS = {"png": ("png_pipe", "image/png"), "jpg": ("jpeg_pipe", "image/jpeg")}
#: An edit list hides samples, which have to be there all the same.
_AS_STORED = {"advanced_editlist": "0"}
#: Half a picture would be filled up with grey.
_STRICT = {"err_detect": "explode"}
_QUICKTIME_BRAND = "qt  "


@dataclass(frozen=True)
class MediaFacts:
    """
    What a file was found to be.

    :param media_type: such as ``video/mp4``.
    :param suffix: that its name should have.
    :param seconds: how long it is; ``None`` for a picture.
    :param width: in pixels.
    :param height: in pixels.
    """

    media_type: str
    suffix: str
    seconds: float | None
    width: int
    height: int


def check_video(path: str, size: int) -> MediaFacts:
    """
    Return what an MP4 or MOV file is, if it is whole: its index is there, and all that the index names. The pictures
    themselves are not decoded, so this takes milliseconds, however large the file is. Titles and the like, which may
    follow the index, are not looked at: no player needs them.

    :param path: of the file.
    :param size: in bytes.
    :raises BrokenMediaError: if it is anything else.
    """
    import av

    try:
        with av.open(path, format=_VIDEO_FORMAT, options=_AS_STORED) as video:
            return _video_facts(video, size)
    except (av.FFmpegError, ValueError) as error:
        raise BrokenMediaError(f"no whole MP4 or MOV: {_said(error)}") from None


def check_picture(path: str, size: int) -> MediaFacts:  # noqa: ARG001 - checks have one signature
    """
    Return what a PNG or JPEG file is, if it can be decoded.

    :param path: of the file.
    :param size: in bytes.
    :raises BrokenMediaError: if it is anything else.
    """
    import av

    said = ""
    for suffix, (format_name, media_type) in _PICTURE_FORMATS.items():
        try:
            with av.open(path, format=format_name) as picture:
                picture.streams.video[0].codec_context.options = _STRICT
                frame = next(picture.decode(video=0))
                return MediaFacts(media_type, suffix, None, frame.width, frame.height)
        except (av.FFmpegError, StopIteration, IndexError, ValueError) as error:
            said = said or _said(error)
    raise BrokenMediaError(f"neither PNG nor JPEG: {said}")


def _video_facts(video: av.container.InputContainer, size: int) -> MediaFacts:
    for stream in video.streams:
        _check_samples(stream, size)
    pictures = next((stream for stream in video.streams.video if _samples(stream)), None)
    if pictures is None:
        raise BrokenMediaError("an MP4 or MOV without pictures")
    is_quicktime = video.metadata.get("major_brand") == _QUICKTIME_BRAND
    return MediaFacts(
        "video/quicktime" if is_quicktime else "video/mp4",
        "mov" if is_quicktime else "mp4",
        None if video.duration is None else round(video.duration / 1_000_000, 3),
        pictures.width,
        pictures.height,
    )


def _check_samples(stream: av.stream.Stream, size: int) -> None:
    samples = _samples(stream)
    if len(samples) < stream.frames:
        raise BrokenMediaError(f"its {stream.type} has {len(samples):,} of {stream.frames:,} frames")
    end = max((sample.pos + sample.size for sample in samples), default=0)
    if end > size:
        raise BrokenMediaError(f"its {stream.type} ends at byte {end:,}, but the file has {size:,}")


def _samples(stream: av.stream.Stream) -> Sequence[Any]:
    entries: Any = stream.index_entries
    return list(entries)


def _said(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
