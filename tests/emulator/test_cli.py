"""The emulator as a process."""

import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

import pytest
import requests

from seedance_provider.emulator.cli import read_settings
from seedance_provider.emulator.faults import Rule
from seedance_provider.emulator.settings import DEFAULT_KEY, Settings

BODY = {"model": "seedance-20", "inputs": {"prompt": "A cat", "duration": 5, "outputResolution": "720p"}}
HEADERS = {"Authorization": f"Bearer {DEFAULT_KEY}"}


@contextmanager
def emulator_process(*flags):
    """Start the emulator on a free port; give the process and the base URL that it printed."""
    command = [sys.executable, "-m", "seedance_provider.emulator", "--port", "0", *flags]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, cwd=Path(__file__).parents[2], **pipes) as process:
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def test_defaults_are_those_of_the_settings():
    assert read_settings([]) == Settings(port=8765)


def test_flags(tmp_path):
    flags = [
        *("--host", "::1", "--port", "1"),
        *("--state", str(tmp_path / "s"), "--media-dir", str(tmp_path / "m")),
        *("--key", "a=b=5", "--key", "c=7.5", "--concurrency-limit", "3"),
        *("--inactive-key", "i", "--expired-key", "e", "--no-access-key", "n"),
        *("--waiting-seconds", "0", "--generation-seconds", "0.5", "--jitter", "2", "--jitter-seed", "9"),
        *("--error-shape", "object", "--failed-record", "models"),
    ]
    assert read_settings(flags) == Settings(
        host="::1",
        port=1,
        keys={"a=b": 5, "c": 7.5},
        inactive_keys=frozenset({"i"}),
        expired_keys=frozenset({"e"}),
        no_access_keys=frozenset({"n"}),
        state_file=tmp_path / "s",
        media_dir=tmp_path / "m",
        waiting_seconds=0,
        generation_seconds=0.5,
        jitter=2,
        jitter_seed=9,
        concurrency_limit=3,
        error_shape="object",
        failed_record="models",
    )


@pytest.mark.parametrize(
    "flags",
    [
        ["--key", "secret"],
        ["--key", "=5"],
        ["--key", "secret=-1"],
        ["--key", "secret=many"],
        ["--jitter", "-1"],
        ["--waiting-seconds", "nan"],
        ["--error-shape", "xml"],
    ],
)
def test_wrong_flags(flags, capsys):
    with pytest.raises(SystemExit, match="2"):
        read_settings(flags)
    assert "secret" not in capsys.readouterr().err


def test_help_and_guide_name_every_flag(capsys):
    with pytest.raises(SystemExit, match="0"):
        read_settings(["--help"])
    listed = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help"}
    guide = (Path(__file__).parents[2] / "docs" / "emulator.md").read_text()
    assert set(re.findall(r"\| `(--[a-z-]+)", guide)) == listed
    assert len(listed) == len(fields(Settings)) + 1  # --fault-seed becomes a part of every fault


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_prints_its_address_and_ends_cleanly(number):
    with emulator_process() as (process, base_url):
        assert requests.post(f"{base_url}/jobs/createTask", json=BODY, headers=HEADERS, timeout=5).ok
        process.send_signal(number)
        _, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (0, "")


def test_a_submission_survives_kill_9(tmp_path):
    flags = ("--state", str(tmp_path / "state.sqlite"))
    with emulator_process(*flags) as (process, base_url):
        created = requests.post(f"{base_url}/jobs/createTask", json=BODY, headers=HEADERS, timeout=5)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    with emulator_process(*flags) as (_, base_url):
        params = created.json()
        record = requests.get(f"{base_url}/jobs/recordInfo", params=params, headers=HEADERS, timeout=5).json()
        ledger = requests.get(base_url.replace("/api/v1", "/emulator/ledger"), timeout=5).json()
    assert record["taskId"] == params["taskId"]
    assert [submission["taskId"] for submission in ledger["submissions"]] == [params["taskId"]]


def test_a_port_that_is_taken_is_told_in_one_line():
    with emulator_process() as (_, base_url):
        port = base_url.split(":")[2].split("/")[0]
        with emulator_process("--port", port) as (second, nothing):
            _, errors = second.communicate(timeout=10)
    assert nothing == ""
    assert second.returncode == 1
    assert errors.count("\n") == 1


def test_faults_are_read_with_their_seed():
    slow, empty = "slow,on=media,probability=0.5,count=3,seconds=1.5", "empty_after,on=createTask,prompt=7"
    assert read_settings(["--fault", slow, "--fault", empty, "--fault-seed", "7"]).faults == (
        Rule("slow", "media", probability=0.5, count=3, seconds=1.5, seed=7),
        Rule("empty_after", "createTask", prompt="7", seed=7),
    )


@pytest.mark.parametrize("fault", ["slow", "slower,on=media", "slow,on=media,count=many", "vanish,on=media"])
def test_a_fault_that_cannot_be_meant_ends_with_a_message(capsys, fault):
    with pytest.raises(SystemExit, match="2"):
        read_settings(["--fault", fault])
    assert "argument --fault" in capsys.readouterr().err
