"""After all that ran: the key is nowhere but in the connection."""

from __future__ import annotations

from seedance_provider.emulator.settings import DEFAULT_KEY


def test_no_file_of_airflow_holds_the_key(airflow_stack, emulator):
    """Logs, the metadata database with XComs, trigger rows, rendered templates and the task state store."""
    dag_id = "seedance_text_to_video"
    airflow_stack.wait_for_dag(dag_id)
    airflow_stack.unpause(dag_id)
    run = airflow_stack.wait_for_run(dag_id, airflow_stack.trigger(dag_id, conf={"prompt": "A secret is kept"}))
    assert run["state"] == "success"
    files = [path for path in airflow_stack.home.rglob("*") if path.is_file()]
    assert any(b"A secret is kept" in path.read_bytes() for path in files)
    assert [path for path in files if DEFAULT_KEY.encode() in path.read_bytes()] == []
