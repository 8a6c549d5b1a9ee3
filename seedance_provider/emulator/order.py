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
    :param settled_credits: what the video costs a few seconds after success, if that differs.
    :param has_sound: whether it has a sound track.
    :param container: ``mp4`` or ``mov``.
    :param callback_url: where to post the result.
    :param doom: the failure that such a request is documented to end with, see
        :data:`~seedance_provider.emulator.failures.FAILURES`.
    """

    model: str
    prompt: str
    seconds: int
    width: int
    height: int
    credits: float
    seed: int | None = None
    references: tuple[tuple[str, str], ...] = ()
    settled_credits: float | None = None
    has_sound: bool = False
    container: str = "mp4"
    callback_url: str | None = None
    doom: str | None = None

    @property
    def media_type(self) -> str:
        """The type of its file."""
        return "video/quicktime" if self.container == "mov" else "video/mp4"

    @property
    def last_frame_type(self) -> str:
        """The ending of the picture of its last frame: Seedance 2.5 makes JPEG."""
        return "jpg" if self.model.startswith("seedance2-5") else "png"

    def to_json(self) -> str:
        """Return the order as JSON text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> VideoOrder:
        """Read what :meth:`to_json` wrote."""
        fields = json.loads(text)
        references = tuple((purpose, url) for purpose, url in fields.pop("references"))
        return cls(**fields, references=references)
