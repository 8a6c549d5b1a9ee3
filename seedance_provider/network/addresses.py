"""
Which addresses may be connected to. Those of videos, and of the storage for files, come from outside, so they must not
be private ones: the metadata service of a cloud, say, or a database next door.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

__all__ = ["AddressKind", "AddressRule", "UnsafeAddressError", "check_url", "kind_of", "without_query"]

#: An IPv4 address as a network without IPv4 writes it (RFC 6052).
_NAT64 = IPv6Network("64:ff9b::/96")
#: All of IPv6 that is public so far. Python calls some of the rest global: local NAT64, say, and site-local addresses.
_GLOBAL_UNICAST = IPv6Network("2000::/3")
#: Not public, whatever Python says: its patch levels differ about the special ranges, and none knows the address that
#: answers inside of Azure's virtual machines only.
_NEVER_PUBLIC = tuple(map(ip_network, ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20", "168.63.129.16")))


class UnsafeAddressError(Exception):
    """An address is not one to connect to. Nothing was sent there."""


class AddressKind(StrEnum):
    """What an IP address is good for; the word that a message uses for it."""

    PUBLIC = "public"
    PRIVATE = "private"
    LOOPBACK = "loopback"
    LINK_LOCAL = "link-local"


def kind_of(address: str) -> AddressKind:
    """
    Return what an IP address is good for.

    :param address: without a port.
    """
    # An IPv6 address can name its interface: fe80::1%eth0.
    ip = _plain(ip_address(address.partition("%")[0]))
    if ip.is_loopback:
        return AddressKind.LOOPBACK
    if ip.is_link_local:
        return AddressKind.LINK_LOCAL
    return AddressKind.PUBLIC if _is_public(ip) else AddressKind.PRIVATE


def _is_public(ip: IPv4Address | IPv6Address) -> bool:
    if (isinstance(ip, IPv6Address) and ip not in _GLOBAL_UNICAST) or any(ip in network for network in _NEVER_PUBLIC):
        return False
    return ip.is_global and not ip.is_multicast


def _plain(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that an IPv6 address may stand for."""
    if isinstance(ip, IPv4Address):
        return ip
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or ip


@dataclass(frozen=True)
class AddressRule:
    """
    The kinds of addresses that may be connected to.

    :param allowed: besides public ones.
    """

    allowed: frozenset[AddressKind] = frozenset()

    @classmethod
    def beside(cls, api_url: str) -> AddressRule:
        """
        Return the rule for an API: its own addresses are allowed, too, so that an API on a private address can have
        its videos there.

        :param api_url: its base URL. If its host can't be resolved, only public addresses are allowed.
        """
        try:
            found = socket.getaddrinfo(urlsplit(api_url).hostname, None, proto=socket.IPPROTO_TCP)
        except (OSError, ValueError):
            # The latter is said of what can be no name at all.
            return cls()
        return cls(frozenset(kind_of(str(address[0])) for *_, address in found))

    def check(self, address: str) -> None:
        """
        Do nothing, if an address may be connected to.

        :param address: an IP address.
        :raises UnsafeAddressError: if it may not.
        """
        kind = kind_of(address)
        if kind is not AddressKind.PUBLIC and kind not in self.allowed:
            raise UnsafeAddressError(
                f"The address leads to {address}, which is a {kind} address, and the API is not at such a one."
            )


def check_url(url: str) -> None:
    """
    Do nothing, if an address is one of the web.

    :param url: from outside.
    :raises UnsafeAddressError: if it is not.
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise UnsafeAddressError(f"The address is none: {error}.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UnsafeAddressError(f"The address is {without_query(url)!r}, and only http(s) is spoken.")


def without_query(url: str) -> str:
    """
    Return an address as it may be shown: the query of a signed link is as good as a key.

    :param url: from outside.
    """
    parts = urlsplit(url)
    return parts._replace(query="", fragment="", netloc=parts.netloc.rpartition("@")[2]).geturl()
