"""The ledger adds up."""

from seedance_provider.emulator.auth import Account
from seedance_provider.emulator.jobs import Job
from seedance_provider.emulator.ledger import ledger
from seedance_provider.emulator.order import VideoOrder

FRAME = ("First frame", "https://example.com/a.png")
ORDER = VideoOrder("seedance2.0-mini", "A cat", 5, 864, 496, 37.5, references=(FRAME,))


def test_charges_and_refunds():
    jobs = [
        Job("one", "a", ORDER, 0, 0, 1000, 7),
        Job("two", "a", ORDER, 1, 1, 1000, 7, error_code="500", error_message="Generation failed."),
        Job("three", "b", ORDER, 2, 2, None, 7),
    ]
    accounts = [Account("a", 1000), Account("b", 37.5)]
    before, after = ledger(jobs, accounts, 999), ledger(jobs, accounts, 1000)
    assert before["credits"]["a"] == {"granted": 1000, "charged": 75, "available": 925}
    assert after["credits"]["a"] == {"granted": 1000, "charged": 37.5, "available": 962.5}
    assert after["credits"]["b"] == {"granted": 37.5, "charged": 37.5, "available": 0}
    assert after["submissionCount"] == 3
    assert [(one["taskId"], one["status"], one["creditsCharged"]) for one in after["submissions"]] == [
        ("one", "success", 37.5),
        ("two", "fail", 0),
        ("three", "generating", 37.5),
    ]
    one = after["submissions"][0]
    assert (one["account"], one["model"], one["prompt"]) == ("a", "seedance2.0-mini", "A cat")
    assert (one["duration"], one["width"], one["height"], one["references"]) == (5, 864, 496, [list(FRAME)])
    assert (one["credits"], one["createTime"], one["completeTime"]) == (37.5, 0, 1000)
