"""
Kills landings at random moments of each phase, and tells what they leave behind; run by ``test_killed_landings.py``.

Whoever is to be killed is forked, so that it has imported everything before, and nobody waits for that a hundred times.
That needs a process with a single thread, which this one is.

    python -m tests.stores.killed_landings URL DESTINATION KILLS [--hidden-names]
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import itertools
import json
import logging
import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

# What a landing imports when it needs it: before any fork.
import airflow.providers.amazon.aws.fs.s3
import airflow.sdk.io  # noqa: F401
import s3fs  # noqa: F401
from airflow.sdk import ObjectStoragePath

from seedance_provider.landing import part_file
from seedance_provider.landing.download import DownloadLimits
from seedance_provider.landing.landing import Landing
from seedance_provider.landing.media_check import check_video
from seedance_provider.network.addresses import AddressKind, AddressRule
from seedance_provider.network.guarded_session import guarded_session
from seedance_provider.storage.stored_file import StoredFile

#: What a landing is doing, by what it has said last.
PHASES = {b"": "starting", b"b": "downloading", b"p": "publishing", b"l": "landed"}
#: In which of them landings are killed, in turns. Little can be left by those that have only started.
TARGETS = (b"", b"b", b"p", b"b", b"p")


@dataclass
class Killings:
    """
    What was seen.

    :param phases: in which the landings were killed.
    :param under_the_name: what was there afterwards: the digests of all objects that were not nothing.
    """

    phases: Counter[str] = field(default_factory=Counter)
    under_the_name: Counter[str] = field(default_factory=Counter)


def land(url: str, destination: str, told: int) -> None:
    def check(path: str, size: int) -> Any:
        facts = check_video(path, size)
        os.write(told, b"p")
        return facts

    with guarded_session(AddressRule(frozenset({AddressKind.LOOPBACK}))) as session:
        landing = Landing(session, logging.getLogger(), DownloadLimits(pause=0.001))
        stored = StoredFile.at(destination)
        stored.size()
        os.write(told, b"b")
        landing.land(url, stored, check)
    os.write(told, b"l")


def forked(url: str, destination: str) -> tuple[int, int]:
    """Return the process id of a landing, and from where to read how far it is."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    try:
        land(url, destination, writing)
    finally:
        os._exit(0)


def durations(url: str, destination: str) -> dict[bytes, float]:
    """Land, and return how many seconds each phase took."""
    child, reading = forked(url, destination)
    took, phase, began = {}, b"", time.monotonic()
    while said := os.read(reading, 1):
        now = time.monotonic()
        took[phase] = now - began
        phase, began = said, now
    os.close(reading)
    os.waitpid(child, 0)
    assert PHASES[phase] == "landed"
    return took


def killed(url: str, destination: str, target: bytes, seconds: float) -> str:
    """Return what a landing was doing when it was killed some seconds after a phase had begun."""
    child, reading = forked(url, destination)
    said = b""
    while target not in said and (more := os.read(reading, 1)):
        said += more
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(reading, "rb") as told:
        said += told.read()
    return PHASES[said[-1:]]


def digest_there(destination: str) -> str | None:
    """Looked at by another process, because to ask a store takes threads."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        os.waitpid(child, 0)
        with os.fdopen(reading) as told:
            return told.read() or None
    try:
        stored = StoredFile.at(destination)
        size = stored.size()
        if size is not None:
            os.write(writing, hashlib.sha256(stored.piece(0, size)).hexdigest().encode())
            ObjectStoragePath(str(stored)).unlink()
    finally:
        os._exit(0)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("destination")
    parser.add_argument("kills", type=int)
    parser.add_argument("--hidden-names", action="store_true")
    given = parser.parse_args()
    if given.hidden_names:
        part_file._UNNAMED = None
    gc.freeze()
    # The first one of all meets a store that has to make room.
    for _ in range(2):
        took = durations(given.url, given.destination)
        whole = digest_there(given.destination)
    chance = random.Random(1)  # noqa: S311 - not for secrets
    seen = Killings()
    for target in itertools.islice(itertools.cycle(TARGETS), given.kills):
        after = chance.uniform(0, took[target])
        phase = killed(given.url, given.destination, target, after)
        seen.phases[phase] += 1
        if phase == "landed":
            # The phase takes less than it did, as on a machine that was busy at the beginning: kill sooner.
            took[target] = (took[target] + after) / 2
        if (found := digest_there(given.destination)) is not None:
            seen.under_the_name["whole" if found == whole else "something else"] += 1
    durations(given.url, given.destination)
    found = {
        "whole": whole,
        "phases": seen.phases,
        "under_the_name": seen.under_the_name,
        "seconds": sum(took.values()),
    }
    print(json.dumps(found))  # noqa: T201


main()
