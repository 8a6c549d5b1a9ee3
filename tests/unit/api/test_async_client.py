"""The API over aiohttp, against a real server on loopback."""

from __future__ import annotations

import asyncio
import time
import traceback

import aiohttp
import pytest

from seedance_provider.api import async_client as async_client_module
from seedance_provider.api.async_client import AsyncSeedanceClient
from seedance_provider.api.errors import (
    ConnectionLostError,
    SeedanceError,
    Verdict,
)
from seedance_provider.api.protocol import SeedanceProtocol
from seedance_provider.api.video_task import TaskStatus
from tests.support.dribbling_server import FLOOD, dribbling_server
from tests.support.scripted_api import Answer, record
from tests.unit.api.conftest import BROKEN_ANSWERS, KEY

NO_HEADER = Answer(200, record(), headers={"not a header": "x"})


async def error_of_polling(base_url):
    async with AsyncSeedanceClient(SeedanceProtocol(KEY, base_url)) as client:
        with pytest.raises(SeedanceError) as caught:
            await client.get_task("task_a")
    return caught.value


class TestGetTask:
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

    @pytest.mark.parametrize("answer", [*BROKEN_ANSWERS.values(), NO_HEADER], ids=[*BROKEN_ANSWERS, "no header"])
    async def test_after_a_broken_answer_it_can_be_asked_again(self, api, answer):
        api.readings.append(answer)
        async with AsyncSeedanceClient(SeedanceProtocol(KEY, api.base_url)) as client:
            with pytest.raises(ConnectionLostError) as caught:
                await client.get_task("task_a")
            assert KEY not in "".join(traceback.format_exception(caught.value)) + repr(client)
            api.readings.clear()
            api.readings.append(Answer(200, record()))
            assert (await client.get_task("task_a")).status is TaskStatus.SUCCESS

    async def test_no_answer_in_time_is_a_lost_connection(self, silent_url, monkeypatch):
        monkeypatch.setattr(async_client_module, "_TIMEOUT", aiohttp.ClientTimeout(sock_read=0.05))
        error = await error_of_polling(silent_url)
        assert (type(error), error.verdict) == (ConnectionLostError, Verdict.TRANSIENT)
        assert str(error) == f"{silent_url} did not answer completely: timed out."

    def test_it_can_only_read_because_a_trigger_can_be_run_twice(self):
        assert not hasattr(AsyncSeedanceClient, "create_task")


async def test_a_page_without_end_does_not_stop_the_loop():
    with dribbling_server(*FLOOD, pause=0) as host:
        looking = asyncio.create_task(error_of_polling(f"http://{host}"))
        assert await longest_pause(looking) < 2


async def longest_pause(running):
    """How long the loop was busy with something at most, in seconds."""
    longest = 0.0
    while not running.done():
        before = time.monotonic()
        await asyncio.sleep(0.001)
        longest = max(longest, time.monotonic() - before)
    return longest
