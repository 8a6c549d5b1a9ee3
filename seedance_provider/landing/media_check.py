"""
Whether a downloaded file is a whole video, or a whole picture, as its own structure says.

The bytes come from outside, so no media library reads them: only headers are read, of a fixed length each, and as many
as a limit allows, whatever the file claims. Nothing is decoded.
"""

from __future__ import annotations

import struct
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from seedance_provider.landing.errors import BrokenMediaError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MediaFacts", "check_picture", "check_video"]

#: Boxes of a video, or segments of a picture, that are read. A video of an hour in fragments of a second has 7,200.
_MOST_HEADERS = 20_000
_QUICKTIME_BRAND = b"qt  "
_PNG_BEGINS, _PNG_ENDS = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", b"\0\0\0\0IEND\xaeB\x60\x82"
_JPEG_BEGINS, _JPEG_ENDS = b"\xff\xd8\xff", b"\xff\xd9"
#: Segments of a JPEG with its size (SOF0 to SOF15), without those that share their range (DHT, JPG, DAC).
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True)
class MediaFacts:
    """
    What a file was found to be.

    :param media_type: such as ``video/mp4``.
    :param seconds: how long it is; ``None`` for a picture, and if it does not say.
    :param width: in pixels; ``None`` if it does not say.
    :param height: in pixels; ``None`` if it does not say.
    """

    media_type: str
    seconds: float | None
    width: int | None
    height: int | None


def check_video(path: str, size: int) -> MediaFacts:
    """
    Return what an MP4 or MOV file is, if it is whole: its boxes follow each other up to the last byte of the file, and
    there are an index with a track of pictures, and media data.

    :param path: of the file.
    :param size: in bytes.
    :raises BrokenMediaError: if it is anything else.
    """
    with open(path, "rb", buffering=0) as file:
        if _read(file, 4, 4) != b"ftyp":
            raise _broken("it does not begin with its type (ftyp)")
        boxes, parts = _Boxes(file), dict[bytes, _Box]()
        for part in boxes.within(_Box(b"file", 0, size)):
            # An empty mdat may stand before the real one.
            if part.kind in (b"moov", b"mdat") and part.end > part.begin:
                parts.setdefault(part.kind, part)
        if b"moov" not in parts or b"mdat" not in parts:
            raise _broken("it has no index (moov)" if b"moov" not in parts else "it has no media data (mdat)")
        width, height = _picture_size(boxes, parts[b"moov"])
        media_type = "video/quicktime" if _read(file, 8, 4) == _QUICKTIME_BRAND else "video/mp4"
        return MediaFacts(media_type, _seconds(boxes, parts[b"moov"]), width or None, height or None)


def check_picture(path: str, size: int) -> MediaFacts:
    """
    Return what a PNG, JPEG or WebP file is, if it begins and ends as one.

    :param path: of the file.
    :param size: in bytes.
    :raises BrokenMediaError: if it is anything else.
    """
    with open(path, "rb", buffering=0) as file:
        begins, ends = _read(file, 0, 30), _read(file, max(0, size - len(_PNG_ENDS)), len(_PNG_ENDS))
        media_type, width, height = "", 0, 0
        # What ends before its size has none.
        with suppress(struct.error):
            if begins.startswith(_PNG_BEGINS) and ends == _PNG_ENDS:
                media_type, (width, height) = "image/png", struct.unpack_from(">II", begins, 16)
            elif begins.startswith(_JPEG_BEGINS) and ends.endswith(_JPEG_ENDS):
                media_type, (width, height) = "image/jpeg", _jpeg_size(file)
            elif begins[:4] + begins[8:12] == b"RIFFWEBP" and int.from_bytes(begins[4:8], "little") + 8 == size:
                media_type, (width, height) = "image/webp", _webp_size(begins)
    if not (width and height):
        raise BrokenMediaError("no whole PNG, JPEG or WebP")
    return MediaFacts(media_type, None, width, height)


@dataclass(frozen=True)
class _Box:
    """
    A part of an MP4 or MOV.

    :param kind: its four letters.
    :param begin: where its content begins, in bytes from the beginning of the file.
    :param end: where its content ends.
    """

    kind: bytes
    begin: int
    end: int

    def __str__(self) -> str:
        return self.kind.decode()


class _Boxes:
    """
    The boxes of a file, of which only a limited number is read.

    :param file: with them.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._left = _MOST_HEADERS

    def within(self, box: _Box) -> Iterator[_Box]:
        """
        Read the header of each box in another one, which they have to fill.

        :param box: the other one, or the whole file, which begins at 0.
        """
        begin = box.begin
        while begin < box.end:
            part = self._at(begin, box)
            yield part
            begin = part.end

    def first(self, box: _Box, *kinds: bytes) -> _Box:
        """
        Follow a path.

        :param box: where it begins.
        :param kinds: of the box in it, of the box in that one, and so on.
        """
        for kind in kinds:
            found = next((part for part in self.within(box) if part.kind == kind), None)
            if found is None:
                raise _broken(f"its {box} has no {kind.decode()}")
            box = found
        return box

    def fields(self, box: _Box, layout: str, position: int) -> tuple[Any, ...]:
        """
        Read values.

        :param box: with them.
        :param layout: for ``struct``.
        :param position: in its content.
        """
        size, begin = struct.calcsize(layout), box.begin + position
        content = _read(self._file, begin, size) if begin + size <= box.end else b""
        if len(content) < size:
            raise _broken(f"its {box} is too short")
        return struct.unpack(layout, content)

    def _at(self, begin: int, around: _Box) -> _Box:
        self._left -= 1
        if self._left < 0:
            raise _broken(f"it has more than {_MOST_HEADERS:,} boxes")
        header = _read(self._file, begin, min(16, around.end - begin))
        if len(header) < 8:
            raise _broken(f"there is no box at byte {begin:,}")
        size, kind = struct.unpack_from(">I4s", header)
        own = 8
        if size == 1 and len(header) == 16:
            own, size = 16, int.from_bytes(header[8:])
        elif size == 0 and around.begin == 0:
            # As far as the file goes, which only the last box of a file may say.
            size = around.end - begin
        if size < own or not (kind.isascii() and kind.decode().isprintable()):
            raise _broken(f"there is no box at byte {begin:,}")
        box = _Box(kind, begin + own, begin + size)
        if box.end > around.end:
            raise _broken(f"its {box} ends at byte {box.end:,}, but the {around} has {around.end:,}")
        return box


def _picture_size(boxes: _Boxes, index: _Box) -> tuple[int, int]:
    for track in boxes.within(index):
        if track.kind == b"trak" and boxes.fields(boxes.first(track, b"mdia", b"hdlr"), "4s", 8) == (b"vide",):
            header = boxes.first(track, b"tkhd")
            # Fixed-point numbers, with 16 bits after the point.
            width, height = boxes.fields(header, ">II", 88 if _is_long(boxes, header) else 76)
            return width >> 16, height >> 16
    raise BrokenMediaError("an MP4 or MOV without pictures")


def _seconds(boxes: _Boxes, index: _Box) -> float | None:
    header = boxes.first(index, b"mvhd")
    is_long = _is_long(boxes, header)
    scale, duration = boxes.fields(header, ">IQ" if is_long else ">II", 20 if is_long else 12)
    is_known = scale and duration and duration != (0xFFFFFFFFFFFFFFFF if is_long else 0xFFFFFFFF)
    return round(duration / scale, 3) if is_known else None


def _is_long(boxes: _Boxes, header: _Box) -> bool:
    """Whether its times have 64 bits."""
    return boxes.fields(header, "B", 0) == (1,)


def _jpeg_size(file: BinaryIO) -> tuple[int, int]:
    begin = 2
    for _ in range(_MOST_HEADERS):
        marks, kind, length, height, width = struct.unpack(">BBHxHH", _read(file, begin, 9))
        if marks == kind == 0xFF:
            # A marker may be filled up with these.
            begin += 1
        elif marks == 0xFF and kind in _JPEG_FRAMES:
            return width, height
        elif marks == 0xFF:
            begin += 2 + length
        else:
            break
    return 0, 0


def _webp_size(begins: bytes) -> tuple[int, int]:
    kind = begins[12:16]
    if kind == b"VP8X":
        width, wider, height, higher = struct.unpack_from("<HBHB", begins, 24)
        return (wider << 16 | width) + 1, (higher << 16 | height) + 1
    if kind == b"VP8L":
        (packed,) = struct.unpack_from("<I", begins, 21)
        return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    width, height = struct.unpack_from("<HH", begins, 26)
    return (width & 0x3FFF, height & 0x3FFF) if kind == b"VP8 " else (0, 0)


def _read(file: BinaryIO, begin: int, size: int) -> bytes:
    file.seek(begin)
    return file.read(size)


def _broken(why: str) -> BrokenMediaError:
    return BrokenMediaError(f"no whole MP4 or MOV: {why}")
