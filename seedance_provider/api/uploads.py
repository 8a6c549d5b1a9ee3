"""Files that are uploaded to the API, so that a video can refer to them. Uploading costs nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from seedance_provider.api.models import SUFFIXES

__all__ = ["LIFETIME_SECONDS", "Upload", "UploadTicket", "file_problem"]

#: The vendor deletes uploaded files after 24 hours.
LIFETIME_SECONDS = 24 * 3600


@dataclass(frozen=True)
class UploadTicket:
    """
    What the API answers when it is asked for a place.

    :param upload_url: where to put the bytes, without the key: the URL is signed, so it is a secret for some minutes.
    :param url: what a request for a video refers to afterwards.
    :param content_type: with which the bytes have to be sent.
    :param lifetime_seconds: after which the file is deleted.
    """

    upload_url: str
    url: str
    content_type: str
    lifetime_seconds: float = LIFETIME_SECONDS


@dataclass(frozen=True)
class Upload:
    """
    A file that the API has.

    :param url: what a request for a video refers to.
    :param content_type: as the API names it.
    :param size: in bytes.
    :param expires_at: when the vendor deletes it.
    """

    url: str
    content_type: str
    size: int
    expires_at: datetime

    @classmethod
    def of(cls, ticket: UploadTicket, size: int, now: datetime) -> Upload:
        """Return what there is after the bytes were put where the ticket said."""
        return cls(ticket.url, ticket.content_type, size, now + timedelta(seconds=ticket.lifetime_seconds))

    def summary(self) -> dict[str, Any]:
        """Return the small JSON object that the tasks after the upload get."""
        return {
            "url": self.url,
            "content_type": self.content_type,
            "size": self.size,
            "expires_at": self.expires_at.isoformat(),
        }


def file_problem(name: str, size: int) -> str | None:
    """
    Return why a file can't be a reference, or ``None``.

    :param name: of the file, with its ending, by which the API tells what it is.
    :param size: in bytes.
    """
    endings = [ending for of_kind in SUFFIXES.values() for ending in of_kind]
    if not name.lower().endswith(tuple(endings)):
        return f"its name is {name!r}, and the API takes {', '.join(endings)}"
    return None if size > 0 else "it is empty"
