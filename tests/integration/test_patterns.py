"""Patterns in which DAGs are written, with videos in them, in a real Airflow: what runs, is paid for, and lands."""

from __future__ import annotations

import pytest

from tools.waiting import wait_until

DAG = """
import pendulum
from airflow.sdk import DAG, Asset, task, task_group

from seedance_provider.operators.seedance import CreateVideoOperator
from seedance_provider.sensors.seedance import VideoSensor
from seedance_provider.transfers.video_to_object_storage import VideoToObjectStorageOperator

FOLDER = "FOLDER_URI"
VIDEO = {"duration": 4, "resolution": "480p", "poll_interval": 1}
REFUSED = "[fail:text_moderation]"
ORDERED = Asset("seedance_patterns_ordered")


def create(prompt, task_id="create"):
    return CreateVideoOperator(task_id=task_id, prompt=prompt, **VIDEO)


def land(video, destination, task_id="land"):
    return VideoToObjectStorageOperator(task_id=task_id, video=video.output, destination=destination)


def rented(prompt, destination):
    @task
    def rent():
        return "a studio"

    @task
    def give_back(ti=None):
        return ti.xcom_pull("rent")

    with give_back().as_teardown(setups=rent().as_setup()):
        land(create(prompt), destination)


with DAG("pattern_setup", schedule=None):
    rented("pattern_setup", f"{FOLDER}/pattern_setup/video.mp4")

with DAG("pattern_setup_of_a_failure", schedule=None):
    rented(f"pattern_setup_of_a_failure {REFUSED}", f"{FOLDER}/pattern_setup_of_a_failure/video.mp4")

with DAG("pattern_trigger_rules", schedule=None):
    good, bad = create("pattern_trigger_rules", "good"), create(f"pattern_trigger_rules {REFUSED}", "bad")

    @task(trigger_rule="one_failed")
    def alarm(ti=None):
        return ti.xcom_pull("bad", key="failure")["reason"]

    @task(trigger_rule="all_done")
    def count(ti=None):
        return [name for name in ("good", "bad") if ti.xcom_pull(name)]

    @task(trigger_rule="none_failed")
    def celebrate():
        pass

    @task(trigger_rule="one_success")
    def first_made(ti=None):
        return ti.xcom_pull("bad") or ti.xcom_pull("good")

    first = first_made()
    [good, bad] >> alarm()
    [good, bad] >> count()
    [good, bad] >> celebrate()
    [good, bad] >> first
    land(good, f"{FOLDER}/pattern_trigger_rules/good.mp4", "land_good")
    land(bad, f"{FOLDER}/pattern_trigger_rules/bad.mp4", "land_bad")
    land(first.operator, f"{FOLDER}/pattern_trigger_rules/first.mp4", "land_first")

with DAG("pattern_nested_groups", schedule=None):

    @task_group
    def campaign():
        @task_group
        def scene(prompt, destination):
            video = create(prompt)

            @task_group
            def home():
                return land(video, destination).output

            return home()

        names = {"a": "", "b": REFUSED, "c": ""}
        return scene.expand_kwargs(
            [
                {
                    "prompt": f"pattern_nested_groups {name} {marker}",
                    "destination": f"{FOLDER}/pattern_nested_groups/{name}.mp4",
                }
                for name, marker in names.items()
            ]
        )

    @task(trigger_rule="all_done")
    def landed(paths):
        return [path.rpartition("/")[2] for path in paths]

    landed(campaign())

with DAG("pattern_split_and_mapped", schedule=None):
    submitted = CreateVideoOperator.partial(task_id="create", wait_for_completion=False, **VIDEO).expand(
        prompt=["pattern_split_and_mapped 1", "pattern_split_and_mapped 2"]
    )
    waited = VideoSensor.partial(task_id="wait", poke_interval=1).expand(video=submitted.output)
    VideoToObjectStorageOperator.partial(
        task_id="land", destination=f"{FOLDER}/pattern_split_and_mapped/{{video_task_id}}.mp4"
    ).expand(video=waited.output)

with DAG("pattern_ordering", schedule=None):

    @task(outlets=[ORDERED])
    def order():
        pass

    order()

with DAG("pattern_by_asset", schedule=[ORDERED]):
    land(
        create("pattern_by_asset {{ dag_run.run_after | ds }}"),
        FOLDER + "/pattern_by_asset/{{ dag_run.run_after | ds }}.mp4",
    )

# No run but those of a backfill: its end has passed.
with DAG(
    "pattern_backfill",
    schedule="@daily",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    end_date=pendulum.datetime(2026, 1, 31, tz="UTC"),
    catchup=False,
):
    land(create("pattern_backfill {{ ds }}"), FOLDER + "/pattern_backfill/{{ ds }}.mp4")
"""
STARTED = (
    "pattern_setup",
    "pattern_setup_of_a_failure",
    "pattern_trigger_rules",
    "pattern_nested_groups",
    "pattern_split_and_mapped",
    "pattern_ordering",
)
OK, FAILED, NOT_RUN = "success", "failed", "upstream_failed"
#: How the run has ended, and its tasks; those of a mapped task in their order.
ENDED = {
    "pattern_setup": (OK, {"rent": [OK], "create": [OK], "land": [OK], "give_back": [OK]}),
    "pattern_setup_of_a_failure": (FAILED, {"rent": [OK], "create": [FAILED], "land": [NOT_RUN], "give_back": [OK]}),
    "pattern_trigger_rules": (
        FAILED,
        {
            "good": [OK],
            "bad": [FAILED],
            "alarm": [OK],
            "count": [OK],
            "celebrate": [NOT_RUN],
            "first_made": [OK],
            "land_good": [OK],
            "land_bad": [NOT_RUN],
            "land_first": [OK],
        },
    ),
    "pattern_nested_groups": (
        OK,  # The only task at its end takes what there is.
        {
            "campaign.scene.create": [OK, FAILED, OK],
            "campaign.scene.home.land": [OK, NOT_RUN, OK],
            "landed": [OK],
        },
    ),
    "pattern_split_and_mapped": (OK, {"create": [OK, OK], "wait": [OK, OK], "land": [OK, OK]}),
    "pattern_by_asset": (OK, {"create": [OK], "land": [OK]}),
    "pattern_backfill": (OK, {"create": [OK], "land": [OK]}),
}
#: How many videos were asked for, how many of them were paid for, and how many files there are.
COUNTED = {
    "pattern_setup": (1, 1, 1),
    "pattern_setup_of_a_failure": (1, 0, 0),
    "pattern_trigger_rules": (2, 1, 2),  # One of them lands twice.
    "pattern_nested_groups": (3, 2, 2),
    "pattern_split_and_mapped": (2, 2, 2),
    "pattern_by_asset": (1, 1, 1),
    "pattern_backfill": (2, 2, 2),
}
BACKFILLED = ["2026-01-05", "2026-01-06"]


@pytest.fixture(scope="module")
def landed_in(tmp_path_factory):
    return tmp_path_factory.mktemp("patterns")


@pytest.fixture(scope="module")
def runs(airflow_stack, dags_folder, landed_in):
    """The runs of each pattern, all of which have ended."""
    (dags_folder / "patterns.py").write_text(DAG.replace("FOLDER_URI", landed_in.as_uri()))
    for dag_id in ("pattern_by_asset", "pattern_backfill"):
        airflow_stack.wait_for_dag(dag_id)
        airflow_stack.unpause(dag_id)
    days = {"from_date": f"{BACKFILLED[0]}T00:00:00Z", "to_date": f"{BACKFILLED[-1]}T00:00:00Z"}
    backfill = {"dag_id": "pattern_backfill", "max_active_runs": 2} | days
    airflow_stack.call("POST", "/backfills", json=backfill)
    ended = {dag_id: [run_id] for dag_id, run_id in airflow_stack.run_each(STARTED).items()}
    ended["pattern_by_asset"] = run_ids(airflow_stack, "pattern_by_asset", 1)
    ended["pattern_backfill"] = run_ids(airflow_stack, "pattern_backfill", len(BACKFILLED))
    return {dag_id: [airflow_stack.wait_for_run(dag_id, run_id) for run_id in found] for dag_id, found in ended.items()}


def run_ids(airflow_stack, dag_id, count):
    """The runs of a DAG that something else starts, once there are so many."""

    def found():
        runs = airflow_stack.call("GET", f"/dags/{dag_id}/dagRuns")["dag_runs"]
        return [run["dag_run_id"] for run in runs] if len(runs) == count else None

    return wait_until(found, timeout=180, what=f"{count} runs of {dag_id}")


def xcom(airflow_stack, run, task_id):
    return airflow_stack.xcom(run["dag_id"], run["dag_run_id"], task_id)


@pytest.mark.parametrize("dag_id", ENDED)
def test_its_tasks_end_as_the_pattern_means_it(airflow_stack, runs, dag_id):
    for run in runs[dag_id]:
        instances = airflow_stack.task_instances(dag_id, run["dag_run_id"])
        states = {}
        for instance in sorted(instances, key=lambda instance: instance["map_index"]):
            states.setdefault(instance["task_id"], []).append(instance["state"])
        assert (run["state"], states) == ENDED[dag_id]


@pytest.mark.parametrize("dag_id", COUNTED)
def test_each_video_is_asked_for_once_and_what_is_paid_for_lands(emulator, runs, landed_in, dag_id):
    asked = [entry for entry in emulator.ledger()["submissions"] if entry["prompt"].split()[0] == dag_id]
    files = list(landed_in.glob(f"{dag_id}/*"))
    assert (len(asked), sum(entry["creditsCharged"] > 0 for entry in asked), len(files)) == COUNTED[dag_id]
    assert len({entry["prompt"] for entry in asked}) == len(asked)


@pytest.mark.parametrize("dag_id", ["pattern_setup", "pattern_setup_of_a_failure"])
def test_what_was_set_up_is_torn_down_whatever_became_of_the_video(airflow_stack, runs, dag_id):
    (run,) = runs[dag_id]
    assert xcom(airflow_stack, run, "give_back") == "a studio"


def test_a_task_after_a_failed_video_knows_why_and_which_are_there(airflow_stack, runs, landed_in):
    (run,) = runs["pattern_trigger_rules"]
    assert xcom(airflow_stack, run, "alarm") == "text_moderation"
    assert xcom(airflow_stack, run, "count") == ["good"]
    good, first = (landed_in / "pattern_trigger_rules" / f"{name}.mp4" for name in ("good", "first"))
    assert first.read_bytes() == good.read_bytes()


def test_each_video_of_nested_groups_lands_under_its_own_name(airflow_stack, runs):
    (run,) = runs["pattern_nested_groups"]
    assert xcom(airflow_stack, run, "landed") == ["a.mp4", "c.mp4"]


def test_a_run_after_an_asset_event_needs_no_logical_date(runs, landed_in):
    (run,) = runs["pattern_by_asset"]
    assert (run["run_type"], run["logical_date"]) == ("asset_triggered", None)
    assert (landed_in / "pattern_by_asset" / f"{run['run_after'][:10]}.mp4").is_file()


def test_a_backfill_pays_for_one_video_of_each_day(emulator, runs, landed_in):
    assert {run["run_type"] for run in runs["pattern_backfill"]} == {"backfill"}
    prompts = [entry["prompt"] for entry in emulator.ledger()["submissions"]]
    for day in BACKFILLED:
        assert prompts.count(f"pattern_backfill {day}") == 1
        assert (landed_in / "pattern_backfill" / f"{day}.mp4").is_file()
