"""What a landing task remembers."""

from __future__ import annotations

import logging

import pytest

from seedance_provider.landing.record import LandingRecord, LandingRecords
from seedance_provider.storage.stored_file import StoredFile
from tests.support.task_context import StateStore

MEDIA = {"media_type": "video/mp4", "width": 64, "height": 64, "seconds": 1.0}
LOG = logging.getLogger(__name__)


@pytest.fixture
def landed(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"a video")
    return StoredFile.at(f"file://{tmp_path}/a.mp4")


@pytest.fixture
def record(landed):
    return LandingRecord("task_a", {str(landed): landed.version()}, 7, MEDIA)


class TestLandingRecord:
    def test_is_true_of_its_video_while_the_object_is_as_it_was_left(self, record, landed):
        assert record.is_still_true("task_a", [landed])
        assert not record.is_still_true("task_b", [landed])
        assert not record.is_still_true("task_a", [landed, landed.beside(".json", instead=True)])
        landed.local_path.write_bytes(b"another")
        assert not record.is_still_true("task_a", [landed])
        landed.local_path.unlink()
        assert not record.is_still_true("task_a", [landed])


class TestLandingRecords:
    def test_what_is_kept_is_found_again_for_as_long_as_there_is_the_task_instance(self, record):
        from airflow.sdk import NEVER_EXPIRE

        store = StateStore()
        LandingRecords(store, LOG).save(record)
        assert LandingRecords(store, LOG).load() == record
        assert store.retentions == [NEVER_EXPIRE]

    def test_an_airflow_without_a_store_has_no_record(self, record):
        records = LandingRecords(None, LOG)
        records.save(record)
        assert records.load() is None

    @pytest.mark.parametrize("written", [None, 7, {}, {"schema_version": 2}, {"schema_version": 1, "video": "task_a"}])
    def test_what_can_not_be_read_is_no_record(self, written):
        store = StateStore()
        if written is not None:
            store.set("seedance_landing", written)
        assert LandingRecords(store, LOG).load() is None

    @pytest.mark.parametrize("name", ["get", "set"])
    def test_a_store_that_fails_fails_nothing(self, record, caplog, name):
        records = LandingRecords(StateStore(**{name: [1]}), LOG)
        records.save(record)
        records.load()
        assert "the metadata database is down" in caplog.text
