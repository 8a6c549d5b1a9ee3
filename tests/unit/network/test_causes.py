"""Why a connection failed, from the errors of the libraries as they really are."""

from __future__ import annotations

import aiohttp
import pytest
import requests

from seedance_provider.network.causes import cause_of
from tests.support.scripted_api import Answer


def error_of_requests(url, timeout=5, **kwargs):
    with pytest.raises(requests.RequestException) as caught:
        requests.get(url, timeout=timeout, **kwargs)
    return caught.value


async def error_of_aiohttp(url):
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientError) as caught:
            await session.get(url)
    return caught.value


class TestRequests:
    def test_what_the_caller_was_handling_is_none(self, refused_url):
        try:
            raise RuntimeError("something else")
        except RuntimeError:
            assert cause_of(error_of_requests(refused_url)) == "Connection refused"

    def test_a_server_that_speaks_no_tls(self, api):
        assert "wrong version number" in cause_of(error_of_requests(api.url.replace("http://", "https://"))).lower()

    def test_a_server_that_hangs_up(self, api):
        api.readings.append(Answer(hang_up=True))
        assert cause_of(error_of_requests(api.url)) == "Remote end closed connection without response"

    def test_a_body_that_is_cut(self, api):
        api.readings.append(Answer(200, b"{", promised=9))
        assert "1 bytes read, 8 more expected" in cause_of(error_of_requests(api.url))

    def test_an_address_is_never_shown(self):
        error = error_of_requests("http://127.0.0.1:99999/?signature=1")
        assert "signature" not in cause_of(error)


class TestAiohttp:
    async def test_a_server_that_hangs_up(self, api):
        api.readings.append(Answer(hang_up=True))
        assert cause_of(await error_of_aiohttp(api.url)) == "Server disconnected"

    async def test_a_server_that_speaks_no_tls(self, api):
        assert (
            "wrong version number" in cause_of(await error_of_aiohttp(api.url.replace("http://", "https://"))).lower()
        )


class TestAnyError:
    @pytest.mark.parametrize(
        ("error", "words"),
        [
            (requests.ConnectionError(), "ConnectionError"),
            (requests.ConnectionError("<urllib3.connection.HTTPSConnection object at 0x7f>: no"), "ConnectionError"),
            (requests.ConnectionError("https://a.example/?signature=1"), "ConnectionError"),
            (TimeoutError(), "timed out"),
        ],
    )
    def test_has_a_few_words_or_a_name(self, error, words):
        assert cause_of(error) == words
