"""What is stored is found again."""

import dataclasses
import sqlite3

import pytest

from seedance_provider.emulator.jobs import Job, Standing
from seedance_provider.emulator.order import VideoOrder
from seedance_provider.emulator.store import Store

ORDER = VideoOrder("seedance-20", "A cat ✿", 5, 1280, 720, 37.5, 7, (("First frame", "https://example.com/a.png"),))


def job(task_id, account="a", prompt="A cat ✿", ends_at=2000, error=None):
    ordered = dataclasses.replace(ORDER, prompt=prompt)
    return Job(task_id, account, ordered, 0, 1000, ends_at, 7, "generating", error and "500", error)


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path / "new" / "state.sqlite")
    yield opened
    opened.close()


def test_jobs_come_back_equal_and_in_their_order(store):
    jobs = [job(task_id) for task_id in ("c", "a", "b")]
    for one in jobs:
        store.add(one)
    assert store.all() == jobs
    assert store.get("a") == jobs[1]
    assert store.get("two") is None


def test_standing_counts_what_is_held_at_a_moment(store):
    store.add(job("succeeds"))
    store.add(job("fails", error="Generation failed."))
    store.add(job("never ends", prompt="another", ends_at=None))
    store.add(job("somebody else's", account="b"))
    assert store.standing("a", ORDER.prompt, 1999) == Standing(112.5, 3, 2, 4)
    assert store.standing("a", ORDER.prompt, 2000) == Standing(75, 1, 2, 4)
    assert store.standing("c", ORDER.prompt, 2000) == Standing(0, 0, 0, 4)


def test_a_transaction_that_fails_leaves_nothing(store):
    store.add(job("one"))
    with pytest.raises(sqlite3.IntegrityError), store.transaction():
        _add_both(store, job("two"), job("one"))
    assert store.all() == [job("one")]
    with store.transaction():
        store.add(job("two"))
    assert store.all() == [job("one"), job("two")]


def test_another_process_sees_what_was_committed(store, tmp_path):
    with store.transaction():
        store.add(job("one"))
    other = Store(tmp_path / "new" / "state.sqlite")
    assert other.get("one") == job("one")
    other.close()


def _add_both(store, one, other):
    store.add(one)
    store.add(other)
