"""A real Airflow and the emulator on this machine, for the demo and the integration tests. Not part of the package."""
