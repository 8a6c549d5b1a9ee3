"""HTTP to an address from outside, which is not the API: no key is ever sent there."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import requests

from seedance_provider import USER_AGENT
from seedance_provider.network.environment import ca_bundle
from seedance_provider.network.exchange import TimedAdapter, with_connections

if TYPE_CHECKING:
    import socket

    from urllib3.connection import HTTPConnection

    from seedance_provider.network.addresses import AddressRule

__all__ = ["guarded_session"]


def guarded_session(rule: AddressRule) -> requests.Session:
    """
    Return a session that connects only to what a rule allows, also after redirects and whatever a name resolves to by
    then. A proxy, if the environment names one, has to see to that itself.

    :param rule: which addresses.
    """
    session = _Session()
    session.verify = ca_bundle() or True
    # What is compressed on its way has another length, and can't be resumed.
    session.headers["Accept-Encoding"] = "identity"
    # Some hosts refuse that of requests.
    session.headers["User-Agent"] = USER_AGENT
    adapter = _GuardedAdapter(rule)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def _no_netrc(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Without an auth of ours, requests would send what a .netrc file has for the host."""
    return request


class _Session(requests.Session):
    def __init__(self) -> None:
        super().__init__()
        self.auth = _no_netrc

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """After a redirect, requests would look into the .netrc file all the same."""


class _GuardedAdapter(TimedAdapter):
    def __init__(self, rule: AddressRule) -> None:
        self._rule = rule
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = with_connections(
            self.poolmanager.pool_classes_by_scheme, partial(_guarded, rule=self._rule)
        )


def _guarded(connection_class: Any, rule: AddressRule) -> type[HTTPConnection]:
    """
    Return a kind of connection that checks which address it has reached before it sends anything.

    To resolve the name beforehand would not do: it may resolve to something else a moment later.
    """

    class Connection(connection_class):  # type: ignore[misc]
        def _new_conn(self) -> socket.socket:
            return _checked(super()._new_conn(), rule)

    return Connection


def _checked(opened: socket.socket, rule: AddressRule) -> socket.socket:
    try:
        rule.check(opened.getpeername()[0])
    except BaseException:
        opened.close()
        raise
    return opened
