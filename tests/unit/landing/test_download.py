"""A download that resumes where it broke off, and that has limits."""

from __future__ import annotations

import io
import logging
import threading
import time
from dataclasses import replace

import pytest

from seedance_provider.landing.download import Download
from seedance_provider.landing.errors import (
    BrokenMediaError,
    LandingError,
    MediaRefusedError,
    UnsafeUrlError,
    VideoTooLargeError,
)
from seedance_provider.network.addresses import AddressRule
from seedance_provider.network.environment import CA_VARIABLES
from seedance_provider.network.guarded_session import guarded_session
from tests.support.dribbling_server import DRIBBLES, DRIBBLES_BEFORE, dribbling_server
from tests.support.media_server import Serving, media_server

#: An address where a second server of the test can be.
NEXT_DOOR = "127.0.0.2"


class MetadataNextDoor(AddressRule):
    """As if the metadata service of a cloud were there."""

    def check(self, address: str) -> None:
        super().check("169.254.169.254" if address == NEXT_DOOR else address)


#: Those that promise a whole body, or its end; others are refused.
BODIES = {name: said for name, said in DRIBBLES.items() if "no known length" not in name and "packed" not in name}

CONTENT = bytes(range(256)) * 4096
OTHER = CONTENT[::-1]
HALF = len(CONTENT) // 2
MEGABYTE = 1024 * 1024


@pytest.fixture(autouse=True)
def _content(server):
    server.content = CONTENT


@pytest.fixture
def download(server, session, limits, log):
    """A download of the file, or of what is at another address, with what differs from the usual limits."""

    def opened(url=None, renew=None, **differing) -> Download:
        return Download(url or server.url, session, replace(limits, **differing), log, renew)

    return opened


@pytest.fixture
def fetch(download):
    """Downloads everything."""

    def fetched(*args, **differing) -> bytes:
        file = io.BytesIO()
        with download(*args, **differing) as opened:
            assert opened.save(file) == len(file.getvalue())
        return file.getvalue()

    return fetched


def a_part(start, end, total=None, body=CONTENT, **headers):
    """An answer with a part of something."""
    told = f"bytes {start}-{end - 1}/{len(CONTENT) if total is None else total}"
    return Serving(206, {"Content-Range": told, **headers}, body=body[start:end])


@pytest.fixture
def answers(session):
    """What the server has answered."""
    noted = []
    session.hooks["response"].append(lambda answer, *args, **kwargs: noted.append(answer))
    return noted


class TestWhole:
    def test_arrives_byte_for_byte_and_says_what_is_coming(self, fetch, download, server):
        assert fetch() == CONTENT
        assert len(server.requests) == 1
        with download(f"{server.url}?signature=abc") as opened:
            assert (opened.size, opened.content_type) == (len(CONTENT), "video/mp4")
            assert str(opened) == server.url

    @pytest.mark.parametrize("size", [3, 1000, len(CONTENT)])
    def test_chunks_need_no_length(self, fetch, server, size):
        server.content = CONTENT[:5000]
        server.script.append(Serving(in_chunks=size))
        assert fetch() == CONTENT[:5000]

    def test_a_body_whose_end_can_not_be_told_is_refused(self, fetch, server):
        server.script.append(Serving(without=("Content-Length",)))
        with pytest.raises(BrokenMediaError, match="does not say how long it is") as caught:
            fetch(f"{server.url}?signature=abc")
        assert "signature" not in str(caught.value)


class TestGoingOn:
    @pytest.mark.parametrize("stop_after", [1, HALF, len(CONTENT) - 1])
    def test_asks_for_the_rest_of_the_same_file(self, fetch, server, stop_after):
        server.script.append(Serving(stop_after=stop_after))
        assert fetch() == CONTENT
        assert server.ranges == [None, f"bytes={stop_after}-"]
        assert server.requests[1].headers["If-Range"] == '"first"'

    def test_the_same_bytes_over_and_over_are_no_progress(self, fetch, server):
        # A server that knows no parts, and never gets to the end.
        server.script.extend([Serving(stop_after=HALF, whole_only=True)] * 9)
        with pytest.raises(LandingError, match="it broke off"):
            fetch(attempts=3)
        assert len(server.requests) == 3

    def test_as_often_as_there_is_any_progress(self, fetch, server):
        server.script.extend([Serving(stop_after=1000) for _ in range(20)])
        assert fetch(attempts=2) == CONTENT

    def test_starts_anew_when_the_file_has_changed(self, fetch, server):
        server.script.append(Serving(stop_after=HALF, body=OTHER, headers={"ETag": '"old"'}))
        assert fetch() == CONTENT
        assert len(server.requests) == 2

    def test_a_part_of_another_file_is_not_appended(self, fetch, server):
        # A server that knows Range but not If-Range.
        first = Serving(stop_after=HALF, body=CONTENT, headers={"ETag": '"first"'})
        server.script.extend([first, a_part(HALF, len(CONTENT), body=OTHER)])
        server.change(OTHER)
        assert fetch() == OTHER
        assert server.ranges == [None, f"bytes={HALF}-", None]

    def test_a_shorter_file_leaves_nothing_of_the_longer_one(self, fetch, server):
        server.script.append(Serving(stop_after=HALF, body=CONTENT, headers={"ETag": '"first"'}))
        server.change(b"short")
        assert fetch() == b"short"

    @pytest.mark.parametrize(("etag", "stop_after"), [(None, HALF), ('W/"weak"', HALF), ('"first"', 0)])
    def test_without_a_strong_validator_or_a_first_byte_it_starts_anew(self, fetch, server, etag, stop_after):
        server.etag = etag
        server.script.append(Serving(stop_after=stop_after))
        assert fetch() == CONTENT
        assert server.ranges == [None, None]

    def test_a_part_of_another_file_that_came_instead_is_let_go(self, fetch, server, answers):
        part = a_part(HALF, len(CONTENT), body=OTHER, ETag='"second"')
        server.script.extend([Serving(stop_after=HALF), part])
        assert fetch() == CONTENT
        assert [answer.raw.closed for answer in answers] == [True] * 3

    @pytest.mark.parametrize(
        ("part", "ranges"),
        [
            # It need not say how much there is in all, and may be shorter than asked for.
            (a_part(HALF, len(CONTENT), total="*"), []),
            (a_part(HALF, HALF + 10), [f"bytes={HALF + 10}-"]),
            # The beginning, or nothing.
            (Serving(whole_only=True), []),
            (a_part(0, HALF), [f"bytes={HALF}-"]),
            (Serving(416, body=b""), [None]),
        ],
    )
    def test_whatever_comes_instead_of_the_rest(self, fetch, server, part, ranges):
        server.script.extend([Serving(stop_after=HALF), part])
        assert fetch() == CONTENT
        assert server.ranges == [None, f"bytes={HALF}-", *ranges]

    @pytest.mark.parametrize("etag", [None, 'W/"weak"'])
    def test_a_date_will_do(self, fetch, server, etag):
        date = {"Last-Modified": "Sun, 01 Nov 2026 12:00:00 GMT"}
        server.etag = etag
        server.script.extend([Serving(stop_after=HALF, headers=date), a_part(HALF, len(CONTENT), **date)])
        assert fetch() == CONTENT
        assert server.requests[1].headers["If-Range"] == date["Last-Modified"]

    @pytest.mark.parametrize("told", [{}, {"Content-Range": "bytes */9"}, {"Content-Range": "pages 1-2/9"}])
    def test_a_part_that_does_not_say_which_is_refused(self, fetch, server, told):
        server.script.extend([Serving(stop_after=HALF), Serving(206, told, body=CONTENT[HALF:])])
        with pytest.raises(BrokenMediaError, match="does not say which part it sends") as caught:
            fetch(f"{server.url}?signature=abc")
        assert "signature" not in str(caught.value)

    def test_a_part_that_nobody_asked_for_is_refused(self, fetch, server):
        server.script.append(a_part(0, 10))
        with pytest.raises(MediaRefusedError, match="answers HTTP 206"):
            fetch()

    def test_chunks_that_break_off_are_gone_on_with(self, fetch, server):
        server.script.append(Serving(in_chunks=1000, stop_after=5000))
        assert fetch() == CONTENT

    def test_silence_is_broken_off(self, fetch, server):
        server.script.append(Serving(stop_after=HALF, stall=True))
        assert fetch(stall_seconds=1) == CONTENT
        assert server.ranges == [None, f"bytes={HALF}-"]

    def test_tells_the_story_without_the_signature(self, fetch, server, caplog):
        server.script.append(Serving(stop_after=HALF))
        fetch(f"{server.url}?signature=abc")
        assert f"{server.url}: it broke off" in caplog.text
        assert "Asking for it again in 0.001 s" in caplog.text
        assert "signature" not in caplog.text


class TestInVain:
    @pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
    def test_asks_again_where_that_can_help(self, fetch, server, status):
        server.script.extend([Serving(status, body=b"busy")] * 2)
        assert fetch() == CONTENT

    @pytest.mark.parametrize(
        ("serving", "told"),
        [
            (Serving(503, body=b"busy"), "it answers HTTP 503"),
            (Serving(hang_up=True), "there was no answer"),
            (Serving(hang_up=True, stall=True), "there was no answer"),
            (Serving(stop_after=0), "it broke off"),
        ],
    )
    def test_gives_up_when_there_is_no_progress(self, fetch, server, serving, told):
        server.script.extend([serving] * 9)
        with pytest.raises(LandingError, match=f"The download of .* failed: {told}") as caught:
            fetch(f"{server.url}?signature=abc", attempts=3, stall_seconds=0.5)
        assert "signature" not in str(caught.value)
        assert type(caught.value) is LandingError
        assert len(server.requests) == 3

    def test_waits_longer_each_time(self, fetch, server, monkeypatch):
        pauses = []
        monkeypatch.setattr("seedance_provider.landing.download.time.sleep", pauses.append)
        server.script.extend([Serving(503, body=b"")] * 3)
        fetch(pause=1)
        assert pauses == [1, 2, 4]

    @pytest.mark.parametrize(("wish", "pause"), [("7", 7), ("3600", 60), ("Sun, 01 Nov 2026 12:00:00 GMT", 1)])
    def test_waits_as_long_as_the_server_wants_within_reason(self, fetch, server, monkeypatch, wish, pause):
        pauses = []
        monkeypatch.setattr("seedance_provider.landing.download.time.sleep", pauses.append)
        server.script.append(Serving(429, {"Retry-After": wish}, body=b""))
        fetch(pause=1, max_seconds=100)
        assert pauses == [pause]

    def test_a_server_that_nobody_can_reach(self, fetch):
        with pytest.raises(LandingError, match=r"there was no answer .*Connection refused") as caught:
            fetch("http://127.0.0.1:1/a.mp4?signature=abc")
        assert "signature" not in str(caught.value)


class TestACompanysCA:
    @pytest.mark.parametrize("variable", [None, *CA_VARIABLES])
    def test_is_trusted_if_any_variable_names_it(self, limits, log, tmp_path, monkeypatch, variable):
        ca_file, file = tmp_path / "company.pem", io.BytesIO()
        with media_server(CONTENT, ca_file=ca_file) as host:
            if variable is not None:
                monkeypatch.setenv(variable, str(ca_file))
            with guarded_session(AddressRule.beside(host.url)) as session:
                download = Download(host.url, session, replace(limits, attempts=1), log)
                if variable is None:
                    with pytest.raises(LandingError, match="REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE or SSL_CERT_FILE"):
                        download.__enter__()
                    return
                with download as opened:
                    opened.save(file)
        assert file.getvalue() == CONTENT


class TestLimits:
    def test_a_promised_size_beyond_the_limit_is_refused_at_once(self, download, answers):
        with pytest.raises(VideoTooLargeError, match="more than the 1,000 bytes that are allowed"):
            download(max_bytes=1000).__enter__()
        assert [answer.raw.closed for answer in answers] == [True]

    def test_also_that_of_a_file_that_came_in_its_place(self, fetch, server):
        server.script.append(Serving(stop_after=HALF, headers={"ETag": '"old"'}))
        server.script.append(Serving(stop_after=0, body=CONTENT * 2))
        with pytest.raises(VideoTooLargeError):
            fetch(max_bytes=len(CONTENT))
        assert len(server.requests) == 2

    def test_a_body_that_grows_beyond_it_is_broken_off(self, fetch, server):
        server.script.append(Serving(in_chunks=1000))
        with pytest.raises(VideoTooLargeError, match="raise max_bytes"):
            fetch(max_bytes=len(CONTENT) - 1)

    def test_exactly_the_limit_is_allowed(self, fetch):
        assert fetch(max_bytes=len(CONTENT)) == CONTENT

    @pytest.mark.parametrize("serving", [Serving(stop_after=1, stall=True), Serving(seconds=5)])
    def test_the_time_is_limited_also_that_of_bytes_that_come_one_by_one(self, fetch, server, serving):
        server.script.extend([serving] * 9)
        began = time.monotonic()
        with pytest.raises(LandingError, match=r"took longer than 0\.5 s"):
            fetch(max_seconds=0.5, stall_seconds=5 if serving.seconds else 0.1, attempts=99)
        assert time.monotonic() - began < 4

    @pytest.mark.parametrize(("first", "again"), BODIES.values(), ids=BODIES)
    def test_also_that_of_whatever_dribbles(self, fetch, first, again):
        began = time.monotonic()
        told = r"took longer than 0\.5 s"
        with dribbling_server(first, again) as host, pytest.raises(LandingError, match=told) as caught:
            fetch(f"http://{host}/a.mp4", max_seconds=0.5, stall_seconds=5)
        assert time.monotonic() - began < 4
        assert type(caught.value) is LandingError
        assert not any(isinstance(thread, threading.Timer) for thread in threading.enumerate())

    @pytest.mark.parametrize(("first", "again"), BODIES.values(), ids=BODIES)
    def test_also_that_of_a_part(self, download, server, first, again):
        part = b'HTTP/1.1 206 Partial\r\nETag: "first"\r\nContent-Range: bytes 0-999999/1048576'
        began = time.monotonic()
        with (
            dribbling_server(first.replace(b"HTTP/1.1 200 OK", part), again) as host,
            download(max_seconds=0.5, stall_seconds=5) as opened,
        ):
            server.script.append(Serving(302, {"Location": f"http://{host}/a.mp4"}, body=b""))
            with pytest.raises(LandingError, match=r"took longer than 0\.5 s"):
                opened.piece(0, HALF)
        assert time.monotonic() - began < 4

    @pytest.mark.parametrize(("first", "again"), DRIBBLES_BEFORE.values(), ids=DRIBBLES_BEFORE)
    def test_also_that_of_what_comes_before_a_request(self, download, first, again, monkeypatch, request):
        began = time.monotonic()
        with dribbling_server(first, again) as host:
            url = f"https://{host}/a.mp4"
            if "proxy" in request.node.callspec.id:
                monkeypatch.setenv("https_proxy", f"http://{host}")
                url = "https://media.invalid/a.mp4"
            with pytest.raises(LandingError, match=r"took longer than 1 s"):
                download(url, max_seconds=1, stall_seconds=5).__enter__()
        assert time.monotonic() - began < 4

    def test_no_pause_is_begun_that_goes_beyond_it(self, fetch, server):
        server.script.append(Serving(503, {"Retry-After": "30"}, body=b""))
        began = time.monotonic()
        with pytest.raises(LandingError, match="took longer than 10 s"):
            fetch(max_seconds=10)
        assert time.monotonic() - began < 10


class TestRefused:
    @pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 204])
    def test_is_not_asked_for_again(self, fetch, server, status):
        server.script.append(Serving(status, body=b""))
        with pytest.raises(MediaRefusedError, match=f"answers HTTP {status}") as caught:
            fetch(f"{server.url}?signature=abc")
        assert "signature" not in str(caught.value)
        assert len(server.requests) == 1

    @pytest.mark.parametrize("status", [401, 403, 404, 410])
    def test_unless_there_is_another_address(self, fetch, server, status):
        server.script.append(Serving(status, body=b""))
        assert fetch(f"{server.url}?old", renew=lambda: f"{server.url}?new") == CONTENT
        assert [request.path for request in server.requests] == ["/a.mp4?old", "/a.mp4?new"]

    def test_an_address_that_ends_on_the_way_is_renewed_and_gone_on_with(self, fetch, server):
        server.script.extend([Serving(stop_after=HALF), Serving(403, body=b"")])
        assert fetch(renew=lambda: f"{server.url}?new") == CONTENT
        assert server.ranges == [None, f"bytes={HALF}-", f"bytes={HALF}-"]

    def test_another_address_is_asked_for_once(self, fetch, server):
        asked = []
        server.script.extend([Serving(403, body=b"")] * 2)
        with pytest.raises(MediaRefusedError):
            fetch(renew=lambda: asked.append(1) or f"{server.url}?new")
        assert asked == [1]

    @pytest.mark.parametrize("same", [True, False])
    def test_the_same_address_is_no_other_one(self, fetch, server, same):
        server.script.append(Serving(403, body=b""))
        with pytest.raises(MediaRefusedError):
            fetch(renew=lambda: server.url if same else None)
        assert len(server.requests) == 1

    @pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://media.example/a.mp4", "https://"])
    def test_another_address_has_to_be_safe_too(self, fetch, server, url):
        server.script.append(Serving(403, body=b""))
        with pytest.raises(UnsafeUrlError):
            fetch(renew=lambda: url)

    def test_the_story_of_another_address_has_no_signature(self, fetch, server, caplog):
        server.script.append(Serving(403, body=b""))
        with caplog.at_level(logging.INFO):
            fetch(f"{server.url}?signature=abc", renew=lambda: f"{server.url}?signature=def")
        assert f"{server.url} answers HTTP 403. The API has another address for it" in caplog.text
        assert "signature" not in caplog.text

    @pytest.mark.parametrize("url", ["http://media.example:99999/a.mp4", "http://a..b/a.mp4", "http://*.b/a.mp4"])
    def test_what_is_no_address_is_not_shown_with_its_signature(self, fetch, url):
        with pytest.raises(MediaRefusedError, match="can't be fetched") as caught:
            fetch(f"{url}?signature=abc")
        assert "signature" not in str(caught.value)


class TestPiece:
    def test_returns_a_part_and_does_not_hinder_the_download(self, download):
        file = io.BytesIO()
        with download() as opened:
            assert opened.piece(10, 100) == CONTENT[10:110]
            assert opened.piece(len(CONTENT) - 5, 100) == CONTENT[-5:]
            opened.save(file)
        assert file.getvalue() == CONTENT

    @pytest.mark.parametrize(
        ("start", "serving"),
        [
            (0, Serving(whole_only=True)),
            (10, Serving(whole_only=True)),
            (10, a_part(0, 100)),
            # It has changed meanwhile.
            (10, None),
            # Of a server that knows Range but not If-Range.
            (10, a_part(10, 110, ETag='"second"')),
        ],
    )
    def test_returns_nothing_where_something_else_comes(self, download, server, start, serving):
        server.script.append(Serving())
        with download() as opened:
            server.script.extend([serving] if serving else [])
            server.change(OTHER if serving is None else CONTENT)
            assert opened.piece(start, 100) is None

    def test_takes_no_more_than_was_asked_for(self, download, server):
        server.script.extend([Serving(), replace(a_part(0, HALF), stop_after=200, stall=True)])
        with download() as opened:
            assert opened.piece(0, 100) == CONTENT[:100]
        assert len(server.requests) == 2

    def test_is_asked_for_again_where_that_can_help(self, download, server):
        server.script.extend([Serving(), Serving(stop_after=5), Serving(503, body=b"")])
        with download() as opened:
            assert opened.piece(10, 100) == CONTENT[10:110]
        assert len(server.requests) == 4


class TestRedirect:
    @pytest.fixture
    def fetch(self, download):
        def fetched():
            with download() as opened:
                return opened.size

        return fetched

    def redirect(self, server, target, status=302):
        server.script.append(Serving(status, {"Location": target}, body=b""))

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_within_the_web_is_followed(self, server, fetch, status):
        server.content = b"a video"
        self.redirect(server, "/elsewhere.mp4", status)
        assert fetch() == 7
        assert [request.path for request in server.requests] == ["/a.mp4", "/elsewhere.mp4"]

    @pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://media.example/a.mp4", "gopher://media.example/"])
    def test_out_of_the_web_is_refused_for_good(self, server, fetch, target):
        self.redirect(server, target)
        with pytest.raises(UnsafeUrlError, match=r"redirects to something else than http\(s\)"):
            fetch()

    @pytest.mark.parametrize("status", [302, 307])
    def test_into_the_own_network_is_refused_for_good(self, server, limits, log, status):
        rule = MetadataNextDoor.beside(server.url)
        with media_server(b"a key", NEXT_DOOR) as metadata, guarded_session(rule) as session:
            self.redirect(server, f"{metadata.url}?signature=abc", status)
            with pytest.raises(UnsafeUrlError, match=r"leads to 169\.254\.169\.254, which is a link-local") as caught:
                Download(server.url, session, limits, log).__enter__()
            assert "signature" not in str(caught.value)
            assert len(server.requests) == 1
            assert metadata.requests == []

    def test_without_end_is_given_up(self, server, fetch):
        for _ in range(40):
            self.redirect(server, server.url)
        with pytest.raises(MediaRefusedError, match="TooManyRedirects"):
            fetch()

    @pytest.mark.parametrize("target", ["http://[", "http://a..b/", "https://:99999/a.mp4", "http://127.0.0.1:x/"])
    def test_to_nowhere_is_one_clear_error(self, server, fetch, target):
        self.redirect(server, f"{target}?signature=abc")
        with pytest.raises(LandingError, match="can't be fetched") as caught:
            fetch()
        assert "signature" not in str(caught.value)
