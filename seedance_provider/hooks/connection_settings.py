"""
What an Airflow connection says about an account: key, address and options, checked.

The key comes from the connection of the given id and from nowhere else, however Airflow finds it (UI,
``AIRFLOW_CONN_*`` as URI or JSON, secrets back end). A connection that is missing or half filled is an error.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

from seedance_provider.api.coercion import number
from seedance_provider.api.errors import InvalidRequestError
from seedance_provider.api.pricing import is_amount
from seedance_provider.api.protocol import DEFAULT_BASE_URL, SeedanceProtocol, address_problem
from seedance_provider.api.wire_formats import WIRE_FORMATS
from seedance_provider.network.addresses import AddressKind, kind_of

__all__ = ["DEFAULT_MAX_POLLS_PER_SECOND", "ConnectionSettings", "ConnectionSettingsError"]

_LEAST_POLLS_PER_SECOND = 0.1

#: What is copied with an address.
_AROUND = " \t\r\n'\""
_PATH = urlsplit(DEFAULT_BASE_URL).path.strip("/")
_VENDORS = f"The vendor's API is at {DEFAULT_BASE_URL}."
#: The second one has the same API (kept by the vendor as a mirror).
_VENDOR_NAMES = ("kinovi.ai", "seedance2-pro.com")
#: The end of an address that is one call, and not all of the API.
_ENDPOINT = re.compile(r"/?jobs/(createTask|recordInfo)$|(?<=^api/v1)/(jobs|uploads)$")

_OPTIONS = ("wire_format", "max_credits", "typical_seconds", "max_polls_per_second")

#: The vendor names no limit on status calls, but answers 429 to too many.
DEFAULT_MAX_POLLS_PER_SECOND = 10.0


class ConnectionSettingsError(InvalidRequestError):
    """The connection can't work as it is. Nothing was sent."""


class _Connection(Protocol):
    """The part of an Airflow connection that is used here."""

    conn_id: str
    host: str | None
    schema: str | None
    password: str | None
    port: int | None
    extra: str | None


@dataclass(frozen=True)
class ConnectionSettings:
    """
    One account.

    :param api_key: the key; never part of a ``repr``.
    :param base_url: address of the API.
    :param wire_format: see :mod:`seedance_provider.api.wire_formats`.
    :param max_credits: how many credits one video may cost; ``None`` is no limit.
    :param typical_seconds: how long videos of this account usually take, from the fastest to the slowest; ``None`` if
        that is what the vendor says.
    :param max_polls_per_second: how many polls for this account one triggerer makes in a second, at most.
    """

    api_key: str = field(repr=False)
    base_url: str = DEFAULT_BASE_URL
    wire_format: str = "auto"
    max_credits: float | None = None
    typical_seconds: tuple[float, float] | None = None
    max_polls_per_second: float = DEFAULT_MAX_POLLS_PER_SECOND

    def protocol(self) -> SeedanceProtocol:
        """Return the API's protocol for this account."""
        return SeedanceProtocol(self.api_key, self.base_url, self.wire_format)

    @classmethod
    def from_connection(cls, connection: _Connection) -> ConnectionSettings:
        """
        Read a connection.

        :raises ConnectionSettingsError: naming the connection and what is wrong with it, never the key.
        """
        where = f"Connection {connection.conn_id!r}"
        options = _options(connection.extra, where)
        settings = cls(
            api_key=_key(connection.password, where),
            base_url=_base_url(connection, where),
            wire_format=_wire_format(options.get("wire_format"), where),
            max_credits=_max_credits(options.get("max_credits"), where),
            typical_seconds=_typical_seconds(options.get("typical_seconds"), where),
            max_polls_per_second=_max_polls_per_second(options.get("max_polls_per_second"), where),
        )
        try:
            settings.protocol()
        except InvalidRequestError as error:
            problem = f"{where}: {error}"
        else:
            return settings
        # Out here, so that the other one is not even its context: the key was an argument where that was raised.
        raise ConnectionSettingsError(problem)


def _key(password: str | None, where: str) -> str:
    api_key = (password or "").strip()
    if not api_key:
        raise ConnectionSettingsError(
            f"{where} has no API key. Put the account's key into the password of the connection."
        )
    return api_key


def _base_url(connection: _Connection, where: str) -> str:
    """
    Put the address together, which Airflow takes apart differently depending on how the connection was written.

    The form and JSON keep ``https://kinovi.ai/api/v1`` in ``host``; a URI splits it into host, port and schema.
    """
    host = (connection.host or "").strip(_AROUND)
    if not host:
        return DEFAULT_BASE_URL
    schema = (connection.schema or "").strip().strip("/")
    # Other HTTP connections of Airflow keep the protocol in schema; from a URI it is the path.
    protocol = schema if schema in ("http", "https") else ""
    path = "" if protocol else schema
    has_protocol = "://" in host or bool(protocol)
    # What begins like a protocol is a slip, and no name: https:/kinovi.ai.
    if "://" not in host and not re.match("https?[:/]", host):
        host = f"{protocol or 'https'}://{host}"
    host = _with_brackets(host)
    problem = address_problem(host)
    if problem is None and re.search(r"\s", host):
        problem = f"is {host!r}, and an http(s) URL is needed"
    if problem:
        raise ConnectionSettingsError(f"{where}: the host {problem}. {_VENDORS}")
    parts = urlsplit(host)
    netloc = parts.netloc if parts.port or not connection.port else f"{parts.netloc}:{connection.port}"
    full_path = "/".join(part for part in (parts.path.strip("/"), quote(path)) if part)
    name = parts.hostname or ""
    is_local = _is_local(name)
    full_path = _path_of_the_api(name, _ENDPOINT.sub("", full_path), where, is_local=is_local)
    scheme = "http" if is_local and not has_protocol else parts.scheme
    return f"{scheme}://{netloc}/{full_path}".rstrip("/")


def _path_of_the_api(name: str, path: str, where: str, *, is_local: bool) -> str:
    """Add what is missing at the vendor, and at the emulator; elsewhere the API may be anywhere."""
    if name in _VENDOR_NAMES:
        if path in ("", "api"):
            return _PATH
        if path.startswith("api/"):
            return path
    elif name.removeprefix("www.") not in _VENDOR_NAMES:
        return _PATH if is_local and not path else path
    raise ConnectionSettingsError(f"{where}: the host is {f'{name}/{path}'!r}, which is no part of the API. {_VENDORS}")


def _is_local(name: str) -> bool:
    try:
        return name == "localhost" or kind_of(name) is AddressKind.LOOPBACK
    except ValueError:
        return False


def _with_brackets(url: str) -> str:
    """Airflow takes the brackets off an IPv6 address when it reads a URI."""
    protocol, _, rest = url.partition("://")
    return f"{protocol}://[{rest}]" if re.fullmatch(r"[0-9a-fA-F:.]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*", rest) else url


def _options(extra: str | None, where: str) -> dict[str, Any]:
    """The options in extra. Those that are set to nothing, as the form does, count as left out."""
    if not extra or not extra.strip():
        return {}
    try:
        options = json.loads(extra)
    except ValueError:
        options = None
    if not isinstance(options, dict):
        raise ConnectionSettingsError(f"{where}: extra is not a JSON object.")
    if unknown := [name for name in options if name not in _OPTIONS]:
        raise ConnectionSettingsError(
            f"{where}: extra holds {', '.join(map(repr, unknown))}, and the known options are {', '.join(_OPTIONS)}."
        )
    return {name: value for name, value in options.items() if value not in (None, "")}


def _max_credits(value: Any, where: str) -> float | None:
    amount: float | None = number(value)
    if amount is not None and not is_amount(amount):
        raise ConnectionSettingsError(f"{where}: max_credits is {value!r}, and a number of credits is needed.")
    return amount


def _typical_seconds(value: Any, where: str) -> tuple[float, float] | None:
    """Read ``"60-300"``, as the form and a URI have it, or a list of the two."""
    if value is None:
        return None
    ends = [number(end) for end in (value.split("-") if isinstance(value, str) else value)] if _is_range(value) else []
    if len(ends) != 2 or not all(is_amount(end) for end in ends) or not 0 < ends[0] <= ends[1]:
        raise ConnectionSettingsError(
            f"{where}: typical_seconds is {value!r}, and the seconds of the fastest and of the slowest videos are "
            "needed, such as '60-300'."
        )
    return float(ends[0]), float(ends[1])


def _max_polls_per_second(value: Any, where: str) -> float:
    polls: Any = DEFAULT_MAX_POLLS_PER_SECOND if value is None else number(value)
    if not is_amount(polls) or polls < _LEAST_POLLS_PER_SECOND:
        raise ConnectionSettingsError(
            f"{where}: max_polls_per_second is {value!r}, and at least {_LEAST_POLLS_PER_SECOND:g} is needed."
        )
    return float(polls)


def _is_range(value: Any) -> bool:
    return isinstance(value, str | list)


def _wire_format(value: Any, where: str) -> str:
    if value is None:
        return "auto"
    if not isinstance(value, str) or value not in WIRE_FORMATS:
        raise ConnectionSettingsError(
            f"{where}: wire_format is {value!r}, and the known formats are {', '.join(WIRE_FORMATS)}."
        )
    return value
