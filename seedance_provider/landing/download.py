"""A download that resumes where it broke off, and that has limits."""

from __future__ import annotations

import re
import ssl
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Self, TypeVar

import requests
import urllib3

from seedance_provider.landing.errors import (
    BrokenMediaError,
    LandingError,
    MediaRefusedError,
    UnsafeUrlError,
    VideoTooLargeError,
)
from seedance_provider.network.addresses import UnsafeAddressError, check_url, without_query
from seedance_provider.network.causes import cause_of
from seedance_provider.network.exchange import Exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

__all__ = ["Download", "DownloadLimits"]

_T = TypeVar("_T")

_PIECE_BYTES = 1024 * 1024
_CONNECT_SECONDS = 10.0
_LONGEST_PAUSE = 60.0
_DID_NOT_LAND = "It did not land; the next try downloads it again."
_NO_TYPE = "no content type"

#: The address is the reason, or that the vendor has the video no longer.
_REFUSED = (401, 403, 404, 410)
_NOT_SATISFIABLE = 416


@dataclass(frozen=True)
class DownloadLimits:
    """
    How far a download goes.

    :param max_bytes: the size of the video at most.
    :param max_seconds: for all of it, pauses included.
    :param stall_seconds: without a single byte; then it is asked for again. The first one may have to be fetched from
        the vendor's archive.
    :param attempts: how many requests in a row may fail. Bytes that had not arrived before restart the count.
    :param pause: seconds after the first failure; twice as many after the next, and so on.
    """

    max_bytes: int = 8 * 1024**3
    max_seconds: float = 3600.0
    stall_seconds: float = 60.0
    attempts: int = 5
    pause: float = 1.0


class _PassingError(Exception):
    """Asking again can help."""

    def __init__(self, reason: str, retry_after: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


@dataclass(frozen=True)
class _Version:
    """Which version of the file the first answer was about, so that parts of two are never put together."""

    validator: str | None

    @classmethod
    def of(cls, response: requests.Response) -> _Version:
        entity_tag = response.headers.get("ETag", "")
        # A weak tag says "much the same", which is not enough here.
        is_strong = entity_tag.startswith('"')
        return cls(entity_tag if is_strong else response.headers.get("Last-Modified"))


class Download:
    """
    The download of one file. It costs no credits. Use it as a context manager: that asks for the file.

    :param url: of the file, http(s) only.
    :param session: sends the requests.
    :param limits: how far it goes.
    :param log: where to tell the story.
    :param renew: returns another URL of the same file, if the first is refused. Called once.
    """

    def __init__(
        self,
        url: str,
        session: requests.Session,
        limits: DownloadLimits,
        log: Any,
        renew: Callable[[], str | None] | None = None,
    ) -> None:
        with _only_safe_addresses():
            check_url(url)
        self._url = url
        self._session = session
        self._limits = limits
        self._log = log
        self._renew = renew
        self._deadline = time.monotonic() + limits.max_seconds
        self._in_vain = 0
        self._furthest = 0
        self._response: requests.Response | None = None
        self._version = _Version(None)
        #: In bytes; ``None`` as long as it is not known.
        self.size: int | None = None
        #: What the server says that it is.
        self.content_type = _NO_TYPE

    def __enter__(self) -> Self:
        self._response = response = self._persist(lambda: self._ask(0))
        try:
            self._version = _Version.of(response)
            self.content_type = response.headers.get("Content-Type", _NO_TYPE)
            self.size = _promised_size(response)
            self._check_size(self.size or 0)
        except BaseException:
            self._forget_response()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._forget_response()

    def __str__(self) -> str:
        return without_query(self._url)

    def piece(self, start: int, length: int) -> bytes | None:
        """
        Return a part of the file, or ``None`` if the server gives whole files only.

        :param start: of its first byte.
        :param length: in bytes; less at the end of the file.
        :raises LandingError: if it can't be had.
        """
        return self._persist(lambda: self._piece(start, length))

    def save(self, file: BinaryIO) -> int:
        """
        Write the whole file, and return its size. Interrupted downloads resume, as long as there is progress.

        :param file: empty, and open for writing.
        :raises LandingError: if it can't be had as a whole.
        """
        self._persist(lambda: self._go_on(file))
        return file.tell()

    def _persist(self, action: Callable[[], _T]) -> _T:
        """Do something until it succeeds, or has failed too often."""
        while True:
            try:
                return action()
            except _PassingError as error:
                self._forget_response()
                self._in_vain += 1
                if self._in_vain >= self._limits.attempts:
                    raise LandingError(f"The download of {self} failed: {error}. {_DID_NOT_LAND}") from error
                pause = max(self._limits.pause * 2 ** (self._in_vain - 1), error.retry_after)
                self._check_time(pause)
                self._log.warning("%s: %s. Asking for it again in %.3g s.", self, error, pause)
                time.sleep(pause)

    def _go_on(self, file: BinaryIO) -> None:
        response = self._response or self._resumed(file)
        with self._in_time(response):
            for piece in _pieces(response):
                file.write(piece)
                self._note_progress(file.tell())
                self._check_size(file.tell())
                self._check_time()
        if self.size is not None and file.tell() != self.size:
            raise _PassingError(f"it ended after {file.tell():,} of {self.size:,} bytes")
        self._forget_response()

    def _note_progress(self, received: int) -> None:
        """What had arrived before is none: a server that gives whole files only could send it for ever."""
        if received > self._furthest:
            self._furthest = received
            self._in_vain = 0

    def _resumed(self, file: BinaryIO) -> requests.Response:
        """Ask for the rest, or for all of it if the server does not know which rest is meant."""
        received = file.tell() if self._version.validator else 0
        self._response = response = self._ask(received)
        start, total = _part(response)
        if start != received or _Version.of(response) != self._version:
            self._version = _Version.of(response)
            received = 0
            if start != 0:
                response.close()
                self._response = response = self._ask(0)
                total = None
        self.content_type = response.headers.get("Content-Type", _NO_TYPE)
        file.seek(received)
        file.truncate()
        if total is not None:
            self.size = total
        elif received == 0:
            self.size = _promised_size(response)
        self._check_size(self.size or 0)
        return response

    def _piece(self, start: int, length: int) -> bytes | None:
        with self._ask(start, start + length - 1) as response:
            # As in save(): a part of another version says nothing about this one.
            is_of_it = response.status_code == 206 and _Version.of(response) == self._version
            if not is_of_it or _part(response)[0] != start:
                return None
            with self._in_time(response):
                return _first(length, response)

    @contextmanager
    def _in_time(self, response: requests.Response) -> Iterator[None]:
        """Cut the body off at the deadline: a chunk's size, or trailers, can take for ever between two pieces."""
        exchange = Exchange(self._deadline)
        try:
            with exchange:
                if not response.raw.closed:
                    exchange.watch(response.raw.fileno())
                yield
        finally:
            if exchange.timed_out:
                # What was cut off can look like the end of the file.
                self._check_time()

    def _ask(self, start: int, end: int | None = None) -> requests.Response:
        headers = {}
        if start or end is not None:
            headers["Range"] = f"bytes={start}-{'' if end is None else end}"
            if self._version.validator:
                headers["If-Range"] = self._version.validator
        timeout = (_CONNECT_SECONDS, self._limits.stall_seconds)
        exchange = Exchange(self._deadline)
        try:
            with _only_safe_addresses(), exchange:
                response = self._session.get(self._url, stream=True, timeout=timeout, headers=headers)
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
            raise _PassingError(f"there was no answer ({_reason(error)})") from None
        except requests.exceptions.InvalidSchema:
            raise UnsafeUrlError(f"{self} redirects to something else than http(s). Nothing was fetched.") from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError) as error:
            # A redirect to what is no address is told in many ways, some of which repeat it with its query.
            raise MediaRefusedError(f"{self} can't be fetched: {type(error).__name__}. {_DID_NOT_LAND}") from None
        if exchange.timed_out:
            response.close()
            self._check_time()
        if response.status_code == 200 or (response.status_code == 206 and headers):
            return response
        response.close()
        return self._refused(response, start, end)

    def _refused(self, response: requests.Response, start: int, end: int | None) -> requests.Response:
        status = response.status_code
        if status in (408, 425, 429) or status >= 500:
            raise _PassingError(f"it answers HTTP {status}", _retry_after(response))
        if status == _NOT_SATISFIABLE and start:
            return self._ask(0)
        if status in _REFUSED and self._renew is not None:
            renew, self._renew = self._renew, None
            if (url := renew()) is not None and url != self._url:
                with _only_safe_addresses():
                    check_url(url)
                self._log.info("%s answers HTTP %s. The API has another address for it.", self, status)
                self._url = url
                return self._ask(start, end)
        raise MediaRefusedError(f"{self} answers HTTP {status}.")

    def _check_size(self, size: int) -> None:
        if size > self._limits.max_bytes:
            raise VideoTooLargeError(
                f"{self} has more than the {self._limits.max_bytes:,} bytes that are allowed. It did not land: if that "
                "is right, raise max_bytes."
            )

    def _check_time(self, pause: float = 0.0) -> None:
        if time.monotonic() + pause > self._deadline:
            raise LandingError(
                f"The download of {self} took longer than {self._limits.max_seconds:g} s. {_DID_NOT_LAND}"
            )

    def _forget_response(self) -> None:
        if self._response is not None:
            self._response.close()
            self._response = None


def _pieces(response: requests.Response) -> Any:
    """What arrives, as it arrives: a server that sends a byte a minute must not hold up the limits."""
    try:
        while piece := response.raw.read1(_PIECE_BYTES):
            yield piece
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise _PassingError(f"it broke off ({_reason(error)})") from None


def _first(length: int, response: requests.Response) -> bytes:
    """At most so many bytes, however many a server sends."""
    received = b""
    for piece in _pieces(response):
        received += piece
        if len(received) >= length:
            break
    return received[:length]


@contextmanager
def _only_safe_addresses() -> Iterator[None]:
    try:
        yield
    except UnsafeAddressError as error:
        raise UnsafeUrlError(f"{error} The video was not fetched.") from None


def _promised_size(response: requests.Response) -> int | None:
    """Size of the file; ``None`` if it comes in chunks, whose end can be told."""
    length = response.headers.get("Content-Length", "")
    if length.isdecimal():
        return int(length)
    if response.headers.get("Transfer-Encoding", "").lower() == "chunked":
        return None
    raise BrokenMediaError(
        f"{without_query(response.url)} does not say how long it is, so a cut video could not be told from a whole one."
    )


def _part(response: requests.Response) -> tuple[int, int | None]:
    """Which byte an answer begins with, and how many there are in all, if it says so."""
    if response.status_code != 206:
        return 0, None
    found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
    if found is None:
        raise BrokenMediaError(f"{without_query(response.url)} does not say which part it sends. {_DID_NOT_LAND}")
    total = found[2]
    return int(found[1]), int(total) if total.isdecimal() else None


def _retry_after(response: requests.Response) -> float:
    """Seconds; a date, which no server of media files is known to send, counts as nothing."""
    asked = response.headers.get("Retry-After", "")
    return min(float(asked), _LONGEST_PAUSE) if asked.isdecimal() else 0.0


def _reason(error: BaseException) -> str:
    """The innermost reason: the others only wrap it, and repeat the address with its query."""
    while (inner := error.__cause__ or error.__context__) is not None and inner is not error:
        error = inner
    if isinstance(error, ssl.SSLError):
        return cause_of(error)
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
