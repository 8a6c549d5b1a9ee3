"""The referee of the chaos suite: what it must notice, and what it must not call a fault."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from seedance_provider.emulator.refusals import REFUSALS
from seedance_provider.submission.plans import plan_from_record
from seedance_provider.submission.record import Submission, SubmissionState
from tools.chaos.evidence import Evidence, Hit, Job, VideoEvidence
from tools.chaos.verdict import judge

SUBMITTED_AT = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def report(sent_at=SUBMITTED_AT):
    """As the provider says it."""
    record = Submission(SubmissionState.SUBMITTING, "f", sent_at.isoformat(timespec="milliseconds"), 3, 160)
    return plan_from_record(record, fingerprint="f", max_tries=3).message


RECORD = {"state": "submitted", "video_task_id": "task_1", "submitted_at": SUBMITTED_AT.isoformat(), "reason": None}
UNKNOWN = RECORD | {"state": "abandoned", "video_task_id": None, "reason": report()}


def job(number=1, charged=160, created=0, ended=5000):
    """The times are milliseconds after the moment that the record names."""
    began = int(SUBMITTED_AT.timestamp() * 1000)
    return Job(f"task_{number}", charged, began + created, None if ended is None else began + ended)


def video(**facts):
    return VideoEvidence(**{"prompt": "a", "state": "success", "record": RECORD, "log": "", "jobs": (job(),), **facts})


def fault(name, prompt="a", on="createTask", after=1.0):
    time = SUBMITTED_AT.timestamp() + after
    return {"fault": name, "on": on, "time": time, "prompt": prompt, "taskId": None, "accepted": True}


def verdict(*videos, hits=(), faults=()):
    return judge(Evidence(videos, tuple(hits), tuple(faults)))


def hit(what="task", after=1.0, prompts=("a",)):
    return Hit(what, SUBMITTED_AT.timestamp() + after, frozenset(prompts))


def test_a_video_that_landed_is_good():
    found = verdict(video(landed=frozenset({"task_1"})))
    assert found.landed == ("a",)
    assert found.is_good


class TestDoublePaid:
    @pytest.mark.parametrize(
        "jobs",
        [
            pytest.param((job(1), job(2, created=9000, ended=9999)), id="two charged, one after the other"),
            pytest.param((job(1, charged=0), job(2, created=4000)), id="two in progress at a time"),
            pytest.param((job(1, charged=0, ended=None), job(2, created=9000)), id="the first one never ends"),
        ],
    )
    def test_is_noticed(self, jobs):
        found = verdict(video(jobs=jobs, log="task_1 task_2"))
        assert found.double_paid == ("a",)
        assert not found.is_good

    def test_a_refunded_job_may_be_followed_by_another(self):
        jobs = (job(1, charged=0), job(2, created=6000, ended=9999))
        assert verdict(video(jobs=jobs, log="task_2")).is_good

    @pytest.mark.parametrize(("clears", "is_good"), [(0, False), (1, True)])
    def test_a_person_may_decide_to_pay_again_after_a_report(self, clears, is_good):
        paid_twice = video(jobs=(job(1), job(2)), record=UNKNOWN, log="task_2")
        hits = [hit("clear")] * clears
        assert (not verdict(paid_twice, hits=hits).double_paid) is is_good


class TestLost:
    def test_is_what_nobody_can_find(self):
        found = verdict(video(record=None))
        assert found.lost == ("task_1",)
        assert not found.is_good

    @pytest.mark.parametrize(
        "known",
        [
            {"landed": frozenset({"task_1"})},
            {"record": RECORD},
            {"log": "Submitted video task task_1: ..."},
            {"jobs": (job(charged=0),)},
            {"record": UNKNOWN},
        ],
    )
    def test_is_nothing_that_a_person_can_find(self, known):
        assert verdict(video(**{"record": None, **known})).lost == ()

    def test_one_report_stands_for_one_submission(self):
        assert verdict(video(jobs=(job(1), job(2)), record=UNKNOWN)).lost == ("task_2",)


class TestUnknown:
    @pytest.mark.parametrize(
        "found",
        [
            *({"faults": [fault(name)]} for name in ("reset_before", "reset_after", "timeout_after")),
            *({"faults": [fault(name)]} for name in ("bad_gateway_before", "html_page_after", "cut_json_after")),
            # An outage that another request began, a kill of its worker, and one of a server that it needs.
            {"faults": [fault("connection_refused", prompt="b")]},
            *({"hits": [hit(what)]} for what in ("task", "scheduler")),
            *({"hits": [hit(what, prompts=())]} for what in ("emulator", "api-server", "database")),
        ],
    )
    def test_is_explained_by_each_way_to_lose_an_answer(self, found):
        judged = verdict(video(record=UNKNOWN), **found)
        assert (judged.unknown, judged.unexplained, judged.is_good) == (("a",), (), True)

    def test_is_explained_by_a_kill_soon_after_a_request_that_came_late(self):
        late = video(record=UNKNOWN, jobs=(job(created=30_000, ended=35_000),))
        assert verdict(late, hits=[hit(after=32)]).is_good

    def test_is_explained_for_each_request_of_its_own(self):
        again = SUBMITTED_AT + 100 * SECOND
        twice = video(record=UNKNOWN, log=report(again))
        lost = [fault("reset_before"), fault("reset_before", after=101)]
        assert verdict(twice, faults=lost).is_good
        assert verdict(twice, faults=lost[:1]).unexplained == ("a",)

    @pytest.mark.parametrize(
        "found",
        [
            pytest.param({}, id="nothing happened"),
            pytest.param({"faults": [fault("connection_refused", after=60)]}, id="an outage a minute later"),
            pytest.param({"hits": [hit(prompts=("b",))]}, id="another worker was killed"),
            pytest.param({"hits": [hit(after=60)]}, id="killed a minute later"),
            pytest.param({"hits": [hit("database", after=60, prompts=())]}, id="a server killed a minute later"),
            pytest.param({"faults": [fault("reset_after", prompt="b")]}, id="another answer was lost"),
            *(pytest.param({"faults": [fault(name)]}, id=name) for name in REFUSALS),
            *(pytest.param({"faults": [fault(name)]}, id=name) for name in ("slow", "never_ends", "concurrency_limit")),
            pytest.param({"faults": [fault("reset_after", after=-30)]}, id="the answer to an earlier request"),
            pytest.param({"faults": [fault("reset_after", after=90)]}, id="the answer to a later request"),
            pytest.param({"faults": [fault("reset_before", on="recordInfo")]}, id="another request"),
        ],
    )
    def test_is_noticed_if_it_could_have_been_known(self, found):
        judged = verdict(video(record=UNKNOWN), **found)
        assert judged.unexplained == ("a",)
        assert not judged.is_good

    def test_has_to_be_reported_for_each_request(self):
        lost = [fault("reset_after"), fault("reset_after", after=101)]
        assert verdict(video(), faults=lost[:1]).unreported == ("a",)
        found = verdict(video(record=UNKNOWN), faults=lost)
        assert found.unreported == ("a",)
        assert not found.is_good
