"""What triggers share."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from seedance_provider.api.errors import TransportError, UnexpectedResponseError
from seedance_provider.hooks.seedance import SeedanceHook
from seedance_provider.triggers import account as account_module
from seedance_provider.triggers import outage as outage_module
from seedance_provider.triggers.account import Account, _accounts
from tests.support.scripted_api import Answer, record

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.usefixtures("seedance_default")

CONN_ID = "seedance_default"


@asynccontextmanager
async def joined(seedance_conn_id: str) -> AsyncIterator[Account]:
    account = Account.join(seedance_conn_id)
    try:
        yield account
    finally:
        await account.leave()


class TestSharing:
    async def test_one_client_for_all_of_a_connection(self):
        async with joined(CONN_ID) as one, joined(CONN_ID) as other:
            assert one is other
            clients = await asyncio.gather(*(one.client() for _ in range(10)))
        assert len({id(client) for client in clients}) == 1

    async def test_the_last_one_closes_it_and_the_next_one_gets_a_new_one(self):
        async with joined(CONN_ID):
            async with joined(CONN_ID) as account:
                client = await account.client()
            assert not client._session.closed
        assert client._session.closed
        assert _accounts[asyncio.get_running_loop()] == {}
        async with joined(CONN_ID) as another:
            assert another is not account

    async def test_other_connections_are_apart(self):
        async with joined(CONN_ID) as one, joined("other") as other:
            assert one is not other

    def test_every_event_loop_has_its_own(self):
        async def used() -> Account:
            async with joined(CONN_ID) as account:
                await account.client()
                return account

        assert asyncio.run(used()) is not asyncio.run(used())


class TestLookUp:
    async def test_one_look_up_for_all_who_ask_while_it_fails(self, monkeypatch):
        look_ups = []

        async def look_up(hook):
            look_ups.append(hook)
            raise ConnectionError("database is down")

        monkeypatch.setattr(SeedanceHook, "aget_settings", look_up)
        async with joined(CONN_ID) as account:
            errors = await asyncio.gather(*(account.client() for _ in range(10)), return_exceptions=True)
        assert len(look_ups) == 1
        assert {type(error) for error in errors} == {TransportError}
        assert "database is down" in str(errors[0])

    async def test_a_refused_key_is_looked_up_again_once_for_all(self, api, monkeypatch):
        monkeypatch.setattr(account_module, "_LOOK_UP_SECONDS", 0)
        api.readings.append(Answer(401, {"message": "Invalid API Key"}))
        async with joined(CONN_ID) as account:
            before = await account.client()
            await asyncio.gather(*(account.poll("task_a") for _ in range(5)), return_exceptions=True)
            assert await account.client() is before  # the same key: there is nothing to open anew

            connection = f'{{"conn_type": "seedance", "host": "{api.base_url}", "password": "the-new-key"}}'
            monkeypatch.setenv("AIRFLOW_CONN_SEEDANCE_DEFAULT", connection)
            await asyncio.gather(*(account.poll("task_a") for _ in range(5)), return_exceptions=True)
            after = await asyncio.gather(*(account.client() for _ in range(5)))
            assert {id(client) for client in after} == {id(after[0])}
            assert after[0] is not before
            assert not before._session.closed  # others may be in the middle of a poll with it
        assert before._session.closed
        assert after[0]._session.closed


class TestOutage:
    async def test_one_of_many_asks_an_api_that_is_away(self, api, monkeypatch):
        api.readings.append(Answer(503, b"<html>", "text/html"))
        async with joined(CONN_ID) as account, joined(CONN_ID):
            first = account.poll("task_0")
            assert isinstance((await asyncio.gather(first, return_exceptions=True))[0], UnexpectedResponseError)
            waits = [account.poll(f"task_{number}") for number in range(1, 10)]
            errors = await asyncio.gather(*waits, return_exceptions=True)
        assert all(isinstance(error, UnexpectedResponseError) for error in errors)
        assert len(api.read) == 1

    async def test_the_others_follow_when_it_answers(self, api, monkeypatch):
        monkeypatch.setattr(outage_module, "_INTERVAL", 0.01)
        api.readings.extend([Answer(503, b"<html>", "text/html"), Answer(body=record())])
        async with joined(CONN_ID) as account, joined(CONN_ID):
            await asyncio.gather(account.poll("task_a"), return_exceptions=True)
            assert (await account.poll("task_a", 0.5)).video_task_id == "task_a"
            tasks = await asyncio.gather(*(account.poll("task_a") for _ in range(5)))
        assert [task.video_task_id for task in tasks] == ["task_a"] * 5


async def test_polls_are_spaced_as_the_connection_says(api, monkeypatch):
    options = {"max_polls_per_second": 50}
    connection = {"conn_type": "seedance", "host": api.base_url, "password": "k", "extra": options}
    monkeypatch.setenv("AIRFLOW_CONN_SEEDANCE_DEFAULT", json.dumps(connection))
    api.readings.append(Answer(body=record("generating")))
    loop = asyncio.get_running_loop()
    async with joined(CONN_ID) as account:
        await account.client()
        started = loop.time()
        await asyncio.gather(*(account.poll("task_a") for _ in range(11)))
        assert 10 / 50 <= loop.time() - started < 10 / 10
