"""
Landing: from the vendor's URL into object storage, whole or not at all.

The video is streamed into a temporary file and published in one step when it is complete: by a rename on a file
system, by one upload (which object stores show only when it has ended) elsewhere. Nobody ever sees half a video under
the final name, and whatever dies in between leaves at most a hidden temporary file behind.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests
    from airflow.sdk import ObjectStoragePath

__all__ = ["DestinationTakenError", "Landed", "LandingError", "UnsafeUrlError", "land"]

_CHUNK_BYTES = 1024 * 1024
#: Between two pieces; the first one may have to be fetched from the vendor's archive.
_TIMEOUT_SECONDS = (10, 60)
_HEADERS = {"Accept-Encoding": "identity"}


class LandingError(Exception):
    """The video did not land, and nothing is under its name. The video stays paid for: trying again costs nothing."""


class UnsafeUrlError(LandingError):
    """The video's address is not one of the web."""


class DestinationTakenError(LandingError):
    """Something else is where the video should go."""


@dataclass(frozen=True)
class Landed:
    """
    A video in object storage.

    :param uri: where.
    :param size: in bytes.
    :param was_there: whether it had landed before, so that nothing was done.
    """

    uri: str
    size: int
    was_there: bool


def land(url: str, destination: ObjectStoragePath, *, overwrite: bool = False) -> Landed:
    """
    Bring a video into object storage; does nothing if it is there already, which its size tells. It costs no credits.

    :param url: where the vendor keeps it, http(s) only; the API key is never sent there.
    :param destination: the object to make.
    :param overwrite: whether to replace another object of that name.
    :raises UnsafeUrlError: if the address is not http(s).
    :raises DestinationTakenError: if another object has that name.
    :raises LandingError: if the download is not a whole video.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise UnsafeUrlError(f"The video's address is {url!r}, and only http(s) is fetched.")
    with _opened(url) as response:
        size = _promised_size(response)
        if size is not None and _is_there(destination, size, overwrite):
            return Landed(str(destination), size, was_there=True)
        with _temporary_file(destination) as (file, path):
            written = _download(response, file, size)
            if size is None and _is_there(destination, written, overwrite):
                return Landed(str(destination), written, was_there=True)
            _publish(path, destination)
    return Landed(str(destination), written, was_there=False)


def _is_there(destination: ObjectStoragePath, size: int, overwrite: bool) -> bool:
    there = _size_of(destination)
    if there is None or there == size:
        return there is not None
    if overwrite:
        return False
    raise DestinationTakenError(
        f"{destination} exists with {there:,} bytes, but the video has {size:,} bytes. Nothing was overwritten: choose "
        "another destination, or set overwrite=True."
    )


@contextmanager
def _opened(url: str) -> Iterator[requests.Response]:
    import requests

    try:
        with requests.get(url, stream=True, timeout=_TIMEOUT_SECONDS, headers=_HEADERS, auth=_no_netrc) as response:
            if response.status_code != 200:
                raise LandingError(
                    f"{url} answers HTTP {response.status_code}. The vendor keeps videos for 14 days; if this one is "
                    "younger, try again."
                )
            yield response
    except requests.RequestException as error:
        raise LandingError(f"The download of {url} broke off: {error}. Nothing landed; try again.") from error


def _no_netrc(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Without an auth of ours, requests would send what a .netrc file has for the host."""
    return request


def _promised_size(response: requests.Response) -> int | None:
    """Size of the video; ``None`` if it comes in chunks, whose end can be told."""
    length = response.headers.get("Content-Length", "")
    if length.isdecimal():
        return int(length)
    if response.headers.get("Transfer-Encoding", "").lower() == "chunked":
        return None
    raise LandingError(
        f"{response.url} does not say how long it is, so a cut video could not be told from a whole one."
    )


def _size_of(path: ObjectStoragePath) -> int | None:
    """Size of an object, or ``None`` if there is none. Looks anew: file systems remember what they listed."""
    path.fs.invalidate_cache()
    return int(path.stat().st_size) if path.exists() else None


@contextmanager
def _temporary_file(destination: ObjectStoragePath) -> Iterator[tuple[IO[bytes], Path]]:
    """A file that vanishes, beside the destination where that allows a rename, else where the system keeps such."""
    folder = None
    if _is_local(destination):
        folder = Path(destination.path).parent
        folder.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file, Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _download(response: requests.Response, file: IO[bytes], size: int | None) -> int:
    start = b""
    for chunk in response.iter_content(_CHUNK_BYTES):
        start = (start + chunk)[:8] if len(start) < 8 else start
        file.write(chunk)
    file.flush()
    os.fsync(file.fileno())
    written = file.tell()
    if size is not None and written != size:
        raise LandingError(f"{response.url} ended after {written:,} of {size:,} bytes. Nothing landed; try again.")
    # Every MP4 and MOV file says so in its first box; a page that says "expired" does not.
    if start[4:8] != b"ftyp":
        kind = response.headers.get("Content-Type", "no content type")
        raise LandingError(f"{response.url} is not a video ({kind}, {written:,} bytes). Nothing landed.")
    return written


def _publish(path: Path, destination: ObjectStoragePath) -> None:
    if _is_local(destination):
        _give_usual_permissions(path)
        path.replace(destination.path)
    else:
        destination.fs.put_file(str(path), destination.path)


def _give_usual_permissions(path: Path) -> None:
    """Temporary files are private to their owner; the video is as readable as any new file."""
    umask = os.umask(0)
    os.umask(umask)
    path.chmod(0o666 & ~umask)


def _is_local(path: Any) -> bool:
    return path.protocol in ("", "file", "local")
