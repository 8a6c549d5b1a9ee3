"""
Retention: videos that are older than ``keep_days`` are deleted, with what lies beside them, and so is what a landing
has left behind whose worker was killed.

On S3 such remains are multipart uploads that were never completed. They are no objects, and only a rule of the bucket
removes them: see "What a killed worker leaves behind" in ``docs/landing.md``.

It deletes below ``SEEDANCE_VIDEO_FOLDER`` only, and there only files whose endings the landings make. With ``dry_run``,
which is the default, it only says what it would delete. It costs no credits.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta

import pendulum
from airflow.sdk import DAG, ObjectStoragePath, Param, task

FOLDER = os.environ.get("SEEDANCE_VIDEO_FOLDER", "file:///tmp/seedance-videos")
ENDINGS = (".mp4", ".mov", ".json", "-last-frame.png", "-last-frame.jpg")

with DAG(
    dag_id="seedance_clean_up",
    schedule="@daily",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1)},
    params={
        "keep_days": Param(90, type="number", minimum=1),
        "dry_run": Param(True, type="boolean"),
    },
    tags=["seedance"],
    doc_md=__doc__,
) as dag:
    # [START howto_seedance_clean_up]
    @task
    def clean_up(params: dict) -> list[str]:
        """Delete what is too old, and return what that was."""
        folder = ObjectStoragePath(FOLDER)
        now = pendulum.now("UTC")
        deleted = []
        for path, found in sorted(folder.fs.find(folder.path, detail=True).items()):
            name = path.rpartition("/")[2]
            is_part = name.startswith(".seedance-") and name.endswith(".part")
            if not is_part and not name.endswith(ENDINGS):
                continue
            # A landing takes an hour at most.
            keep = timedelta(days=1) if is_part else timedelta(days=params["keep_days"])
            if now - changed_at(folder.fs.modified(path)) > keep:
                if not params["dry_run"]:
                    folder.fs.rm_file(path)
                deleted.append(path)
                print(f"{'Would delete' if params['dry_run'] else 'Deleted'} {path} ({found['size']:,} bytes)")  # noqa: T201
        return deleted

    def changed_at(moment: datetime) -> datetime:
        """Without a time zone it is UTC, in every storage that says it so."""
        return moment if moment.tzinfo else pendulum.instance(moment, tz="UTC")

    clean_up()
    # [END howto_seedance_clean_up]
