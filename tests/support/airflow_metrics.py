"""Airflow's metrics within a test: set up as in the process of a task, which each Airflow does in its own way."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.support.airflow_versions import RELEASE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def configured_factory() -> Callable[[], Any]:
    """What makes the back end that Airflow is configured for."""
    if RELEASE < (3, 2):
        from airflow.metrics.statsd_logger import get_statsd_logger

        return lambda: get_statsd_logger(None)  # a method of the class that it does not look at
    from airflow.sdk.observability.metrics.statsd_logger import get_statsd_logger

    return get_statsd_logger


@contextmanager
def metrics_made_by(factory: Callable[[], Any]) -> Iterator[None]:
    """Let Airflow send its metrics to what a factory makes, until the end of the block."""
    _initialize(factory)
    try:
        yield
    finally:
        _initialize(_no_stats_logger())


def _initialize(factory: Callable[[], Any]) -> None:
    if RELEASE >= (3, 3):
        from airflow.sdk.observability import stats

        stats.initialize(factory=factory, export_legacy_names=False)
        return
    from airflow.providers.common.compat.sdk import Stats

    if RELEASE >= (3, 2):
        Stats.initialize(factory=factory)
    else:
        # What is asked of the class is asked of its back end, so this is said to what the class is made of.
        type.__setattr__(Stats, "instance", None)
        type.__setattr__(Stats, "factory", factory)


def _no_stats_logger() -> Callable[[], Any]:
    if RELEASE < (3, 2):
        from airflow.metrics.base_stats_logger import NoStatsLogger
    else:
        from airflow.sdk._shared.observability.metrics.base_stats_logger import NoStatsLogger
    return NoStatsLogger
