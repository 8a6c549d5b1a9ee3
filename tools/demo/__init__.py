"""The demo: a real Airflow turns a prompt into an MP4 file."""
