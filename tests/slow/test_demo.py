"""The main job, as a newcomer runs it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import av
import pytest

REPOSITORY = Path(__file__).parents[2]


def test_the_demo_makes_a_real_video():
    done = subprocess.run(
        [sys.executable, "-m", "tools.demo"], cwd=REPOSITORY, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    last = done.stdout.splitlines()[-1]
    found = re.fullmatch(
        r"demo: ok video=(\S+) width=1280 height=720 duration=(5\.0|4\.9|5\.1) credits=200 submissions=1", last
    )
    assert found, last
    with av.open(found[1]) as video:
        stream = video.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert (stream.width, stream.height) == (1280, 720)
        assert video.duration / av.time_base == pytest.approx(5, abs=0.1)
