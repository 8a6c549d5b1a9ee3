"""
What a block of Python does: for real, and its DAGs are run.

A block is executed among the names of the blocks before it on its page, and those of GRANTED. Where it uses ``create``
and does not make it, that is a task in the same DAG. Tasks outside of a DAG get one. Every DAG goes through Airflow's
DagBag and serialisation, and is run with ``dag.test()`` against the emulator, unless NOT_RUN says why not.
"""

from __future__ import annotations

import ast
import sys
from contextlib import suppress
from types import ModuleType
from typing import TYPE_CHECKING, Any

from airflow.api.common.delete_dag import delete_dag
from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
from airflow.exceptions import DagNotFound
from airflow.sdk import DAG
from airflow.sdk.definitions._internal.contextmanager import DagContext
from airflow.serialization.serialized_objects import DagSerialization

from seedance_provider.operators.seedance import CreateVideoOperator

if TYPE_CHECKING:
    from pathlib import Path

    from tests.docs.documents import Block

#: What any page may take for granted: a guide need not begin every block with the same lines.
GRANTED = """
from airflow.sdk import DAG, Asset, AssetAlias, Param, dag, task

from seedance_provider.api.video_request import VideoRequest
from seedance_provider.hooks.seedance import SeedanceHook
from seedance_provider.operators.seedance import CreateVideoOperator
from seedance_provider.retry_policy import seedance_retry_policy
from seedance_provider.sensors.seedance import VideoSensor
from seedance_provider.transfers.upload_reference import UploadReferenceOperator
from seedance_provider.transfers.video_to_object_storage import VideoToObjectStorageOperator

prompts = ["A kite", "A boat"]
"""

#: DAGs that only go through the DagBag: what is in their block, and why they are not run.
NOT_RUN: dict[str, str] = {}


def granted_names() -> dict[str, Any]:
    """Return what a page begins with."""
    names: dict[str, Any] = {}
    exec(GRANTED, names)  # noqa: S102 - ours
    return names


def execute(block: Block, names: dict[str, Any]) -> list[DAG]:
    """Execute a block, and return the DAGs with their tasks that Airflow would find in it."""
    module = ModuleType("documents")
    sys.modules[module.__name__] = module
    # As the DagBag does it.
    DagContext.current_autoregister_module_name = module.__name__
    DagContext.autoregistered_dags.clear()
    code = compile("\n" * block.line + block.text, block.page, "exec")
    try:
        with DAG(f"around_{block.page}_{block.line}".replace("/", "_")):
            if _takes_for_granted("create", block.text):
                names["create"] = CreateVideoOperator(task_id="created_before", prompt="A kite", duration=4)
            exec(code, names)  # noqa: S102 - ours
        return [found for found, _ in DagContext.autoregistered_dags if found.task_ids]
    finally:
        DagContext.current_autoregister_module_name = None
        DagContext.autoregistered_dags.clear()
        del sys.modules[module.__name__]


def _takes_for_granted(name: str, text: str) -> bool:
    uses = [node.ctx for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name) and node.id == name]
    return bool(uses) and not any(isinstance(use, ast.Store) for use in uses)


def run(dag: DAG, folder: Path) -> Any:
    """Take a DAG into a DagBag and the database as Airflow does, run it, and return the run."""
    take(dag, folder)
    # As if triggered by hand: such a run has no logical date.
    return dag.test(logical_date=None)


def take(dag: DAG, folder: Path) -> None:
    """Take a DAG into a DagBag and the database as Airflow does."""
    # Pages have DAGs of the same name.
    with suppress(DagNotFound):
        delete_dag(dag.dag_id)
    bag = DagBag(dag_folder=str(folder))
    bag.bag_dag(dag)
    assert not bag.import_errors
    there_and_back = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))
    assert there_and_back.task_dict.keys() == dag.task_dict.keys()
    DagBundlesManager().sync_bundles_to_db()
    sync_bag_to_db(bag, "dags-folder", None)
