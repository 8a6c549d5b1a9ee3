"""Videos that not everybody may see, and what somebody may write into a prompt."""

from __future__ import annotations

import os

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG

from seedance_provider.operators.seedance import CreateVideoOperator
from seedance_provider.sensors.seedance import VideoSensor
from seedance_provider.transfers.video_to_object_storage import VideoToObjectStorageOperator

FOLDER = os.environ.get("SEEDANCE_VIDEO_FOLDER", "file:///tmp/seedance-videos")
HOSTILE = """<script>document.title = 'stolen'</script><img src=x onerror="document.title = 'stolen'"> "'><b>bold</b>"""


def read_by(*roles: str) -> dict[str, dict[str, set[str]]]:
    return {role: {"DAGs": {"can_read"}, "DAG Runs": {"can_read"}} for role in roles}


class BrandVideoOperator(CreateVideoOperator):
    """As somebody's own."""


with DAG("secret_campaign", schedule=None, access_control=read_by("insiders")):
    create = CreateVideoOperator(task_id="create", prompt="A car that nobody has seen yet", duration=4)
    VideoToObjectStorageOperator(task_id="upload", video=create.output, destination=f"{FOLDER}/secret/")

with DAG("public_campaign", schedule=None, access_control=read_by("insiders", "outsiders", "onlookers")):
    create = CreateVideoOperator(task_id="create", prompt="A kite rises over a windy beach", duration=4)
    VideoToObjectStorageOperator(task_id="upload", video=create.output, destination=f"{FOLDER}/public/")

with DAG("hostile_prompt", schedule=None):
    create = CreateVideoOperator(task_id="create", prompt=HOSTILE, duration=4)
    VideoToObjectStorageOperator(task_id="upload", video=create.output, destination=f"{FOLDER}/hostile/")

with DAG("many_ways", schedule=None, params={"prompt": "Rain on a window"}):
    mapped = CreateVideoOperator.partial(task_id="mapped", duration=4).expand(prompt=["A red boat", "A blue boat"])
    VideoToObjectStorageOperator.partial(task_id="upload").expand(
        video=mapped.output, destination=[f"{FOLDER}/mapped/{{video_task_id}}.mp4"]
    )
    refused = CreateVideoOperator(task_id="refused", prompt="A knight [fail:text_moderation]", duration=4)
    submit = CreateVideoOperator(task_id="submit", prompt="A boat in the fog", duration=4, wait_for_completion=False)
    VideoSensor(task_id="wait", video_task_id="{{ ti.xcom_pull('submit', key='video_task_id') }}").set_upstream(submit)
    CreateVideoOperator(task_id="retried", prompt="A slow train", duration=4, timeout=8)

with DAG("no_videos", schedule=None):
    EmptyOperator(task_id="nothing")

with DAG("crowd", schedule=None):
    CreateVideoOperator(task_id="create", prompt="One of thousands", duration=4)

with DAG("on_s3", schedule=None):
    create = CreateVideoOperator(task_id="create", prompt="A lighthouse", duration=4)
    VideoToObjectStorageOperator(task_id="upload", video=create.output, destination="s3://s3@videos/lighthouse.mp4")

with DAG("own_operator", schedule=None):
    BrandVideoOperator(task_id="create", prompt="A bottle of olive oil", duration=4)

with DAG("out_of_reach", schedule=None):
    CreateVideoOperator(task_id="create", prompt="A ship in a bottle", duration=4, seedance_conn_id="away")

with DAG("full_account", schedule=None):
    CreateVideoOperator.partial(task_id="create", duration=4, seedance_conn_id="small").expand(
        prompt=["The first one", "The second one"]
    )
