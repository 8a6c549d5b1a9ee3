"""The API over requests: sockets only, every decision is in the protocol."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO, Self
from urllib.parse import urlsplit

import requests
import urllib3

from seedance_provider.api.errors import ApiError, InvalidRequestError
from seedance_provider.api.protocol import MAX_ANSWER_BYTES, HttpRequest, HttpResponse, SeedanceProtocol, reading
from seedance_provider.api.uploads import Upload, UploadTicket, file_problem
from seedance_provider.network.addresses import AddressRule, UnsafeAddressError
from seedance_provider.network.causes import cause_of
from seedance_provider.network.environment import ca_bundle
from seedance_provider.network.exchange import Exchange, TimedAdapter
from seedance_provider.network.guarded_session import guarded_session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from seedance_provider.api.video_request import VideoRequest
    from seedance_provider.api.video_task import VideoTask

__all__ = ["SeedanceClient"]

_LOG = logging.getLogger(__name__)

_BAD_REQUEST = 400
_CONNECT_SECONDS = 10
#: Giving up on an answer leaves the fate of a paid request open, so createTask is given much more time. These are for a
#: call as a whole, however slowly it is answered.
_CREATE_SECONDS = 150
_READ_SECONDS = 30
_PUT_SECONDS = 300
_PUT_BYTES_PER_SECOND = 1_000_000
_PIECE_BYTES = 64 * 1024


class SeedanceClient:
    """
    A client of the API. It never repeats a request on its own.

    :param protocol: whose account, at which address.
    """

    def __init__(self, protocol: SeedanceProtocol) -> None:
        self._protocol = protocol
        self._session = _session()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def create_task(self, request: VideoRequest) -> str:
        """
        Create a video, which costs credits, and return the id of the video task.

        The request is sent once, or, where the connection pins no wire format, once more in each older format after an
        answer of HTTP 400, which means that nothing was accepted.

        :param request: what to ask for.
        :raises SeedanceError: whose ``create_verdict`` tells whether the API can have accepted the request.
        """
        refusals: list[ApiError] = []
        deadline = _deadline(_CREATE_SECONDS)
        for wire_format, asked in self._protocol.create_task(request).items():
            # A kept-alive connection may have been closed by the server meanwhile, which would leave the fate of a
            # paid request open for nothing: each of these requests gets a connection of its own.
            with _session() as session:
                response = self._send(session, asked, deadline)
            try:
                video_task_id = self._protocol.read_created(response)
            except ApiError as error:
                if error.status != _BAD_REQUEST:
                    raise
                refusals.append(error)
                continue
            if refusals:
                _LOG.info(
                    "The API accepted wire format %r after it had refused a newer one (%s). "
                    "Set wire_format to %r in the connection to save that call for each video.",
                    *(wire_format, refusals[0], wire_format),
                )
            return video_task_id
        # An older API refuses what is new to it first; the newest knows best what is wrong.
        raise refusals[0]

    def get_task(self, video_task_id: str) -> VideoTask:
        """
        Return a video task. It costs nothing.

        :param video_task_id: the video task.
        :raises SeedanceError: whose ``read_verdict`` tells whether asking again can help.
        """
        with reading():
            response = self._send(self._session, self._protocol.record_info(video_task_id), _deadline(_READ_SECONDS))
            return self._protocol.read_record(response, video_task_id)

    def upload(self, file: BinaryIO, file_name: str, size: int) -> Upload:
        """
        Upload a file to the API, for at most 24 hours. It costs nothing, and can be repeated.

        :param file: opened for reading; read in small parts.
        :param file_name: with its ending, by which the API tells what it is.
        :param size: in bytes.
        :raises InvalidRequestError: if the API takes no such file; nothing was sent.
        :raises SeedanceError: whose ``read_verdict`` tells whether doing it again can help.
        """
        if problem := file_problem(file_name, size):
            raise InvalidRequestError(f"The file can't be uploaded: {problem}. Nothing was sent or charged.")
        with reading():
            asked = self._send(self._session, self._protocol.ask_for_upload(file_name), _deadline(_READ_SECONDS))
            ticket = self._protocol.read_ticket(asked)
            self._protocol.read_put(self._put(ticket, _Sized(file, size)))
        return Upload.of(ticket, size, datetime.now(UTC))

    def _put(self, ticket: UploadTicket, file: _Sized) -> HttpResponse:
        # An address that somebody else names may be private, as that of a video may.
        rule = AddressRule.beside(self._protocol.base_url)
        # With a session of its own: nothing of the API's is to reach the storage, not even a cookie.
        with guarded_session(rule) as session:
            try:
                deadline = _deadline(_PUT_SECONDS + len(file) / _PUT_BYTES_PER_SECOND)
                return self._send(session, self._protocol.put_file(ticket), deadline, file)
            except UnsafeAddressError:
                host = urlsplit(ticket.upload_url).hostname
        raise InvalidRequestError(
            f"The API wants the file to be put to {host}, which is no public address, and the API itself is at none of "
            "that kind. Nothing was uploaded or charged."
        )

    def _send(
        self, session: requests.Session, request: HttpRequest, deadline: float, file: _Sized | None = None
    ) -> HttpResponse:
        exchange = Exchange(deadline)
        response: requests.Response | None = None
        body, piece, cause = bytearray(), b"", ""
        try:
            with exchange:
                response = session.request(
                    request.method,
                    request.url,
                    params=dict(request.params),
                    data=request.body if file is None else file,
                    headers=dict(request.headers),
                    # Without an auth of ours, requests would replace our header by what a .netrc file says.
                    auth=_keep_headers,
                    timeout=(_CONNECT_SECONDS, max(deadline - time.monotonic(), _CONNECT_SECONDS)),
                    # A redirect would resend the request, and the key, to somebody else.
                    allow_redirects=False,
                    stream=True,
                )
                with response:
                    for piece in _pieces(response):
                        body += piece
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            cause = self._protocol.without_key(cause_of(error))
        except BaseException as error:
            # A task that is interrupted: the frames of the library hold the key, and what came back may.
            response, piece = None, b""
            body.clear()
            error.__context__ = None
            raise error.with_traceback(None) from None
        if exchange.timed_out:
            cause = "timed out"
        # Out here, so that no error of a library is even the context of ours: those hold the key in a header.
        if response is None:
            raise self._protocol.no_answer(request, cause, was_sent=exchange.was_sent)
        lost = self._protocol.no_answer(request, cause) if cause else None
        return HttpResponse(response.status_code, response.headers, bytes(body), lost)


def _session() -> requests.Session:
    session = requests.Session()
    session.verify = ca_bundle() or True
    for scheme in ("http://", "https://"):
        session.mount(scheme, TimedAdapter())
    return session


def _deadline(seconds: float) -> float:
    return time.monotonic() + seconds


def _pieces(response: requests.Response) -> Iterator[bytes]:
    """What arrives, as it arrives and without unpacking it; no more than can be an answer."""
    left = MAX_ANSWER_BYTES + 1
    while left > 0 and (piece := response.raw.read1(min(left, _PIECE_BYTES), decode_content=False)):
        left -= len(piece)
        yield piece


class _Sized:
    """A file whose length is said beforehand: signed URLs take no chunks."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size

    def __len__(self) -> int:
        return self._size

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)


def _keep_headers(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
