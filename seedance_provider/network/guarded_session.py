"""HTTP to an address from outside, which is not the API: no key is ever sent there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

if TYPE_CHECKING:
    import socket

    from seedance_provider.network.addresses import AddressRule

__all__ = ["guarded_session"]


def guarded_session(rule: AddressRule) -> requests.Session:
    """
    Return a session that connects only to what a rule allows, also after redirects and whatever a name resolves to by
    then. A proxy, if the environment names one, has to see to that itself.

    :param rule: which addresses.
    """
    session = _Session()
    # What is compressed on its way has another length, and can't be resumed.
    session.headers["Accept-Encoding"] = "identity"
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


class _GuardedAdapter(HTTPAdapter):
    def __init__(self, rule: AddressRule) -> None:
        self._rule = rule
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _guarded_pools(self._rule)


def _guarded_pools(rule: AddressRule) -> dict[str, type[HTTPConnectionPool]]:
    """
    Pools whose connections look at whom they have reached before they say anything.

    To resolve the name beforehand would not do: it may resolve to something else a moment later.
    """

    class Connection(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return _checked(super()._new_conn(), rule)

    class SecureConnection(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return _checked(super()._new_conn(), rule)

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = SecureConnection

    return {"http": Pool, "https": SecurePool}


def _checked(opened: socket.socket, rule: AddressRule) -> socket.socket:
    try:
        rule.check(opened.getpeername()[0])
    except BaseException:
        opened.close()
        raise
    return opened
