"""Kills a real Airflow at random moments while it makes videos, and counts what was paid for and what was lost."""
