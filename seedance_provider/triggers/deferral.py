"""Whether tasks wait in the triggerer if their DAG does not say."""

from __future__ import annotations

import os
from configparser import RawConfigParser

from airflow.providers.common.compat.sdk import conf

__all__ = ["default_deferrable"]

_OPTION = ("operators", "default_deferrable")


def default_deferrable() -> bool:
    """
    Return Airflow's ``[operators] default_deferrable`` where somebody has set it, else ``True``.

    Airflow ships the option as ``False``, with which every video would hold a worker for the minutes that it takes.
    """
    # What Airflow ships is not among what the parser has read.
    is_set = "AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE" in os.environ or RawConfigParser.has_option(conf, *_OPTION)
    return bool(conf.getboolean(*_OPTION)) if is_set else True
