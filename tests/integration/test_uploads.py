"""A file that is not public becomes the first frame of a video, in a real Airflow."""

from __future__ import annotations

from tests.support import media

DAG = """
from airflow.sdk import DAG

from seedance_provider.operators.seedance import CreateVideoOperator
from seedance_provider.transfers.upload_reference import UploadReferenceOperator

with DAG(dag_id="uploads", schedule=None):
    upload = UploadReferenceOperator(task_id="upload", source="file://{picture}")
    CreateVideoOperator(
        task_id="create", prompt="uploads", duration=4, first_frame=upload.output["url"], poll_interval=1
    )
"""


def test_an_uploaded_picture_opens_a_video(airflow_stack, dags_folder, emulator, tmp_path):
    picture = media.picture(tmp_path / "garden.png")
    (dags_folder / "uploads.py").write_text(DAG.format(picture=picture))
    run_id = airflow_stack.start_run("uploads")
    assert airflow_stack.wait_for_run("uploads", run_id)["state"] == "success"
    uploaded = airflow_stack.xcom("uploads", run_id, "upload")
    assert uploaded["url"].startswith(f"{emulator.base_url.removesuffix('/api/v1')}/uploads/")
    (create,) = [i for i in airflow_stack.task_instances("uploads", run_id) if i["task_id"] == "create"]
    assert create["rendered_fields"]["first_frame"] == uploaded["url"]
    # The emulator fails a video whose reference is not there.
    assert [e["status"] for e in emulator.ledger()["submissions"] if e["prompt"] == "uploads"] == ["success"]


FILES_DAG = """
from datetime import timedelta

from airflow.sdk import DAG, ObjectStoragePath

from seedance_provider.operators.seedance import CreateVideoOperator

with DAG(dag_id="files", schedule=None):
    CreateVideoOperator(
        task_id="create",
        prompt="[fail:server_error:1] files",
        duration=4,
        first_frame=ObjectStoragePath("file://{first}"),
        last_frame="{last}",
        poll_interval=1,
        retries=1,
        retry_delay=timedelta(seconds=1),
    )
"""


def test_files_are_uploaded_once_and_are_not_needed_again(airflow_stack, dags_folder, emulator, tmp_path):
    first, last = media.picture(tmp_path / "first.png"), media.picture(tmp_path / "last.jpg", "red")
    (dags_folder / "files.py").write_text(FILES_DAG.format(first=first, last=last))
    run_id = airflow_stack.start_run("files")

    def submissions():
        return [entry["status"] for entry in emulator.ledger()["submissions"] if entry["prompt"].endswith("] files")]

    assert airflow_stack.wait_for_run("files", run_id)["state"] == "success"
    assert submissions() == ["fail", "success"]
    kept = airflow_stack.state_store("files", run_id, "create", "seedance_files")
    assert sorted(file["file"]["name"] for file in kept.values()) == ["first.png", "last.jpg"]
    second_try = airflow_stack.task_log("files", run_id, "create", try_number=2)
    assert second_try.count("was uploaded before") == 2

    # The video is known by what the files were, also when there are none any more.
    first.unlink()
    last.unlink()
    airflow_stack.clear("files", run_id, ["create"])
    assert airflow_stack.wait_for_run("files", run_id)["state"] == "success"
    assert submissions() == ["fail", "success"]
