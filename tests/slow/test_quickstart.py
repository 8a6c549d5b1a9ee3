"""
docs/quickstart.md, word by word: every block is typed into one terminal, in an empty home, by somebody who has nothing.

The ports are those of the page, since its commands are typed as they are. In place of the machine's environment there
is only what tells pip where packages come from.
"""

from __future__ import annotations

import os
import re
import socket
from contextlib import suppress
from pathlib import Path

import av
import psutil
import pytest

from tests.docs.documents import REPOSITORY, Block, blocks
from tests.support.shell import Shell
from tools.waiting import wait_until

# What was typed once serves them all.
pytestmark = pytest.mark.xdist_group("quickstart")

PAGE = REPOSITORY / "docs/quickstart.md"
#: Of the emulator, the UI, and the two servers for the logs of running tasks.
PORTS = (8765, 8080, 8793, 8794)
#: Seconds in which any block has to be done, beside other tests on a slow machine. The slowest is pip.
PATIENCE = 600


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("newcomer")


@pytest.fixture(scope="module")
def printed(home) -> dict[str, str]:
    """What the terminal shows after each block, by the block."""
    for port in PORTS:
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0, f"The quickstart needs port {port}, which is in use."
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_") or name == "SSL_CERT_FILE"}
    env = {**pip, "HOME": str(home), "PATH": os.defpath, "LANG": "C.UTF-8"}
    # The home is another one, but pip's settings are those of whoever runs the test.
    if (settings := Path("~/.config/pip/pip.conf").expanduser()).exists():
        env["PIP_CONFIG_FILE"] = str(settings)
    seen = {}
    with Shell(home / ".typed", env=env, cwd=REPOSITORY) as shell:
        for block in blocks(PAGE):
            match block.language:
                case "bash":
                    seen[block.text] = shell.run(block.text, timeout=PATIENCE)
                case "python":
                    save(block, home)
                case "text":
                    assert "".join(seen.values()).endswith(block.text), f"{block} is not what was printed"
        # What the last command has ended takes a moment to end.
        wait_until(
            lambda: len(shell.process.members()) == 1, timeout=60, what=lambda: f"only the shell: {running(shell)}"
        )
    return seen


def running(shell: Shell) -> list[str]:
    """The commands that run in a shell, itself included."""
    commands = []
    for process in shell.process.members():
        with suppress(psutil.Error):
            commands.append(f"{process.pid} of {process.ppid()}: {' '.join(process.cmdline())}")
    return commands


def save(block: Block, home: Path) -> None:
    """Do as a sentence such as "Save this as `~/dags/kite.py`:" says."""
    (name,) = re.findall(r"Save this as `~/(.+?)`", block.before)
    (home / name).write_text(block.text)


def test_the_page_leads_to_a_real_video(printed, home):
    (video,) = (home / "seedance-quickstart/videos").glob("*.mp4")
    assert any(str(video) in output for output in printed.values())
    with av.open(str(video)) as opened:
        stream = opened.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert (stream.width, stream.height) == (1280, 720)
        assert opened.duration / av.time_base == pytest.approx(5, abs=0.1)


def test_it_costs_what_the_page_says(printed):
    (costs,) = (output for output in printed.values() if "cost" in output)
    assert "cost 200 credits" in costs
    assert "200 credits, about $1.00" in PAGE.read_text()


def test_clearing_makes_no_second_video(printed):
    (cleared,) = (output for typed, output in printed.items() if "tasks clear" in typed)
    assert cleared.endswith('"submissionCount": 1\n')


def test_airflow_complains_about_nothing_that_the_page_does_not_mention(printed):
    commands = [output for typed, output in printed.items() if typed.startswith("airflow ")]
    assert len(commands) == 3
    for output in commands:
        warned = [line for line in output.splitlines() if re.search("warning|error|critical", line, re.IGNORECASE)]
        assert [line for line in warned if "graphviz" not in line] == []
