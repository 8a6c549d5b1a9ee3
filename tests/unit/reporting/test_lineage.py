"""Telling Airflow what has landed."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest
from airflow.sdk import Asset, AssetAlias
from airflow.sdk.execution_time.context import OutletEventAccessors

from seedance_provider.landing.known_video import KnownVideo
from seedance_provider.landing.landed_video import LandedVideo
from seedance_provider.reporting.lineage import announce
from tests.support.airflow_versions import RELEASE

VIDEO = KnownVideo.of(
    {
        "video_url": "https://media.example/a.mp4?signature=abc",
        "video_task_id": "task_a",
        "model": "seedance-20",
        "prompt": "A kite",
        "credits_used": 200,
    }
)
LANDED = LandedVideo(VIDEO, "s3://c@b/a.mp4", "s3://b/a.mp4", 7, {"media_type": "video/mp4"})
EXTRA = {
    "uri": "s3://b/a.mp4",
    "size": 7,
    "last_frame_uri": None,
    "sidecar_uri": None,
    "video_task_id": "task_a",
    "model": "seedance-20",
    "prompt": "A kite",
    "credits_used": 200,
}


def announced(*outlets, landed=LANDED) -> OutletEventAccessors:
    events = OutletEventAccessors()
    announce(landed, SimpleNamespace(outlets=list(outlets), log=logging.getLogger()), {"outlet_events": events})
    return events


@pytest.fixture
def collected(monkeypatch):
    """What a reader of hook lineage gets to see."""
    if RELEASE < (3, 2):
        from airflow.lineage.hook import HookLineageCollector
    else:
        from airflow.sdk.lineage import HookLineageCollector

    collector = HookLineageCollector()
    monkeypatch.setattr("seedance_provider.reporting.lineage.get_hook_lineage_collector", lambda: collector)
    return lambda: collector.collected_assets


@pytest.mark.parametrize("asset", [Asset("kites"), Asset("kites", uri="s3://b/kites/")])
def test_an_asset_hears_of_the_video(asset):
    assert announced(asset)[asset].extra == EXTRA


def test_an_alias_gets_the_asset_whose_name_is_known_only_now():
    alias = AssetAlias("seedance_videos")
    (event,) = announced(alias)[alias].asset_alias_events
    assert event.source_alias_name == "seedance_videos"
    assert event.dest_asset_key.uri == "s3://b/a.mp4"
    assert event.extra == EXTRA


def test_the_signature_of_an_address_is_not_told(collected):
    alias = AssetAlias("seedance_videos")
    assert "signature" not in str(announced(alias)[alias])
    assert "signature" not in str(collected())


def test_lineage_leads_from_the_vendor_to_the_storage(collected):
    announced()
    lineage = collected()
    assert [item.asset.uri for item in lineage.inputs] == ["https://media.example/a.mp4"]
    assert [item.asset.uri for item in lineage.outputs] == ["s3://b/a.mp4"]


def test_a_video_that_has_landed_is_no_failure_because_nobody_can_be_told(caplog):
    too_long = LandedVideo(VIDEO, "", f"s3://b/{'a' * 2000}.mp4", 7, {})
    announced(AssetAlias("seedance_videos"), landed=too_long)
    assert "has landed, but not all assets and lineage tell of it" in caplog.text
