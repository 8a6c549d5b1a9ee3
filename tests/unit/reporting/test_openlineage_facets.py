"""What OpenLineage tells of a landing, by way of Airflow's own provider for it."""

from __future__ import annotations

import pytest
from airflow.providers.openlineage.extractors.base import DefaultExtractor

from seedance_provider.landing.known_video import KnownVideo
from seedance_provider.landing.landed_video import LandedVideo
from seedance_provider.reporting.openlineage_facets import lineage_of
from seedance_provider.transfers.video_to_object_storage import VideoToObjectStorageOperator
from tests.support import media
from tests.support.scripted_api import Answer
from tests.support.task_context import context

VIDEO = {
    "video_url": "https://media.example/outputs/a.mp4?signature=abc",
    "video_task_id": "task_a",
    "model": "seedance-20",
    "prompt": "A kite",
    "credits_used": 200,
}


def landed(uri: str) -> LandedVideo:
    return LandedVideo(KnownVideo.of(VIDEO), uri, uri, 7, {})


def test_says_from_where_to_where_and_how_it_was_made():
    lineage = lineage_of(landed("s3://bucket/videos/a.mp4"))
    assert [(item.namespace, item.name) for item in lineage.inputs] == [("https://media.example", "outputs/a.mp4")]
    (output,) = lineage.outputs
    assert (output.namespace, output.name) == ("s3://bucket", "videos/a.mp4")
    assert (output.outputFacets["outputStatistics"].size, output.outputFacets["outputStatistics"].fileCount) == (7, 1)
    facet = lineage.run_facets["seedance_video"]
    assert (facet.taskId, facet.model, facet.prompt, facet.creditsUsed) == ("task_a", "seedance-20", "A kite", 200)


@pytest.mark.parametrize(
    ("uri", "namespace", "name"),
    [
        ("file:///videos/a.mp4", "file", "/videos/a.mp4"),
        ("gs://bucket/a.mp4", "gs://bucket", "a.mp4"),
        ("abfs://container@account/a.mp4", "abfs://container@account", "a.mp4"),
        ("file:///videos/客 #1?.mp4", "file", "/videos/客 #1?.mp4"),
        ("s3://bucket/take #1?z=1%.mp4", "s3://bucket", "take #1?z=1%.mp4"),
    ],
)
def test_names_files_as_openlineage_does(uri, namespace, name):
    (output,) = lineage_of(landed(uri)).outputs
    assert (output.namespace, output.name) == (namespace, name)


@pytest.mark.usefixtures("seedance_default")
class TestOperator:
    def test_airflows_provider_finds_it(self, api, tmp_path):
        body = media.video(tmp_path / "a.mp4", seconds=1).read_bytes()
        api.readings.append(Answer(200, body, "video/mp4"))
        given = VIDEO | {"video_url": f"{api.url}/a.mp4"}
        task = VideoToObjectStorageOperator(task_id="upload", video=given, destination=f"file://{tmp_path}/landed.mp4")
        made = context()
        task.execute(made)
        lineage = DefaultExtractor(task).extract_on_complete(made["ti"])
        assert [(item.namespace, item.name) for item in lineage.outputs] == [("file", f"{tmp_path}/landed.mp4")]

    def test_a_task_that_has_landed_nothing_tells_nothing(self):
        task = VideoToObjectStorageOperator(task_id="upload", video=VIDEO, destination="s3://bucket/a.mp4")
        assert DefaultExtractor(task).extract_on_complete(None) is None
