"""Every example DAG, run by a real scheduler, dag processor and triggerer against the emulator."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

import av
import pytest

EXAMPLES = sorted(path.stem for path in (Path(__file__).parents[2] / "dags").glob("*.py"))


@pytest.fixture(scope="module")
def finished(airflow_stack):
    """All examples, started together and waited for."""
    airflow_stack.call("POST", "/pools", json={"name": "seedance", "slots": 2, "include_deferred": True})
    runs = {}
    for dag_id in EXAMPLES:
        airflow_stack.wait_for_dag(dag_id)
        # In place of the run that the schedule would start as soon as the DAG is unpaused.
        runs[dag_id] = airflow_stack.trigger(dag_id, logical_date=airflow_stack.next_logical_date(dag_id))
        airflow_stack.unpause(dag_id)
    return {dag_id: airflow_stack.wait_for_run(dag_id, run_id, timeout=180) for dag_id, run_id in runs.items()}


def landed(airflow_stack, run, map_index: int = -1) -> Path:
    """The file that the upload of a run has made."""
    uri = airflow_stack.xcom(run["dag_id"], run["dag_run_id"], "upload", map_index=map_index)
    return Path(unquote(urlsplit(uri).path))


def test_there_is_an_example_of_every_kind():
    assert EXAMPLES == [
        "seedance_brand_variations",
        "seedance_bucket_images",
        "seedance_create_wait_upload",
        "seedance_image_to_video",
        "seedance_many_videos",
        "seedance_safer_prompt",
        "seedance_storyboard",
        "seedance_taskflow",
        "seedance_text_to_video",
    ]


@pytest.mark.parametrize("dag_id", EXAMPLES)
def test_succeeds_at_the_first_try(airflow_stack, finished, dag_id):
    run = finished[dag_id]
    instances = airflow_stack.task_instances(dag_id, run["dag_run_id"])
    unneeded = ["create_safer"] if dag_id == "seedance_safer_prompt" else []
    ended = {
        (instance["state"], instance["try_number"]) for instance in instances if instance["task_id"] not in unneeded
    }
    assert ended == {("success", 1)}
    assert run["state"] == "success"


@pytest.mark.parametrize(
    ("dag_id", "size", "seconds"),
    [
        ("seedance_text_to_video", (1280, 720), 5),
        ("seedance_image_to_video", (720, 1280), 4),
        ("seedance_create_wait_upload", (1280, 720), 4),
    ],
)
def test_lands_a_real_video(airflow_stack, finished, dag_id, size, seconds):
    with av.open(str(landed(airflow_stack, finished[dag_id]))) as video:
        stream = video.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert (stream.width, stream.height) == size
        assert video.duration / av.time_base == pytest.approx(seconds, abs=0.1)


def test_lands_one_video_for_every_prompt(airflow_stack, finished):
    files = {landed(airflow_stack, finished["seedance_many_videos"], index) for index in range(3)}
    assert len(files) == 3
    assert all(path.stat().st_size > 10_000 for path in files)


def test_lands_one_video_for_every_picture_in_the_bucket(airflow_stack, finished):
    run = finished["seedance_bucket_images"]
    files = {landed(airflow_stack, run, index) for index in range(2)}
    assert len(files) == 2
    assert all(path.stat().st_size > 10_000 for path in files)
    named = airflow_stack.xcom(run["dag_id"], run["dag_run_id"], "pictures")
    assert [Path(name).name for name in named] == ["navy.png", "red.jpg"]


def test_returns_what_the_next_tasks_need(airflow_stack, finished):
    run = finished["seedance_text_to_video"]
    result = airflow_stack.xcom(run["dag_id"], run["dag_run_id"], "create")
    unsure = {"task_id": "", "video_url": "", "created_at": "", "completed_at": "", "last_frame_url": "", "seed": 0}
    assert result | unsure == {
        "last_frame_url": "",
        "seed": 0,
        "media_type": "video/mp4",
        "estimated_credits": 200,
        "task_id": "",
        "model": "seedance-20",
        "status": "success",
        "video_url": "",
        "width": 1280,
        "height": 720,
        "credits_used": 200,
        "created_at": "",
        "completed_at": "",
        "generation_seconds": pytest.approx(2.5, abs=0.1),
    }
    assert airflow_stack.xcom(run["dag_id"], run["dag_run_id"], "create", key="task_id") == result["task_id"]


def test_pays_once_for_every_video(finished, emulator):
    prompts = [submission["prompt"] for submission in emulator.ledger()["submissions"]]
    for prompt in ("A paper boat", "A lighthouse", "Steam rises", "A serene Japanese garden", "The bud slowly opens"):
        assert len([said for said in prompts if said.startswith(prompt)]) == 1


def test_the_log_tells_the_story(airflow_stack, finished):
    run = finished["seedance_text_to_video"]
    log = airflow_stack.task_log(run["dag_id"], run["dag_run_id"], "create")
    story = ["Submitted video task", "about 200 credits ($1.00)", "succeeded after"]
    assert [said for said in story if said not in log] == []


def test_the_video_is_one_click_away(airflow_stack, finished):
    run = finished["seedance_text_to_video"]
    path = f"/dags/{run['dag_id']}/dagRuns/{run['dag_run_id']}/taskInstances/create/links"
    links = airflow_stack.call("GET", path)["extra_links"]
    assert links["Video"] == airflow_stack.xcom(run["dag_id"], run["dag_run_id"], "create")["video_url"]


def test_every_shot_starts_where_the_one_before_has_ended(airflow_stack, finished):
    run = finished["seedance_storyboard"]
    instances = airflow_stack.task_instances(run["dag_id"], run["dag_run_id"])
    started_from = {instance["task_id"]: instance["rendered_fields"].get("first_frame") for instance in instances}
    ended_at = [airflow_stack.xcom(run["dag_id"], run["dag_run_id"], f"shot_{n}")["last_frame_url"] for n in (1, 2)]
    assert started_from["shot_1"] in (None, "None")
    assert [started_from["shot_2"], started_from["shot_3"]] == ended_at


def test_variations_have_every_shape_of_every_model(finished, emulator):
    assert finished["seedance_brand_variations"]["state"] == "success"
    made = [entry for entry in emulator.ledger()["submissions"] if entry["prompt"].startswith("A bottle of olive oil")]
    assert sorted((entry["model"], entry["width"], entry["height"]) for entry in made) == [
        (model, *size) for model in ("seedance-20", "seedance2-fast") for size in ((496, 864), (640, 640), (864, 496))
    ]
    assert sum(entry["credits"] for entry in made) == 348


@pytest.mark.parametrize(
    ("failure", "state", "states"),
    [
        ("text_moderation", "success", {"create": "failed", "create_safer": "success", "upload": "success"}),
        ("face_detected", "failed", {"create": "failed", "turned_down": "failed", "upload": "upstream_failed"}),
    ],
)
def test_a_safer_prompt_is_tried_after_moderation_only(airflow_stack, finished, failure, state, states):
    prompt = {"prompt": f"Two knights [fail:{failure}]"}
    run_id = airflow_stack.trigger("seedance_safer_prompt", conf=prompt)
    run = airflow_stack.wait_for_run("seedance_safer_prompt", run_id)
    ended = {i["task_id"]: i["state"] for i in airflow_stack.task_instances("seedance_safer_prompt", run_id)}
    assert run["state"] == state
    assert ended | states == ended
