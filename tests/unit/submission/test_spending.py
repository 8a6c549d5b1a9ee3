"""Limits on what may be spent, also when many tasks ask at the same moment."""

from __future__ import annotations

import itertools
import json
import threading
from types import SimpleNamespace
from uuid import uuid4

import pytest

from seedance_provider.api.pricing import Estimate
from seedance_provider.api.video_request import VideoRequest
from seedance_provider.submission import spending
from seedance_provider.submission.plans import Action
from seedance_provider.submission.spending import BUDGET_KEY, Limit, Limits, RunBudget, Unlimited

REQUEST = VideoRequest("A kite")  # 200 credits
UNKNOWN = VideoRequest("A kite", "seedance-3", allow_unknown_model=True)


class DagRun:
    """The XComs of one DAG run, as all its tasks see them."""

    def __init__(self):
        self.xcoms = {}
        self.lock = threading.Lock()

    def task(self, task_id="create", map_index=0):
        return TaskInstance(self, task_id, map_index)

    def held(self):
        entries = [json.loads(value) for value in self.xcoms.values()]
        return sum(entry["credits"] for entry in entries if entry["state"] == "granted")

    def spent(self):
        return self.held() + sum(json.loads(value)["earlier"] for value in self.xcoms.values())


class TaskInstance:
    """One try of a task instance: each has an id of its own."""

    def __init__(self, run, task_id, map_index):
        self.run, self.task_id, self.map_index = run, task_id, map_index
        self.id = uuid4()
        self.task = SimpleNamespace(task_group=None)

    def xcom_push(self, key, value):
        with self.run.lock:
            self.run.xcoms[self.task_id, self.map_index, key] = json.dumps(value)

    def xcom_pull(self, *, task_ids, key):
        with self.run.lock:
            stored = list(self.run.xcoms.items())
        found = []
        for task_id in task_ids:
            values = [json.loads(value) for (owner, _, name), value in stored if (owner, name) == (task_id, key)]
            found += values or [None]
        return found

    def forget(self):
        """What Airflow does when the next try begins."""
        self.run.xcoms.pop((self.task_id, self.map_index, BUDGET_KEY), None)
        self.id = uuid4()


def budget(ti, credits_=1000, task_ids=("create", "other"), **options):
    return RunBudget(credits_, task_ids, ti, **options)


class TestLimit:
    @pytest.mark.parametrize("credits_", [0, 199.9])
    def test_what_costs_more_is_refused(self, credits_):
        plan = Limits([Limit(credits_, "max_credits")]).reserve(REQUEST)
        assert plan.action is Action.FAIL
        assert f"would cost about 200 credits ($1.00), and max_credits allows {credits_:g}." in plan.message
        assert "Nothing was submitted or charged. Raise the limit or ask for less, then clear" in plan.message

    @pytest.mark.parametrize("credits_", [200, 1e6])
    def test_what_does_not_is_made(self, credits_):
        assert Limits([Limit(credits_, "max_credits")]).reserve(REQUEST) is None

    def test_all_limits_hold(self):
        limits = Limits([Limit(500, "max_credits"), Limit(100, "max_credits of 'studio'")])
        assert "max_credits of 'studio' allows 100" in limits.reserve(REQUEST).message

    def test_an_unknown_price_keeps_no_limit(self):
        plan = Limits([Limit(10**6, "max_credits")]).reserve(UNKNOWN)
        assert "The price of seedance-3 is not known, so max_credits=1e+06 can't be kept." in plan.message
        assert Limits().reserve(UNKNOWN) is None

    def test_an_estimate_for_the_worst_case_says_how_to_sharpen_it(self):
        said = Limit(500, "max_credits").exceeded_by(Estimate(1225, is_exact=False), "seedance2-5")
        assert said.endswith("pass reference_video_seconds.")

    def test_without_limits_everything_is_made(self):
        assert Unlimited().reserve(REQUEST) is Limits().reserve(REQUEST) is None


class TestRunBudget:
    def test_it_is_granted_until_it_is_used_up(self):
        run = DagRun()
        plans = [budget(run.task(map_index=number)).reserve(200) for number in range(6)]
        assert plans[:5] == [None] * 5
        assert plans[5].action is Action.FAIL
        assert "(max_credits_per_run=1000) is used up: its other videos hold 1000 credits" in plans[5].message
        assert "Nothing was submitted or charged." in plans[5].message
        assert run.held() == 1000

    def test_all_tasks_of_the_run_count(self):
        run = DagRun()
        budget(run.task("other", -1)).reserve(900)
        assert budget(run.task()).reserve(200).action is Action.FAIL

    def test_asking_again_is_not_asking_twice(self):
        budget_of_task = budget(DagRun().task())
        assert [budget_of_task.reserve(1000) for _ in range(3)] == [None] * 3

    @pytest.mark.parametrize("cost", [0, 350], ids=["not made, or failed", "made"])
    def test_what_it_did_cost_counts_in_place_of_what_was_expected(self, cost):
        run = DagRun()
        first = budget(run.task(map_index=1))
        assert first.reserve(1000) is None
        first.note(cost)
        assert budget(run.task(map_index=2)).reserve(1000 - cost) is None

    def test_a_retry_notes_what_it_re_attaches_to(self):
        run = DagRun()
        ti = run.task()
        budget(ti).reserve(900)
        ti.forget()
        Limits(run=budget(ti)).note(900)
        assert budget(run.task(map_index=2)).reserve(200).action is Action.FAIL

    def test_who_sees_another_one_asking_withdraws_and_asks_again(self):
        run = DagRun()
        rival = budget(run.task(map_index=1))
        rival._push("asking", 900, 0)
        pauses = []

        def the_rival_gets_it(seconds):
            assert run.held() == 0
            pauses.append(seconds)
            rival._push("granted", 900, 0)

        plan = budget(run.task(map_index=2), pause=the_rival_gets_it).reserve(200)
        assert plan.action is Action.FAIL
        assert len(pauses) == 1
        assert 0 <= pauses[0] <= 1

    def test_rivals_for_whom_there_is_enough_do_not_wait(self):
        run = DagRun()
        budget(run.task(map_index=1))._push("asking", 800, 0)
        assert budget(run.task(map_index=2), pause=pytest.fail).reserve(200) is None

    def test_who_died_while_asking_blocks_nobody_for_long(self):
        run = DagRun()
        budget(run.task(map_index=1), clock=lambda: 0.0)._push("asking", 1000, 0)
        assert budget(run.task(map_index=2), clock=lambda: 61.0).reserve(1000) is None

    def test_who_was_asleep_while_asking_asks_again(self):
        times = iter([0.0, 0.0, *[100.0] * 20])
        pauses = []
        asleep = budget(DagRun().task(), clock=lambda: next(times), pause=pauses.append)
        assert asleep.reserve(200) is None
        assert len(pauses) == 1

    def test_endless_rivals_leave_it_to_the_next_try(self):
        run = DagRun()
        budget(run.task(map_index=1))._push("asking", 1000, 0)
        plan = budget(run.task(map_index=2), pause=lambda _: None).reserve(200)
        assert plan.action is Action.RETRY
        assert "Nothing was submitted or charged. The next try asks again." in plan.message
        assert run.held() == 0

    def test_many_that_ask_at_the_same_moment_never_get_more_than_there_is(self):
        for _ in range(20):
            run = DagRun()
            start = threading.Barrier(12)
            plans = []

            def ask(number, run=run, start=start, plans=plans):
                # The pauses are shortened, so that they meet again and again.
                never = threading.Event()
                asking = budget(run.task(map_index=number), pause=lambda seconds: never.wait(seconds / 1000))
                start.wait()
                plans.append(asking.reserve(200))

            threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert run.held() == 200 * plans.count(None) <= 1000

    def test_a_task_that_asks_for_another_video_pays_for_both(self):
        run = DagRun()
        ti = run.task()
        assert budget(ti).reserve(400) is None
        ti.forget()
        assert budget(ti).reserve(400, earlier=400) is None
        assert run.spent() == 800
        ti.forget()
        plan = budget(ti).reserve(400, earlier=800)
        assert plan.action is Action.FAIL
        assert "hold 800 credits" in plan.message
        assert run.spent() == 800

    def test_its_earlier_videos_count_for_others_whatever_becomes_of_this_one(self):
        run = DagRun()
        first = budget(run.task(map_index=1))
        assert budget(run.task(map_index=2)).reserve(200) is None
        first._push("asking", 200, 700)
        assert budget(run.task(map_index=3), clock=lambda: 1e12).reserve(200).action is Action.FAIL
        first.note(0, earlier=700)
        assert budget(run.task(map_index=3)).reserve(200).action is Action.FAIL
        assert budget(run.task(map_index=3)).reserve(100) is None

    def test_who_withdraws_keeps_its_earlier_videos(self):
        run = DagRun()
        budget(run.task(map_index=1))._push("asking", 900, 0)
        spent = []
        asking = budget(run.task(map_index=2), pause=lambda _: spent.append(run.spent()))
        assert asking.reserve(100, earlier=100).action is Action.RETRY
        assert {*spent, run.spent()} == {100}

    def test_iterations_of_a_loop_count_each_where_they_are_seen(self):
        run = DagRun()
        for number in range(3):
            assert budget(run.task("create", -1)).reserve(300) is None
            # To Airflow they differ in what is no part of their names.
            run.xcoms["create", f"iteration {number}", BUDGET_KEY] = run.xcoms.pop(("create", -1, BUDGET_KEY))
        assert budget(run.task("other", -1)).reserve(200).action is Action.FAIL
        assert budget(run.task("create", -1)).reserve(200).action is Action.FAIL

    def test_in_a_loop_each_iteration_hands_on_what_those_before_it_hold(self, monkeypatch):
        # Airflow shows only the last one of them. The tests of integration have a real loop.
        iterations = [DagRun() for _ in range(4)]
        plans = []
        for before, run in itertools.pairwise([DagRun(), *iterations]):
            shown = [json.loads(value) for value in before.xcoms.values()]
            monkeypatch.setattr(spending, "xcoms_of_previous_iteration", lambda *_, shown=shown: shown)
            plans += [budget(run.task(map_index=number)).reserve(150) for number in range(2)]
        assert [plan is None for plan in plans] == [True] * 6 + [False] * 2
        assert "hold 900 credits" in plans[-1].message

    @pytest.mark.parametrize(
        ("noted", "earlier", "spent"),
        [
            *((wrong, 0, 200) for wrong in (-300, float("nan"), float("inf"), -float("inf"), None)),
            *((150, wrong, 150) for wrong in (-300, float("nan"), float("inf"))),
        ],
    )
    def test_credits_that_can_not_be_right_leave_what_was_known(self, noted, earlier, spent):
        run = DagRun()
        limits = Limits(run=budget(run.task()))
        assert limits.reserve(REQUEST, earlier) is None
        limits.note(noted, earlier)
        assert run.spent() == spent

    @pytest.mark.parametrize(
        "entry",
        [
            {"holder": "create[0]", "state": "granted", "credits": 300, "at": 1.0},
            {"holder": "a", "state": "granted", "credits": 300, "earlier": -500, "at": None},
            {"holder": "a", "state": "granted", "earlier": 300, "credits": -500},
        ],
    )
    def test_what_anybody_has_noted_is_read_as_far_as_it_can_be(self, entry):
        run = DagRun()
        run.task(map_index=9).xcom_push(BUDGET_KEY, entry)
        run.task(map_index=8).xcom_push(BUDGET_KEY, "odd")
        assert budget(run.task(), 500).reserve(200) is None
        assert budget(run.task(map_index=1), 500).reserve(1).action is Action.FAIL

    def test_the_estimate_is_what_is_reserved(self):
        run = DagRun()
        limits = Limits(run=budget(run.task(), 300))
        assert limits.reserve(REQUEST) is None
        assert run.held() == 200
        limits.note(None)
        assert run.held() == 200
        assert "max_credits_per_run=300 can't be kept" in limits.reserve(UNKNOWN).message
