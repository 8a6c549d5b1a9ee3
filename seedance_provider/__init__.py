"""Apache Airflow provider for the Seedance 2.0 video generation API."""

from __future__ import annotations

__all__ = ["USER_AGENT", "__version__"]

__version__ = "0.1.0"

#: Of all HTTP requests.
USER_AGENT = f"airflow-provider-seedance/{__version__}"
