"""The scripts of the Videos page without a page, by Node.js, and what they take for granted of the rest."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from airflow.sdk import DAG

import seedance_provider.plugins
from seedance_provider.decorators.seedance import seedance_video_task
from seedance_provider.operators.seedance import CreateVideoOperator
from seedance_provider.sensors.seedance import VideoSensor
from seedance_provider.transfers.video_to_object_storage import VideoToObjectStorageOperator
from seedance_provider.triggers.seedance import OutageTrigger, SlotTrigger

NODE = Path(sys.executable).with_name("node")
PAGE = Path(seedance_provider.plugins.__file__).with_name("videos_page")
TESTS = sorted(Path(__file__).with_name("videos_page").glob("*.test.mjs"))


def node(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([NODE, *arguments], capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_the_scripts(path):
    done = node("--test", "--test-reporter=spec", path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fail 0" in done.stdout
    assert "skipped 0" in done.stdout


def test_every_script_that_needs_no_page_is_tested():
    assert [path.name for path in TESTS] == [
        "airflow_api.test.mjs",
        "credits.test.mjs",
        "query.test.mjs",
        "video.test.mjs",
    ]


def operators_asked_for() -> dict[str, list[str]]:
    program = (
        f"import {{ landingList, videoList, readQuery }} from {json.dumps((PAGE / 'query.js').as_uri())};"
        "const made = videoList(readQuery('')).parameters.operator;"
        "const landed = landingList({}, -1).parameters.operator;"
        "console.log(JSON.stringify({ made, landed }));"
    )
    done = node("--input-type=module", "--eval", program)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_tasks_that_are_asked_for_are_those_of_the_real_classes():
    with DAG("films", schedule=None):
        makers = [
            CreateVideoOperator(task_id="make", prompt="A kite"),
            VideoSensor(task_id="wait", video_task_id="task_a"),
            seedance_video_task(lambda: "A kite", task_id="decorated")().operator,
            CreateVideoOperator.partial(task_id="mapped").expand(prompt=["A kite"]),
        ]
        landers = [VideoToObjectStorageOperator(task_id="land", video={}, destination="s3://videos/")]
    asked_for = operators_asked_for()
    assert set(asked_for["made"]) == {task.task_type for task in makers}
    assert set(asked_for["landed"]) == {task.task_type for task in landers}


@pytest.mark.parametrize("trigger", [SlotTrigger("c", 0, 1), OutageTrigger("c", 0, 1, 1)])
def test_a_trigger_that_has_no_video_task_yet_is_known_by_its_name(trigger):
    name = type(trigger).__name__
    assert f'"{name}"' in (PAGE / "video.js").read_text()
    assert trigger.serialize()[0].endswith(f".{name}")
