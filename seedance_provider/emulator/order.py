"""What an accepted request asks for: the one value that validation makes, the store keeps and rendering draws."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

__all__ = ["VideoOrder"]


@dataclass(frozen=True)
class VideoOrder:
    """
    One video to make.

    :param model: as it was sent.
    :param prompt: as it was sent, markers included; empty for an image-to-video request without one.
    :param seconds: length of the video.
    :param width: in pixels.
    :param height: in pixels.
    :param credits: what the video costs.
    :param seed: reported back in the output; a random one is made up if this is ``None``.
    :param references: what each media URL is for, and the URL. They are drawn and never fetched.
    """

    model: str
    prompt: str
    seconds: int
    width: int
    height: int
    credits: float
    seed: int | None = None
    references: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> str:
        """Return the order as JSON text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> VideoOrder:
        """Read what :meth:`to_json` wrote."""
        fields = json.loads(text)
        references = tuple((purpose, url) for purpose, url in fields.pop("references"))
        return cls(**fields, references=references)
