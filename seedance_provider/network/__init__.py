"""To whom may be connected, where an address comes from outside. No module in here imports Airflow."""
