"""
A catalogue of all videos in a table, kept by a DAG of its own that Airflow starts when a video has landed.

Every landing that names the alias tells what it has landed in an asset event, with prompt, size and credits::

    VideoToObjectStorageOperator(..., outlets=[AssetAlias("seedance_videos")])

Needs the connection ``video_catalogue`` to PostgreSQL or SQLite. It costs no credits.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.providers.common.sql.operators.sql import SQLInsertRowsOperator
from airflow.sdk import DAG, AssetAlias, task

COLUMNS = ["uri", "video_task_id", "model", "prompt", "credits", "bytes", "landed_at"]

# [START howto_recipe_assets]
with DAG(
    dag_id="seedance_catalogue",
    schedule=AssetAlias("seedance_videos"),
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1)},
    tags=["seedance"],
    doc_md=__doc__,
) as dag:

    @task
    def landed(triggering_asset_events: dict) -> list[list]:
        """Turn every event into a row; the last one of a video counts."""
        events = sorted(
            (event for told in triggering_asset_events.values() for event in told),
            key=lambda event: event.timestamp,
        )
        rows = {}
        for event in events:
            known = event.extra
            told = [known[name] for name in ("uri", "video_task_id", "model", "prompt", "credits_used", "size")]
            rows[known["uri"]] = [*told, event.timestamp.isoformat()]
        return list(rows.values())

    # [END howto_recipe_assets]

    rows = landed()
    catalogue = SQLInsertRowsOperator(
        task_id="catalogue",
        conn_id="video_catalogue",
        table_name="seedance_videos",
        columns=COLUMNS,
        rows=rows,
        preoperator=(
            "CREATE TABLE IF NOT EXISTS seedance_videos (uri VARCHAR(1500) PRIMARY KEY, video_task_id VARCHAR(200), "
            "model VARCHAR(100), prompt TEXT, credits NUMERIC, bytes BIGINT, landed_at VARCHAR(40))"
        ),
        # A run that is cleared writes the same rows again.
        insert_args={"replace": True, "replace_index": "uri"},
    )
    # Its rows are no template, so that it waits for them is to be said.
    rows >> catalogue
