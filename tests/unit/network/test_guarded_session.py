"""HTTP to wherever the videos are."""

from __future__ import annotations

import socket

import pytest
import requests

import seedance_provider
from seedance_provider.network.addresses import AddressRule, UnsafeAddressError
from seedance_provider.network.guarded_session import guarded_session
from tests.support.media_server import Serving


@pytest.fixture
def public_only():
    with guarded_session(AddressRule()) as opened:
        yield opened


@pytest.fixture
def names(monkeypatch):
    """A resolver that knows more names; each lookup takes the next of its addresses."""
    known: dict[str, list[str]] = {}
    resolve = socket.getaddrinfo

    def resolved(host, *args, **kwargs):
        name = host.decode() if isinstance(host, bytes) else host
        if name in known:
            host = known[name].pop(0) if len(known[name]) > 1 else known[name][0]
        return resolve(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    return known


class TestGuard:
    def test_an_address_that_is_not_allowed_gets_no_request(self, server, public_only):
        with pytest.raises(UnsafeAddressError, match="loopback"):
            public_only.get(server.url)
        assert server.requests == []

    @pytest.mark.parametrize("looked_up_before", [[], ["1.1.1.1"]])
    def test_nor_does_a_name_that_leads_to_one_when_it_matters(self, server, public_only, names, looked_up_before):
        names["media.example"] = [*looked_up_before, "127.0.0.1"]
        for _ in looked_up_before:
            socket.getaddrinfo("media.example", 80)
        with pytest.raises(UnsafeAddressError, match=r"leads to 127\.0\.0\.1"):
            public_only.get(server.url.replace("127.0.0.1", "media.example"))
        assert server.requests == []

    def test_the_connection_is_looked_at_before_tls_is_spoken(self, server, public_only):
        with pytest.raises(UnsafeAddressError):
            public_only.get(server.url.replace("http://", "https://"))


class TestProxy:
    def test_sees_to_the_addresses_itself(self, server, public_only, monkeypatch):
        # It is in the own network, as proxies are, and the environment names it, not an address from outside.
        server.content = b"a video"
        monkeypatch.setenv("http_proxy", server.url.removesuffix("/a.mp4"))
        assert public_only.get("http://media.example/a.mp4").content == b"a video"
        assert server.requests[0].path == "http://media.example/a.mp4"


class TestWhatIsSent:
    def test_nothing_but_what_any_request_has(self, server, session):
        session.get(server.url)
        headers = server.requests[0].headers
        assert set(headers) == {"Host", "User-Agent", "Accept", "Accept-Encoding", "Connection"}
        assert headers["Accept-Encoding"] == "identity"

    def test_who_asks_also_after_a_redirect(self, server, session):
        # Some hosts refuse the name that requests has.
        server.script.append(Serving(302, {"Location": "/elsewhere.mp4"}, body=b""))
        session.get(server.url)
        agents = [request.headers["User-Agent"] for request in server.requests]
        assert agents == [f"airflow-provider-seedance/{seedance_provider.__version__}"] * 2

    @pytest.mark.parametrize("machine", ["machine 127.0.0.1", "default"])
    def test_nothing_that_a_netrc_file_says_not_even_after_a_redirect(
        self, server, session, tmp_path, monkeypatch, machine
    ):
        # An object store refuses a signed link that comes with an Authorization header.
        netrc = tmp_path / "netrc"
        netrc.write_text(f"{machine} login somebody password else\n")
        monkeypatch.setenv("NETRC", str(netrc))
        server.script.append(Serving(302, {"Location": "/elsewhere.mp4"}, body=b""))
        session.get(server.url)
        assert [request.path for request in server.requests] == ["/a.mp4", "/elsewhere.mp4"]
        assert not any("Authorization" in request.headers for request in server.requests)

    def test_the_rule_of_one_session_is_not_that_of_others(self, server, public_only):
        assert requests.get(server.url, timeout=5).status_code == 200
