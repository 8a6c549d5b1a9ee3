"""The Seedance HTTP API. Nothing in this package imports Airflow."""

from __future__ import annotations

__all__ = ["DEFAULT_MODEL", "SAMPLE_TASK"]

# Here, so that a DAG file need not import what is known of all models.
#: The model of a video that names no other.
DEFAULT_MODEL = "seedance-20"
#: A video task of the vendor's (its quickstart names it) that can be asked for, free of charge, to see whether the API
#: answers.
SAMPLE_TASK = "demo_task_t2v_success"
