"""Telling Airflow what has landed: asset events, and the lineage that hooks report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.lineage.hook import get_hook_lineage_collector
from airflow.sdk import Asset, AssetAlias

from seedance_provider.network.addresses import without_query

if TYPE_CHECKING:
    from airflow.sdk import Context

    from seedance_provider.landing.landed_video import LandedVideo

__all__ = ["announce"]


def announce(landed: LandedVideo, operator: Any, context: Context) -> None:
    """
    Put what has landed into the events of the task's outlets, and into its lineage.

    Nothing of it may fail a task whose video has landed.

    :param landed: the video.
    :param operator: whose outlets hear of it.
    :param context: of the task.
    """
    try:
        for outlet in operator.outlets:
            _tell(outlet, context["outlet_events"], landed)
        collector = get_hook_lineage_collector()
        collector.add_input_asset(operator, uri=without_query(landed.video.url))
        collector.add_output_asset(operator, uri=landed.uri)
    except Exception as error:
        operator.log.warning("%s has landed, but not all assets and lineage tell of it: %s", landed.uri, error)


def _tell(outlet: Any, events: Any, landed: LandedVideo) -> None:
    if isinstance(outlet, AssetAlias):
        events[outlet].add(Asset(uri=landed.uri), extra=landed.event())
    else:
        events[outlet].extra.update(landed.event())
