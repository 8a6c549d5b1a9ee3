"""Tells a try that an executor has forgotten from one that it has not come to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tools.chaos.forgotten import is_forgotten

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def instance(state, queued_for=None):
    since = None if queued_for is None else (NOW - timedelta(seconds=queued_for)).isoformat()
    return {"state": state, "queued_when": since}


@pytest.mark.parametrize(
    ("instances", "expected"),
    [
        ([], False),
        ([instance("success", 200)], False),
        ([instance(None), instance("success", 200)], False),
        ([instance("queued", 60)], False),
        ([instance("queued", 61)], True),
        ([instance("queued", 61), instance("queued", 1), instance("deferred", 90), instance(None)], True),
        ([instance("queued", 61), instance("running", 5)], False),
    ],
)
def test_only_if_nothing_runs_meanwhile(instances, expected):
    assert is_forgotten(iter(instances), NOW) is expected
