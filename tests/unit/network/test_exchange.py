"""One deadline for a whole request; what servers can do to it is tested with the client of the API."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress

import pytest
import requests

from seedance_provider.network.exchange import Exchange, TimedAdapter
from seedance_provider.submission.signals import signals_held_back
from tests.support.dribbling_server import DRIBBLES, dribbling_server
from tests.support.media_server import Serving


@pytest.fixture
def session(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with requests.Session() as opened:
        opened.mount("http://", TimedAdapter())
        yield opened


def in_seconds(seconds):
    return time.monotonic() + seconds


def get_cut_off(session, host):
    """What has come looks like a whole answer; or the server has sent more, and resets the connection."""
    with suppress(requests.RequestException):
        session.get(f"http://{host}", timeout=30)


def watchdogs():
    return [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]


def open_files():
    return len(os.listdir("/proc/self/fd"))


class TestExchange:
    def test_what_ends_in_time_leaves_nothing_behind(self, session, server):
        server.content = b"a video"
        session.get(server.url)
        before = open_files()
        for _ in range(20):
            with Exchange(in_seconds(60)) as exchange:
                assert session.get(server.url).content == b"a video"
        assert (exchange.was_sent, exchange.timed_out) == (True, False)
        assert open_files() <= before + 1
        assert watchdogs() == []

    def test_what_does_not_is_cut_off(self, session):
        with dribbling_server(*DRIBBLES["slow headers"]) as host:
            started = time.monotonic()
            with Exchange(in_seconds(0.2)) as exchange:
                get_cut_off(session, host)
            assert time.monotonic() - started < 5
        assert (exchange.was_sent, exchange.timed_out) == (True, True)
        assert watchdogs() == []

    def test_nothing_is_sent_when_it_is_too_late(self, session, server):
        with pytest.raises(requests.ConnectionError), Exchange(in_seconds(-1)) as exchange:
            session.get(server.url, timeout=30)
        assert not exchange.was_sent
        assert server.requests == []

    def test_a_redirect_has_the_same_deadline(self, session, server):
        with dribbling_server(*DRIBBLES["a slow body"]) as host:
            server.script.append(Serving(302, {"Location": f"http://{host}/"}, body=b""))
            started = time.monotonic()
            with pytest.raises(requests.exceptions.ChunkedEncodingError), Exchange(in_seconds(0.3)):
                session.get(server.url, timeout=30)
            assert time.monotonic() - started < 5

    def test_it_holds_while_signals_are_held_back(self, session):
        told = []
        handler = signal.signal(signal.SIGTERM, lambda *_: told.append("delivered"))
        try:
            slow = dribbling_server(*DRIBBLES["slow headers"])
            with slow as host, signals_held_back(told.append), Exchange(in_seconds(0.3)) as exchange:
                signal.raise_signal(signal.SIGTERM)
                get_cut_off(session, host)
        finally:
            signal.signal(signal.SIGTERM, handler)
        assert exchange.timed_out
        assert told == [signal.SIGTERM, "delivered"]

    def test_those_of_two_threads_are_two(self, session, server):
        server.content = b"a video"
        answers = []

        def ask_in_time():
            with Exchange(in_seconds(60)) as exchange:
                answers.append(session.get(server.url).content)
            answers.append(exchange.timed_out)

        thread = threading.Thread(target=ask_in_time)
        with dribbling_server(*DRIBBLES["slow headers"]) as host, Exchange(in_seconds(0.3)) as exchange:
            thread.start()
            get_cut_off(session, host)
        thread.join(10)
        assert exchange.timed_out
        assert answers == [b"a video", False]
