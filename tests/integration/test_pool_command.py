"""``airflow seedance pool``, beside a real Airflow."""

from __future__ import annotations

import pytest

from tests.support.airflow_versions import RELEASE

pytestmark = [
    pytest.mark.every_airflow,
    pytest.mark.skipif(RELEASE < (3, 2), reason="needs the commands of providers of Airflow 3.2"),
]


def test_the_pool_counts_deferred_tasks_and_can_be_resized(airflow_stack):
    made = airflow_stack.command("seedance", "pool", "--slots", "4", "--name", "by_command")
    resized = airflow_stack.command("seedance", "pool", "--slots", "2", "--name", "by_command", "--conn-id", "small")
    pool = airflow_stack.call("GET", "/pools/by_command")
    assert (pool["slots"], pool["include_deferred"]) == (2, True)
    assert pool["description"] == "Seedance videos in progress on small"
    assert "is new" in made
    assert "had 4 slots" in resized
