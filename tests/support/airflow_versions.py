"""What the Airflow that the tests run on has, and how a test says that it needs it."""

from __future__ import annotations

from importlib.metadata import version

import pytest
from packaging.version import Version

#: Without what tells a pre-release: 3.4.0b2 has what 3.4.0 will have.
RELEASE = Version(version("apache-airflow-core")).release

#: The task state store and retry policies.
HAS_STATE_STORE = RELEASE >= (3, 3)

needs_state_store = pytest.mark.skipif(not HAS_STATE_STORE, reason="needs the task state store of Airflow 3.3")
needs_retry_policies = pytest.mark.skipif(not HAS_STATE_STORE, reason="needs the retry policies of Airflow 3.3")
without_state_store = pytest.mark.skipif(HAS_STATE_STORE, reason="is about Airflow below 3.3, without task state store")
needs_task_loops = pytest.mark.skipif(RELEASE < (3, 4), reason="needs the task loops of Airflow 3.4")
relative_storage_paths = pytest.mark.skipif(RELEASE < (3, 2), reason="Airflow 3.1 makes such a path absolute")
