"""Where a video may be fetched from."""

from __future__ import annotations

import socket

import pytest

from seedance_provider.network.addresses import (
    AddressKind,
    AddressRule,
    UnsafeAddressError,
    check_url,
    kind_of,
    without_query,
)

PUBLIC, PRIVATE, LOOPBACK, LINK_LOCAL = AddressKind


KINDS = {
    PUBLIC: [
        "1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101", "192.0.1.1", "192.88.98.1", "168.63.129.17",
    ],
    LOOPBACK: ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"],
    LINK_LOCAL: ["169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "fe80::1", "fe80::1%eth0"],
    PRIVATE: [
        "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "198.18.0.1", "fd00:ec2::254", "2002:a00:1::",
        "0.0.0.0",  # noqa: S104 - nobody listens there
        "::", "255.255.255.255", "224.0.0.1", "239.255.255.250", "ff02::1", "ff0e::1", "240.0.0.1",
        # Site-local, as fd00::/8 was called once.
        "fec0::1",
        # Python's patch levels differ about the first three; the last one is inside of Azure.
        "192.0.0.1", "192.0.0.9", "192.0.0.170", "192.0.0.255", "192.88.99.1", "3fff::1", "3fff:fff::",
        "::ffff:192.0.0.9", "168.63.129.16", "64:ff9b::a83f:8110", "2002:a83f:8110::",
        # NAT64 of one's own (RFC 8215), and two older ways to write 127.0.0.1.
        "64:ff9b:1::a00:1", "::127.0.0.1", "::ffff:0:127.0.0.1",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "address"), [(kind, address) for kind in KINDS for address in KINDS[kind]])
def test_what_an_address_is_good_for(kind, address):
    assert kind_of(address) is kind


class TestAddressRule:
    @pytest.mark.parametrize("rule", [AddressRule(), AddressRule.beside("http://127.0.0.1/api/v1")])
    @pytest.mark.parametrize("address", ["10.0.0.1", "169.254.169.254"])
    def test_other_networks_are_not_allowed(self, rule, address):
        rule.check("1.1.1.1")
        with pytest.raises(UnsafeAddressError, match=rf"leads to {address}, which is a .* address, and the API is not"):
            rule.check(address)

    def test_this_machine_is_if_the_api_is_on_it(self):
        AddressRule.beside("http://127.0.0.1/api/v1").check("127.0.0.1")
        with pytest.raises(UnsafeAddressError, match="loopback"):
            AddressRule().check("127.0.0.1")

    @pytest.mark.parametrize(
        ("api", "allowed"),
        [
            ("http://127.0.0.1:8080/api/v1", {LOOPBACK}),
            ("http://[::1]:8080/api/v1", {LOOPBACK}),
            ("https://10.1.2.3/api/v1", {PRIVATE}),
            ("https://1.1.1.1/api/v1", {PUBLIC}),
        ],
    )
    def test_what_the_api_is_at_is_allowed_too(self, api, allowed):
        assert AddressRule.beside(api).allowed == allowed

    def test_a_name_stands_for_all_of_its_addresses(self, monkeypatch):
        found = [(0, 0, 0, "", ("10.0.0.1", 0)), (0, 0, 0, "", ("::1", 0, 0, 0))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)
        assert AddressRule.beside("https://api.example/v1").allowed == {PRIVATE, LOOPBACK}

    @pytest.mark.parametrize(
        "api",
        [
            "https://kinovi.invalid",
            "https://a..b/api/v1",
            f"https://{'a' * 64}.example",
            "http://[::1/api",
            "/api/v1",
            "",
        ],
    )
    def test_what_is_no_name_allows_nothing(self, api):
        assert AddressRule.beside(api).allowed == set()


class TestCheckUrl:
    @pytest.mark.parametrize("url", ["https://media.example/a.mp4", "HTTP://media.example", "http://[::1]/a"])
    def test_the_web_is_fetched(self, url):
        check_url(url)

    @pytest.mark.parametrize(
        "url",
        ["file:///etc/passwd", "ftp://a.example/a", "s3://b/a", "/etc/passwd", "", "data:,x", "https://", "http:///a",
         "gopher://a.example", "//a.example/a", "http://[::1/a.mp4"],
    )  # fmt: skip
    def test_nothing_else_is(self, url):
        with pytest.raises(UnsafeAddressError, match=r"only http|Invalid IPv6 URL"):
            check_url(url)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://media.example/a.mp4?X-Amz-Signature=abc#x", "https://media.example/a.mp4"),
        ("https://user:password@media.example:8443/a.mp4", "https://media.example:8443/a.mp4"),
        ("https://media.example/a.mp4", "https://media.example/a.mp4"),
    ],
)
def test_an_address_is_shown_without_what_opens_it(url, shown):
    assert without_query(url) == shown
