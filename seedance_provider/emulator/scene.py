"""
What the emulator's videos look like: the prompt over hills at dusk, with a sun that crosses the sky.

All that stands still is drawn once. A frame is that picture with a few small areas drawn anew: around the sun, the
clock, and the progress line.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image, ImageColor, ImageDraw, ImageFilter

from seedance_provider.emulator.typesetting import fit, font, shorten

if TYPE_CHECKING:
    from seedance_provider.emulator.order import VideoOrder

__all__ = ["Scene"]


@dataclass(frozen=True)
class Palette:
    """The colours of one dusk: the sky from top to horizon, the sun, and the hills from far to near."""

    sky: tuple[str, str, str]
    sun: str
    hills: tuple[str, str, str]


_PALETTES = (
    Palette(("#14163a", "#5b3a78", "#e58a6b"), "#f6a15b", ("#5a3a68", "#38264f", "#1a1430")),
    Palette(("#0b2239", "#1f5f7a", "#e9b872"), "#efa94a", ("#28586b", "#173a4c", "#0a1c2a")),
    Palette(("#1c1230", "#7a2e5d", "#f08a5d"), "#f58b54", ("#6a2a52", "#421b3d", "#1d0d22")),
    Palette(("#0d1f2d", "#2f5d62", "#d9c27a"), "#e8a94a", ("#34605a", "#1f4340", "#0c2122")),
    Palette(("#101a3c", "#3c5a9a", "#e7a5b4"), "#f08c8c", ("#45558c", "#2a3764", "#121a38")),
)

_WHITE = (255, 255, 255, 255)
_FAINT = (255, 255, 255, 170)


class Scene:
    """
    The frames of one video.

    :param order: what to show.
    :param task_id: shown in a corner, so that a file on a disk tells where it came from.
    """

    def __init__(self, order: VideoOrder, task_id: str) -> None:
        self._order = order
        self._size = (order.width, order.height)
        self._unit = min(self._size) / 720  # Everything is laid out for a short side of 720 pixels.
        palette = _palette(order.prompt)
        self._sun = _draw_sun(palette, self._px(150))
        self._sky = _draw_sky(palette, self._size)
        self._front = Image.new("RGBA", self._size)
        self._draw_hills(palette)
        self._draw_words(task_id)
        self._still = self._sky.copy()
        self._still.paste(self._front, mask=self._front)
        self._clock_font = font(self._px(22))

    def frame(self, elapsed: float) -> Image.Image:
        """
        Return the picture at a moment of the video.

        :param elapsed: seconds since the start.
        """
        picture = self._still.copy()
        self._paste_sun(picture, elapsed / self._order.seconds)
        self._draw_clock(picture, elapsed)
        return picture

    def _px(self, length: float) -> int:
        return max(1, round(length * self._unit))

    def _paste_sun(self, picture: Image.Image, progress: float) -> None:
        """Draw the sky, the sun and all that stands in front of it, within the square that the sun takes up."""
        width, height = self._size
        x = round(width * (0.04 + 0.92 * progress))
        y = round(height * (0.62 - 0.34 * math.sin(math.pi * progress)))
        left, top = x - self._sun.width // 2, y - self._sun.height // 2
        box = (max(left, 0), max(top, 0), min(left + self._sun.width, width), min(top + self._sun.height, height))
        area = self._sky.crop(box)
        area.paste(self._sun, (left - box[0], top - box[1]), self._sun)
        front = self._front.crop(box)
        area.paste(front, mask=front)
        picture.paste(area, box)

    def _draw_clock(self, picture: Image.Image, elapsed: float) -> None:
        width, height = self._size
        seconds = self._order.seconds
        pen = ImageDraw.Draw(picture)
        anchor = (width - self._px(36), height - self._px(36))
        pen.text(anchor, f"{elapsed:.1f} / {seconds} s", font=self._clock_font, fill=_WHITE, anchor="rs")
        pen.rectangle((0, height - self._px(6), round(width * elapsed / seconds), height), fill=(255, 255, 255))

    def _draw_hills(self, palette: Palette) -> None:
        """Three ridges, each a sum of two waves; the prompt decides where the waves begin."""
        width, height = self._size
        phase = _digest(self._order.prompt)[1] / 40
        pen = ImageDraw.Draw(self._front)
        for row, colour in enumerate(palette.hills):
            base, swell = height * (0.70 + 0.085 * row), height * (0.05 - 0.008 * row)
            long, short = (5 + 2 * row) / width, 13 / width
            ridge = [
                (x, base - swell * (math.sin(x * long + phase + 2 * row) + math.sin(x * short + phase) / 3))
                for x in range(0, width + 8, 8)
            ]
            pen.polygon([(0, height), *ridge, (width + 8, height)], fill=colour)

    def _draw_words(self, task_id: str) -> None:
        words = Image.new("RGBA", self._size)
        pen = ImageDraw.Draw(words)
        self._write_labels(pen, task_id)
        self._write_prompt(pen)
        # A soft shadow keeps white words readable while the sun passes behind them.
        shadow = Image.new("RGBA", self._size, (10, 8, 24, 255))
        shadow.putalpha(words.getchannel("A").filter(ImageFilter.GaussianBlur(self._px(6))))
        for layer in (shadow, shadow, words):
            self._front.alpha_composite(layer)

    def _write_prompt(self, pen: ImageDraw.ImageDraw) -> None:
        width, height = self._size
        box = (width - 2 * self._px(72), round(height * 0.46))
        block = fit(self._order.prompt, box, largest=self._px(60), smallest=self._px(18))
        face = font(block.font_size)
        top = round(height * 0.37) - block.height // 2
        for row, line in enumerate(block.lines):
            pen.text((width / 2, top + row * block.line_height), line, font=face, fill=_WHITE, anchor="ma")

    def _write_labels(self, pen: ImageDraw.ImageDraw, task_id: str) -> None:
        """The model at the top; the media URLs and the task id at the bottom."""
        width, height = self._size
        margin, face = self._px(36), font(self._px(22))
        order = self._order
        pen.text((margin, margin), "Seedance emulator", font=face, fill=_WHITE)
        size = f"{order.model}   {order.width}x{order.height}"
        pen.text((width - margin, margin), size, font=face, fill=_FAINT, anchor="ra")
        pen.text((margin, height - margin), task_id, font=face, fill=_FAINT, anchor="ls")
        for row, (purpose, url) in enumerate(reversed(order.references[:4])):
            line = shorten(f"{purpose}:  {url}", face, width - 2 * margin)
            pen.text((margin, height - margin - self._px(34) * (row + 1)), line, font=face, fill=_WHITE, anchor="ls")


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _palette(prompt: str) -> Palette:
    """The same words always have the same colours."""
    return _PALETTES[_digest(prompt)[0] % len(_PALETTES)]


def _draw_sky(palette: Palette, size: tuple[int, int]) -> Image.Image:
    """Stretch a column of three colours over the picture."""
    column = Image.new("RGB", (1, 3))
    for row, colour in enumerate(palette.sky):
        column.putpixel((0, row), ImageColor.getrgb(colour))
    # From the middle of the first pixel to the middle of the last one, so that the whole height is a gradient.
    return column.resize((1, size[1]), Image.Resampling.BILINEAR, box=(0, 0.5, 1, 2.5)).resize(size)


def _draw_sun(palette: Palette, radius: int) -> Image.Image:
    """A disc in the middle of its own glow."""
    glow = Image.radial_gradient("L").resize((radius * 4, radius * 4), Image.Resampling.BICUBIC)
    alpha = glow.point([round(110 * max(0.0, 1 - value / 180) ** 2) for value in range(256)])
    disc = Image.new("L", alpha.size)
    ImageDraw.Draw(disc).circle((radius * 2, radius * 2), radius * 0.62, fill=235)
    alpha.paste(235, mask=disc.filter(ImageFilter.GaussianBlur(radius / 60)))
    sun = Image.new("RGBA", alpha.size, palette.sun)
    sun.putalpha(alpha)
    return sun
