"""Telling Airflow what has landed."""

from __future__ import annotations

import json
import logging
from decimal import Decimal
from types import SimpleNamespace
from urllib.parse import unquote

import pytest
from airflow.models.asset import AssetModel
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


@pytest.mark.parametrize(
    ("uri", "registered"),
    [
        ("file:///videos/客户/a.mp4", "file:///videos/%E5%AE%A2%E6%88%B7/a.mp4"),
        # Airflow drops what comes after a #, sorts what comes after a ?, and drops line breaks.
        ("file:///videos/take #1.mp4", "file:///videos/take%20%231.mp4"),
        ("s3://b/what?z=1&a=2.mp4", "s3://b/what%3Fz=1&a=2.mp4"),
        ("s3://b/a\nb.mp4", "s3://b/a%0Ab.mp4"),
        # Of two files, two assets.
        ("s3://b/100%.mp4", "s3://b/100%25.mp4"),
        ("s3://b/100%25.mp4", "s3://b/100%2525.mp4"),
        ("file:///videos/[1]|2.mp4", "file:///videos/%5B1%5D%7C2.mp4"),
        # A name that is no UTF-8.
        ("file:///videos/caf\udce9.mp4", "file:///videos/caf%E9.mp4"),
        # As they are.
        ("s3://b/year=2026/a,b+c@d(1)~'!$*;:.mp4", "s3://b/year=2026/a,b+c@d(1)~'!$*;:.mp4"),
        ("abfs://container@account.dfs.core.windows.net/a.mp4", "abfs://container@account.dfs.core.windows.net/a.mp4"),
    ],
)
def test_the_asset_of_an_alias_is_exactly_that_file_and_one_that_airflow_can_register(collected, uri, registered):
    alias = AssetAlias("seedance_videos")
    (event,) = announced(alias, landed=LandedVideo(VIDEO, "", uri, 7, {}))[alias].asset_alias_events
    assert event.dest_asset_key.uri == event.dest_asset_key.name == registered
    # What the API server makes of it, which would fail the task otherwise.
    assert AssetModel(name=event.dest_asset_key.name, uri=event.dest_asset_key.uri).uri == registered
    assert unquote(registered, errors="surrogateescape") == uri
    assert [item.asset.uri for item in collected().outputs] == [registered]


def test_an_asset_that_can_not_be_keeps_none_of_the_others_from_hearing(collected, caplog):
    alias, asset = AssetAlias("seedance_videos"), Asset("kites")
    too_long = LandedVideo(VIDEO, "", f"s3://b/{'客' * 200}.mp4", 7, {})
    events = announced(alias, "no asset", asset, landed=too_long)
    assert events[alias].asset_alias_events == []
    assert events[asset].extra["uri"] == too_long.uri
    assert [item.asset.uri for item in collected().inputs] == ["https://media.example/a.mp4"]
    assert caplog.text.count("has landed, but not all assets and lineage tell of it") == 3


def test_what_an_event_tells_are_plain_values_that_can_be_sent():
    facts = {"video_url": "https://media.example/a.mp4", "credits_used": Decimal(200), "prompt": "A \ud800 kite"}
    asset = Asset("kites")
    extra = announced(asset, landed=LandedVideo(KnownVideo.of(facts), "", "s3://b/客.mp4", 7, {}))[asset].extra
    assert (extra["uri"], extra["credits_used"], extra["prompt"]) == ("s3://b/客.mp4", "200", "A ? kite")
    assert json.dumps(extra, ensure_ascii=False).encode()


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
