"""Files in any storage that Airflow knows."""
