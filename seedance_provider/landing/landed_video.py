"""A video that has landed, in the words in which other tasks, assets and the sidecar file tell of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seedance_provider.api.mismatches import length_mismatches, size_mismatches

if TYPE_CHECKING:
    from seedance_provider.landing.known_video import KnownVideo
    from seedance_provider.landing.media_check import MediaFacts

__all__ = ["LandedVideo", "media_of"]


def media_of(facts: MediaFacts | None) -> dict[str, Any]:
    """
    Return what a file was found to be, as plain values.

    :param facts: ``None`` if nobody looked, because it was there.
    """
    names = ("media_type", "width", "height", "seconds")
    return {name: getattr(facts, name, None) for name in names}


@dataclass(frozen=True)
class LandedVideo:
    """
    A video in object storage.

    :param video: what is known of it.
    :param path: where it is, with the connection if there is one, so that ``ObjectStoragePath`` can open it.
    :param uri: where it is, for everybody.
    :param size: in bytes.
    :param media: its media type, width, height and seconds, see :func:`media_of`.
    :param last_frame_uri: where its last picture is, if that was asked for.
    :param sidecar_uri: where the file that describes it is, if that was asked for.
    :param was_there: whether it had landed before, so that nothing was fetched.
    """

    video: KnownVideo
    path: str
    uri: str
    size: int
    media: Mapping[str, Any]
    last_frame_uri: str | None = None
    sidecar_uri: str | None = None
    was_there: bool = False

    def summary(self) -> dict[str, Any]:
        """Return the JSON object that the tasks after it get as XCom, under the key ``landed``."""
        return {
            "path": self.path,
            **self._files(),
            **self.media,
            "mismatches": self.mismatches,
            "was_there": self.was_there,
            "video_url": self.video.url,
            **self._known("video_task_id", "model", "prompt", "seed", "credits_used"),
        }

    def event(self) -> dict[str, Any]:
        """Return what an asset event tells of it."""
        return self._files() | self._known("video_task_id", "model", "prompt", "credits_used")

    def description(self) -> dict[str, Any]:
        """Return all that is known of it, for the sidecar file."""
        return self._files() | dict(self.media) | {"mismatches": self.mismatches} | self.video.to_json()

    @property
    def mismatches(self) -> list[str]:
        """How the file differs from what was asked for, as far as both are known."""
        inputs = self.video.facts["inputs"]
        if not isinstance(inputs, Mapping):
            return []
        size = size_mismatches(inputs, self.media["width"], self.media["height"])
        return [*size, *length_mismatches(inputs, self.media["seconds"])]

    def _files(self) -> dict[str, Any]:
        return {
            "uri": self.uri,
            "size": self.size,
            "last_frame_uri": self.last_frame_uri,
            "sidecar_uri": self.sidecar_uri,
        }

    def _known(self, *names: str) -> dict[str, Any]:
        known = self.video.to_json()
        return {name: known[name] for name in names}
