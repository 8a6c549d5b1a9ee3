"""
Who waits for a job that some API runs: the provider's trigger, triggers of other providers, and a bare HTTP client.

All are asked to do the same: to poll, at a fixed interval, a job that goes on running. Imports are in the functions,
because the peers have an environment of their own.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import aiohttp

__all__ = ["BARE", "CONTENDERS", "OURS", "PEERS", "Wait"]

OURS = "seedance"
BARE = "bare aiohttp"

#: Waits for the job of this number, for ever.
Wait = Callable[[int], Coroutine[Any, Any, None]]

_A_DAY = 24 * 3600
#: With these the interval is fixed, for a job as old as the local API's.
_ANY_TIME = [0.001, 1e9]


def _seedance(base_url: str, interval: float) -> Wait:
    from seedance_provider.triggers.seedance import VideoTrigger

    _connection("seedance", host=f"{base_url}/api/v1", extra={"max_polls_per_second": 1e6})

    async def wait(number: int) -> None:
        now = time.time()
        await _run(
            VideoTrigger(f"task_{number}", "seedance", now, now + _A_DAY, interval, 600.0, typical_seconds=_ANY_TIME)
        )

    return wait


def _bare(base_url: str, interval: float) -> Wait:
    """One coroutine for a wait and one session for all: the least that a program of one's own would do."""
    sessions: list[aiohttp.ClientSession] = []

    async def wait(number: int) -> None:
        import aiohttp

        if not sessions:
            sessions.append(aiohttp.ClientSession())
        url, headers = f"{base_url}/api/v1/jobs/recordInfo", {"Authorization": "Bearer key"}
        while True:
            async with sessions[0].get(url, params={"taskId": f"task_{number}"}, headers=headers) as response:
                record = await response.json()
            if record["status"] in ("success", "fail"):
                raise RuntimeError(record)
            await asyncio.sleep(interval)

    return wait


def _http(base_url: str, interval: float) -> Wait:
    from airflow.providers.http.triggers.http import HttpEventTrigger

    parts = urlsplit(base_url)
    _connection("http", host=parts.hostname, port=parts.port, schema=parts.scheme)

    async def wait(number: int) -> None:
        await _run(
            HttpEventTrigger(
                "benchmarks.response_check.has_ended",
                http_conn_id="http",
                endpoint=f"api/v1/jobs/recordInfo?taskId=task_{number}",
                poll_interval=interval,
            )
        )

    return wait


def _openai(base_url: str, interval: float) -> Wait:
    from airflow.providers.openai.triggers.openai import OpenAIBatchTrigger

    _connection("openai", host=f"{base_url}/v1")

    async def wait(number: int) -> None:
        await _run(OpenAIBatchTrigger("openai", f"batch_{number}", interval, timeout=_A_DAY))

    return wait


def _anthropic(base_url: str, interval: float) -> Wait:
    from airflow.providers.anthropic.triggers.batch import AnthropicBatchTrigger

    _connection("anthropic", host=base_url)

    async def wait(number: int) -> None:
        await _run(AnthropicBatchTrigger("anthropic", f"batch_{number}", interval, time.time() + _A_DAY))

    return wait


def _dbt_cloud(base_url: str, interval: float) -> Wait:
    from airflow.providers.dbt.cloud.triggers.dbt import DbtCloudRunJobTrigger

    # It speaks https, whatever the connection says.
    _connection("dbt_cloud", host=urlsplit(base_url).netloc, login="1")

    async def wait(number: int) -> None:
        await _run(DbtCloudRunJobTrigger("dbt_cloud", number, time.time() + _A_DAY, interval, 1))

    return wait


PEERS = {"http": _http, "openai": _openai, "anthropic": _anthropic, "dbt-cloud": _dbt_cloud}
CONTENDERS = {OURS: _seedance, BARE: _bare, **PEERS}


def _connection(name: str, **fields: Any) -> None:
    """In the environment, where nobody has to ask Airflow for it."""
    connection = {"conn_type": name, "password": "not-a-secret", **fields}
    os.environ[f"AIRFLOW_CONN_{name.upper()}"] = json.dumps(connection)


async def _run(trigger: Any) -> None:
    async for event in trigger.run():
        raise RuntimeError(f"It should still be waiting: {event}")
