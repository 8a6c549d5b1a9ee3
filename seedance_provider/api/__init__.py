"""The Seedance HTTP API. Nothing in this package imports Airflow."""

from __future__ import annotations

__all__ = ["DEFAULT_MODEL"]

# Here, so that a DAG file need not import what is known of all models.
#: The model of a video that names no other.
DEFAULT_MODEL = "seedance-20"
