"""What OpenLineage tells of a landing. Imported only where Airflow's OpenLineage provider is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
from airflow.providers.openlineage.extractors import OperatorLineage
from openlineage.client.event_v2 import InputDataset, OutputDataset
from openlineage.client.facet_v2 import RunFacet, output_statistics_output_dataset

from seedance_provider.network.addresses import without_query

if TYPE_CHECKING:
    from seedance_provider.landing.landed_video import LandedVideo

__all__ = ["SeedanceVideoRunFacet", "lineage_of"]


@attrs.define
class SeedanceVideoRunFacet(RunFacet):
    """
    How the video of a run was made, as far as that is known.

    :param taskId: of the video task.
    :param model: that made it.
    :param prompt: that it was made from.
    :param creditsUsed: what it cost.
    """

    taskId: str | None  # noqa: N815 - OpenLineage's spelling
    model: str | None
    prompt: str | None
    creditsUsed: float | None  # noqa: N815


def lineage_of(landed: LandedVideo) -> OperatorLineage[Any, Any]:
    """
    Return from where to where a video went, how large it is, and how it was made.

    :param landed: the video.
    """
    known = landed.event()
    statistics = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(size=landed.size, fileCount=1)
    namespace, name = _dataset(landed.uri)
    return OperatorLineage(
        inputs=[InputDataset(*_dataset(without_query(landed.video.url)))],
        outputs=[OutputDataset(namespace, name, outputFacets={"outputStatistics": statistics})],
        run_facets={
            "seedance_video": SeedanceVideoRunFacet(
                known["video_task_id"], known["model"], known["prompt"], known["credits_used"]
            )
        },
    )


def _dataset(uri: str) -> tuple[str, str]:
    """Namespace and name, as OpenLineage names the files of file systems and object stores."""
    # Not urlsplit(): a # or a ? is part of a name there.
    scheme, _, rest = uri.partition("://")
    place, _, name = rest.partition("/")
    return ("file", f"/{name}") if scheme == "file" else (f"{scheme}://{place}", name.lstrip("/") or "/")
