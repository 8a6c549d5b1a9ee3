"""What a release leaves in Airflow's database, recorded so that the next ones can be tested on it."""
