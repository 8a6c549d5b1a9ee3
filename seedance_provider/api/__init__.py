"""The Seedance HTTP API. Nothing in this package imports Airflow."""
