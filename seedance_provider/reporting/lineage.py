"""Telling Airflow what has landed: asset events, and the lineage that hooks report."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.providers.common.compat.lineage.hook import get_hook_lineage_collector
from airflow.sdk import Asset, AssetAlias

from seedance_provider.network.addresses import without_query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.sdk import Context

    from seedance_provider.landing.landed_video import LandedVideo

__all__ = ["announce"]

#: What a path in a URI may have as it is (RFC 3986), so that ordinary names stay readable.
_PLAIN = "/:@!$&'()*+,;=~"


def announce(landed: LandedVideo, operator: Any, context: Context) -> None:
    """
    Put what has landed into the events of the task's outlets, and into its lineage.

    Nothing of it may fail a task whose video has landed.

    :param landed: the video.
    :param operator: whose outlets hear of it.
    :param context: of the task.
    """
    for outlet in operator.outlets:
        with _only_warning(landed, operator):
            _tell(outlet, context["outlet_events"], landed)
    with _only_warning(landed, operator):
        collector = get_hook_lineage_collector()
        collector.add_input_asset(operator, uri=without_query(landed.video.url))
        collector.add_output_asset(operator, uri=_asset_uri(landed.uri))


@contextmanager
def _only_warning(landed: LandedVideo, operator: Any) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        operator.log.warning("%s has landed, but not all assets and lineage tell of it: %s", landed.uri, error)


def _tell(outlet: Any, events: Any, landed: LandedVideo) -> None:
    if isinstance(outlet, AssetAlias):
        # Airflow checks it here, and not only when the task has ended.
        events[outlet].add(Asset(uri=_asset_uri(landed.uri)), extra=_event(landed))
    else:
        events[outlet].extra.update(_event(landed))


def _asset_uri(uri: str) -> str:
    """
    Percent-encode the name of a file. Airflow's API server fails a task with an asset whose URI is not ASCII, and what
    comes after a ``#`` or a ``?`` in a URI is no part of a name.
    """
    scheme, _, name = uri.partition("://")
    return f"{scheme}://{quote(name, safe=_PLAIN, errors='surrogateescape')}"


def _event(landed: LandedVideo) -> dict[str, Any]:
    """What can't be sent as JSON in UTF-8 would fail the task after its end."""
    sendable = json.dumps(landed.event(), default=str, ensure_ascii=False).encode(errors="replace")
    event: dict[str, Any] = json.loads(sendable)
    return event
