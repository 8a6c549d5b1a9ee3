"""
What can go wrong while a video lands, apart from the storage (:mod:`seedance_provider.storage.errors`). Whatever it is,
nothing half-written is under the video's name.

::

    LandingError                    a retry can help
    ├── BrokenMediaError            the download is no whole video
    ├── MediaRefusedError           the address does not, or no longer, give the video
    └── PermanentLandingError       a retry can't help
        ├── NotAVideoError          the task was given no finished video
        ├── NoLastFrameError        the API has sent no last frame
        ├── UnsafeUrlError          the address is not one to fetch from
        ├── VideoExpiredError       the vendor has deleted the video
        ├── VideoTooLargeError      the video is larger than allowed
        ├── DestinationTakenError   something else is where the video should go
        └── InvalidDestinationError the destination is no place, or can't be filled in
"""

from __future__ import annotations

__all__ = [
    "BrokenMediaError",
    "DestinationTakenError",
    "InvalidDestinationError",
    "LandingError",
    "MediaRefusedError",
    "NoLastFrameError",
    "NotAVideoError",
    "PermanentLandingError",
    "UnsafeUrlError",
    "VideoExpiredError",
    "VideoTooLargeError",
]


class LandingError(Exception):
    """The video did not land. It stays paid for: a retry costs nothing, and can help."""


class BrokenMediaError(LandingError):
    """What was downloaded is no whole video."""


class MediaRefusedError(LandingError):
    """The address does not, or no longer, give the video."""


class PermanentLandingError(LandingError):
    """The video did not land, and a retry can't help."""


class NotAVideoError(PermanentLandingError):
    """The task was given no finished video."""


class NoLastFrameError(PermanentLandingError):
    """The API has sent no last frame."""


class UnsafeUrlError(PermanentLandingError):
    """The video's address is not one to fetch from."""


class VideoExpiredError(PermanentLandingError):
    """The vendor has deleted the video."""


class VideoTooLargeError(PermanentLandingError):
    """The video is larger than allowed."""


class DestinationTakenError(PermanentLandingError):
    """Something else is where the video should go."""


class InvalidDestinationError(PermanentLandingError):
    """The destination is no place for a file, or its name can't be filled in."""
