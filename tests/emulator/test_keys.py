"""A key can be replaced while its account has tasks in progress."""

from __future__ import annotations

import pytest

from seedance_provider.emulator.settings import DEFAULT_KEY
from tools.emulator_process import EmulatorProcess


def rotate(client, old, new):
    return client.session.post(f"{client.url}/emulator/keys", json={"old": old, "new": new}, timeout=10)


def test_the_new_key_has_the_tasks_and_the_credits_of_the_old_one(client):
    task_id = client.create().json()["taskId"]
    credits_before = client.ledger()["credits"]
    assert rotate(client, DEFAULT_KEY, "the-new-key").ok

    answer = client.create()
    assert (answer.status_code, answer.json()) == (401, {"message": "Invalid API Key"})
    assert client.record(task_id, key="the-new-key").ok
    assert client.create(key="the-new-key").ok
    assert client.ledger()["credits"].keys() == credits_before.keys()
    assert len({entry["account"] for entry in client.ledger()["submissions"]}) == 1

    # It can come back.
    rotate(client, "the-new-key", DEFAULT_KEY)
    assert client.create().ok
    assert client.create(key="the-new-key").status_code == 401


def test_only_a_good_key_can_be_rotated(client):
    answer = rotate(client, "no-such-key", "the-new-key")
    assert (answer.status_code, answer.json()["message"]) == (401, "Invalid API Key")
    assert client.create(key="the-new-key").status_code == 401


@pytest.mark.parametrize(("old", "new"), [(DEFAULT_KEY, ""), (DEFAULT_KEY, None), (7, "the-new-key")])
def test_what_is_no_pair_of_keys_is_refused(client, old, new):
    answer = rotate(client, old, new)
    assert (answer.status_code, answer.json()["message"]) == (400, 'What is needed is {"old": "...", "new": "..."}')
    assert client.create().ok


def test_a_key_that_is_in_use_is_refused(start):
    client = start(keys={"one": 500, "other": 500})
    assert rotate(client, "one", "other").status_code == 400
    assert client.create(key="one").ok
    assert client.create(key="other").ok


def test_no_key_is_kept_or_shown(tmp_path):
    with EmulatorProcess(tmp_path / "emulator") as emulator:
        emulator.rotate_key(DEFAULT_KEY, "the-new-key")
        emulator.kill()
        emulator.start()
        assert "the-new-key" not in str(emulator.ledger())
    for file in (tmp_path / "emulator").glob("emulator.*"):
        assert b"the-new-key" not in file.read_bytes()
