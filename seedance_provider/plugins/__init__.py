"""What this provider adds to the Airflow UI."""
