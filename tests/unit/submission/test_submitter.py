"""Paying once: the submitter against a real HTTP server, and a store that outlives it."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from seedance_provider.api.client import SeedanceClient
from seedance_provider.api.errors import ConnectionLostError, FileUnavailableError, InvalidRequestError
from seedance_provider.api.protocol import SeedanceProtocol
from seedance_provider.api.video_request import VideoRequest
from seedance_provider.api.video_task import TaskStatus, VideoTask
from seedance_provider.reporting.kill_notice import NOTHING_SUBMITTED, KillNotice
from seedance_provider.submission.options import OnRerun, OnUnknownSubmission
from seedance_provider.submission.plans import Action, Plan
from seedance_provider.submission.record import SubmissionState
from seedance_provider.submission.retries import retry_until
from seedance_provider.submission.spending import Limit, Limits
from seedance_provider.submission.store import SubmissionStore
from seedance_provider.submission.submitter import Submitter
from seedance_provider.submission.task_state import SubmissionStoreError
from seedance_provider.waiting.result import Outcome, WaitResult
from tests.support.scripted_api import Answer, ScriptedApi, record
from tests.support.task_context import StateStore

if TYPE_CHECKING:
    from collections.abc import Iterator

REQUEST = VideoRequest(prompt="A kite")
CREATED = Answer(body={"taskId": "task_a"})
CREATED_ANEW = Answer(body={"taskId": "task_b"})


class Crash(BaseException):
    """The worker dies here."""


@pytest.fixture
def client(api: ScriptedApi) -> Iterator[SeedanceClient]:
    with SeedanceClient(SeedanceProtocol("key", api.base_url)) as made:
        yield made


@pytest.fixture
def store() -> StateStore:
    return StateStore()


def submitter(store: StateStore | None, max_tries: int = 3, **options) -> Submitter:
    return Submitter(SubmissionStore(store), max_tries, logging.getLogger(__name__), **options)


def obtain(client, store, max_tries: int = 3, fingerprint: str = "abc", **options) -> VideoTask | Plan:
    """One try."""
    return submitter(store, max_tries, **options).obtain(client, REQUEST, fingerprint)


def kept(store: StateStore):
    return SubmissionStore(store).load()


class TestFirstTry:
    def test_pays_once_and_keeps_the_id(self, api, client, store):
        api.creations.append(CREATED)
        task = obtain(client, store)
        assert isinstance(task, VideoTask)
        assert task.video_task_id == "task_a"
        assert len(api.created) == 1
        assert kept(store).state is SubmissionState.SUBMITTED
        assert kept(store).video_task_id == "task_a"
        assert kept(store).estimated_credits == 200

    def test_writes_submitting_before_the_request_is_sent(self, api, client, store):
        seen = []
        api.creations.append(CREATED)
        answer = api.next_answer
        api.next_answer = lambda asked: (seen.append(kept(store).state), answer(asked))[1]
        obtain(client, store)
        assert seen == [SubmissionState.SUBMITTING]

    @pytest.mark.parametrize(("call", "done"), [("get", "read"), ("set", "written")])
    def test_sends_nothing_if_the_store_is_away_and_a_retry_can_help(self, api, client, store, call, done):
        store.fail = call
        plan = obtain(client, store)
        assert plan.action is Action.RETRY
        assert f"can't be {done}: ConnectionError: the metadata database is down" in plan.message
        assert "This try has submitted nothing" in plan.message
        assert api.created == []

    def test_sends_nothing_if_the_record_is_not_understood(self, api, client, store):
        store.set("seedance_submission", {"schema_version": 99})
        plan = obtain(client, store)
        assert (plan.action, plan.reason) == (Action.FAIL, "record_unreadable")
        assert api.created == []

    def test_sends_nothing_if_the_content_of_the_record_is_gone(self, api, client, store):
        # As where [workers] state_store_backend keeps values as objects, and somebody has deleted one.
        store.values["seedance_submission"] = "null"
        plan = obtain(client, store)
        assert (plan.action, plan.reason) == (Action.FAIL, "record_unreadable")
        assert api.created == []

    def test_sends_nothing_if_the_store_forgets_what_it_took(self, api, client, store):
        store.set = lambda *_, **__: None
        plan = obtain(client, store)
        assert plan.action is Action.RETRY
        assert api.created == []

    def test_a_claim_that_can_not_be_read_back_is_withdrawn(self, api, client):
        store = StateStore(get=[2])
        assert obtain(client, store).action is Action.RETRY
        assert (api.created, kept(store)) == ([], None)

    def test_records_what_was_submitted(self, api, client, store):
        api.creations.append(CREATED)
        obtain(client, store)
        assert kept(store).asked == {
            "model": "seedance-20",
            "prompt": "A kite",
            "inputs": {"duration": 5, "resolution": "1280x720"},
        }

    def test_sends_nothing_if_the_record_names_no_video_task(self, api, client, store):
        api.creations.append(CREATED)
        obtain(client, store)
        store.set("seedance_submission", kept(store).to_json() | {"video_task_id": None})
        plan = obtain(client, store)
        assert (plan.action, plan.happened) == (Action.FAIL, "The record of the submission names no video task.")
        assert len(api.created) == 1

    def test_names_the_video_in_the_log_before_anything_else_can_fail(self, api, client, store, caplog):
        api.creations.append(CREATED)
        save, saves = store.set, []

        def die_at_the_second(*args, **kwargs):
            saves.append(args)
            if len(saves) == 2:
                raise Crash
            save(*args, **kwargs)

        store.set = die_at_the_second
        with caplog.at_level("INFO"), pytest.raises(Crash):
            obtain(client, store)
        assert "task_a" in caplog.text
        assert "200 credits" in caplog.text


def quickly(seconds: float = 60) -> tuple[partial[None], list[float]]:
    """Retries whose time passes without anybody waiting, and the pauses between them."""
    pauses: list[float] = []
    return partial(retry_until, seconds=seconds, clock=lambda: sum(pauses), sleep=pauses.append), pauses


class TestStoreThatGoesAway:
    """Between the request and the record of its answer."""

    def test_the_id_is_recorded_when_the_store_is_back(self, api, client, caplog):
        api.creations.append(CREATED)
        store, (retry, pauses) = StateStore(set=range(2, 5)), quickly()
        assert obtain(client, store, retry_until=retry).video_task_id == "task_a"
        assert kept(store).video_task_id == "task_a"
        assert pauses == [1, 2, 4]
        assert caplog.text.count("Retrying in") == 3
        assert len(api.created) == 1

    def test_an_id_that_can_not_be_recorded_is_named(self, api, client, caplog):
        api.creations.append(CREATED)
        store, (retry, pauses) = StateStore(set=range(2, 99)), quickly(seconds=60)
        with caplog.at_level("INFO"):
            plan = obtain(client, store, retry_until=retry)
        assert plan.action is Action.FAIL
        assert "task_a was submitted, but its id could not be recorded" in plan.happened
        assert "VideoSensor" in plan.message
        assert "Submitted video task task_a" in caplog.text
        assert sum(pauses) <= 60

        # And so it is: the next try knows that there was something, and does not pay.
        assert "It is unknown whether a video was paid for" in obtain(client, store).message
        assert len(api.created) == 1

    def test_a_refusal_is_undone_when_the_store_is_back(self, api, client):
        api.creations.append(Answer(500, {"message": "Internal error"}))
        store, (retry, _) = StateStore(delete=[1, 2]), quickly()
        assert obtain(client, store, retry_until=retry).action is Action.WAIT_FOR_API
        assert kept(store) is None

    def test_a_refusal_that_can_not_be_undone_says_what_the_record_will_say(self, api, client):
        api.creations.append(Answer(500, {"message": "Internal error"}))
        store, (retry, _) = StateStore(delete=range(99)), quickly()
        plan = obtain(client, store, retry_until=retry)
        assert plan.action is Action.FAIL
        assert plan.money == "Nothing was submitted or charged."
        assert "clear it once more to submit" in plan.advice

    def test_an_unknown_outcome_ends_the_task_even_if_that_can_not_be_noted(self, api, client):
        api.creations.append(Answer(hang_up=True))
        store = StateStore(set=range(2, 99))
        plan = obtain(client, store)
        assert plan.action is Action.ABANDON
        assert "It is unknown whether a video was paid for" in plan.message
        assert kept(store).state is SubmissionState.SUBMITTING

    @pytest.mark.parametrize("call", ["get", "set"])
    def test_a_finished_video_is_not_lost_for_a_note(self, api, client, store, call, caplog):
        api.creations.append(CREATED)
        obtain(client, store)
        store.fail = call
        submitter(store).delivered()
        assert "the metadata database is down" in caplog.text
        assert kept(store).delivered is False

    @pytest.mark.parametrize("call", ["get", "set"])
    def test_a_video_that_failed_for_good_ends_the_task_without_a_note(self, api, client, store, call):
        api.creations.append(CREATED)
        obtain(client, store)
        store.fail = call
        failed = VideoTask.from_record(record("fail", error="Face detected in uploaded media."), video_task_id="task_a")
        plan = submitter(store).conclude(WaitResult(Outcome.FINISHED, task=failed))
        assert plan.action is Action.ABANDON
        assert kept(store).state is SubmissionState.SUBMITTED


class TestEnding:
    """What a person hears who ends the task, and what happens then."""

    def test_before_anything_was_sent_nothing_will_be(self, api, client, store):
        told = KillNotice(termination_requested=True)
        plan = obtain(client, store, notice=told)
        assert plan.action is Action.RETRY
        assert "Nothing was submitted" in plan.message
        assert (api.created, kept(store)) == ([], None)
        assert told.message == NOTHING_SUBMITTED

    def test_while_the_request_is_on_its_way(self, api, client, store):
        notice, heard = KillNotice(), []
        api.creations.append(CREATED)
        answer = api.next_answer
        api.next_answer = lambda asked: (heard.append(notice.message), answer(asked))[1]
        obtain(client, store, notice=notice)
        assert "A request for about 200 credits ($1.00) is on its way" in heard[0]

    def test_after_the_answer(self, api, client, store):
        notice = KillNotice()
        api.creations.append(CREATED)
        obtain(client, store, notice=notice)
        assert "Video task task_a continues at the API, which can't cancel it; about 200 credits" in notice.message

    def test_of_a_try_that_has_re_attached(self, api, client, store):
        notice = KillNotice()
        api.creations.append(CREATED)
        obtain(client, store)
        api.readings.append(Answer(body=record("generating")))
        obtain(client, store, notice=notice)
        assert "Video task task_a continues" in notice.message

    def test_after_a_refusal(self, api, client, store):
        notice = KillNotice()
        api.creations.append(Answer(429, {"message": "Concurrency limit reached (3).", "limit": 3}))
        obtain(client, store, notice=notice)
        assert "Nothing was submitted or charged" in notice.message

    def test_without_a_record_nobody_is_told_that_a_clear_re_attaches(self, api, client):
        notice = KillNotice()
        api.creations.append(CREATED)
        obtain(client, None, notice=notice)
        assert "re-attaches" not in notice.message
        assert "VideoSensor(video_task_id='task_a')" in notice.message


class TestRefusals:
    @pytest.mark.parametrize(
        ("answer", "action"),
        [
            (Answer(400, {"message": "Unknown model"}), Action.FAIL),
            (Answer(401, {"message": "Invalid API Key"}), Action.FAIL),
            (Answer(402, {"message": "Insufficient credits", "required": 200, "available": 0}), Action.FAIL),
            (Answer(403, {"message": "API access not enabled for this account"}), Action.FAIL),
            (Answer(429, {"message": "Concurrency limit reached (3).", "limit": 3}), Action.WAIT_FOR_SLOT),
            (Answer(429, {"message": "Too many requests"}), Action.WAIT_FOR_API),
            (Answer(429, b"Slow down", "text/plain"), Action.WAIT_FOR_API),
            (Answer(302, b"", headers={"Location": "/elsewhere"}), Action.FAIL),
            (Answer(403, b"<html><title>Access denied</title></html>", "text/html"), Action.FAIL),
            (Answer(413, b"", "text/plain"), Action.FAIL),
            (Answer(500, {"message": "Internal error"}), Action.WAIT_FOR_API),
        ],
    )
    def test_a_documented_refusal_leaves_no_record(self, api, client, store, answer, action):
        api.creations.append(answer)
        plan = obtain(client, store)
        assert isinstance(plan, Plan)
        assert plan.action is action
        assert kept(store) is None
        # What a bad request asks for is asked for once more in each older wire format.
        assert len(api.created) == (3 if answer.status == 400 else 1)

    def test_an_api_that_can_not_be_reached_leaves_no_record(self, store):
        with SeedanceClient(SeedanceProtocol("key", "http://127.0.0.1:9/api/v1")) as client:
            plan = obtain(client, store)
        assert isinstance(plan, Plan)
        assert plan.action is Action.WAIT_FOR_API
        assert kept(store) is None

    @pytest.mark.parametrize(
        "answer",
        [
            Answer(hang_up=True),
            Answer(502, b"<html>Bad gateway</html>", "text/html"),
            Answer(503, {"message": "Service unavailable"}),
            Answer(500, b"<html>Oops</html>", "text/html"),
            Answer(200, b""),
            Answer(200, b'{"taskId": "task_'),
            Answer(200, b"<html></html>", "text/html"),
            Answer(200, {"id": "task_a"}),
            Answer(408, {"message": "Too slow"}),
        ],
    )
    def test_an_unknown_outcome_is_never_sent_again(self, api, client, store, answer):
        api.creations.append(answer)
        plan = obtain(client, store)
        assert isinstance(plan, Plan)
        assert plan.action is Action.ABANDON
        assert len(api.created) == 1
        # The worker may die before Airflow hears of it, and Airflow then retries.
        again = obtain(client, store)
        assert isinstance(again, Plan)
        assert again.action is Action.FAIL
        assert again.message == plan.message
        assert len(api.created) == 1

    def test_resubmit_opts_into_sending_it_again(self, api, client, store):
        api.creations.extend([Answer(hang_up=True), CREATED])
        plan = obtain(client, store, on_unknown=OnUnknownSubmission.RESUBMIT)
        assert isinstance(plan, Plan)
        assert plan.action is Action.RETRY
        assert isinstance(obtain(client, store, on_unknown=OnUnknownSubmission.RESUBMIT), VideoTask)
        assert len(api.created) == 2

    def test_a_clear_after_an_unknown_outcome_pays(self, api, client, store):
        api.creations.extend([Answer(hang_up=True), CREATED])
        obtain(client, store)
        task = obtain(client, store, max_tries=4)
        assert isinstance(task, VideoTask)
        assert len(api.created) == 2


NOT_SHOWN = [Answer(404, {"message": "Task not found"}), Answer(403, {"message": "Access denied"})]
REFUSED = [
    Answer(401, {"message": "Invalid API Key"}),
    Answer(403, {"message": "API access not enabled for this account"}),
]


class TestNextTry:
    """A try after the first one has submitted task_a."""

    @pytest.fixture(autouse=True)
    def _first_try(self, api, client, store):
        api.creations.append(CREATED)
        obtain(client, store)
        api.creations.clear()
        api.creations.append(CREATED_ANEW)

    @pytest.mark.parametrize("status", ["waiting", "generating", "queued"])
    @pytest.mark.parametrize("on_rerun", OnRerun)
    @pytest.mark.parametrize("max_tries", [3, 4])
    def test_reattaches_to_a_video_in_progress(self, api, client, store, status, on_rerun, max_tries):
        api.readings.append(Answer(body=record(status)))
        task = obtain(client, store, max_tries, on_rerun=on_rerun)
        assert isinstance(task, VideoTask)
        assert task.video_task_id == "task_a"
        assert len(api.created) == 1

    @pytest.mark.parametrize("max_tries", [3, 4])
    def test_uses_a_finished_video(self, api, client, store, max_tries):
        api.readings.append(Answer(body=record()))
        task = obtain(client, store, max_tries)
        assert isinstance(task, VideoTask)
        assert task.video_url == "https://media.example/a.mp4"
        assert len(api.created) == 1

    def test_submits_anew_after_a_passing_failure(self, api, client, store):
        api.readings.append(Answer(body=record("fail", error="Video generation failed. Please try again.")))
        task = obtain(client, store)
        assert isinstance(task, VideoTask)
        assert task.video_task_id == "task_b"
        assert kept(store).video_task_id == "task_b"

    def test_fails_for_good_after_a_lasting_failure_until_a_clear(self, api, client, store):
        api.readings.append(Answer(body=record("fail", error="Your input text violates platform rules. Please modify")))
        for action in (Action.ABANDON, Action.FAIL):
            plan = obtain(client, store)
            assert isinstance(plan, Plan)
            assert plan.action is action
        assert len(api.created) == 1
        assert isinstance(obtain(client, store, max_tries=4), VideoTask)
        assert len(api.created) == 2

    @pytest.mark.parametrize("answer", NOT_SHOWN)
    def test_fails_for_good_if_a_delivered_video_is_not_shown_until_a_clear(self, api, client, store, answer):
        submitter(store).delivered()
        api.readings.append(answer)
        plan = obtain(client, store, max_tries=4)
        assert isinstance(plan, Plan)
        assert plan.action is Action.ABANDON
        assert "task_a" in plan.message
        assert len(api.created) == 1
        assert isinstance(obtain(client, store, max_tries=5), VideoTask)
        assert len(api.created) == 2

    @pytest.mark.parametrize("answer", REFUSED)
    def test_fails_for_good_with_a_rejected_key_and_reattaches_after_it_is_fixed(self, api, client, store, answer):
        submitter(store).delivered()
        api.readings.append(answer)
        plan = obtain(client, store, max_tries=4)
        assert isinstance(plan, Plan)
        assert plan.action is Action.FAIL
        api.readings.clear()
        api.readings.append(Answer(body=record("generating")))
        task = obtain(client, store, max_tries=5)
        assert isinstance(task, VideoTask)
        assert task.video_task_id == "task_a"
        assert len(api.created) == 1

    @pytest.mark.parametrize(
        "answer",
        [
            Answer(hang_up=True),
            Answer(500, {"message": "x"}),
            Answer(502, b"<html>", "text/html"),
            Answer(400, {"message": "Bad request"}),
            *NOT_SHOWN,
            *REFUSED,
        ],
    )
    def test_waits_on_whatever_the_first_poll_meets(self, api, client, store, answer):
        api.readings.append(answer)
        before = kept(store)
        task = obtain(client, store)
        # What waits for it tolerates that for a while: a gateway may answer, or a replica that is behind.
        assert (task.video_task_id, task.status) == ("task_a", TaskStatus.UNKNOWN)
        assert kept(store) == before
        assert len(api.created) == 1

    def test_submits_other_inputs_and_names_the_old_video(self, api, client, store, caplog):
        task = obtain(client, store, fingerprint="other")
        assert isinstance(task, VideoTask)
        assert task.video_task_id == "task_b"
        assert "task_a" in caplog.text

    def test_regenerates_after_a_clear_once(self, api, client, store):
        submitter(store).delivered()
        api.readings.append(Answer(body=record()))
        regenerated = obtain(client, store, max_tries=4, on_rerun=OnRerun.REGENERATE)
        assert isinstance(regenerated, VideoTask)
        assert regenerated.video_task_id == "task_b"
        # The same clear, another try: the worker had died.
        obtain(client, store, max_tries=4, on_rerun=OnRerun.REGENERATE)
        assert len(api.created) == 2

    def test_a_clear_that_reattached_does_not_regenerate_later(self, api, client, store):
        api.readings.extend([Answer(body=record("generating")), Answer(body=record())])
        obtain(client, store, max_tries=4, on_rerun=OnRerun.REGENERATE)
        task = obtain(client, store, max_tries=4, on_rerun=OnRerun.REGENERATE)
        assert isinstance(task, VideoTask)
        assert task.video_task_id == "task_a"
        assert len(api.created) == 1

    def test_does_not_regenerate_a_video_that_airflow_never_got(self, api, client, store):
        api.readings.append(Answer(body=record()))
        rescued = obtain(client, store, max_tries=4, on_rerun=OnRerun.REGENERATE)
        assert isinstance(rescued, VideoTask)
        assert rescued.video_task_id == "task_a"
        assert len(api.created) == 1

    @pytest.mark.parametrize(
        "refusal",
        [
            Answer(400, {"message": "Unknown model"}),
            Answer(402, {"message": "Insufficient credits", "required": 200, "available": 0}),
            Answer(429, {"message": "Concurrency limit reached (3).", "limit": 3}),
            Answer(500, {"message": "Internal error"}),
        ],
    )
    def test_a_refusal_of_other_inputs_keeps_the_video_that_is_paid_for(self, api, client, store, refusal):
        before = kept(store)
        api.creations.clear()
        api.creations.append(refusal)
        assert isinstance(obtain(client, store, fingerprint="other"), Plan)
        assert kept(store) == before
        # The edit is undone: the video is still known.
        api.readings.append(Answer(body=record()))
        task = obtain(client, store)
        assert isinstance(task, VideoTask)
        assert task.video_task_id == "task_a"

    def test_a_video_that_is_shown_again_after_a_clear_is_used(self, api, client, store):
        # The connection held another account's key for a while.
        submitter(store).delivered()
        api.readings.extend([Answer(404, {"message": "Task not found"}), Answer(body=record("generating"))])
        assert isinstance(obtain(client, store, max_tries=4), Plan)
        task = obtain(client, store, max_tries=5)
        assert isinstance(task, VideoTask)
        assert task.video_task_id == "task_a"
        assert kept(store).state is SubmissionState.SUBMITTED
        assert len(api.created) == 1


class TestCrashWhileSubmitting:
    """The worker died after the request was sent and before the answer was recorded."""

    @pytest.fixture(autouse=True)
    def _crash(self, api, client, store):
        api.creations.append(CREATED)
        answer = api.next_answer
        save, saves = store.set, []

        def die_at_the_second(*args, **kwargs):
            saves.append(args)
            if len(saves) == 2:
                raise Crash
            save(*args, **kwargs)

        store.set = die_at_the_second
        with pytest.raises(Crash):
            obtain(client, store)
        store.set = save
        api.next_answer = answer

    def test_the_next_tries_fail_for_good_and_submit_nothing(self, api, client, store):
        for _ in range(3):
            plan = obtain(client, store)
            assert isinstance(plan, Plan)
            assert plan.action in (Action.ABANDON, Action.FAIL)
            assert "web account" in plan.message
        assert len(api.created) == 1

    def test_a_clear_after_that_pays(self, api, client, store):
        obtain(client, store)
        assert isinstance(obtain(client, store, max_tries=4), VideoTask)
        assert len(api.created) == 2

    def test_a_clear_before_anybody_was_told_does_not_pay(self, api, client, store):
        assert isinstance(obtain(client, store, max_tries=4), Plan)
        assert len(api.created) == 1

    def test_resubmit_opts_into_paying(self, api, client, store):
        assert isinstance(obtain(client, store, on_unknown=OnUnknownSubmission.RESUBMIT), VideoTask)
        assert len(api.created) == 2


class TestConclude:
    def test_a_lasting_failure_is_remembered(self, api, client, store):
        api.creations.append(CREATED)
        obtain(client, store)
        task = VideoTask.from_record(record("fail", error="Face detected in uploaded media."), video_task_id="task_a")
        plan = submitter(store).conclude(WaitResult(Outcome.FINISHED, task=task))
        assert isinstance(plan, Plan)
        assert plan.action is Action.ABANDON
        assert kept(store).state is SubmissionState.ABANDONED
        assert kept(store).video_task_id == "task_a"

    @pytest.mark.parametrize("outcome", [Outcome.TIMED_OUT, Outcome.UNREACHABLE, Outcome.REFUSED])
    def test_a_wait_that_ended_early_changes_nothing(self, api, client, store, outcome):
        api.creations.append(CREATED)
        obtain(client, store)
        before = kept(store)
        assert isinstance(submitter(store).conclude(WaitResult(outcome, "What happened.")), Plan)
        assert kept(store) == before


class TestWithoutAStore:
    def test_every_try_pays_because_nothing_can_be_known(self, api, client):
        api.creations.extend([CREATED, CREATED_ANEW])
        assert isinstance(obtain(client, None), VideoTask)
        assert isinstance(obtain(client, None), VideoTask)
        assert len(api.created) == 2


class TestSpending:
    """A limit is asked before every payment, and told what came of it."""

    class Limit:
        def __init__(self, instead=None, broken=False):
            self.instead, self.broken = instead, broken
            self.asked = 0
            self.noted = []

        def reserve(self, request, earlier):
            self.asked += 1
            self.earlier = earlier
            if self.broken:
                raise ConnectionError("the metadata database is down")
            return self.instead

        def note(self, credits_, earlier):
            self.noted.append(credits_ + earlier)
            if self.broken:
                raise ConnectionError("the metadata database is down")

    def test_what_it_refuses_is_not_sent_and_leaves_no_record(self, api, client, store):
        refusal = Plan(Action.FAIL, "Too much.")
        assert obtain(client, store, spending=self.Limit(refusal)) is refusal
        assert api.created == []
        assert store.writes == []

    def test_what_can_not_be_asked_leaves_it_to_the_next_try(self, api, client, store):
        plan = obtain(client, store, spending=self.Limit(broken=True))
        assert plan.action is Action.RETRY
        assert "could not be checked: ConnectionError" in plan.message
        assert "Nothing was submitted or charged by this try." in plan.message
        assert (api.created, store.writes) == ([], [])

    def test_what_is_paid_for_is_not_asked_about_and_counts(self, api, client, store):
        api.creations.append(CREATED)
        obtain(client, store)
        api.readings.append(Answer(body=record("generating", "task_a")))
        limit = self.Limit(Plan(Action.FAIL, "Too much."))
        assert obtain(client, store, spending=limit).video_task_id == "task_a"
        assert (limit.asked, limit.noted) == (0, [200])

    def test_a_refused_request_is_free(self, api, client, store):
        api.creations.append(Answer(402, {"message": "Insufficient credits"}))
        limit = self.Limit()
        obtain(client, store, spending=limit)
        assert limit.noted == [0]

    def test_waiting_for_a_slot_keeps_what_is_reserved(self, api, client, store):
        api.creations.append(Answer(429, {"message": "Concurrency limit reached (3).", "limit": 3, "current": 3}))
        limit = self.Limit()
        assert obtain(client, store, spending=limit).action is Action.WAIT_FOR_SLOT
        assert limit.noted == []

    def test_an_unknown_outcome_counts(self, api, client, store):
        api.creations.append(Answer(502, {}))
        limit = self.Limit()
        obtain(client, store, spending=limit)
        assert limit.noted == []
        obtain(client, store, spending=limit)
        assert (limit.asked, limit.noted) == (1, [200])

    def test_waiting_for_the_api_keeps_what_is_reserved(self, api, client, store):
        api.creations.append(Answer(500, {"message": "Internal error"}))
        limit = self.Limit()
        assert obtain(client, store, spending=limit).action is Action.WAIT_FOR_API
        assert limit.noted == []

    def test_an_earlier_video_of_the_same_task_counts(self, api, client, store):
        api.creations.extend([CREATED, CREATED_ANEW, Answer(402, {"message": "Insufficient credits"})])
        obtain(client, store)
        limit = self.Limit()
        assert obtain(client, store, fingerprint="edited", spending=limit).video_task_id == "task_b"
        assert limit.earlier == 200
        submitter(store, spending=limit).delivered(VideoTask("task_b", credits_used=150))
        assert limit.noted == [350]
        # A third one that is refused adds nothing to the two.
        obtain(client, store, fingerprint="edited again", spending=limit)
        assert (limit.earlier, limit.noted[-1]) == (400, 400)

    def test_a_regenerated_video_counts_beside_the_first_by_what_that_did_cost(self, api, client, store):
        api.creations.extend([CREATED, CREATED_ANEW])
        api.readings.append(Answer(body=record(video_task_id="task_a", creditsUsed=180)))
        obtain(client, store)
        submitter(store).delivered()
        limit = self.Limit()
        obtain(client, store, max_tries=4, on_rerun=OnRerun.REGENERATE, spending=limit)
        assert limit.earlier == 180

    def test_an_earlier_video_that_failed_is_refunded(self, api, client, store):
        api.creations.extend([CREATED, CREATED_ANEW])
        api.readings.append(Answer(body=record("fail", error="Video generation failed. Please try again.")))
        obtain(client, store)
        limit = self.Limit()
        obtain(client, store, spending=limit)
        assert (limit.earlier, limit.noted) == (0, [0])

    def test_a_failed_video_is_free_and_a_finished_one_costs_what_it_did(self, client, store):
        limit = self.Limit()
        made = submitter(store, spending=limit)
        failed = VideoTask.from_record(record("fail", "task_a"), video_task_id="task_a")
        made.conclude(WaitResult(Outcome.FINISHED, task=failed))
        made.delivered(VideoTask("task_a", credits_used=187.5))
        made.withdrawn()
        assert limit.noted == [0, 187.5, 0]

    def test_what_can_not_be_noted_loses_nothing(self, api, client, store):
        api.creations.append(CREATED)
        obtain(client, store)
        submitter(store, spending=self.Limit(broken=True)).delivered(VideoTask("task_a", credits_used=200))
        assert kept(store).delivered


class TestPreparing:
    """Files are uploaded right before a video is paid for, and at no other time."""

    def test_what_is_sent_is_what_was_prepared(self, api, client, store):
        api.creations.append(CREATED)
        obtain(client, store, prepare=lambda _, request: replace(request, prompt="A prepared kite"))
        assert api.created[0].json["inputs"]["prompt"] == "A prepared kite"

    def test_a_video_that_is_paid_for_needs_no_preparation(self, api, client, store):
        api.creations.append(CREATED)
        api.readings.append(Answer(body=record("generating")))
        obtain(client, store)
        assert obtain(client, store, prepare=never).video_task_id == "task_a"

    def test_a_video_that_exceeds_a_limit_is_not_prepared(self, api, client, store):
        plan = obtain(client, store, prepare=never, spending=Limits([Limit(1, "max_credits")]))
        assert plan.action is Action.FAIL
        assert not api.created

    @pytest.mark.parametrize(
        ("error", "action", "said"),
        [
            (FileUnavailableError("away"), Action.RETRY, "The next try reads it again."),
            (ConnectionLostError("reset"), Action.WAIT_FOR_API, "The next try uploads it again."),
            (InvalidRequestError("no such file"), Action.FAIL, "Change the inputs in the DAG"),
        ],
    )
    def test_without_its_files_nothing_is_requested(self, api, client, store, error, action, said):
        def failing(*_):
            raise error

        plan = obtain(client, store, prepare=failing)
        assert (plan.action, plan.error) == (action, error)
        assert plan.money == "Nothing was submitted or charged."
        assert said in plan.message
        assert not api.created
        assert kept(store) is None

    def test_an_upload_that_fails_leaves_the_record_of_an_earlier_video(self, api, client, store):
        api.creations.append(CREATED)
        obtain(client, store, fingerprint="old")

        def failing(*_):
            raise FileUnavailableError("away")

        obtain(client, store, fingerprint="new", prepare=failing)
        assert (kept(store).fingerprint, kept(store).video_task_id) == ("old", "task_a")

    def test_a_store_that_fails_meanwhile_is_asked_again(self, api, client, store):
        def failing(*_):
            raise SubmissionStoreError("the database is down")

        assert obtain(client, store, prepare=failing).action is Action.RETRY
        assert not api.created


def never(*_):
    raise AssertionError("nothing is to be uploaded")
