"""
Lets one contender wait for many jobs in this process, and prints what that costs.

``python -m benchmarks.measured_waits '{"contender": "seedance", ...}'`` prints a JSON object on its last line.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from typing import Any
from urllib.request import urlopen

from benchmarks.contenders import CONTENDERS, Wait

_TICK_SECONDS = 0.01
#: Asking more often would show in what is measured.
_PATIENCE_SECONDS = 1.0
_PAGE_BYTES = 4096


async def waiting(
    contender: str, base_url: str, polls_url: str, waits: int, interval: float, seconds: float
) -> dict[str, float]:
    """
    Measure waits that go on.

    :param contender: who waits.
    :param base_url: of the local API.
    :param polls_url: where it tells how many polls there were.
    :param waits: how many.
    :param interval: seconds between two polls of one job.
    :param seconds: how long to measure, twice: what is used, and the delays.
    """
    wait = CONTENDERS[contender](base_url, interval)
    first = await _first(wait, polls_url)
    gc.collect()
    memory, polls = _memory(), await _polls(polls_url)

    async def arrive(number: int) -> None:
        # Over one interval, since in step they would all ask at once.
        await asyncio.sleep(interval * number / waits)
        await wait(number)

    tasks = [first, *(asyncio.create_task(arrive(number)) for number in range(1, waits))]
    await _polled(polls_url, polls + waits, tasks)
    gc.collect()
    memory = _memory() - memory

    polls, cpu, began = await _polls(polls_url), time.process_time(), time.monotonic()
    await asyncio.sleep(seconds)
    cpu, polls, took = time.process_time() - cpu, await _polls(polls_url) - polls, time.monotonic() - began
    # Not in the same time, because to find the delays costs more than some contenders do.
    delay = await _worst_delay(seconds)
    _raise_errors(tasks)
    return {
        "cpu_per_poll": cpu / polls,
        "polls_per_second": polls / took,
        "worst_delay": delay,
        "memory_per_wait": memory / waits,
    }


async def starting(contender: str, base_url: str, polls_url: str, waits: int, interval: float) -> dict[str, float]:
    """
    Measure how many waits can begin: all at once, as after a restart of the triggerer.

    :param contender: who waits.
    :param base_url: of the local API.
    :param polls_url: where it tells how many polls there were.
    :param waits: how many.
    :param interval: seconds between two polls of one job; within it all have to begin.
    """
    wait = CONTENDERS[contender](base_url, interval)
    first = await _first(wait, polls_url)
    gc.collect()
    polls, cpu = await _polls(polls_url), time.process_time()
    tasks = [first, *(asyncio.create_task(wait(number)) for number in range(1, waits))]
    await _polled(polls_url, polls + waits - 1, tasks)
    cpu = time.process_time() - cpu
    _raise_errors(tasks)
    return {"cpu_per_start": cpu / (waits - 1)}


async def _first(wait: Wait, polls_url: str) -> asyncio.Task[None]:
    """What the first wait imports and opens does not count for each."""
    first = asyncio.create_task(wait(0))
    await _polled(polls_url, 1, [first])
    return first


async def _worst_delay(seconds: float) -> float:
    loop, worst = asyncio.get_running_loop(), 0.0
    end = loop.time() + seconds
    while (now := loop.time()) < end:
        await asyncio.sleep(_TICK_SECONDS)
        worst = max(worst, loop.time() - now - _TICK_SECONDS)
    return worst


async def _polled(polls_url: str, polls: int, tasks: list[asyncio.Task[None]]) -> None:
    while await _polls(polls_url) < polls:
        _raise_errors(tasks)
        await asyncio.sleep(_PATIENCE_SECONDS)


async def _polls(polls_url: str) -> int:
    def ask() -> int:
        with urlopen(polls_url, timeout=60) as answer:  # noqa: S310 - of this machine
            return int(json.load(answer))

    return await asyncio.to_thread(ask)


def _raise_errors(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        if task.done():
            task.result()


def _memory() -> int:
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * _PAGE_BYTES


def main() -> None:
    """Measure what the command line says."""
    what: dict[str, Any] = json.loads(sys.argv[1])
    measure = waiting if "seconds" in what else starting
    found = asyncio.run(measure(**what))
    sys.stdout.write(f"\n{json.dumps(found)}\n")


if __name__ == "__main__":
    main()
