"""Waiting for a video task: decisions at their boundaries, with a clock and a jitter of our own."""

from __future__ import annotations

import json
import logging
import math
import time
from datetime import timedelta

import pytest

from seedance_provider.api.errors import (
    ApiAccessDisabledError,
    AuthenticationError,
    ConcurrencyLimitError,
    ConnectionLostError,
    ConnectionNotEstablishedError,
    InternalServerError,
    InvalidRequestError,
    RateLimitedError,
    SeedanceError,
    TaskAccessDeniedError,
    TaskNotFoundError,
    UnexpectedResponseError,
)
from seedance_provider.api.video_task import VideoTask
from seedance_provider.waiting.poll_settings import PollSettings
from seedance_provider.waiting.result import Outcome, WaitResult, result_of_error
from seedance_provider.waiting.video_wait import (
    PollAgain,
    VideoWait,
    backstop,
    effective_timeout,
    poll,
    poll_until_done,
)
from tests.support.scripted_api import record

START = 1_700_000_000.0
DEADLINE = START + 3600.0

TRANSIENT_ERRORS = [
    ConnectionLostError("reset"),
    ConnectionNotEstablishedError("refused"),
    RateLimitedError("Too many requests", status=429),
    ConcurrencyLimitError("Concurrency limit reached (3).", status=429),
    InternalServerError("Internal server error", status=500),
    UnexpectedResponseError("an HTML page", status=502),
]
GONE_ERRORS = [
    TaskNotFoundError("Task not found", status=404),
    TaskNotFoundError("Invalid taskId", status=400),
    TaskAccessDeniedError("Access denied", status=403),
]
REFUSALS = [
    AuthenticationError("Invalid API Key", status=401),
    ApiAccessDisabledError("API access not enabled for this account", status=403),
]


def too_many(retry_after):
    return RateLimitedError("Too many requests", status=429, retry_after=retry_after)


def a_wait(poll_interval=5.0, error_tolerance=600.0, jitter=0.5, deadline=DEADLINE, **options):
    """A wait whose pauses are exact, since a jitter of 0.5 is the middle of the spread."""
    poll = PollSettings(poll_interval, error_tolerance)
    return VideoWait("task_a", START, deadline, poll, lambda: jitter, **options)


def a_task(status="generating", **fields):
    return VideoTask.from_record(record(status, **{"createTime": None} | fields), video_task_id="task_a")


class TestPollSettings:
    @pytest.mark.parametrize("name", ["poll_interval", "error_tolerance"])
    @pytest.mark.parametrize("value", [0, -1, 0.0, True, "5", None, math.nan])
    def test_what_is_no_number_above_0_is_refused(self, name, value):
        with pytest.raises(ValueError, match=f"{name} is .*, and a number of seconds above 0 is needed"):
            PollSettings(**{name: value})


class TestOnTask:
    @pytest.mark.parametrize("status", ["success", "fail"])
    @pytest.mark.parametrize("now", [START, DEADLINE, DEADLINE + 1000])
    def test_a_video_task_that_ended_ends_the_wait_even_after_the_deadline(self, status, now):
        task = a_task(status)
        assert a_wait().on_task(task, now) == WaitResult(Outcome.FINISHED, task=task, video_task_id="task_a")

    @pytest.mark.parametrize("status", ["waiting", "generating", "queuing"])
    def test_a_running_one_is_asked_for_again_after_the_interval(self, status):
        assert a_wait(poll_interval=7).on_task(a_task(status), START).after == 7.0

    def test_a_success_without_a_video_is_waited_on_until_the_deadline(self):
        wait, task = a_wait(), a_task("success", output=[])
        step = wait.on_task(task, START + 60)
        assert step == PollAgain(5.0, "task_a succeeded but names no video yet; waiting on (60 s).", is_warning=True)
        result = wait.on_task(task, DEADLINE)
        assert result.outcome is Outcome.TIMED_OUT
        assert result.message == (
            "Video task task_a had not ended after 3600 s: it succeeded, but the record names no video."
        )

    @pytest.mark.parametrize(
        ("status", "fields", "held"),
        [
            (
                "succeeded",
                {"output": [{"url": "https://media.example/a.mp4"}]},
                ", and the record holds the video https://media.example/a.mp4",
            ),
            ("failed", {"output": None, "error": "Out of luck"}, ", and the record holds the error 'Out of luck'"),
            ("completed", {"output": None}, ""),
        ],
    )
    def test_an_undocumented_status_that_looks_final_is_named_at_the_deadline_with_what_there_is(
        self, status, fields, held
    ):
        wait = a_wait()
        wait.on_task(a_task(status, **fields), START)
        result = wait.on_task(a_task(status, **fields), DEADLINE)
        assert result.outcome is Outcome.TIMED_OUT
        assert result.message == (
            f"Video task task_a had not ended after 3600 s: its status is {status!r}, which is undocumented{held}."
        )

    @pytest.mark.parametrize("now", [DEADLINE, DEADLINE + 0.1])
    def test_from_the_deadline_on_a_running_one_times_out(self, now):
        task = a_task("generating")
        result = a_wait().on_task(task, now)
        assert (result.outcome, result.task) == (Outcome.TIMED_OUT, task)
        assert result.message == f"Video task task_a had not ended after {now - START:.0f} s: it is generating."

    def test_just_before_the_deadline_there_is_one_last_poll_at_the_deadline(self):
        step = a_wait().on_task(a_task(), DEADLINE - 2)
        assert step.after == 2.0

    @pytest.mark.parametrize(("jitter", "after"), [(0.0, 9.0), (0.5, 10.0), (1.0, 11.0)])
    def test_the_pause_is_spread_by_a_tenth(self, jitter, after):
        assert a_wait(poll_interval=10, jitter=jitter).on_task(a_task(), START).after == pytest.approx(after)

    def test_the_pause_is_spread_by_default(self):
        wait = VideoWait("task_a", START, DEADLINE, PollSettings(poll_interval=10))
        pauses = {wait.on_task(a_task(), START).after for _ in range(20)}
        assert len(pauses) > 1
        assert all(9.0 <= pause <= 11.0 for pause in pauses)

    def test_the_model_that_the_api_names_is_remembered(self):
        wait = a_wait()
        wait.on_task(a_task("generating", model="seedance2-fast"), START)
        assert wait.model == "seedance2-fast"


class TestNotes:
    def test_every_change_of_status_is_noted_once_with_the_time_since_the_start(self):
        wait = a_wait()
        polls = [(0, "waiting"), (5, "waiting"), (65.4, "generating"), (70, "generating"), (75, "waiting")]
        steps = [wait.on_task(a_task(status), START + seconds) for seconds, status in polls]
        assert [step.note for step in steps] == [
            "task_a is waiting (0 s).",
            None,
            "task_a is generating (65 s).",
            None,
            "task_a is waiting (75 s).",
        ]
        assert not any(step.is_warning for step in steps)

    @pytest.mark.parametrize(
        ("task", "word"), [(a_task("queuing"), "queuing"), (VideoTask("task_a"), "without a status")]
    )
    def test_an_unknown_status_is_noted_once_and_as_a_warning(self, task, word):
        wait = a_wait()
        steps = [wait.on_task(task, START + seconds) for seconds in (10, 15, 20)]
        note = f"task_a has the undocumented status {word!r}; waiting on (10 s)."
        assert [(step.note, step.is_warning) for step in steps] == [(note, True), (None, False), (None, False)]

    def test_the_end_of_an_outage_is_noted(self):
        wait = a_wait()
        wait.on_task(a_task("waiting"), START)
        wait.on_error(ConnectionLostError("reset"), START + 5)
        note = wait.on_task(a_task("waiting"), START + 15).note
        assert note == "The API answers again, after 10 s. task_a is waiting."
        assert wait.on_task(a_task("waiting"), START + 20).note is None

    def test_an_outage_is_noted_when_it_begins_and_not_at_every_poll(self):
        wait = a_wait()
        steps = [wait.on_error(ConnectionLostError("reset"), START + seconds) for seconds in (0, 5, 15)]
        assert [step.note is None for step in steps] == [False, True, True]
        assert "API unreachable since 22:13:20 UTC: reset." in steps[0].note

    def test_another_kind_of_trouble_is_noted_anew(self):
        wait = a_wait(was_seen=True)
        wait.on_error(ConnectionLostError("reset"), START)
        assert "Invalid API Key" in wait.on_error(AuthenticationError("Invalid API Key", status=401), START + 5).note

    def test_a_clock_that_runs_behind_shows_no_negative_time(self):
        # The trigger may run on another machine than the worker that started the wait.
        assert a_wait().on_task(a_task("waiting"), START - 3).note == "task_a is waiting (0 s)."


class TestOnError:
    @pytest.mark.parametrize("error", TRANSIENT_ERRORS, ids=lambda error: type(error).__name__)
    def test_a_transient_error_is_tolerated_and_noted_as_a_warning(self, error):
        step = a_wait().on_error(error, START)
        assert (step.after, step.is_warning) == (5.0, True)
        assert str(error).rstrip(".") in step.note

    @pytest.mark.parametrize("error", [*GONE_ERRORS, *REFUSALS], ids=str)
    @pytest.mark.parametrize("how", ["an answer", "this try created it"])
    def test_what_hides_a_video_task_that_was_there_is_tolerated_for_a_while(self, error, how):
        outcome = Outcome.GONE if error in GONE_ERRORS else Outcome.REFUSED
        wait = a_wait(error_tolerance=100, was_seen=how != "an answer")
        if how == "an answer":
            wait.on_task(a_task("generating"), START)
        steps = [wait.on_error(error, START + seconds) for seconds in (5, 60, 104.9)]
        assert all(isinstance(step, PollAgain) for step in steps)
        assert wait.on_error(error, START + 105).outcome is outcome
        assert isinstance(wait.on_task(a_task("generating"), START + 110), PollAgain)
        # It is the reason then, and not the time.
        assert wait.on_error(error, DEADLINE).outcome is outcome

    @pytest.mark.parametrize("error", [*GONE_ERRORS, *REFUSALS, SeedanceError("anything")], ids=str)
    @pytest.mark.parametrize("now", [START, DEADLINE + 1])
    def test_what_hides_one_that_was_never_seen_ends_the_wait_at_once(self, error, now):
        outcome = Outcome.GONE if error in GONE_ERRORS else Outcome.REFUSED
        assert a_wait().on_error(error, now).outcome is outcome


class TestBackoff:
    @staticmethod
    def pauses(wait, error, count):
        return [wait.on_error(error, START).after for _ in range(count)]

    @pytest.mark.parametrize(
        ("interval", "pauses"),
        [(5.0, [5, 10, 20, 40, 60, 60, 60]), (300.0, [300, 300, 300]), (0.1, [pytest.approx(0.1)])],
    )
    def test_pauses_double_up_to_a_minute_and_are_never_shorter_than_usual(self, interval, pauses):
        wait = a_wait(poll_interval=interval)
        assert self.pauses(wait, ConnectionLostError("reset"), len(pauses)) == pauses
        assert self.pauses(wait, ConnectionLostError("reset"), 2000)[-1] == max(60, interval)

    def test_an_answer_starts_anew(self):
        wait = a_wait()
        self.pauses(wait, ConnectionLostError("reset"), 3)
        wait.on_task(a_task(), START)
        assert self.pauses(wait, ConnectionLostError("reset"), 1) == [5]

    @pytest.mark.parametrize("error", [ConnectionLostError("reset"), too_many(90.0)])
    def test_a_pause_ends_at_the_deadline(self, error):
        assert a_wait().on_error(error, DEADLINE - 1).after == 1.0

    @pytest.mark.parametrize(
        ("asked", "after"),
        [(None, 5.0), (0.0, 5.0), (3.0, 5.0), (30.0, 30.0), (90.0, 90.0), (math.inf, 600.0)],
    )
    def test_retry_after_makes_a_pause_longer_up_to_the_tolerance_and_never_shorter(self, asked, after):
        assert a_wait().on_error(too_many(asked), START).after == after

    @pytest.mark.parametrize("jitter", [0.0, 1.0])
    def test_no_jitter_asks_before_the_time_that_the_server_named(self, jitter):
        assert a_wait(jitter=jitter).on_error(too_many(30.0), START).after >= 30.0


class TestTolerance:
    @pytest.mark.parametrize("since", [START, START + 2000])
    def test_it_ends_when_the_api_has_failed_for_that_long_however_often(self, since):
        wait = a_wait(error_tolerance=600)
        steps = [wait.on_error(ConnectionLostError("reset"), since + seconds / 2) for seconds in range(1200)]
        assert all(isinstance(step, PollAgain) for step in steps)
        assert wait.on_error(ConnectionLostError("reset"), since + 600).outcome is Outcome.UNREACHABLE

    def test_an_answer_in_between_starts_it_anew(self):
        wait = a_wait(error_tolerance=600)
        wait.on_error(ConnectionLostError("reset"), START)
        wait.on_task(a_task(), START + 590)
        wait.on_error(ConnectionLostError("reset"), START + 600)
        assert isinstance(wait.on_error(ConnectionLostError("reset"), START + 1199), PollAgain)
        assert wait.on_error(ConnectionLostError("reset"), START + 1200).outcome is Outcome.UNREACHABLE

    def test_the_last_error_is_named(self):
        wait = a_wait(error_tolerance=10)
        wait.on_error(ConnectionLostError("reset"), START)
        result = wait.on_error(InternalServerError("Internal server error", status=500), START + 10)
        assert "HTTP 500: Internal server error" in result.message
        assert "Polls have failed since 22:13:20 UTC" in result.message

    @pytest.mark.parametrize("now", [DEADLINE, DEADLINE + 5])
    def test_the_deadline_comes_first(self, now):
        wait = a_wait(error_tolerance=600)
        wait.on_error(ConnectionLostError("reset"), START)
        assert wait.on_error(ConnectionLostError("reset"), now).outcome is Outcome.TIMED_OUT


class TestResultOfError:
    @pytest.mark.parametrize(
        ("errors", "outcome"),
        [
            (TRANSIENT_ERRORS, Outcome.UNREACHABLE),
            (GONE_ERRORS, Outcome.GONE),
            (REFUSALS, Outcome.REFUSED),
        ],
    )
    def test_every_error_has_an_outcome_that_names_the_video_task_and_the_error(self, errors, outcome):
        for error in errors:
            result = result_of_error(error, "task_a")
            assert result.outcome is outcome
            assert "task_a" in result.message
            assert str(error) in result.message
            assert result.task is None
            assert result.error is error

    @pytest.mark.parametrize(
        ("error", "outcome", "message", "advice"),
        [
            (
                TaskNotFoundError("Task not found", status=404),
                Outcome.GONE,
                "The API does not show video task task_a to this account: HTTP 404: Task not found.",
                "another account",
            ),
            (
                AuthenticationError("Invalid API Key", status=401, advice="Use another key."),
                Outcome.REFUSED,
                "The API refuses this account, so video task task_a can't be polled: HTTP 401: Invalid API Key.",
                "Use another key.",
            ),
            (
                InvalidRequestError("The API key is empty."),
                Outcome.REFUSED,
                "Video task task_a can't be polled: The API key is empty.",
                "connection",
            ),
        ],
    )
    def test_it_says_what_a_person_can_look_for(self, error, outcome, message, advice):
        result = result_of_error(error, "task_a")
        assert (result.outcome, result.message, result.video_task_id, result.error) == (
            outcome,
            message,
            "task_a",
            error,
        )
        assert advice in result.advice


class TestWaitResult:
    @pytest.mark.parametrize(
        "result",
        [
            WaitResult(Outcome.FINISHED, task=a_task("success", createTime=1735599634000)),
            WaitResult(Outcome.TIMED_OUT, "It takes too long", a_task("generating"), advice="Wait"),
            WaitResult(Outcome.GONE, "Not shown", video_task_id="task_a"),
        ],
    )
    def test_each_kind_of_result_comes_back_as_it_was(self, result):
        event = json.loads(json.dumps(result.to_event()))
        assert event == result.to_event()
        assert type(result.to_event()["outcome"]) is str
        assert set(event) == {"outcome", "message", "task", "video_task_id", "advice"}
        assert WaitResult.from_event(event) == result
        assert WaitResult.from_event({"outcome": event["outcome"]}) == WaitResult(result.outcome)


class ScriptedReader:
    """Answers polls in turn, each with a task or an error."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    def get_task(self, video_task_id):
        self.asked.append(video_task_id)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class TestPoll:
    def test_an_answer_or_an_error_is_decided_on(self):
        task = a_task("success")
        reader = ScriptedReader(task, TaskNotFoundError("Task not found", status=404))
        assert poll(reader, a_wait()) == WaitResult(Outcome.FINISHED, task=task, video_task_id="task_a")
        assert poll(reader, a_wait()).outcome is Outcome.GONE
        assert reader.asked == ["task_a"] * 2

    @pytest.mark.parametrize("answer", [a_task("generating"), ConnectionLostError("reset")], ids=["task", "error"])
    @pytest.mark.parametrize(
        ("deadline", "decision"), [(START, WaitResult), (4_000_000_000.0, PollAgain)], ids=["passed", "to come"]
    )
    def test_the_deadline_is_one_of_the_wall_clock(self, answer, deadline, decision):
        assert type(poll(ScriptedReader(answer), a_wait(deadline=deadline))) is decision

    def test_other_errors_are_not_swallowed(self):
        with pytest.raises(ZeroDivisionError):
            poll(ScriptedReader(ZeroDivisionError()), a_wait())


class TestPollUntilDone:
    @pytest.fixture
    def slept(self, monkeypatch):
        pauses = []
        monkeypatch.setattr("seedance_provider.waiting.video_wait.time.sleep", pauses.append)
        return pauses

    def test_it_polls_until_the_wait_is_over_and_tells_what_changes(self, slept, caplog):
        answers = [a_task("waiting"), ConnectionLostError("reset"), a_task("waiting"), a_task("success")]
        reader = ScriptedReader(*answers)
        wait = VideoWait("task_a", time.time(), time.time() + 3600, PollSettings(5.0), lambda: 0.5)
        with caplog.at_level("INFO"):
            result = poll_until_done(reader, wait, logging.getLogger("seen"), PollAgain(9.0))
        assert result == WaitResult(Outcome.FINISHED, task=answers[-1], video_task_id="task_a")
        assert (reader.asked, slept) == (["task_a"] * 4, [9.0, 5.0, 5.0, 5.0])
        said = [(said.levelname, said.getMessage()) for said in caplog.records]
        assert [level for level, _ in said] == ["INFO", "WARNING", "INFO"]
        assert said[0][1] == "task_a is waiting (0 s)."
        assert "reset" in said[1][1]
        assert "answers again" in said[2][1]


@pytest.mark.parametrize(
    ("timeout", "execution_timeout", "seconds"),
    [(3600.0, None, 3600.0), (3600.0, timedelta(minutes=5), 300.0), (60.0, timedelta(minutes=5), 60.0)],
)
def test_the_shorter_timeout_counts(timeout, execution_timeout, seconds):
    assert effective_timeout(timeout, execution_timeout) == seconds


@pytest.mark.parametrize(("left", "seconds"), [(3600, 3900), (0, 300), (-1000, 300)])
def test_airflows_own_timeout_is_five_minutes_later_than_the_deadline(left, seconds):
    # It would skip what the trigger decides.
    assert backstop(time.time() + left).total_seconds() == pytest.approx(seconds, abs=0.5)


@pytest.mark.parametrize("end", ["", ".", ". "])
def test_a_key_that_is_refused_is_told_with_what_to_do(end):
    wait = a_wait(error_tolerance=100, was_seen=True)
    refused = AuthenticationError(f"Invalid API Key{end}", status=401)
    first = wait.on_error(refused, START)
    assert "task_a can't be polled: HTTP 401: Invalid API Key. Polling" in first.note
    assert "Fix the connection" in first.note
    assert "task_a" in wait.on_error(refused, START + 100).message


class TestSettling:
    """Credits that change after success are read until they have, within a bound."""

    @staticmethod
    def success(credits_used=175, model="seedance2-5", **fields):
        return a_task("success", model=model, creditsUsed=credits_used, **{"completeTime": None} | fields)

    def test_they_are_read_again_until_they_change(self):
        wait = a_wait(settles=True)
        first = wait.on_task(self.success(), START)
        assert first == PollAgain(2.0, "task_a succeeded; its credits are about to settle.")
        assert wait.on_task(self.success(), START + 2) == PollAgain(2.0)
        result = wait.on_task(self.success(455), START + 4)
        assert (result.outcome, result.task.credits_used) == (Outcome.FINISHED, 455)

    def test_they_are_taken_as_they_are_when_the_time_is_over(self):
        wait = a_wait(settles=True)
        assert isinstance(wait.on_task(self.success(), START), PollAgain)
        assert isinstance(wait.on_task(self.success(), START + 14.9), PollAgain)
        assert wait.on_task(self.success(), START + 15).outcome is Outcome.FINISHED

    @pytest.mark.parametrize(("seconds_ago", "step"), [(14.9, PollAgain), (15, WaitResult)])
    def test_a_video_that_has_just_been_made_is_waited_for(self, seconds_ago, step):
        task = self.success(completeTime=(START - seconds_ago) * 1000)
        assert type(a_wait(settles=True).on_task(task, START)) is step

    def test_neither_beyond_the_deadline_nor_for_a_failed_one(self):
        assert a_wait(settles=True).on_task(self.success(), DEADLINE).outcome is Outcome.FINISHED
        assert a_wait(settles=True).on_task(a_task("fail"), START).outcome is Outcome.FINISHED

    def test_an_error_meanwhile_is_put_up_with(self):
        wait = a_wait(settles=True)
        wait.on_task(self.success(), START)
        assert isinstance(wait.on_error(ConnectionLostError("reset"), START + 2), PollAgain)
        assert wait.on_task(self.success(455), START + 8).task.credits_used == 455

    @pytest.mark.parametrize(
        ("settles", "model", "waits"),
        [
            (None, "seedance2-5", True),
            (None, "seedance2-5-edit", True),
            (None, "seedance-20", False),
            (None, "something-new", False),
            (False, "seedance2-5", False),
            (True, "seedance-20", True),
        ],
    )
    def test_without_being_told_the_model_decides(self, settles, model, waits):
        step = a_wait(settles=settles).on_task(self.success(model=model), START)
        assert isinstance(step, PollAgain) is waits


class TestAge:
    """Polls follow how long the video has been made, wherever that is known from."""

    #: Polled first at 80 s, and then every 5 s.
    TYPICAL = (100, 200)

    def pause(self, seconds, task=None, **options):
        wait = a_wait(**{"typical_seconds": self.TYPICAL, "submitted_at": START} | options)
        return wait.on_task(task or a_task(), START + seconds).after

    @pytest.mark.parametrize(
        ("submitted_at", "after"),
        [
            # Of this wait, of one that is resumed, after a wait for a slot, and not known.
            (START, {0: 80, 7: 73, 79: 5, 80: 5, 600: 5, 650: 5, 700: 10, 3000: 60}),
            (START - 60, {7: 13}),
            (START + 300, {307: 73}),
            (None, {7: 5}),
        ],
    )
    def test_counts_from_the_submission(self, submitted_at, after):
        assert {seconds: self.pause(seconds, submitted_at=submitted_at) for seconds in after} == after

    @pytest.mark.parametrize(("created_at", "after"), [(START - 30, 43.0), (START + 30, 73.0)])
    def test_is_what_the_answer_tells_unless_its_clock_is_ahead(self, created_at, after):
        assert self.pause(7, a_task(createTime=created_at * 1000)) == after
        assert self.pause(7, a_task(createTime=created_at * 1000), submitted_at=None) == after

    @pytest.mark.parametrize(("model", "fastest"), [("seedance2-5", 180), ("seedance2-fast", 120), ("new", 60)])
    def test_is_compared_with_what_the_model_takes_if_nothing_else_is_known(self, model, fastest):
        after = self.pause(0, a_task(model=model), typical_seconds=None)
        assert after == pytest.approx(0.8 * fastest)

    def test_of_a_short_video_allows_a_first_poll_before_the_first_interval_is_over(self):
        assert [self.pause(seconds, typical_seconds=(2, 3)) for seconds in (0, 1.6)] == [1.6, 5]

    @pytest.mark.parametrize(("submitted_at", "is_early"), [(START, True), (START - 80, False), (None, False)])
    def test_decides_whether_it_is_too_early_for_a_poll(self, submitted_at, is_early):
        assert a_wait(typical_seconds=self.TYPICAL, submitted_at=submitted_at).is_early(START) is is_early

    def test_never_moves_the_last_poll_beyond_the_deadline(self):
        assert self.pause(0, deadline=START + 30) == 30
        assert a_wait(submitted_at=START).pause(DEADLINE - 3) == 3.0

    @pytest.mark.parametrize("now", [DEADLINE, DEADLINE + 100])
    def test_is_no_reason_to_wait_once_the_time_is_up(self, now):
        assert a_wait(submitted_at=now).pause(now) == 0.0
