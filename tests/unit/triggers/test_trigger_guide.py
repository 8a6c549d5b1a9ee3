"""The operator in docs/video-sensor.md that defers to VideoTrigger by itself."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, TaskDeferred

from seedance_provider.triggers.seedance import VideoTrigger
from seedance_provider.waiting.result import Outcome, WaitResult
from tests.support.scripted_api import ANY_TIME, Answer, record

GUIDE = (Path(__file__).parents[3] / "docs" / "video-sensor.md").read_text()

pytestmark = pytest.mark.usefixtures("seedance_default")


@pytest.fixture
def wait():
    (block,) = [code for code in re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL) if "VideoTrigger(" in code]
    names: dict = {}
    exec(compile(block, "docs/video-sensor.md", "exec"), names)  # noqa: S102
    return names["WaitForTrailerOperator"](task_id="wait", video_task_id="task_a")


async def event_of(wait) -> dict:
    """What its trigger fires, which polls more often here."""
    with pytest.raises(TaskDeferred) as deferred:
        wait.execute({})
    assert deferred.value.method_name == "execute_complete"
    _, arguments = deferred.value.trigger.serialize()
    soon = VideoTrigger(**arguments | {"poll_interval": 0.01, "typical_seconds": ANY_TIME})
    (event,) = [event.payload async for event in soon.run()]
    return json.loads(json.dumps(event))


async def test_returns_the_address_of_the_video(api, wait):
    api.readings.extend([Answer(body=record("generating")), Answer(body=record())])
    assert wait.execute_complete({}, await event_of(wait)).startswith("https://")


async def test_a_failed_video_fails_for_good(api, wait):
    api.readings.append(Answer(body=record("fail", error="Face detected in uploaded media.")))
    with pytest.raises(AirflowFailException, match=r"Face detected.*nothing was charged"):
        wait.execute_complete({}, await event_of(wait))


def test_a_wait_that_is_over_may_be_tried_again(wait):
    event = WaitResult(Outcome.TIMED_OUT, "not ready in time").to_event()
    with pytest.raises(AirflowException, match="not ready in time") as failure:
        wait.execute_complete({}, event)
    assert not isinstance(failure.value, AirflowFailException)


def test_the_guide_names_every_way_in_which_a_wait_ends():
    assert all(f"| `{outcome}` |" in GUIDE for outcome in Outcome)
