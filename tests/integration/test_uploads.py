"""A file that is not public becomes the first frame of a video, in a real Airflow."""

from __future__ import annotations

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
    picture = tmp_path / "garden.png"
    picture.write_bytes(b"\x89PNG" + b"x" * 10_000)
    (dags_folder / "uploads.py").write_text(DAG.format(picture=picture))
    airflow_stack.wait_for_dag("uploads")
    airflow_stack.unpause("uploads")
    run_id = airflow_stack.trigger("uploads")
    assert airflow_stack.wait_for_run("uploads", run_id)["state"] == "success"
    uploaded = airflow_stack.xcom("uploads", run_id, "upload")
    assert uploaded["url"].startswith(f"{emulator.base_url.removesuffix('/api/v1')}/uploads/")
    (create,) = [i for i in airflow_stack.task_instances("uploads", run_id) if i["task_id"] == "create"]
    assert create["rendered_fields"]["first_frame"] == uploaded["url"]
    # The emulator fails a video whose reference is not there.
    assert [e["status"] for e in emulator.ledger()["submissions"] if e["prompt"] == "uploads"] == ["success"]
