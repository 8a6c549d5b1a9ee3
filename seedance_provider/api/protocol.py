"""
The API's HTTP, without any I/O: builds each request, and reads each response into a value or an error.

Both clients drive it, so they can't drift apart, and its tests need no sockets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html import unescape
from typing import TYPE_CHECKING, Any, TypeGuard
from urllib.parse import quote, urlencode, urlsplit

from seedance_provider import USER_AGENT
from seedance_provider.api.errors import (
    ApiError,
    BadRequestError,
    ConnectionLostError,
    ConnectionNotEstablishedError,
    InvalidRequestError,
    SeedanceError,
    TaskNotFoundError,
    TransportError,
    UndocumentedRefusalError,
    UnexpectedResponseError,
)
from seedance_provider.api.http_errors import (
    REDIRECTED,
    UNDOCUMENTED_REFUSAL,
    WEB_PAGE,
    HttpError,
    classify_http_error,
    is_refusal,
)
from seedance_provider.api.uploads import LIFETIME_SECONDS, UploadTicket
from seedance_provider.api.video_task import VideoTask
from seedance_provider.api.wire_formats import encode_bodies

if TYPE_CHECKING:
    from seedance_provider.api.video_request import VideoRequest

__all__ = [
    "DEFAULT_BASE_URL",
    "MAX_ANSWER_BYTES",
    "HttpRequest",
    "HttpResponse",
    "SeedanceProtocol",
    "address_problem",
    "reading",
]

#: Beyond a year of seconds a number is no lifetime.
_LONGEST_LIFETIME = 366 * 24 * 3600

_SHORTEST_KEY = 12

#: Any answer of the API is a few hundred bytes; what is longer than this is none.
MAX_ANSWER_BYTES = 4 * 1024**2

#: Of a text of the API in a message, and of what has come instead of one.
_LONGEST_TEXT = 1000
_LONGEST_EXCERPT = 200
_LONGEST_TITLE = 80
_LONGEST_ID = 256
_IN_NUMBERS = re.compile(r"\\u00([2-7][0-9a-fA-F])")

_HINT = ". Is the host of the connection the full base URL, path included?"
# With bounds, because a page of nothing but beginnings would take minutes.
_TITLE = re.compile(r"<title[^>]{0,200}>([^<]{1,2000})</title>", re.IGNORECASE)

#: The API of the vendor.
DEFAULT_BASE_URL = "https://kinovi.ai/api/v1"


@dataclass(frozen=True)
class HttpRequest:
    """A request to be sent as it is: no redirects, no retries by the transport."""

    method: str
    url: str
    #: Hold the key, so they never appear in a ``repr``.
    headers: Mapping[str, str] = field(repr=False)
    params: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True)
class HttpResponse:
    """
    What came back. Some repeat there what they were sent, so most of it never appears in a ``repr`` either.

    :param status: HTTP status.
    :param headers: by name.
    :param body: as it came, never unpacked, and of more than :data:`MAX_ANSWER_BYTES` only the beginning.
    :param lost: what ended the body before it was whole.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    lost: TransportError | None = None


@dataclass(frozen=True)
class _Content:
    """What an undocumented answer holds, as it may be shown: its type, and its text, or the title of a page."""

    kind: str
    shown: str
    text: str
    is_html: bool

    def __str__(self) -> str:
        return f"{self.kind}, {self.shown}"


@dataclass(frozen=True)
class SeedanceProtocol:
    """
    The API at one address, for one account.

    :param api_key: the account's key.
    :param base_url: address of the API, with its path, without a slash at the end.
    :param wire_format: see :mod:`seedance_provider.api.wire_formats`.
    :raises InvalidRequestError: if the key or the address can't be right. The key is never part of the message.
    """

    api_key: str = field(repr=False)
    base_url: str = DEFAULT_BASE_URL
    wire_format: str = "auto"

    def __post_init__(self) -> None:
        if problem := address_problem(self.base_url):
            raise InvalidRequestError(f"The API's address {problem}.")
        # An HTTP library would name the offending header, key included.
        if not self.api_key or not all("!" <= character <= "~" for character in self.api_key):
            raise InvalidRequestError("The API key is empty, or has spaces or characters that no key has.")

    def without_key(self, said: str) -> str:
        """
        Return what somebody has said, as it may be shown: some repeat what they were sent, and the key with it.

        Only for texts that people read. Ids and addresses have to stay as they are: with them a video is found.

        :param said: by the API, or by whatever answers in its place.
        """
        # What is shorter is the key of an emulator, and may well be a part of some word.
        if len(self.api_key) < _SHORTEST_KEY:
            return said
        # In a text of JSON, some of which escape slashes, and in a URL, some of which don't.
        in_json = json.dumps(self.api_key)[1:-1]
        others = (in_json, in_json.replace("/", "\\/"), quote(self.api_key), quote(self.api_key, safe=""))
        spellings = (self.api_key, *others)
        # UTF-16 has a zero beside each character of a key, and JSON may have numbers for characters.
        plain = _IN_NUMBERS.sub(lambda found: chr(int(found[1], 16)), said.replace("\0", ""))
        if any(spelling in plain for spelling in spellings):
            said = plain
        for spelling in spellings:
            said = said.replace(spelling, "***")
        return said

    def _shown(self, said: str, longest: int = _LONGEST_TEXT) -> str:
        """Return what somebody has said without the key, and not all of it if it has no end."""
        said = self.without_key(said)
        return said if len(said) <= longest else f"{said[:longest]}…"

    def create_task(self, request: VideoRequest) -> dict[str, HttpRequest]:
        """
        Build the request that creates, and pays for, a video, by the name of its wire format.

        Those after the first one say the same in older formats: each is for an API that has answered all before it
        with 400, so has accepted and charged nothing.
        """
        url = f"{self.base_url}/jobs/createTask"
        bodies = encode_bodies(request, self.wire_format)
        return {
            name: HttpRequest("POST", url, self._headers(), body=json.dumps(body).encode())
            for name, body in bodies.items()
        }

    def record_info(self, video_task_id: str) -> HttpRequest:
        """Build the request that asks for a video task. It costs nothing."""
        return HttpRequest("GET", self._records_url, self._headers(), params={"taskId": video_task_id})

    def record_url(self, video_task_id: str) -> str:
        """Return where the record of a video task is, for people; the API asks for the key there."""
        return f"{self._records_url}?{urlencode({'taskId': video_task_id})}"

    @property
    def _records_url(self) -> str:
        return f"{self.base_url}/jobs/recordInfo"

    def ask_for_upload(self, file_name: str) -> HttpRequest:
        """Build the request for a place to put a file. It costs nothing."""
        body = json.dumps({"fileName": file_name}).encode()
        return HttpRequest("POST", f"{self.base_url}/uploads", self._headers(), body=body)

    def read_ticket(self, response: HttpResponse) -> UploadTicket:
        """
        Return where to put a file.

        :raises ApiError: whose ``read_verdict`` tells whether asking again can help.
        """
        ticket = _ticket_in(self._read_object(response))
        if ticket is None:
            raise self._unexpected(response, "the answer names no place for the file")
        return ticket

    def put_file(self, ticket: UploadTicket) -> HttpRequest:
        """Build the request that carries the bytes. The key stays here: the URL is signed, and may be anybody's."""
        return HttpRequest("PUT", ticket.upload_url, {"Content-Type": ticket.content_type})

    def read_put(self, response: HttpResponse) -> None:
        """
        Check that the bytes have arrived.

        :raises UnexpectedResponseError: if they have not.
        """
        if not 200 <= response.status < 300:
            raise self._unexpected(response, "the storage did not take the file")

    def no_answer(self, request: HttpRequest, cause: str, *, was_sent: bool = True) -> TransportError:
        """
        Return the error for a request that was not answered.

        :param request: that was sent, or should have been.
        :param cause: what happened to the connection.
        :param was_sent: whether any of it may have arrived.
        """
        # Not all of the address: that of an upload is signed.
        parts = urlsplit(request.url)
        host, cause = f"{parts.scheme}://{parts.netloc}", self._shown(cause, _LONGEST_EXCERPT)
        if was_sent:
            return ConnectionLostError(f"{host} did not answer completely: {cause}.")
        return ConnectionNotEstablishedError(f"{host} could not be reached: {cause}. Nothing was sent.")

    def read_created(self, response: HttpResponse) -> str:
        """
        Return the id of the video task that was created.

        :raises ApiError: whose ``create_verdict`` tells whether the API can have accepted the request.
        """
        video_task_id = _fields_of(self._read_object(response)).get("taskId")
        if _is_id(video_task_id):
            return video_task_id
        video_task_id = self._shown(video_task_id, _LONGEST_EXCERPT) if isinstance(video_task_id, str) else None
        given = f" that can be one: {video_task_id!r}" if video_task_id else ""
        raise self._unexpected(response, f"the answer holds no taskId{given}")

    def read_record(self, response: HttpResponse, video_task_id: str) -> VideoTask:
        """
        Return the video task that was asked for.

        :raises ApiError: whose ``read_verdict`` tells whether asking again can help.
        """
        try:
            answer = self._read_object(response)
        except BadRequestError as error:
            # The id is all that such a request has, so whatever is wrong with it is the id.
            raise TaskNotFoundError(**vars(error)) from None
        task = VideoTask.from_record(answer, video_task_id=video_task_id)
        if problem := _problem_of(task, video_task_id):
            del answer, task
            raise self._unexpected(response, problem)
        return replace(
            task,
            model=task.model and self._shown(task.model),
            media_type=task.media_type and self._shown(task.media_type),
            raw_status=task.raw_status and self._shown(task.raw_status),
            error_code=task.error_code and self._shown(task.error_code),
            error_message=task.error_message and self._shown(task.error_message),
        )

    def _read_object(self, response: HttpResponse) -> dict[str, Any]:
        """Return the JSON object of a success, or raise the error that the response stands for."""
        # Even if something was missing behind it: an object is whole, or it can't be read.
        answer = _object_in(response) if 200 <= response.status < 300 else None
        if answer is None:
            # Made elsewhere, as all errors here: where one is raised, no local variable may hold what was answered.
            raise self._error(response)
        return answer

    def _error(self, response: HttpResponse) -> SeedanceError:
        body = _object_in(response) or {}
        message = body.get("message")
        if isinstance(message, str) and (known := classify_http_error(response.status, message)):
            return _refusal(response, known, self._shown(_with_field_errors(message, body.get("errors"))), body)
        if is_refusal(response.status):
            return self._undocumented_refusal(response, body)
        if response.lost is not None:
            return response.lost
        return self._unexpected(response, "an answer that the API's documentation does not know")

    def _undocumented_refusal(self, response: HttpResponse, body: Mapping[str, Any]) -> ApiError:
        """Return the error for a status that is enough by itself, whatever the body is and whatever has sent it."""
        content = self._content(response)
        target = _header(response, "Location")
        if known := classify_http_error(response.status, content.text) if response.status == 429 else None:
            return _refusal(response, known, content.text or "too many requests", body)
        if response.status < 400:
            kind = REDIRECTED
            what = f"a redirect to {self._shown(target, _LONGEST_EXCERPT) if target else 'nowhere'}, not followed"
        elif content.is_html:
            kind = WEB_PAGE
            what = f"a page of a firewall, a gateway or a web site{content.text and f', {content.text!r}'}{_HINT}"
        else:
            kind, what = UNDOCUMENTED_REFUSAL, f"refused ({content})"
        return UndocumentedRefusalError(
            what,
            status=response.status,
            retry_after=_retry_after(response, body),
            reason=kind.reason,
            advice=kind.advice,
            looks_like_html=content.is_html,
        )

    def _unexpected(self, response: HttpResponse, what: str) -> UnexpectedResponseError:
        content = self._content(response)
        return UnexpectedResponseError(
            f"{what} ({content}){_HINT if content.is_html else ''}",
            status=response.status,
            retry_after=_retry_after(response),
            looks_like_html=content.is_html,
        )

    def _content(self, response: HttpResponse) -> _Content:
        kind = self._shown(_header(response, "Content-Type") or "no content type", _LONGEST_EXCERPT)
        packed = self._shown(_header(response, "Content-Encoding") or "", _LONGEST_EXCERPT)
        start = self.without_key(response.body[: 64 * 1024].decode("utf-8", "replace").strip())
        is_html = "html" in kind.lower() or start.lower().startswith(("<!doctype html", "<html"))
        if len(response.body) > MAX_ANSWER_BYTES:
            return _Content(kind, f"more than {MAX_ANSWER_BYTES:,} bytes", "", is_html)
        if packed.lower() not in ("", "identity"):
            return _Content(kind, f"packed with {packed}, which was not asked for", "", is_html)
        if is_html:
            title = _TITLE.search(start)
            words = self.without_key(" ".join(unescape(title[1]).split())) if title else ""
            return _Content(kind, "an HTML page", words[:_LONGEST_TITLE], is_html)
        text = start[:_LONGEST_EXCERPT]
        return _Content(kind, repr(text) if text else "an empty body", text, is_html)

    def _headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self.api_key}",
            "Content-Type": "application/json",
            "Accept": "application/json",
            # What is packed can be of any size.
            "Accept-Encoding": "identity",
            "User-Agent": USER_AGENT,
        }


def address_problem(url: str) -> str | None:
    """
    Return what is wrong with an address of the API, or ``None``.

    The address is not shown if it may hold credentials, which some people put there.
    """
    shown = "is not a URL" if "@" in url else f"is {url!r}"
    try:
        parts = urlsplit(url)
        has_host = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return f"{shown}, and an http(s) URL is needed"
    if parts.scheme not in ("http", "https") or not has_host:
        return f"{shown}, and an http(s) URL is needed"
    if "@" in parts.netloc:
        return "holds credentials, and the key belongs into the password of the connection"
    return None


@contextmanager
def reading() -> Iterator[None]:
    """Note on an error that it comes from a call that costs nothing, however often it is sent."""
    try:
        yield
    except SeedanceError as error:
        error.was_reading = True
        raise


def _is_positive(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < _LONGEST_LIFETIME


def _object_in(response: HttpResponse) -> dict[str, Any] | None:
    """The JSON object of an answer, or ``None`` if it holds anything else, or more than any answer can."""
    if len(response.body) > MAX_ANSWER_BYTES:
        return None
    try:
        body = json.loads(response.body)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _fields_of(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Some answers have them under ``data``."""
    data = answer.get("data")
    return data if isinstance(data, Mapping) else answer


def _problem_of(task: VideoTask, asked: str) -> str | None:
    if task.raw_status is None:
        return "the answer holds no status"
    if task.video_task_id != asked:
        # Of a cache, say. If it were believed, another video would be taken for the one that was paid for.
        return f"the answer is not about {asked}, but about another video task"
    return None


def _is_id(value: Any) -> TypeGuard[str]:
    """Whether a video task can be found by it: in a log, a record and an address it has to stay as it is."""
    return isinstance(value, str) and 1 <= len(value) <= _LONGEST_ID and value.isprintable() and " " not in value


def _ticket_in(answer: Mapping[str, Any]) -> UploadTicket | None:
    fields = _fields_of(answer)
    links = [fields.get(name) for name in ("uploadUrl", "url")]
    if not all(isinstance(link, str) and address_problem(link) is None for link in links):
        return None
    lifetime = fields.get("assetTtlSeconds")
    content_type = fields.get("contentType")
    return UploadTicket(
        upload_url=str(links[0]),
        url=str(links[1]),
        content_type=content_type if isinstance(content_type, str) else "application/octet-stream",
        lifetime_seconds=lifetime if _is_positive(lifetime) else LIFETIME_SECONDS,
    )


def _refusal(response: HttpResponse, known: HttpError, said: str, body: Mapping[str, Any]) -> ApiError:
    return known.error_class(
        said,
        status=response.status,
        retry_after=_retry_after(response, body),
        reason=known.reason,
        advice=known.advice,
        is_listed=known.is_listed,
        **{name: _figure(body.get(name)) for name in known.figures},
    )


def _figure(value: Any) -> float | None:
    """Only a number is one: whatever else stands there must not be counted with, or handed on."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _with_field_errors(message: str, errors: Any) -> str:
    """Append what the API says of single fields: ``duration: Duration must be between ...``."""
    if not isinstance(errors, list):
        return message
    said = [f"{_field(error.get('path'))}: {error.get('message')}" for error in errors if isinstance(error, Mapping)]
    return f"{message} ({'; '.join(said)})" if said else message


def _field(path: Any) -> str:
    if isinstance(path, list) and path:
        return ".".join(map(str, path))
    return path if isinstance(path, str) and path else "?"


def _header(response: HttpResponse, name: str) -> str | None:
    return next((value for key, value in response.headers.items() if key.lower() == name.lower()), None)


def _retry_after(response: HttpResponse, body: Mapping[str, Any] | None = None) -> float | None:
    """Seconds to wait, from the header or from the body; the vendor documents neither, but any proxy may send one."""
    value = (_header(response, "Retry-After") or "").strip()
    seconds = float(value) if value.isdecimal() else _seconds_until(value)
    given = _figure(_fields_of(body or {}).get("retry_after")) if seconds is None else seconds
    return float(given) if given == 0 or _is_positive(given) else None


def _seconds_until(value: str) -> float | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        return None
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
