"""
What a block of JSON shows: it has the keys, and the kinds of values, of what there really is.

A connection is told by its ``conn_type``. Of any other block, SHOWN has to say what it shows.
"""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from airflow.models.xcom import XComModel
from airflow.sdk import DAG, Connection
from airflow.utils.session import create_session
from botocore.session import Session
from botocore.validate import validate_parameters

from seedance_provider.hooks.connection_settings import ConnectionSettings
from seedance_provider.operators.seedance import CreateVideoOperator
from seedance_provider.transfers.video_to_object_storage import VideoToObjectStorageOperator
from tests.docs import python_blocks

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.docs.documents import Block


def _same_form(shown: Any, real: Any, where: str = "it") -> None:
    if isinstance(real, dict):
        assert shown.keys() == real.keys(), f"{where} has {real.keys()}"
        for key, value in real.items():
            _same_form(shown[key], value, f"{where}[{key}]")
    elif isinstance(real, list):
        assert [type(one) for one in shown] == [type(one) for one in real[: len(shown)]], where
        for one, another in zip(shown, real, strict=False):
            _same_form(one, another, where)
    elif real is not None and shown is not None:
        numbers = (int, float)
        assert isinstance(shown, numbers if isinstance(real, numbers) else type(real)), f"{where} is {real!r}"


def _returned(shown: Any, fixture: Callable[[str], Any]) -> None:
    _same_form(shown, fixture("results").created)


def _landed(shown: Any, fixture: Callable[[str], Any]) -> None:
    _same_form(shown, fixture("results").landed)


def _failure(shown: Any, fixture: Callable[[str], Any]) -> None:
    _same_form(shown, fixture("results").failure)


def _ledger(shown: Any, fixture: Callable[[str], Any]) -> None:
    fixture("results")
    ledger = fixture("emulator").ledger()
    # Accounts go by their keys, which differ.
    for book in (shown, ledger):
        book["credits"] = next(iter(book["credits"].values()))
    _same_form(shown, ledger)


def _lifecycle_rule(shown: Any, fixture: Callable[[str], Any]) -> None:
    operation = Session().get_service_model("s3").operation_model("PutBucketLifecycleConfiguration")
    validate_parameters({"Bucket": "my-bucket", "LifecycleConfiguration": shown}, operation.input_shape)


#: What the paragraph before a block says that it is, and what looks at it.
SHOWN = {
    "returns a small dict": _returned,
    "XCom `failure` says why": _failure,
    '["landed"]` has all that is known': _landed,
    "GET /emulator/ledger": _ledger,
    "lifecycle rule": _lifecycle_rule,
}


def check(block: Block, fixture: Callable[[str], Any]) -> None:
    """Compare a block with what it shows."""
    shown = json.loads(block.text)
    for connection in shown, *(shown.values() if isinstance(shown, dict) else ()):
        if isinstance(connection, dict) and "conn_type" in connection:
            ConnectionSettings.from_connection(Connection.from_json(json.dumps(connection)))
            return
    checks = [poll for text, poll in SHOWN.items() if text in block.before]
    assert len(checks) == 1, f"{block}: SHOWN does not know what this is: {block.before!r}"
    checks[0](shown, fixture)


def real_results(dags_folder: Path, folder: Path) -> SimpleNamespace:
    """Return what tasks return (``created``, ``landed``), and leave when they fail (``failure``)."""
    with DAG("results") as dag:
        create = CreateVideoOperator(task_id="create", prompt="A kite", resolution="1280x720", duration=5)
        VideoToObjectStorageOperator(
            task_id="land", video=create.output, destination=f"{folder.as_uri()}/", sidecar=True
        )
    with DAG("failure") as failing:
        CreateVideoOperator(task_id="create", prompt="[fail:text_moderation]", duration=4)
    assert python_blocks.run(dag, dags_folder).state == "success"
    assert python_blocks.run(failing, dags_folder).state == "failed"
    return SimpleNamespace(
        created=_xcom("results", "create"),
        landed=_xcom("results", "land", "landed"),
        failure=_xcom("failure", "create", "failure"),
    )


def _xcom(dag_id: str, task_id: str, key: str = "return_value") -> Any:
    with create_session() as session:
        found = session.query(XComModel).filter_by(dag_id=dag_id, task_id=task_id, key=key).one()
        return XComModel.deserialize_value(found)
