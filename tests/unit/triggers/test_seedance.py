"""The triggers, on a real event loop against a real HTTP server."""

from __future__ import annotations

import asyncio
import gc
import importlib
import inspect
import json
import os
import time
import weakref
from collections import Counter

import pytest

from seedance_provider.api.video_task import VideoTask
from seedance_provider.hooks.seedance import SeedanceHook
from seedance_provider.triggers import account, seedance
from seedance_provider.triggers.seedance import OutageTrigger, SlotTrigger, VideoTrigger
from seedance_provider.waiting.result import Outcome, WaitResult
from tests.support.scripted_api import ANY_TIME, Answer, record

pytestmark = pytest.mark.usefixtures("seedance_default")


@pytest.fixture(autouse=True)
def looked_up_at_once(monkeypatch):
    """Nobody waits ten seconds before a broken connection is looked up again."""
    monkeypatch.setattr(account, "_LOOK_UP_SECONDS", 0.02)


def trigger(**arguments) -> VideoTrigger:
    now = time.time()
    defaults = {
        "video_task_id": "task_a",
        "seedance_conn_id": "seedance_default",
        "started": now,
        "deadline": now + 60,
        "poll_interval": 0.01,
        "error_tolerance": 60,
        "typical_seconds": ANY_TIME,
    }
    return VideoTrigger(**defaults | arguments)


def test_space_around_an_id_is_a_slip_of_copying():
    assert trigger(video_task_id=" task_a\n").serialize()[1]["video_task_id"] == "task_a"


async def fired(running) -> dict:
    """The one event of a trigger; it ends after it."""
    events = [event.payload async for event in running.run()]
    assert len(events) == 1
    return json.loads(json.dumps(events[0]))


@pytest.mark.parametrize("kind", [VideoTrigger, SlotTrigger, OutageTrigger])
def test_runs_elsewhere_with_the_same_plain_arguments(kind):
    needed = {
        "video_task_id": "task_a",
        "deadline": 1.5,
        "not_before": 1.0,
        "give_up": 1.5,
        "started": 1.0,
        "poll_interval": 5,
        "error_tolerance": 60,
        "probe_interval": 30,
    }
    names = [*inspect.signature(kind).parameters]
    made = kind(**{name: needed[name] for name in names if name in needed}, seedance_conn_id="a")
    path, arguments = made.serialize()
    assert sorted(arguments) == sorted(names)
    module, name = path.rsplit(".", 1)
    again = getattr(importlib.import_module(module), name)(**json.loads(json.dumps(arguments)))
    assert again.serialize() == made.serialize()


def test_triggers_of_an_older_release_still_run():
    arguments = trigger().serialize()[1]
    for name in ("was_seen", "estimated_credits", "settles", "typical_seconds", "submitted_at"):
        del arguments[name]
    assert VideoTrigger(**arguments).was_seen is False
    slot = SlotTrigger(seedance_conn_id="seedance_default", deadline=1.0, probe_interval=30)
    assert (slot.since, slot.refused_at, slot.limit) == (None, None, None)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (trigger(), "task_a continues at the API, which can't cancel it; its credits"),
        (trigger(estimated_credits=160), "about 160 credits ($0.80) are spent unless it fails"),
        (OutageTrigger("seedance_default", 1.0, 1.5, 5), "Nothing was submitted or charged"),
        (SlotTrigger("seedance_default", 1.5, 60), "Nothing was submitted or charged"),
    ],
)
async def test_a_kill_only_says_what_becomes_of_the_credits(api, capsys, made, said):
    await made.on_kill()
    assert api.asked == []
    assert said in capsys.readouterr().out


class TestRotatedKey:
    REFUSED = Answer(401, {"message": "Invalid API Key"})

    async def test_the_connection_is_looked_up_again(self, api, monkeypatch):
        connection = f'{{"conn_type": "seedance", "host": "{api.base_url}", "password": "the-new-key"}}'
        api.readings.extend([Answer(body=record("generating")), self.REFUSED, Answer(body=record())])
        answer = api.next_answer

        def rotate_after_the_refusal(asked):
            answered = answer(asked)
            if answered is self.REFUSED:
                monkeypatch.setenv("AIRFLOW_CONN_SEEDANCE_DEFAULT", connection)
            return answered

        api.next_answer = rotate_after_the_refusal
        result = WaitResult.from_event(await fired(trigger(was_seen=True, poll_interval=0.05)))
        assert result.outcome is Outcome.FINISHED
        assert api.read[-1].headers["Authorization"] == "Bearer the-new-key"

    async def test_a_connection_that_is_gone_for_a_while_is_waited_for(self, api, monkeypatch, capsys):
        whole = os.environ["AIRFLOW_CONN_SEEDANCE_DEFAULT"]
        monkeypatch.setenv("AIRFLOW_CONN_SEEDANCE_DEFAULT", '{"conn_type": "seedance"}')
        api.readings.append(Answer(body=record()))
        looked_up, polls = SeedanceHook.aget_settings, []

        async def fixed_after_two_polls(hook):
            polls.append(hook)
            if len(polls) == 3:
                monkeypatch.setenv("AIRFLOW_CONN_SEEDANCE_DEFAULT", whole)
            return await looked_up(hook)

        monkeypatch.setattr(SeedanceHook, "aget_settings", fixed_after_two_polls)
        result = WaitResult.from_event(await fired(trigger(was_seen=True)))
        assert (result.outcome, len(polls)) == (Outcome.FINISHED, 3)
        assert "no API key" in capsys.readouterr().out

    async def test_fires_after_the_tolerance(self, api, seedance_default):
        api.readings.append(self.REFUSED)
        result = WaitResult.from_event(await fired(trigger(was_seen=True, error_tolerance=0.05)))
        assert result.outcome is Outcome.REFUSED
        assert "task_a" in result.message
        assert seedance_default not in result.message


class TestVideoTrigger:
    async def test_polls_over_one_connection_and_fires_when_the_video_is_there(self, api):
        api.readings.extend([Answer(body=record(s)) for s in ("waiting", "generating", "success")])
        result = WaitResult.from_event(await fired(trigger()))
        assert result.outcome is Outcome.FINISHED
        assert result.task is not None
        assert result.task.video_url == "https://media.example/a.mp4"
        assert len(api.read) == 3
        assert len({asked.client for asked in api.read}) == 1
        assert api.created == []

    async def test_fires_when_the_deadline_has_passed(self, api):
        api.readings.append(Answer(body=record("generating")))
        result = WaitResult.from_event(await fired(trigger(deadline=time.time() + 0.05)))
        assert result.outcome is Outcome.TIMED_OUT

    async def test_a_trigger_that_nobody_ran_until_long_after_its_deadline_polls_once(self, api):
        api.readings.append(Answer(body=record()))
        long_ago = time.time() - 7200
        result = WaitResult.from_event(await fired(trigger(started=long_ago, deadline=long_ago + 3600)))
        assert result.outcome is Outcome.FINISHED

    async def test_fires_soon_after_the_deadline_although_its_last_poll_does_not_come(self, monkeypatch):
        never = asyncio.Event()

        async def hang(*_):
            await never.wait()

        monkeypatch.setattr(account.Account, "client", hang)
        monkeypatch.setattr(seedance, "_LAST_POLL_SECONDS", 0.2)
        async with asyncio.timeout(5):
            result = WaitResult.from_event(await fired(trigger(deadline=time.time() + 0.05)))
        assert result.outcome is Outcome.TIMED_OUT
        assert result.video_task_id == "task_a"

    async def test_tolerates_a_video_task_that_is_not_shown_for_a_moment(self, api):
        api.readings.extend([Answer(404, {"message": "Task not found"}), Answer(body=record())])
        assert WaitResult.from_event(await fired(trigger(was_seen=True))).outcome is Outcome.FINISHED

    async def test_puts_up_with_a_faulty_api(self, api):
        api.readings.extend([Answer(hang_up=True), Answer(502, b"<html>", "text/html"), Answer(body=record())])
        assert WaitResult.from_event(await fired(trigger())).outcome is Outcome.FINISHED

    async def test_fires_when_the_api_is_away_for_too_long(self, api):
        api.readings.append(Answer(hang_up=True))
        result = WaitResult.from_event(await fired(trigger(error_tolerance=0.03)))
        assert result.outcome is Outcome.UNREACHABLE

    @pytest.mark.parametrize(
        ("answer", "outcome"),
        [
            (Answer(404, {"message": "Task not found"}), Outcome.GONE),
            (Answer(403, {"message": "Access denied"}), Outcome.GONE),
            (Answer(401, {"message": "Invalid API Key"}), Outcome.REFUSED),
        ],
    )
    async def test_fires_at_once_when_asking_again_can_not_help(self, api, answer, outcome):
        api.readings.append(answer)
        assert WaitResult.from_event(await fired(trigger())).outcome is outcome
        assert len(api.read) == 1

    async def test_a_connection_that_can_not_work_is_a_refusal(self, monkeypatch):
        monkeypatch.setenv("AIRFLOW_CONN_SEEDANCE_DEFAULT", '{"conn_type": "seedance"}')
        result = WaitResult.from_event(await fired(trigger()))
        assert result.outcome is Outcome.REFUSED
        assert "no API key" in result.message

    async def test_logs_changes_with_the_elapsed_time_and_not_every_poll(self, api, capsys):
        api.readings.extend([Answer(body=record(s)) for s in ("waiting", "waiting", "waiting", "success")])
        await fired(trigger())
        assert capsys.readouterr().out.count("task_a is waiting (0 s)") == 1

    async def test_keeps_its_own_id_when_airflow_names_the_task(self):
        made = trigger()
        made.task_id = "the_airflow_task"  # as the triggerer does
        assert made.serialize()[1]["video_task_id"] == "task_a"


class TestManyTriggers:
    @pytest.fixture
    def unlimited(self, api, monkeypatch, seedance_default):  # which it replaces
        options = {"max_polls_per_second": 1e6}
        connection = {"conn_type": "seedance", "host": api.base_url, "password": "a-key", "extra": options}
        monkeypatch.setenv("AIRFLOW_CONN_SEEDANCE_DEFAULT", json.dumps(connection))

    @pytest.mark.usefixtures("unlimited")
    async def test_hundreds_that_end_or_are_stopped_leave_nothing(self, api):
        # Whoever is asked for, this is its record.
        one, other = record("generating", ""), record("success", "")
        api.readings.extend([Answer(body=one)] * 300 + [Answer(body=other)])
        alive = [weakref.ref(one) for one in await self.ended_or_stopped(600)]
        assert len({asked.client for asked in api.read}) <= 32
        gc.collect()
        assert sum(each() is not None for each in alive) == 0
        assert account._accounts[asyncio.get_running_loop()] == {}
        assert asyncio.all_tasks() == {asyncio.current_task()}

    @staticmethod
    async def ended_or_stopped(number: int) -> list[VideoTrigger]:
        """Triggers of which every other one was stopped as soon as one had ended."""

        async def run(one: VideoTrigger) -> bool:
            try:
                await fired(one)
            except asyncio.CancelledError:
                return False
            return True

        triggers = [trigger(video_task_id=f"task_{each}") for each in range(number)]
        running = [asyncio.create_task(run(one)) for one in triggers]
        async with asyncio.timeout(60):
            await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in running[::2]:
                task.cancel()
            assert sum(await asyncio.gather(*running)) >= number / 2
        return triggers


class TestOutageTrigger:
    @staticmethod
    def outage(seconds: float = 30.0, **arguments) -> OutageTrigger:
        now = time.time()
        return OutageTrigger(
            "seedance_default", **{"not_before": now, "give_up": now + seconds, "poll_interval": 0.01} | arguments
        )

    @pytest.mark.parametrize(
        "answer",
        [
            Answer(body=record(video_task_id="demo_task_t2v_success")),
            Answer(403, {"message": "Access denied"}),
            Answer(404, {"message": "Task not found"}),
            Answer(401, {"message": "Invalid API Key"}),
        ],
    )
    async def test_fires_when_the_api_answers_whatever_it_says(self, api, answer):
        api.readings.extend([Answer(hang_up=True), Answer(503, b"<html>"), Answer(500, {"message": "Oops"}), answer])
        assert await fired(self.outage()) == {"answers": True}
        assert len(api.read) == 4
        assert api.created == []

    async def test_fires_when_the_time_is_up(self, api):
        api.readings.append(Answer(hang_up=True))
        assert await fired(self.outage(0.2)) == {"answers": False}

    async def test_asks_not_before_it_may(self, api):
        api.readings.append(Answer(body=record(video_task_id="demo_task_t2v_success")))
        began = time.time()
        await fired(self.outage(not_before=began + 0.5))
        assert time.time() - began >= 0.35


class TestSlotTrigger:
    async def test_fires_after_a_while(self, api):
        assert await fired(SlotTrigger("seedance_default", time.time() + 60, 0.01)) == {"free": True}
        assert api.asked == []

    async def test_fires_when_the_time_is_up(self):
        assert await fired(SlotTrigger("seedance_default", time.time() + 0.02, 60)) == {"free": False}

    async def test_is_woken_by_a_video_that_ends(self, api):
        api.readings.extend([Answer(body=record("generating")), Answer(body=record())])
        slot = asyncio.create_task(fired(SlotTrigger("seedance_default", time.time() + 60, 60)))
        await asyncio.sleep(0)
        await fired(trigger())
        async with asyncio.timeout(5):
            assert await slot == {"free": True}

    async def test_a_wait_that_ends_without_the_video_wakes_nobody(self, api):
        api.readings.append(Answer(body=record("generating")))
        slot = asyncio.create_task(fired(SlotTrigger("seedance_default", time.time() + 60, 60)))
        await asyncio.sleep(0)
        assert (await fired(trigger(deadline=time.time() + 0.05)))["outcome"] == "timed_out"
        assert not slot.done()
        slot.cancel()

    async def test_the_one_that_wanted_a_slot_first_is_woken_first(self, api):
        api.readings.append(Answer(body=record()))
        late, early = (
            asyncio.create_task(fired(SlotTrigger("seedance_default", time.time() + 60, 60, since=since)))
            for since in (200, 100)
        )
        await asyncio.sleep(0)
        await fired(trigger())
        async with asyncio.timeout(5):
            assert await early == {"free": True}
        assert not late.done()
        late.cancel()


class TestRestart:
    """A triggerer that starts again runs all its triggers at once."""

    @pytest.fixture
    def first_polls(self, monkeypatch):
        """After how many seconds each trigger wants to poll for the first time."""
        wanted = []

        async def poll(_, __, after=0.0):
            wanted.append(after)
            return VideoTask.from_record(record(), video_task_id="task_a")

        monkeypatch.setattr(account.Account, "poll", poll)
        return wanted

    async def test_triggers_that_waited_before_do_not_poll_all_in_the_same_second(self, first_polls):
        before = time.time() - 60
        triggers = [trigger(started=before, poll_interval=30, deadline=before + 900) for _ in range(500)]
        await asyncio.gather(*(fired(one) for one in triggers))
        seconds = Counter(map(int, first_polls))
        assert max(seconds.values()) < 50
        assert 2 <= min(first_polls) < 5  # and none before Airflow's scheduler can know of it
        assert max(first_polls) < 33

    @pytest.mark.parametrize(
        ("ago", "arguments", "at_least", "at_most"),
        [
            # It can hardly be ready.
            ({"submitted_at": 0}, {"typical_seconds": [100, 200]}, 71.5, 88),
            ({"submitted_at": 20}, {"typical_seconds": [100, 200]}, 53.5, 66),
            # The time in which it waited for a slot does not count.
            ({"submitted_at": 0, "started": 300}, {"typical_seconds": [100, 200]}, 71.5, 88),
            # A try that resumes late.
            ({"submitted_at": 90}, {"typical_seconds": [100, 200], "poll_interval": 5}, 2, 5.5),
            # Not before the scheduler knows of the deferral.
            ({"submitted_at": 0}, {"typical_seconds": [0.5, 1], "poll_interval": 5}, 2, 2),
            # A pause that is short anyway is kept.
            ({"started": 60}, {"poll_interval": 1}, 0.9, 1.1),
        ],
    )
    async def test_the_first_poll(self, first_polls, ago, arguments, at_least, at_most):
        now = time.time()
        moments = {name: now - seconds for name, seconds in ago.items()}
        await fired(trigger(deadline=now + 900, **moments, **arguments))
        assert at_least <= first_polls[0] <= at_most

    async def test_without_typical_times_the_model_in_the_answer_decides(self, monkeypatch):
        wanted = []

        async def poll(_, __, after=0.0):
            wanted.append(after)
            running = record("generating", model="seedance2-5", createTime=time.time() * 1000)
            answer = running if len(wanted) == 1 else record()
            return VideoTask.from_record(answer, video_task_id="task_a")

        monkeypatch.setattr(account.Account, "poll", poll)
        await fired(trigger(typical_seconds=None, poll_interval=5, deadline=time.time() + 900))
        assert 2 <= wanted[0] <= 5.5  # nothing is known yet
        assert wanted[1] == pytest.approx(0.8 * 180, rel=0.11)
