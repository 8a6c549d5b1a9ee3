"""Every example DAG, run by a real scheduler, dag processor and triggerer against the emulator."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

import av
import pytest

from tools.waiting import wait_until

EXAMPLES = sorted(path.stem for path in (Path(__file__).parents[2] / "dags").glob("*.py"))
#: An event starts it, and nobody else.
STARTED_BY_EVENTS = "seedance_catalogue"


@pytest.fixture(scope="module")
def made_before(emulator):
    """How many videos others have asked for."""
    return emulator.ledger()["submissionCount"]


@pytest.fixture(scope="module")
def finished(airflow_stack, made_before):
    """All examples, started together and waited for."""
    airflow_stack.call("POST", "/pools", json={"name": "seedance", "slots": 2, "include_deferred": True})
    runs = {}
    for dag_id in EXAMPLES:
        airflow_stack.wait_for_dag(dag_id)
    airflow_stack.unpause(STARTED_BY_EVENTS)
    for dag_id in EXAMPLES:
        if dag_id == STARTED_BY_EVENTS:
            continue
        # In place of the run that the schedule would start as soon as the DAG is unpaused.
        runs[dag_id] = airflow_stack.trigger(dag_id, logical_date=airflow_stack.next_logical_date(dag_id))
        airflow_stack.unpause(dag_id)
    approve(airflow_stack, runs["seedance_approval"])
    done = {dag_id: airflow_stack.wait_for_run(dag_id, run_id) for dag_id, run_id in runs.items()}
    return done | {STARTED_BY_EVENTS: run_after_events(airflow_stack)}


def approve(airflow_stack, run_id):
    """
    Press the button that a person would press, who is not as fast as a test.

    Until the scheduler has seen the end of the process that asks, it takes it for that of the one after the answer.
    """
    seen = f"TaskInstance Finished: dag_id=seedance_approval, task_id=approve, run_id={run_id}"
    log = airflow_stack.home / "components/scheduler.log"
    wait_until(lambda: seen in log.read_text(), timeout=180, what="something to approve")
    task = f"/dags/seedance_approval/dagRuns/{run_id}/taskInstances/approve"
    assert airflow_stack.call("GET", task)["state"] == "awaiting_input"
    answer = {"chosen_options": ["Approve"], "params_input": {}}
    airflow_stack.call("PATCH", f"{task}/-1/hitlDetails", json=answer)


def run_after_events(airflow_stack):
    """The run that the landing of another example has started."""
    runs = f"/dags/{STARTED_BY_EVENTS}/dagRuns"
    wait_until(lambda: airflow_stack.call("GET", runs)["dag_runs"], timeout=180, what="a run after an asset event")
    first = airflow_stack.call("GET", runs, params={"order_by": "run_after"})["dag_runs"][0]
    return airflow_stack.wait_for_run(STARTED_BY_EVENTS, first["dag_run_id"])


def landed(airflow_stack, run, map_index: int = -1, task_id: str = "upload") -> Path:
    """The file that the upload of a run has made."""
    uri = airflow_stack.xcom(run["dag_id"], run["dag_run_id"], task_id, map_index=map_index)
    return Path(unquote(urlsplit(uri).path))


def test_there_is_an_example_of_every_kind():
    assert EXAMPLES == [
        "seedance_accounts",
        "seedance_approval",
        "seedance_brand_variations",
        "seedance_bucket_images",
        "seedance_catalogue",
        "seedance_clean_up",
        "seedance_create_wait_upload",
        "seedance_film",
        "seedance_image_to_video",
        "seedance_many_videos",
        "seedance_nightly_batch",
        "seedance_safer_prompt",
        "seedance_storyboard",
        "seedance_taskflow",
        "seedance_text_to_video",
        "seedance_upload_and_notify",
    ]


@pytest.mark.parametrize("dag_id", EXAMPLES)
def test_succeeds_at_the_first_try(airflow_stack, finished, dag_id):
    run = finished[dag_id]
    instances = airflow_stack.task_instances(dag_id, run["dag_run_id"])
    unneeded = ["create_safer"] if dag_id == "seedance_safer_prompt" else []
    lost = airflow_stack.lost_tries(dag_id, run["dag_run_id"])
    ended = {
        (instance["state"], instance["try_number"] - lost[instance["task_id"], instance["map_index"]])
        for instance in instances
        if instance["task_id"] not in unneeded
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
    run = finished["seedance_many_videos"]
    files = {landed(airflow_stack, run, index, "one_video.upload") for index in range(3)}
    assert len(files) == 3
    assert all(path.stat().st_size > 10_000 for path in files)


def test_a_prompt_that_is_refused_keeps_no_other_video_from_landing(airflow_stack, finished):
    prompts = ["A red kite", "A knight [fail:text_moderation]", "A blue kite"]
    run_id = airflow_stack.trigger("seedance_many_videos", conf={"prompts": prompts})
    run = airflow_stack.wait_for_run("seedance_many_videos", run_id)
    assert run["state"] == "failed"
    assert ended_as(airflow_stack, run, "one_video.create") == ["success", "failed", "success"]
    assert ended_as(airflow_stack, run, "one_video.upload") == ["success", "upstream_failed", "success"]
    assert all(landed(airflow_stack, run, index, "one_video.upload").stat().st_size > 10_000 for index in (0, 2))


def ended_as(airflow_stack, run, task_id):
    """How the mapped instances of a task have ended, in their order."""
    instances = airflow_stack.task_instances(run["dag_id"], run["dag_run_id"])
    ended = {instance["map_index"]: instance["state"] for instance in instances if instance["task_id"] == task_id}
    return [ended[index] for index in sorted(ended)]


def test_lands_one_video_for_every_picture_in_the_bucket_and_names_it_after_the_picture(airflow_stack, finished):
    run = finished["seedance_bucket_images"]
    for index, name in enumerate(("navy", "red")):
        video = airflow_stack.xcom(run["dag_id"], run["dag_run_id"], "one_picture.create", map_index=index)
        file = landed(airflow_stack, run, index, "one_picture.upload")
        assert file.name == f"{name}-{video['video_task_id']}.mp4"
        assert file.stat().st_size > 10_000


def test_every_account_pays_for_a_video_in_a_folder_of_its_own(airflow_stack, finished, emulator, video_folder):
    made = [entry for entry in emulator.ledger()["submissions"] if entry["prompt"].startswith("A shop window at night")]
    assert [entry["creditsCharged"] for entry in made] == [160, 160]
    assert len({entry["account"] for entry in made}) == 2
    run = finished["seedance_accounts"]
    for index, conn_id in enumerate(("seedance_north", "seedance_south")):
        video = airflow_stack.xcom(run["dag_id"], run["dag_run_id"], "one_account.create", map_index=index)
        assert (video_folder / "accounts" / conn_id / f"{video['video_task_id']}.mp4").stat().st_size > 10_000


def test_the_nightly_batch_makes_a_video_of_every_row(finished, emulator):
    assert finished["seedance_nightly_batch"]["state"] == "success"
    made = sorted((entry["prompt"], entry["duration"], entry["credits"]) for entry in nightly_videos(emulator))
    assert made == [("A fox, asleep", 5, 200), ("An owl over a quiet street", 4, 160)]


def test_a_row_that_fails_gives_no_other_video_its_name(airflow_stack, finished, prompt_file):
    rows = {f"product-{n}": f"A bottle on table {n}" for n in range(5)}
    rows["product-1"] += " [fail:text_moderation]"
    before = prompt_file.read_text()
    prompt_file.write_text("name,prompt,duration\n" + "".join(f"{name},{rows[name]},4\n" for name in rows))
    try:
        run_id = airflow_stack.trigger("seedance_nightly_batch")
        run = airflow_stack.wait_for_run("seedance_nightly_batch", run_id)
    finally:
        prompt_file.write_text(before)
    assert run["state"] == "failed"
    assert ended_as(airflow_stack, run, "one_row.upload") == ["success", "upstream_failed", *["success"] * 3]
    for index, name in enumerate(rows):
        if name != "product-1":
            video = airflow_stack.xcom(run["dag_id"], run_id, "one_row.create", map_index=index)
            assert video["prompt"] == rows[name]
            file = landed(airflow_stack, run, index, "one_row.upload")
            assert file.name == f"{name}-{video['video_task_id']}.mp4"
            assert file.is_file()


@pytest.mark.parametrize(
    ("day", "conf", "states", "videos"),
    [
        (
            "2026-01-05",
            {},
            {"may_pay": "success", "rows": "skipped", "one_row.create": "skipped", "one_row.upload": "skipped"},
            0,
        ),
        (
            "2026-01-06",
            {"pay_for_backfill": True},
            {"may_pay": "success", "one_row.create": "success", "one_row.upload": "success"},
            2,
        ),
    ],
)
def test_a_backfill_of_the_nightly_batch_pays_only_if_it_says_so(
    airflow_stack, finished, emulator, day, conf, states, videos
):
    before = len(nightly_videos(emulator))
    span = {"from_date": f"{day}T00:00:00Z", "to_date": f"{day}T23:59:59Z"}
    backfill = {"dag_id": "seedance_nightly_batch", "dag_run_conf": conf, "max_active_runs": 1} | span
    # Airflow allows one at a time, and takes half a minute to see that one is over.
    wait_until(lambda: no_backfill_goes_on(airflow_stack), timeout=180, what="the end of the backfill before")
    airflow_stack.call("POST", "/backfills", json=backfill)
    (run,) = wait_until(lambda: backfill_runs(airflow_stack, day), timeout=180, what="the run of the backfill")
    run_id = run["dag_run_id"]
    assert airflow_stack.wait_for_run("seedance_nightly_batch", run_id)["state"] == "success"
    ended = {task["task_id"]: task["state"] for task in airflow_stack.task_instances("seedance_nightly_batch", run_id)}
    assert ended | states == ended
    assert len(nightly_videos(emulator)) - before == videos


def no_backfill_goes_on(airflow_stack):
    """Whether Airflow would take another one of the nightly batch."""
    backfills = airflow_stack.call("GET", "/backfills", params={"dag_id": "seedance_nightly_batch"})["backfills"]
    return all(backfill["completed_at"] for backfill in backfills)


def backfill_runs(airflow_stack, day):
    """The runs of the nightly batch that a backfill has made for a day."""
    runs = airflow_stack.call("GET", "/dags/seedance_nightly_batch/dagRuns")["dag_runs"]
    return [run for run in runs if run["run_type"] == "backfill" and run["logical_date"].startswith(day)]


def nightly_videos(emulator):
    """What the emulator has accepted for the nightly batch."""
    prompts = ("An owl over a quiet street", "A fox, asleep")
    return [entry for entry in emulator.ledger()["submissions"] if entry["prompt"] in prompts]


def test_nothing_is_asked_for_that_an_older_api_can_not_be_asked_for(finished, emulator, made_before):
    made = emulator.ledger()["submissions"][made_before:]
    assert {entry["model"] for entry in made} == {"seedance-20"}
    # The last one is what the newest API makes of the quickstart's square.
    sizes = {(1280, 720), (720, 1280), (960, 960)}
    assert {(entry["width"], entry["height"]) for entry in made} == sizes
    assert {purpose for entry in made for purpose, _ in entry["references"]} == {"First frame", "Last frame"}


def test_pays_once_for_every_video(finished, emulator):
    prompts = [submission["prompt"] for submission in emulator.ledger()["submissions"]]
    for prompt in ("A paper boat", "A lighthouse", "Steam rises", "A serene Japanese garden", "The bud slowly opens"):
        assert len([said for said in prompts if said.startswith(prompt)]) == 1


def test_every_shot_starts_where_the_one_before_has_ended(airflow_stack, finished):
    run = finished["seedance_storyboard"]
    instances = airflow_stack.task_instances(run["dag_id"], run["dag_run_id"])
    started_from = {instance["task_id"]: instance["rendered_fields"].get("first_frame") for instance in instances}
    ended_at = [airflow_stack.xcom(run["dag_id"], run["dag_run_id"], f"shot_{n}")["last_frame_url"] for n in (1, 2)]
    assert started_from["shot_1"] in (None, "None")
    assert [started_from["shot_2"], started_from["shot_3"]] == ended_at


def test_variations_have_every_shape_of_every_scene(finished, emulator):
    assert finished["seedance_brand_variations"]["state"] == "success"
    made = [entry for entry in emulator.ledger()["submissions"] if entry["prompt"].startswith("A bottle of olive oil")]
    assert len({entry["prompt"] for entry in made}) == 2
    # The newest API has no square of 720 lines.
    sizes = [(720, 1280), (960, 960), (1280, 720)]
    assert sorted((entry["width"], entry["height"]) for entry in made) == sorted(2 * sizes)
    assert sum(entry["credits"] for entry in made) == 960


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


def test_posts_a_link_to_what_has_landed(airflow_stack, finished, webhook):
    run = finished["seedance_upload_and_notify"]
    told = [asked.json for asked in webhook.asked if asked.path == "/videos"]
    assert told == [
        {
            "text": "Hot-air balloons rise over a valley in the morning mist",
            "link": airflow_stack.xcom(run["dag_id"], run["dag_run_id"], "upload"),
            "credits": 160,
        }
    ]


def test_describes_the_video_in_a_file_beside_it(airflow_stack, finished):
    run = finished["seedance_upload_and_notify"]
    video = landed(airflow_stack, run)
    described = json.loads(video.with_suffix(".json").read_text())
    assert described["prompt"] == "Hot-air balloons rise over a valley in the morning mist"
    assert described["inputs"] == {"duration": 4, "resolution": "1280x720"}
    assert described["size"] == video.stat().st_size
    assert described["airflow"]["run_id"] == run["dag_run_id"]


def test_files_it_under_the_month_in_which_it_was_made(airflow_stack, finished):
    run = finished["seedance_upload_and_notify"]
    completed = airflow_stack.xcom(run["dag_id"], run["dag_run_id"], "create")["completed_at"]
    assert landed(airflow_stack, run).parts[-3:-1] == (completed[:4], completed[5:7])


def test_publishes_what_a_person_has_approved(airflow_stack, finished):
    run = finished["seedance_approval"]
    draft = landed(airflow_stack, run)
    published = Path(urlsplit(airflow_stack.xcom(run["dag_id"], run["dag_run_id"], "publish")).path)
    assert not draft.exists()
    assert published.parent.name == "published"
    assert published.stat().st_size > 10_000


def test_puts_the_clips_together_into_one_film(airflow_stack, finished):
    run = finished["seedance_film"]
    film = Path(urlsplit(airflow_stack.xcom(run["dag_id"], run["dag_run_id"], "film")).path)
    with av.open(str(film)) as video:
        assert video.duration / av.time_base == pytest.approx(12, abs=0.3)
        frames = [frame.pts * frame.time_base for frame in video.decode(video=0)]
    assert frames == sorted(frames)
    assert len(frames) == sum(frame_count(landed(airflow_stack, run, index, "scene.upload")) for index in range(3))
    assert [path.name for path in film.parent.iterdir() if path.name.startswith(".")] == []


def frame_count(path):
    with av.open(str(path)) as video:
        return sum(1 for _ in video.decode(video=0))


def test_a_landing_starts_the_dag_that_listens_to_it(airflow_stack, finished):
    run = finished["seedance_upload_and_notify"]
    (event,) = airflow_stack.call(
        "GET", f"/dags/{STARTED_BY_EVENTS}/dagRuns/{finished[STARTED_BY_EVENTS]['dag_run_id']}/upstreamAssetEvents"
    )["asset_events"]
    assert event["source_run_id"] == run["dag_run_id"]
    created = airflow_stack.xcom(run["dag_id"], run["dag_run_id"], "create")
    assert event["extra"] | {"sidecar_uri": ""} == {
        "uri": airflow_stack.xcom(run["dag_id"], run["dag_run_id"], "upload"),
        "size": landed(airflow_stack, run).stat().st_size,
        "last_frame_uri": None,
        "sidecar_uri": "",
        "video_task_id": created["video_task_id"],
        "model": "seedance-20",
        "prompt": created["prompt"],
        "credits_used": 160,
    }


def test_every_video_is_in_the_catalogue_once(airflow_stack, finished, catalogue):
    run = finished["seedance_upload_and_notify"]
    airflow_stack.call(
        "POST",
        f"/dags/{STARTED_BY_EVENTS}/dagRuns/{finished[STARTED_BY_EVENTS]['dag_run_id']}/clear",
        json={"dry_run": False, "only_failed": False},
    )
    airflow_stack.wait_for_run(STARTED_BY_EVENTS, finished[STARTED_BY_EVENTS]["dag_run_id"])
    with sqlite3.connect(catalogue) as opened:
        rows = opened.execute("SELECT uri, model, prompt, credits, bytes FROM seedance_videos").fetchall()
    video = landed(airflow_stack, run)
    prompt = "Hot-air balloons rise over a valley in the morning mist"
    assert rows == [(video.as_uri(), "seedance-20", prompt, 160, video.stat().st_size)]


def test_the_clean_up_only_says_what_it_would_delete(airflow_stack, finished, video_folder):
    run = finished["seedance_clean_up"]
    assert airflow_stack.xcom(run["dag_id"], run["dag_run_id"], "clean_up") == []


def test_the_clean_up_deletes_what_is_old_and_nothing_else(airflow_stack, finished, video_folder):
    old = video_folder / "old"
    old.mkdir()
    names = ["a.mp4", "a.json", "a-last-frame.png", "notes.txt", ".seedance-0a1b.part", "young.mp4"]
    for name in names:
        (old / name).write_bytes(b"old")
        age = 0 if name == "young.mp4" else 91 * 24 * 60 * 60
        os.utime(old / name, (time.time() - age,) * 2)
    run_id = airflow_stack.trigger("seedance_clean_up", conf={"dry_run": False})
    assert airflow_stack.wait_for_run("seedance_clean_up", run_id)["state"] == "success"
    assert sorted(path.name for path in old.iterdir()) == ["notes.txt", "young.mp4"]
