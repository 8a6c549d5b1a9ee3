"""24 mixed requests in a mapped task, to the newest API and to the oldest, with no wire format in the connection."""

from __future__ import annotations

import json

import pytest

from seedance_provider.emulator.settings import DEFAULT_KEY
from tests.support.scripted_api import ANY_TIME
from tools.emulator_process import EmulatorProcess

pytestmark = pytest.mark.long

GENERATIONS = ("models", "quickstart")

FRAME = "https://example.com/first.png"
#: What to ask for, and its width and height; the newest API has another square than the quickstart.
SHAPES = {
    "landscape": ({"resolution": "1280x720"}, (1280, 720)),
    "portrait": ({"aspect_ratio": "9:16"}, (720, 1280)),
    "square": ({"resolution": "720x720"}, (960, 960)),
    "framed": ({"first_frame": FRAME}, (1280, 720)),
}
WISHES = [
    {"prompt": f"mixed {shape} {number}", "duration": 4 + number, **fields}
    for number in range(6)
    for shape, (fields, _) in SHAPES.items()
]
#: On a busy machine Airflow itself fails tries, and a retry pays for nothing.
MIXED = f"""
from datetime import timedelta

from airflow.sdk import DAG

from seedance_provider.operators.seedance import CreateVideoOperator

with DAG(dag_id="mixed", schedule=None, default_args={{"retries": 3, "retry_delay": timedelta(seconds=1)}}):
    for generation in {GENERATIONS!r}:
        CreateVideoOperator.partial(
            task_id=generation, seedance_conn_id=generation, deferrable=False, poll_interval=0.5
        ).expand_kwargs({WISHES!r})
"""


@pytest.fixture(scope="module")
def emulators(tmp_path_factory):
    """One of each generation, which finishes a video at once."""
    at_once = {"credits": 100_000, "waiting_seconds": 0, "generation_seconds": 0}
    newest, oldest = (
        EmulatorProcess(tmp_path_factory.mktemp(name), options=("--generation", name), **at_once)
        for name in GENERATIONS
    )
    with newest, oldest:
        yield {"models": newest, "quickstart": oldest}


@pytest.fixture(scope="module")
def mixed_run(airflow_stack, dags_folder, emulators):
    """The run in which both are asked."""
    for name, emulator in emulators.items():
        body = {"connection_id": name, "conn_type": "seedance", "host": emulator.base_url, "password": DEFAULT_KEY}
        extra = json.dumps({"typical_seconds": ANY_TIME})
        airflow_stack.call("POST", "/connections", json=body | {"extra": extra})
    (dags_folder / "mixed.py").write_text(MIXED)
    run_id = airflow_stack.start_run("mixed")
    assert airflow_stack.wait_for_run("mixed", run_id)["state"] == "success"
    return run_id


@pytest.mark.parametrize("generation", GENERATIONS)
def test_all_are_made_and_each_is_paid_once(mixed_run, emulators, generation):
    expected = []
    for wish in WISHES:
        shape = wish["prompt"].split()[1]
        size = (720, 720) if (generation, shape) == ("quickstart", "square") else SHAPES[shape][1]
        frame = [["First frame", FRAME]] if shape == "framed" else []
        expected.append((wish["prompt"], wish["duration"], *size, frame, 40 * wish["duration"]))
    names = ("prompt", "duration", "width", "height", "references", "creditsCharged")
    made = [tuple(entry[name] for name in names) for entry in emulators[generation].ledger()["submissions"]]
    assert sorted(made) == sorted(expected)


def test_the_log_names_the_format_that_saves_the_refused_calls(airflow_stack, mixed_run):
    said = "wire_format to 'quickstart'"
    assert said in airflow_stack.task_log("mixed", mixed_run, "quickstart", map_index=0)
    assert "wire_format" not in airflow_stack.task_log("mixed", mixed_run, "models", map_index=0)
