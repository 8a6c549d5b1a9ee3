"""The future of a job is decided when it is accepted."""

import pytest

from seedance_provider.emulator.auth import Account
from seedance_provider.emulator.jobs import SETTLEMENT_MS, Standing, check_standing, is_task_id, new_task_id, schedule
from seedance_provider.emulator.order import VideoOrder
from seedance_provider.emulator.refusals import RefusedError
from seedance_provider.emulator.settings import Settings

NOW = 1_735_599_634_000
ACCOUNT = Account("somebody", 1000)


def order(prompt="A cat", cost=200.0, **fields):
    return VideoOrder("seedance-20", prompt, 5, 1280, 720, cost, **fields)


def standing(**fields):
    return Standing(**{"reserved": 0, "in_progress": 0, "same_prompt": 0, "submissions": 0, **fields})


def job(prompt="A cat", held=None, settings=Settings(), **fields):  # noqa: B008 - frozen
    return schedule(order(prompt, **fields), ACCOUNT, held or standing(), settings, NOW)


def statuses(scheduled, seconds=(0, 0.999, 1, 5.999, 6, 1e9)):
    return [scheduled.status(NOW + int(after * 1000)) for after in seconds]


def test_status_is_a_function_of_time():
    assert statuses(job()) == ["waiting", "waiting", "generating", "generating", "success", "success"]
    assert statuses(job("[fail:timeout]")) == ["waiting", "waiting", "generating", "generating", "fail", "fail"]


def test_what_is_doomed_is_accepted_and_fails():
    assert job(doom="audio_only").error_code == "InvalidParameter"
    assert job().error_code is None


def test_credits_settle_a_few_seconds_after_success_and_are_given_back_after_a_failure():
    settling = job(settled_credits=350.0)
    assert settling.credits_charged(NOW) == settling.credits_charged(settling.ends_at + SETTLEMENT_MS - 1) == 200
    assert settling.credits_charged(settling.ends_at + SETTLEMENT_MS) == 350
    failed = job(settled_credits=350.0, doom="audio_only")
    assert failed.credits_charged(failed.ends_at - 1) == 200
    assert failed.credits_charged(failed.ends_at) == failed.credits_charged(failed.ends_at + SETTLEMENT_MS) == 0


def test_the_seed_is_kept_or_made_up():
    assert schedule(VideoOrder("m", "p", 5, 2, 2, 1, seed=7), ACCOUNT, standing(), Settings(), NOW).seed == 7
    assert 0 <= job().seed < 2**32


@pytest.mark.parametrize(("waiting", "generation"), [(3, 5), (0, 0)])
def test_jitter_is_bounded_and_repeatable_and_makes_no_time_negative(waiting, generation):
    settings = Settings(waiting_seconds=waiting, generation_seconds=generation, jitter=2, jitter_seed=1)
    jobs, again = ([job(held=standing(submissions=n), settings=settings) for n in range(50)] for _ in range(2))
    waits, runs = [one.starts_at - NOW for one in jobs], [one.ends_at - one.starts_at for one in jobs]
    for seconds, spread in ((waiting, waits), (generation, runs)):
        assert all(max(0, seconds - 2) * 1000 <= took <= (seconds + 2) * 1000 for took in spread)
        assert len(set(spread)) > 10
    assert [one.ends_at for one in again] == [one.ends_at for one in jobs]


def test_an_account_needs_credits_first_and_then_a_slot():
    check_standing(order(), ACCOUNT, standing(reserved=800, in_progress=2), limit=3)
    with pytest.raises(RefusedError) as refused:
        check_standing(order(), ACCOUNT, standing(reserved=962.5, in_progress=3), limit=3)
    assert refused.value.status == 402
    assert refused.value.body == {"message": "Insufficient credits", "required": 200, "available": 37.5}
    with pytest.raises(RefusedError) as refused:
        check_standing(order(), ACCOUNT, standing(in_progress=3), limit=3)
    assert refused.value.status == 429
    assert refused.value.body["message"].startswith("Concurrency limit reached (3). You have 3 tasks in progress. ")


def test_task_ids():
    assert is_task_id(new_task_id())
    assert new_task_id() != new_task_id()
    assert is_task_id("demo_task_t2v_success")
    assert not any(map(is_task_id, ["", "task_", "task_" + "x" * 23, "task_" + "X" * 24, new_task_id() + "\n"]))
