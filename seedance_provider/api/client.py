"""The API over requests: sockets only, every decision is in the protocol."""

from __future__ import annotations

import logging
import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO, Self
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ProxyError, SSLError

from seedance_provider.api.errors import (
    ApiError,
    ConnectionLostError,
    ConnectionNotEstablishedError,
    InvalidRequestError,
    TransportError,
)
from seedance_provider.api.protocol import HttpRequest, HttpResponse, Protocol, reading
from seedance_provider.api.uploads import Upload, UploadTicket, file_problem
from seedance_provider.network.addresses import AddressRule, UnsafeAddressError
from seedance_provider.network.guarded_session import guarded_session

if TYPE_CHECKING:
    from types import TracebackType

    from seedance_provider.api.video_request import VideoRequest
    from seedance_provider.api.video_task import VideoTask

__all__ = ["SeedanceClient"]

_LOG = logging.getLogger(__name__)

_BAD_REQUEST = 400
_CONNECT_SECONDS = 10
#: Giving up on an answer leaves the fate of a paid request open, so createTask is given much more time.
_CREATE_SECONDS = 120
_READ_SECONDS = 30
_PUT_SECONDS = 300


class SeedanceClient:
    """
    A client of the API. It never repeats a request on its own.

    :param protocol: whose account, at which address.
    """

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self._session = requests.Session()

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
        :raises SeedanceError: whose ``on_create`` tells whether the API can have accepted the request.
        """
        refusals: list[ApiError] = []
        for wire_format, asked in self._protocol.create_task(request).items():
            # A kept-alive connection may have been closed by the server meanwhile, which would leave the fate of a
            # paid request open for nothing: each of these requests gets a connection of its own.
            with requests.Session() as session:
                response = self._send(session, asked, _CREATE_SECONDS)
            try:
                task_id = self._protocol.read_created(response)
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
            return task_id
        # An older API refuses what is new to it first; the newest knows best what is wrong.
        raise refusals[0]

    def get_task(self, task_id: str) -> VideoTask:
        """
        Return a video task. It costs nothing.

        :param task_id: the video task.
        :raises SeedanceError: whose ``on_read`` tells whether asking again can help.
        """
        with reading():
            response = self._send(self._session, self._protocol.record_info(task_id), _READ_SECONDS)
            return self._protocol.read_record(response, task_id)

    def upload(self, file: BinaryIO, file_name: str, size: int) -> Upload:
        """
        Hand a file to the API, for at most 24 hours. It costs nothing, and can be repeated.

        :param file: opened for reading; read in small parts.
        :param file_name: with its ending, by which the API tells what it is.
        :param size: in bytes.
        :raises InvalidRequestError: if the API takes no such file; nothing was sent.
        :raises SeedanceError: whose ``on_read`` tells whether doing it again can help.
        """
        if problem := file_problem(file_name, size):
            raise InvalidRequestError(f"The file can't be uploaded: {problem}. Nothing was sent or charged.")
        with reading():
            asked = self._send(self._session, self._protocol.ask_for_upload(file_name), _READ_SECONDS)
            ticket = self._protocol.read_ticket(asked)
            self._protocol.read_put(self._put(ticket, _Sized(file, size)))
        return Upload.of(ticket, size, datetime.now(UTC))

    def _put(self, ticket: UploadTicket, file: _Sized) -> HttpResponse:
        # An address that somebody else names may lead into the own network, as that of a video may.
        rule = AddressRule.beside(self._protocol.base_url)
        # With a session of its own: nothing of the API's is to reach the storage, not even a cookie.
        with guarded_session(rule) as session:
            try:
                return self._send(session, self._protocol.put_file(ticket), _PUT_SECONDS, file)
            except UnsafeAddressError:
                host = urlsplit(ticket.upload_url).hostname
        raise InvalidRequestError(
            f"The API wants the file to be put to {host}, which is no public address, and the API itself is at none of "
            "that kind. Nothing was uploaded or charged."
        )

    def _send(
        self, session: requests.Session, request: HttpRequest, read_seconds: float, file: _Sized | None = None
    ) -> HttpResponse:
        try:
            response = session.request(
                request.method,
                request.url,
                params=dict(request.params),
                data=request.body if file is None else file,
                headers=dict(request.headers),
                # Without an auth of ours, requests would replace our header by what a .netrc file says.
                auth=_keep_headers,
                timeout=(_CONNECT_SECONDS, read_seconds),
                # A redirect would resend the request, and the key, to somebody else.
                allow_redirects=False,
            )
            return HttpResponse(response.status_code, response.headers, response.content)
        except requests.RequestException as error:
            lost = self._transport_error(error, request)
        # Out here, so that it is not even the context of ours: that error holds the request, with the key in a header.
        raise lost

    def _transport_error(self, error: requests.RequestException, request: HttpRequest) -> TransportError:
        parts = urlsplit(request.url)
        # Not all of it, nor the error's own words, which have the rest: the URL of an upload is signed.
        cause = type(error).__name__ if request.method == "PUT" else self._protocol.without_key(_cause(error))
        host = f"{parts.scheme}://{parts.netloc}"
        if _was_not_sent(error):
            return ConnectionNotEstablishedError(f"{host} could not be reached: {cause}. Nothing was sent.")
        return ConnectionLostError(f"{host} did not answer completely: {cause}.")


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


def _was_not_sent(error: requests.RequestException) -> bool:
    """Only what certainly happened before the first byte was sent counts; everything else may have arrived."""
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    if isinstance(reason, SSLError):
        # A certificate is refused during the handshake; other TLS errors can come at any time.
        return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in reason.args)
    if isinstance(reason, ProxyError):
        # urllib3 says this also of an answer that a proxy lost, so only its own cause tells.
        cause = reason.original_error
        refused = isinstance(cause, OSError) and str(cause).startswith("Tunnel connection failed")
        return refused or isinstance(cause, NewConnectionError | ConnectTimeoutError)
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)


def _cause(error: requests.RequestException) -> str:
    return f"{type(error).__name__}: {error}"
