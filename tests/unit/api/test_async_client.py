"""The API over aiohttp, against a real server on loopback."""

from __future__ import annotations

import asyncio
import gzip
import re
import time
import traceback
import tracemalloc

import aiohttp
import pytest

from seedance_provider.api import async_client as async_client_module
from seedance_provider.api.async_client import AsyncSeedanceClient
from seedance_provider.api.errors import (
    AuthenticationError,
    ConcurrencyLimitError,
    ConnectionLostError,
    ConnectionNotEstablishedError,
    InternalServerError,
    SeedanceError,
    TaskNotFoundError,
    UndocumentedRefusalError,
    UnexpectedResponseError,
    Verdict,
)
from seedance_provider.api.protocol import SeedanceProtocol
from seedance_provider.api.video_task import TaskStatus
from tests.support.dribbling_server import DRIBBLES, DRIBBLES_BEFORE, FLOOD, dribbling_server
from tests.support.scripted_api import Answer, record

KEY = "sk-test-3f9a"

BROKEN_ANSWERS = {
    "hangs up after the request": Answer(hang_up=True),
    "cuts the body": Answer(200, b'{"status": "succ', promised=9999),
    "sends a header that is none": Answer(200, record(), headers={"not a header": "x"}),
}


async def looked_up(base_url, video_task_id="task_a"):
    async with AsyncSeedanceClient(SeedanceProtocol(KEY, base_url)) as client:
        return await client.get_task(video_task_id)


async def error_of_polling(base_url):
    with pytest.raises(SeedanceError) as caught:
        await looked_up(base_url)
    return caught.value


class TestGetTask:
    async def test_it_returns_the_video_task(self, api):
        api.readings.append(Answer(200, record("success")))
        task = await looked_up(api.base_url)
        assert (task.status, task.video_url) == (TaskStatus.SUCCESS, "https://media.example/a.mp4")

    async def test_the_request_that_arrives_is_the_quickstarts(self, api):
        api.readings.append(Answer(200, record()))
        with pytest.raises(UnexpectedResponseError):
            await looked_up(api.base_url, "task a&b=\N{CHERRY BLOSSOM}")
        (asked,) = api.asked
        assert (asked.method, asked.path) == ("GET", "/api/v1/jobs/recordInfo")
        assert asked.query == {"taskId": ["task a&b=\N{CHERRY BLOSSOM}"]}
        assert asked.headers["Authorization"] == f"Bearer {KEY}"

    async def test_looks_share_a_connection(self, api):
        api.readings.append(Answer(200, record("waiting")))
        async with AsyncSeedanceClient(SeedanceProtocol(KEY, api.base_url)) as client:
            await client.get_task("task_a")
            await client.get_task("task_a")
        assert len({asked.client for asked in api.asked}) == 1

    async def test_a_cookie_is_not_kept(self, api):
        api.readings.append(Answer(200, record("waiting"), headers={"Set-Cookie": "session=1; Path=/"}))
        # Cookies of bare addresses are never kept.
        async with AsyncSeedanceClient(SeedanceProtocol(KEY, api.base_url.replace("127.0.0.1", "localhost"))) as client:
            await client.get_task("task_a")
            await client.get_task("task_a")
        assert ["Cookie" in asked.headers for asked in api.asked] == [False, False]

    async def test_looks_at_several_video_tasks_can_run_at_once(self, api):
        api.readings.append(Answer(200, {"status": "waiting"}))
        ids = [f"task_{number}" for number in range(4)]
        async with AsyncSeedanceClient(SeedanceProtocol(KEY, api.base_url)) as client:
            tasks = await asyncio.gather(*(client.get_task(video_task_id) for video_task_id in ids))
        assert [task.video_task_id for task in tasks] == ids

    @pytest.mark.parametrize("answer", BROKEN_ANSWERS.values(), ids=BROKEN_ANSWERS)
    async def test_after_a_broken_answer_it_can_be_asked_again(self, api, answer):
        api.readings.append(answer)
        async with AsyncSeedanceClient(SeedanceProtocol(KEY, api.base_url)) as client:
            with pytest.raises(ConnectionLostError) as caught:
                await client.get_task("task_a")
            assert caught.value.read_verdict is Verdict.TRANSIENT
            api.readings.clear()
            api.readings.append(Answer(200, record()))
            assert (await client.get_task("task_a")).status is TaskStatus.SUCCESS

    async def test_no_answer_in_time_is_a_lost_connection(self, silent_url, monkeypatch):
        monkeypatch.setattr(async_client_module, "_TIMEOUT", aiohttp.ClientTimeout(sock_read=0.05))
        error = await error_of_polling(silent_url)
        assert (type(error), error.verdict) == (ConnectionLostError, Verdict.TRANSIENT)
        assert str(error) == f"{silent_url} did not answer completely: timed out."

    async def test_an_answer_that_takes_too_long_as_a_whole_is_a_lost_connection(self, silent_url, monkeypatch):
        monkeypatch.setattr(async_client_module, "_TIMEOUT", aiohttp.ClientTimeout(total=0.05))
        assert type(await error_of_polling(silent_url)) is ConnectionLostError

    async def test_a_refused_port_is_a_connection_that_was_not_established(self, refused_url):
        error = await error_of_polling(refused_url)
        assert type(error) is ConnectionNotEstablishedError
        assert str(error) == f"{refused_url} could not be reached: Connection refused. Nothing was sent."

    async def test_a_certificate_that_is_not_trusted_is_one_too(self, untrusted_url):
        error = await error_of_polling(untrusted_url)
        assert type(error) is ConnectionNotEstablishedError
        why = "certificate verify failed: self-signed certificate"
        assert str(error) == f"{untrusted_url} could not be reached: {why}. Nothing was sent."

    async def test_a_name_that_nobody_knows_is_one_too(self):
        error = await error_of_polling("http://kinovi.invalid:81/v1")
        assert type(error) is ConnectionNotEstablishedError
        assert re.fullmatch(
            r"http://kinovi\.invalid:81 could not be reached: [A-Z][a-z ]+\. Nothing was sent\.", str(error)
        )

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    async def test_a_redirect_is_not_followed(self, api, status):
        api.readings.append(Answer(status, headers={"Location": f"{api.url}/elsewhere"}))
        assert type(await error_of_polling(api.base_url)) is UndocumentedRefusalError
        assert [asked.path for asked in api.asked] == ["/api/v1/jobs/recordInfo"]

    @pytest.mark.parametrize(
        ("answer", "error_class"),
        [
            (Answer(401, {"message": "Invalid API Key"}), AuthenticationError),
            (Answer(404, {"message": "Task not found"}), TaskNotFoundError),
            (Answer(400, {"message": "Invalid taskId"}), TaskNotFoundError),
            (Answer(429, {"message": "Concurrency limit reached (3)."}), ConcurrencyLimitError),
            (Answer(500, {"message": "Internal server error"}), InternalServerError),
            (Answer(200, b""), UnexpectedResponseError),
        ],
    )
    async def test_errors_of_the_api_come_through_and_nothing_is_repeated(self, api, answer, error_class):
        api.readings.append(answer)
        assert type(await error_of_polling(api.base_url)) is error_class
        assert len(api.asked) == 1

    async def test_retry_after_is_read(self, api):
        api.readings.append(Answer(429, {"message": "Too many requests"}, headers={"retry-after": "9"}))
        assert (await error_of_polling(api.base_url)).retry_after == 9.0

    def test_it_can_only_read_because_a_trigger_can_be_run_twice(self):
        assert not hasattr(AsyncSeedanceClient, "create_task")


class TestDeadline:
    @pytest.fixture(autouse=True)
    def _soon(self, monkeypatch):
        monkeypatch.setattr(async_client_module, "_TIMEOUT", aiohttp.ClientTimeout(total=0.3, sock_connect=0.2))

    @pytest.mark.parametrize(("first", "again"), DRIBBLES.values(), ids=DRIBBLES)
    async def test_whatever_a_server_dribbles_a_look_ends_in_time(self, first, again):
        with dribbling_server(first, again) as host:
            started = time.monotonic()
            error = await error_of_polling(f"http://{host}")
        assert time.monotonic() - started < 5
        assert (type(error), error.verdict) == (ConnectionLostError, Verdict.TRANSIENT)
        assert str(error).startswith(f"http://{host} did not answer completely: ")

    @pytest.mark.parametrize(("first", "again"), DRIBBLES_BEFORE.values(), ids=DRIBBLES_BEFORE)
    async def test_whatever_dribbles_before_a_connection_is_there_it_ends_in_time(
        self, first, again, monkeypatch, request
    ):
        with dribbling_server(first, again) as host:
            url = f"https://{host}"
            if "proxy" in request.node.callspec.id:
                monkeypatch.setenv("https_proxy", f"http://{host}")
                url = "https://kinovi.invalid"
            started = time.monotonic()
            error = await error_of_polling(url)
        assert time.monotonic() - started < 5
        assert error.verdict is Verdict.TRANSIENT
        assert "timed out" in str(error)


class TestSize:
    async def test_a_page_without_end_is_cut_off_and_the_loop_goes_on(self):
        with dribbling_server(*FLOOD, pause=0) as host:
            tracemalloc.start()
            looking = asyncio.create_task(error_of_polling(f"http://{host}"))
            longest = await longest_pause(looking)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        error = await looking
        assert type(error) is UnexpectedResponseError
        assert "more than 4,194,304 bytes" in str(error)
        assert peak < 40_000_000
        assert longest < 2

    async def test_what_is_packed_is_not_unpacked(self, api):
        body = gzip.compress(b" " * 200_000_000, compresslevel=1)
        api.readings.append(Answer(200, body, headers={"Content-Encoding": "gzip"}))
        tracemalloc.start()
        error = await error_of_polling(api.base_url)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert (type(error), error.read_verdict) == (UnexpectedResponseError, Verdict.TRANSIENT)
        assert api.asked[0].headers["Accept-Encoding"] == "identity"
        assert peak < 40_000_000


async def longest_pause(running):
    """How long the loop was busy with something at most, in seconds."""
    longest = 0.0
    while not running.done():
        before = time.monotonic()
        await asyncio.sleep(0.001)
        longest = max(longest, time.monotonic() - before)
    return longest


class TestSurroundings:
    @pytest.mark.parametrize("machine", ["machine 127.0.0.1", "default"])
    async def test_a_netrc_file_does_not_replace_the_key(self, api, tmp_path, monkeypatch, machine):
        netrc = tmp_path / "netrc"
        netrc.write_text(f"{machine} login somebody password else\n")
        monkeypatch.setenv("NETRC", str(netrc))
        api.readings.append(Answer(200, record()))
        await looked_up(api.base_url)
        assert api.asked[0].headers["Authorization"] == f"Bearer {KEY}"

    @pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
    async def test_the_proxy_of_the_environment_is_used(self, api, monkeypatch, variable):
        # HTTP_PROXY is not believed where REQUEST_METHOD is set, as in a CGI script.
        monkeypatch.delenv("REQUEST_METHOD", raising=False)
        monkeypatch.setenv(variable, api.url)
        api.readings.append(Answer(200, record()))
        assert (await looked_up("http://kinovi.invalid/api/v1")).status is TaskStatus.SUCCESS
        assert api.asked[0].headers["Host"] == "kinovi.invalid"

    @pytest.mark.parametrize("exception", ["127.0.0.1", "example.com,127.0.0.1", "*"])
    async def test_no_proxy_is_used_for_an_address_that_the_environment_excepts(
        self, api, refused_url, monkeypatch, exception
    ):
        monkeypatch.setenv("http_proxy", refused_url)
        monkeypatch.setenv("no_proxy", exception)
        api.readings.append(Answer(200, record()))
        assert (await looked_up(api.base_url)).status is TaskStatus.SUCCESS

    async def test_a_proxy_for_another_scheme_is_not_used(self, api, refused_url, monkeypatch):
        monkeypatch.setenv("https_proxy", refused_url)
        api.readings.append(Answer(200, record()))
        assert (await looked_up(api.base_url)).status is TaskStatus.SUCCESS

    @pytest.mark.parametrize("scheme", ["http", "https"])
    async def test_a_proxy_that_refuses_is_a_connection_that_was_not_established(
        self, refused_url, monkeypatch, scheme
    ):
        monkeypatch.setenv(f"{scheme}_proxy", refused_url)
        error = await error_of_polling(f"{scheme}://kinovi.invalid/api/v1")
        assert type(error) is ConnectionNotEstablishedError

    async def test_a_proxy_that_refuses_the_address_can_be_asked_again(self, api, monkeypatch):
        # The scripted server knows no CONNECT, as a proxy that forbids it.
        monkeypatch.setenv("https_proxy", api.url)
        error = await error_of_polling("https://kinovi.invalid/api/v1")
        assert type(error) is ConnectionNotEstablishedError
        assert str(error).startswith("https://kinovi.invalid could not be reached: proxy: it answers HTTP 501.")


class TestKeyStaysSecret:
    @pytest.mark.parametrize("answer", BROKEN_ANSWERS.values(), ids=BROKEN_ANSWERS)
    async def test_no_traceback_of_a_broken_answer_shows_it(self, api, answer):
        api.readings.append(answer)
        error = await error_of_polling(api.base_url)
        assert KEY not in "".join(traceback.format_exception(error)) + repr(error)

    async def test_no_traceback_of_a_refused_connection_shows_it(self, refused_url):
        error = await error_of_polling(refused_url)
        assert KEY not in "".join(traceback.format_exception(error)) + repr(error)

    async def test_the_password_of_a_proxy_is_not_shown_either(self, refused_url, monkeypatch):
        monkeypatch.setenv("http_proxy", refused_url.replace("://", "://proxy-user:proxy-pass@"))
        error = await error_of_polling("http://kinovi.invalid/api/v1")
        assert "proxy-pass" not in "".join(traceback.format_exception(error))

    async def test_the_repr_of_the_client_does_not_show_it(self, api):
        async with AsyncSeedanceClient(SeedanceProtocol(KEY, api.base_url)) as client:
            assert KEY not in repr(client)
