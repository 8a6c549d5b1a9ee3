"""Many videos on an account with few slots; every start of a worker is noted."""

from __future__ import annotations

import json
import os
import uuid
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, Context

from seedance_provider.operators.seedance import CreateVideoOperator

PROMPTS = json.loads(os.environ["SLOTS_PROMPTS"])
STARTS = Path(os.environ["SLOTS_STARTS"])


class CountedCreateVideoOperator(CreateVideoOperator):
    """Notes the starts of a worker in the name of files, which processes can't write over each other."""

    def execute(self, context: Context) -> Any:
        """Submit, or find out that there is no slot."""
        self._note(context)
        return super().execute(context)

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Go on after the triggerer."""
        self._note(context)
        return super().resume_execution(next_method, next_kwargs, context)

    def _note(self, context: Context) -> None:
        (STARTS / f"{context['dag'].dag_id}.{uuid.uuid4()}").touch()


for dag_id, pool in {"with_pool": "seedance", "without_pool": "default_pool"}.items():
    with DAG(dag_id=dag_id, schedule=None, max_active_tasks=1000, default_args={"retries": 3}):
        CountedCreateVideoOperator.partial(task_id="create", duration=4, resolution="480p", pool=pool).expand(
            prompt=PROMPTS
        )
