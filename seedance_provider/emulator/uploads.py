"""
Files that clients upload: a place is asked for, the bytes are put there without the key, and the file is gone
after 24 hours. The URL to put them at is good for 15 minutes and for one file.
"""

from __future__ import annotations

import io
import json
import mimetypes
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from seedance_provider.api.media_probe import probe
from seedance_provider.api.uploads import LIFETIME_SECONDS, file_problem
from seedance_provider.emulator.refusals import RefusedError, invalid_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from seedance_provider.emulator.store import Store

__all__ = ["PLACE_SECONDS", "UploadedFile", "Uploads"]

#: For how long a place can be used.
PLACE_SECONDS = 900


@dataclass(frozen=True)
class UploadedFile:
    """
    A place for a file, and the file once it is there. Times are Unix milliseconds.

    :param path: of the place, unguessable.
    :param content_type: with which the bytes have to be sent.
    :param asked_at: when the place was asked for.
    :param uploaded_at: when the bytes came; ``None`` before that.
    :param size: in bytes.
    :param kind: what the content is, whatever the name says, see :mod:`seedance_provider.api.media_probe`.
    :param seconds: how long it plays, if it does.
    """

    path: str
    content_type: str
    asked_at: int
    uploaded_at: int | None = None
    size: int = 0
    kind: str | None = None
    seconds: float | None = None

    def is_there(self, now: int) -> bool:
        """Whether it can be fetched."""
        return self.uploaded_at is not None and now < self.uploaded_at + LIFETIME_SECONDS * 1000


class Uploads:
    """
    All uploaded files.

    :param store: remembers them.
    :param folder: where the bytes are.
    :param now: returns Unix milliseconds.
    """

    def __init__(self, store: Store, folder: Path, now: Callable[[], int]) -> None:
        self._store = store
        self._folder = folder
        self._now = now

    def ask(self, content_type: str, body: bytes, root_url: str) -> dict[str, Any]:
        """
        Return a place for a file.

        :param content_type: media type of the request.
        :param body: as it was sent.
        :param root_url: where the client reached the emulator.
        :raises RefusedError: 400 if it doesn't name a file that the API takes.
        """
        name = _file_name(content_type, body)
        path = f"uploads/{secrets.token_hex(16)}/{name}"
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        self._store.add_upload(UploadedFile(path, kind, self._now()))
        url = f"{root_url}/{quote(path)}"
        return {
            "path": path,
            "uploadUrl": f"{url}?expires={PLACE_SECONDS}",
            "url": url,
            "method": "PUT",
            "contentType": kind,
            "expiresIn": PLACE_SECONDS,
            "confirmUrl": f"/api/v1/uploads?path={quote(path, safe='')}",
            "assetTtlSeconds": LIFETIME_SECONDS,
        }

    def put(self, path: str, content_type: str, authorization: str | None, body: bytes) -> None:
        """
        Take the bytes.

        :param path: of the place.
        :param content_type: media type of the request.
        :param authorization: the header's value; a signed URL takes none, and neither does this.
        :param body: the bytes.
        :raises RefusedError: if the place is not there, too old or taken, or the headers are not what they should be.
        """
        place = self._store.upload(path)
        if authorization is not None:
            raise RefusedError(400, "Only one auth mechanism allowed")
        too_late = place is not None and self._now() >= place.asked_at + PLACE_SECONDS * 1000
        if place is None or too_late or place.uploaded_at is not None or content_type != place.content_type:
            raise RefusedError(403, "Access to this place is denied")
        file = self.file(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
        found = probe(io.BytesIO(body), path)
        self._store.note_upload(path, self._now(), len(body), found.kind, found.seconds)

    def confirm(self, path: str | None) -> dict[str, Any]:
        """
        Return what is known of an uploaded file.

        :param path: of the place.
        :raises RefusedError: 404 if it is not there.
        """
        found = self.find(path or "")
        if found is None or found.uploaded_at is None:
            raise RefusedError(404, "Upload not found")
        return {
            "path": found.path,
            "size": found.size,
            "contentType": found.content_type,
            "uploadedAt": found.uploaded_at,
            "expiresAt": found.uploaded_at + LIFETIME_SECONDS * 1000,
            "assetTtlSeconds": LIFETIME_SECONDS,
        }

    def find(self, path: str) -> UploadedFile | None:
        """Return an uploaded file that can be fetched."""
        found = self._store.upload(path)
        return found if found is not None and found.is_there(self._now()) else None

    def file(self, path: str) -> Path:
        """Return where the bytes of a place are."""
        return self._folder / Path(path).parent.name


def _file_name(content_type: str, body: bytes) -> str:
    if content_type != "application/json":
        raise invalid_request()
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        raise invalid_request() from None
    name = fields.get("fileName") if isinstance(fields, dict) else None
    if not isinstance(name, str) or not name.isprintable() or "/" in name or file_problem(name, size=1):
        raise invalid_request()
    return name
