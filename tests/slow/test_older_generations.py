"""The example DAGs against older generations of the API; tests/integration/test_example_dags.py has the newest."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import media
from tests.support.scripted_api import Answer, scripted_api
from tools.airflow_settings import AirflowSettings
from tools.emulator_process import EmulatorProcess
from tools.processes import inherited_environment

if TYPE_CHECKING:
    from collections.abc import Iterable

DAGS = Path(__file__).parents[2] / "dags"
pytestmark = pytest.mark.long

OLDER = ("docs", "quickstart")
MAKE_NO_VIDEO = {"seedance_catalogue", "seedance_clean_up"}
#: Goes on with what older generations leave out: the link to the last picture, sound. And the DAG of the demo.
AT_EACH_CHANGE = ("seedance_film", "seedance_storyboard", "seedance_text_to_video")
OTHERS = sorted({path.stem for path in DAGS.glob("*.py")} - MAKE_NO_VIDEO - {*AT_EACH_CHANGE})
#: Shorter lists, in which nothing less is asked for.
CONF = {
    "seedance_accounts": {"accounts": ["seedance_default"]},
    "seedance_many_videos": {"prompts": ["A paper boat sails down a rainy street"]},
}

#: One process for all, and no scheduler, whose processes take longer to start than the tasks take.
PROGRAM = """
import json, os, sys
from airflow.dag_processing.dagbag import DagBag

folder, by_generation, examples = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
for generation, environment in by_generation.items():
    os.environ.update(environment)
    bag = DagBag(folder)
    for dag_id, conf in examples.items():
        run = bag.dags[dag_id].test(run_conf=conf, mark_success_pattern="approve")
        print("STATE", generation, dag_id, run.state)
"""


@dataclass(frozen=True)
class Outcome:
    """What one generation has made: how each DAG has ended, the ledger's entries, and the folder of the videos."""

    states: dict[str, str]
    submissions: list[dict[str, Any]]
    videos: Path

    def check(self, dag_ids: Iterable[str]) -> None:
        """All DAGs have succeeded, and every video was paid for once, and has landed."""
        assert self.states == dict.fromkeys(dag_ids, "success")
        landed = [path for path in self.videos.rglob("*.mp4") if path.name != "film.mp4"]
        assert len(self.submissions) == len(landed) > 0
        assert {made["creditsCharged"] for made in self.submissions} <= {160, 200}


def run(folder: Path, dag_ids: Iterable[str]) -> dict[str, Outcome]:
    """Run some examples with each of the older generations in turn."""
    settings = AirflowSettings.on_free_ports(folder / "home", DAGS)
    (folder / "images").mkdir()
    media.picture(folder / "images" / "navy.png", "navy")
    (folder / "prompts.csv").write_text("name,prompt,duration,resolution\nowl,An owl over a quiet street,4,720x1280\n")
    with ExitStack() as exits:
        webhook = exits.enter_context(scripted_api())
        webhook.creations.append(Answer(body={"ok": True}))
        emulators = {name: exits.enter_context(emulator(folder / f"emulator-{name}", name)) for name in OLDER}
        environment = {
            **inherited_environment(),
            **settings.environment(),
            "AIRFLOW_CONN_VIDEO_WEBHOOK": json.dumps({"conn_type": "http", "host": webhook.url}),
            "SEEDANCE_IMAGE_FOLDER": (folder / "images").as_uri(),
            "SEEDANCE_PROMPT_FILE": (folder / "prompts.csv").as_uri(),
        }
        by_generation = {
            name: {"AIRFLOW_CONN_SEEDANCE_DEFAULT": at_once(running), "SEEDANCE_VIDEO_FOLDER": (folder / name).as_uri()}
            for name, running in emulators.items()
        }
        examples = {dag_id: CONF.get(dag_id, {}) for dag_id in dag_ids}
        airflow(environment, "-m", "airflow", "db", "migrate")
        airflow(environment, "-m", "airflow", "dags", "reserialize")
        said = airflow(environment, "-c", PROGRAM, str(DAGS), json.dumps(by_generation), json.dumps(examples))
        ended = [line.split()[1:] for line in said.splitlines() if line.startswith("STATE ")]
        return {
            name: Outcome(
                {dag_id: state for generation, dag_id, state in ended if generation == name},
                running.ledger()["submissions"],
                folder / name,
            )
            for name, running in emulators.items()
        }


def emulator(folder: Path, generation: str) -> EmulatorProcess:
    options = ("--generation", generation)
    return EmulatorProcess(folder, credits=100_000, waiting_seconds=0, generation_seconds=0, options=options)


def at_once(running: EmulatorProcess) -> str:
    """A connection by which a video is looked at as soon as it is submitted; it is finished by then."""
    return json.dumps(json.loads(running.connection) | {"extra": {"typical_seconds": "0.1-1"}})


def airflow(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=1200, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    return run(tmp_path_factory.mktemp("older"), AT_EACH_CHANGE)


@pytest.mark.parametrize("generation", OLDER)
def test_what_needs_what_they_leave_out_works_without(outcomes, generation):
    outcomes[generation].check(AT_EACH_CHANGE)


@pytest.mark.parametrize("generation", OLDER)
def test_every_shot_starts_from_a_picture_though_the_api_names_none(outcomes, generation):
    shots = [made for made in outcomes[generation].submissions if made["prompt"].startswith("The fox ")]
    assert [[purpose for purpose, _ in shot["references"]] for shot in shots] == [["First frame"], ["First frame"]]
    assert len(list(outcomes[generation].videos.rglob("shot-*-last-frame.png"))) == 2


def test_all_other_examples_work_with_them(tmp_path):
    for outcome in run(tmp_path, OTHERS).values():
        outcome.check(OTHERS)
