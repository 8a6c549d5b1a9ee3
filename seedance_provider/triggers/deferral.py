"""Whether tasks wait in the triggerer if their DAG does not say."""

from __future__ import annotations

import os

from airflow.providers.common.compat.sdk import conf

__all__ = ["default_deferrable"]


def default_deferrable() -> bool:
    """
    Return Airflow's ``[operators] default_deferrable`` if the environment sets it, else ``True``.

    Airflow ships the option as ``False``, with which every video would hold a worker for the minutes that it takes, and
    writes that into ``airflow.cfg`` itself. So only the environment shows what somebody has chosen.
    """
    is_set = "AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE" in os.environ
    return bool(conf.getboolean("operators", "default_deferrable")) if is_set else True
