"""The provider's own client meets every fault: what it may conclude, and what was really accepted."""

from __future__ import annotations

import io

import pytest

from seedance_provider.api import client as client_module
from seedance_provider.api.client import SeedanceClient
from seedance_provider.api.errors import SeedanceError, Verdict
from seedance_provider.api.protocol import SeedanceProtocol
from seedance_provider.api.video_request import VideoRequest
from seedance_provider.emulator.faults import FAULTS
from seedance_provider.emulator.refusals import REFUSALS
from seedance_provider.emulator.settings import DEFAULT_KEY
from tools.chaos.faults import leaves_unknown

REQUEST = VideoRequest(prompt="A small boat", duration=4, resolution="480p")

#: Certainly not accepted, or answered in the end. Nobody can know about all others.
KNOWN = {
    **dict.fromkeys(REFUSALS, Verdict.PERMANENT),
    "internal_error": Verdict.TRANSIENT,
    "rate_limited": Verdict.TRANSIENT,
    "concurrency_limit": Verdict.WAIT_FOR_SLOT,
    "slow": None,
    "never_ends": None,
    "connection_refused": None,
}


@pytest.fixture(autouse=True)
def _nothing_else_breaks(caplog):
    """A fault that nobody carries out would look like one more error of the server."""
    yield
    assert [record.getMessage() for record in caplog.get_records("call") if record.name == "aiohttp.server"] == []


@pytest.fixture
def seedance(client, monkeypatch):
    monkeypatch.setattr(client_module, "_CREATE_SECONDS", 2)
    monkeypatch.setattr(client_module, "_READ_SECONDS", 2)
    with SeedanceClient(SeedanceProtocol(DEFAULT_KEY, client.base_url)) as opened:
        yield opened


def fault_once(place, fault, seconds):
    return {"fault": fault, "on": place, "count": 1, "seconds": seconds}


def verdict_of(call, name):
    try:
        call()
    except SeedanceError as error:
        return getattr(error, name)
    return None


@pytest.mark.parametrize("fault", [name for name, fault in FAULTS.items() if "createTask" in fault.places])
def test_a_submission_is_only_sent_again_if_it_was_certainly_not_accepted(client, seedance, fault):
    client.set_faults(fault_once("createTask", fault, 0.2))
    verdict = verdict_of(lambda: seedance.create_task(REQUEST), "create_verdict")
    client.wait_for_the_end_of_an_outage()

    assert verdict is KNOWN.get(fault, Verdict.UNKNOWN_OUTCOME)
    assert leaves_unknown({"on": "createTask", "fault": fault}) is (verdict is Verdict.UNKNOWN_OUTCOME)
    accepted = client.ledger()["submissionCount"]
    assert accepted == FAULTS[fault].handles
    if verdict in (Verdict.TRANSIENT, Verdict.WAIT_FOR_SLOT):
        assert accepted == 0


def test_an_answer_that_comes_too_late_leaves_the_outcome_open(client, seedance):
    client.set_faults(fault_once("createTask", "slow", 4))
    assert verdict_of(lambda: seedance.create_task(REQUEST), "create_verdict") is Verdict.UNKNOWN_OUTCOME


@pytest.mark.parametrize("fault", [name for name, fault in FAULTS.items() if "recordInfo" in fault.places])
def test_a_look_may_always_be_repeated_unless_the_task_is_gone(client, seedance, fault):
    task_id = seedance.create_task(REQUEST)
    client.set_faults(fault_once("recordInfo", fault, 0.2))
    verdict = verdict_of(lambda: seedance.get_task(task_id), "read_verdict")
    expected = {
        "slow": None,
        "unknown_status": None,
        "connection_refused": None,
        **dict.fromkeys(REFUSALS, Verdict.PERMANENT),
        "rate_limited": Verdict.TRANSIENT,
        "internal_error": Verdict.TRANSIENT,
        "vanish": Verdict.PERMANENT,
    }
    assert verdict is expected.get(fault, Verdict.TRANSIENT)


def test_an_outage_is_known_to_have_cost_nothing(client, seedance):
    client.set_faults(fault_once("createTask", "connection_refused", 1))
    seedance.create_task(REQUEST)
    assert verdict_of(lambda: seedance.create_task(REQUEST), "create_verdict") is Verdict.TRANSIENT
    client.wait_for_the_end_of_an_outage()
    assert client.ledger()["submissionCount"] == 1


#: Refusals that asking again does not mend; all other faults of uploads may pass.
LASTING = set(REFUSALS) - {"internal_error", "rate_limited"}


@pytest.mark.parametrize("fault", [name for name, fault in FAULTS.items() if "uploads" in fault.places])
def test_a_place_for_a_file_is_there_or_a_typed_error(client, seedance, fault):
    client.set_faults(fault_once("uploads", fault, 0.2))
    verdict = verdict_of(lambda: upload(seedance), "read_verdict")
    client.wait_for_the_end_of_an_outage()
    if fault == "connection_refused":
        # The place was named, and its storage is away with the rest.
        assert verdict in (None, Verdict.TRANSIENT)
    elif fault == "slow":
        assert verdict is None
    else:
        assert verdict is (Verdict.PERMANENT if fault in LASTING else Verdict.TRANSIENT)
    assert upload(seedance).url


@pytest.mark.parametrize("fault", [name for name, fault in FAULTS.items() if "put" in fault.places])
def test_a_file_is_at_the_api_or_there_is_a_typed_error(client, seedance, monkeypatch, fault):
    monkeypatch.setattr(client_module, "_PUT_SECONDS", 2)
    client.set_faults(fault_once("put", fault, 0.2))
    verdict = verdict_of(lambda: upload(seedance), "read_verdict")
    client.wait_for_the_end_of_an_outage()
    assert verdict is (None if fault in ("slow", "connection_refused") else Verdict.TRANSIENT)
    assert client.get(upload(seedance).url).content == CONTENT


CONTENT = b"\x89PNG" + b"x" * 300_000


def upload(seedance):
    return seedance.upload(io.BytesIO(CONTENT), "a.png", len(CONTENT))
