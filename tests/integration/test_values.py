"""What tasks, databases and native templates hand over, in a real Airflow."""

from __future__ import annotations

import pytest

from tests.support import media

DAG = """
from decimal import Decimal

from airflow.sdk import DAG, AssetAlias, ObjectStoragePath, task

from seedance_provider.operators.seedance import CreateVideoOperator
from seedance_provider.transfers.upload_reference import UploadReferenceOperator
from seedance_provider.transfers.video_to_object_storage import VideoToObjectStorageOperator

VIDEO = {"resolution": "480p", "poll_interval": 1}
FOLDER = "file://PLACE"

with DAG("value_of_mapped_uploads", schedule=None):
    upload = UploadReferenceOperator.partial(task_id="upload").expand(
        source=[f"{FOLDER}/red.png", f"{FOLDER}/blue.png"]
    )
    CreateVideoOperator(
        task_id="create",
        prompt="value_of_mapped_uploads: from @image1 to @image2",
        reference_images=upload.output["url"],
        duration=Decimal("4"),
        **VIDEO,
    )

    @task.seedance_video(task_id="returned", **VIDEO)
    def returned(urls):
        prompt = "value_of_mapped_uploads: from @image1 back to @image2"
        return {"prompt": prompt, "reference_images": urls, "duration": Decimal("4")}

    returned(upload.output["url"])

with DAG("value_of_a_native_template", schedule=None, render_template_as_native_obj=True, params={"seconds": "4"}):
    CreateVideoOperator(task_id="create", prompt="{{ '2071' }}", duration="{{ params.seconds }}", **VIDEO)

with DAG("value_of_a_path", schedule=None):
    create = CreateVideoOperator(task_id="create", prompt="value_of_a_path", duration=4, **VIDEO)

    @task
    def where():
        return ObjectStoragePath(FOLDER + "/\N{CJK UNIFIED IDEOGRAPH-5BA2} #1 (50%)/{video_task_id}.mp4")

    VideoToObjectStorageOperator(
        task_id="land", video=create.output, destination=where(), outlets=[AssetAlias("value_landed")]
    )
"""
DAG_IDS = ("value_of_mapped_uploads", "value_of_a_native_template", "value_of_a_path")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("values")


@pytest.fixture(scope="module")
def runs(airflow_stack, dags_folder, folder):
    for color in ("red", "blue"):
        media.picture(folder / f"{color}.png", color)
    (dags_folder / "values.py").write_text(DAG.replace("PLACE", str(folder)), encoding="utf-8")
    return airflow_stack.run_each(DAG_IDS)


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_works(airflow_stack, runs, dag_id):
    assert airflow_stack.dag_run(dag_id, runs[dag_id])["state"] == "success"


@pytest.mark.parametrize("task_id", ["create", "returned"])
def test_what_a_mapped_task_has_pushed_is_a_list(airflow_stack, runs, task_id):
    dag_id = "value_of_mapped_uploads"
    urls = [
        airflow_stack.call(
            "GET", f"/dags/{dag_id}/dagRuns/{runs[dag_id]}/taskInstances/upload/xcomEntries/url?map_index={index}"
        )["value"]
        for index in (0, 1)
    ]
    made = airflow_stack.xcom(dag_id, runs[dag_id], task_id)
    assert made["inputs"]["reference_images"] == urls
    assert made["inputs"]["duration"] == 4


def test_a_prompt_of_digits_stays_text(emulator, runs):
    assert [entry["status"] for entry in emulator.ledger()["submissions"] if entry["prompt"] == "2071"] == ["success"]


def test_a_name_of_any_characters_lands_and_is_announced(airflow_stack, runs, folder):
    (landed,) = folder.glob("\N{CJK UNIFIED IDEOGRAPH-5BA2} #1 (50%)/task_*.mp4")
    uris = [
        asset["uri"]
        for asset in airflow_stack.call("GET", "/assets", params={"limit": 100, "only_active": False})["assets"]
    ]
    assert f"file://{folder}/%E5%AE%A2%20%231%20(50%25)/{landed.name}" in uris
