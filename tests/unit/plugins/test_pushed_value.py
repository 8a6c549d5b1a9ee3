"""What a task has pushed, whatever XCom backend keeps it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.bases.xcom import BaseXCom

RESULT = {"video_task_id": "task_a", "credits_used": 160}
PLACE = {"dag_id": "films", "run_id": "r", "task_id": "make", "map_index": -1}


class FileXCom(BaseXCom):
    """Keeps the path of a file with the value, as backends on object storage do."""

    @staticmethod
    def deserialize_value(result: Any) -> Any:
        return json.loads(Path(BaseXCom.deserialize_value(result)).read_text())


class NoXCom:
    """Is not derived from the class that Airflow wants."""


def read(kept: Any, key: str = "return_value") -> Any:
    from seedance_provider.plugins.pushed_value import pushed_value

    found = SimpleNamespace(first=lambda: kept if kept is None else SimpleNamespace(key=key, value=kept))
    return pushed_value(SimpleNamespace(scalars=lambda _: found), key, **PLACE)


def problem(kept: Any, key: str = "return_value") -> str:
    from seedance_provider.plugins.pushed_value import UnreadableXComError

    with pytest.raises(UnreadableXComError) as caught:
        read(kept, key)
    return str(caught.value)


@pytest.fixture
def backend(monkeypatch):
    """Configure this Airflow with an XCom backend."""

    def configure(name: str) -> None:
        monkeypatch.setenv("AIRFLOW__CORE__XCOM_BACKEND", name)

    return configure


@pytest.mark.usefixtures("application")
class TestWithoutABackend:
    @pytest.mark.parametrize(
        ("key", "kept", "value"),
        [
            ("return_value", RESULT, RESULT),
            # As the REST API writes XComs.
            ("return_value", json.dumps(RESULT), RESULT),
            ("landed", {"path": "/a", "size": 7}, {"path": "/a", "size": 7}),
            ("unreachable_since", "2026-03-01T12:00:00+00:00", "2026-03-01T12:00:00+00:00"),
            ("return_value", None, None),
        ],
    )
    def test_is_what_the_database_has(self, key, kept, value):
        assert read(kept, key) == value

    @pytest.mark.parametrize("kept", ["s3://xcoms/films/r/make/1.json", [RESULT], 7, {"ref": "a"}, {}, "[" * 100_000])
    @pytest.mark.parametrize("key", ["return_value", "submitted", "failure", "landed"])
    def test_what_only_a_backend_could_read_is_told(self, kept, key):
        said = problem(kept, key)
        assert f"The XCom {key!r} is not what a video task pushes." in said
        assert "Does the API server have the [core] xcom_backend of the workers" in said


@pytest.mark.usefixtures("application")
class TestWithABackend:
    def test_is_what_the_backend_reads(self, backend, tmp_path):
        backend(f"{__name__}.FileXCom")
        (tmp_path / "1.json").write_text(json.dumps(RESULT))
        assert read(str(tmp_path / "1.json")) == RESULT
        assert read(None) is None

    @pytest.mark.parametrize("threshold", [0, 10_000])
    def test_airflow_s_own_on_object_storage(self, backend, monkeypatch, tmp_path, threshold):
        from airflow.providers.common.io.xcom import backend as module

        monkeypatch.setenv("AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_PATH", f"file://{tmp_path}")
        monkeypatch.setenv("AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_THRESHOLD", str(threshold))
        for cached in (module._get_base_path, module._get_threshold, module._get_compression):
            cached.cache_clear()
        backend("airflow.providers.common.io.xcom.backend.XComObjectStorageBackend")
        try:
            kept = module.XComObjectStorageBackend.serialize_value(RESULT, dag_id="films", run_id="r", task_id="make")
            assert isinstance(kept, str) == (threshold == 0)
            assert read(kept) == RESULT
            for file in tmp_path.rglob("*.json"):
                file.unlink()
                assert "is not what a video task pushes" in problem(kept)
        finally:
            for cached in (module._get_base_path, module._get_threshold, module._get_compression):
                cached.cache_clear()

    @pytest.mark.parametrize(
        ("name", "kept", "said"),
        [
            (f"{__name__}.FileXCom", "/nowhere/1.json", "can't read the XCom 'return_value': FileNotFoundError."),
            (f"{__name__}.FileXCom", RESULT, "can't read the XCom 'return_value': TypeError."),
            (f"{__name__}.GoneXCom", RESULT, "can't load the XCom backend"),
            ("gone_xcoms.GoneXCom", RESULT, "can't load the XCom backend 'gone_xcoms.GoneXCom'"),
            (f"{__name__}.NoXCom", RESULT, "can't load the XCom backend"),
        ],
    )
    def test_what_it_can_not_read_is_told(self, backend, caplog, name, kept, said):
        backend(name)
        told = problem(kept)
        assert said in told
        assert "The log of the API server" in told
        # The error of a backend may have its credentials: it is for the log alone.
        assert "/nowhere" not in told
        assert caplog.records[-1].exc_info
