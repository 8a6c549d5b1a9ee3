"""When to poll while all is well: a pure function, also driven through whole waits."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedance_provider.waiting.poll_times import is_early, seconds_to_poll
from seedance_provider.waiting.video_wait import jittered

TYPICAL = (60, 300)
RANGES = [(2, 3), (60, 300), (180, 660)]


def polls(typical, interval=5.0, age=0.0, until=3600.0, jitter=lambda: 0.5):
    """The ages at which a video is polled that never ends."""
    at = []
    while age < until:
        age += jittered(seconds_to_poll(age, typical, interval), jitter)
        at.append(age)
    return at


class TestFirstPoll:
    @pytest.mark.parametrize("typical", RANGES)
    @pytest.mark.parametrize("interval", [1, 5, 120])
    def test_comes_shortly_before_the_fastest_can_be_ready_whatever_the_interval(self, typical, interval):
        assert polls(typical, interval)[0] == pytest.approx(0.8 * typical[0])

    @pytest.mark.parametrize("age", [1.0, 20.0, 43.0])
    def test_of_a_resumed_wait_comes_at_the_same_age(self, age):
        assert polls(TYPICAL, age=age)[0] == pytest.approx(48)

    @pytest.mark.parametrize(
        ("age", "interval", "seconds"),
        [
            *((age, 5, 5) for age in (48.0, 60.0, 299.0)),
            (1e6, 90, 90),
            # Of unknown age, and by a clock that is behind.
            (None, 5, 5),
            (-3600, 5, 48),
        ],
    )
    def test_of_a_wait_that_is_older_comes_after_one_interval(self, age, interval, seconds):
        assert seconds_to_poll(age, TYPICAL, interval) == seconds

    @pytest.mark.parametrize("jitter", [0.0, 0.001, 0.5, 1.0])
    def test_is_one_poll_also_if_jitter_moves_it_forward(self, jitter):
        first, second, *_ = polls((600, 900), jitter=lambda: jitter)
        assert 0.9 * 480 <= first <= 1.1 * 480
        assert second - first >= 4.5

    def test_mapped_tasks_make_theirs_at_different_moments(self):
        chance = random.Random(1)  # noqa: S311 - not for secrets
        firsts = {round(polls(TYPICAL, jitter=chance.random, until=1)[0]) for _ in range(200)}
        assert firsts == set(range(43, 54))

    @pytest.mark.parametrize(("age", "early"), [(-1, True), (0, True), (43, True), (43.3, False), (60, False)])
    def test_is_still_to_come(self, age, early):
        assert is_early(age, 60) is early


class TestInterval:
    def test_is_the_same_until_the_wait_is_three_times_as_long_as_the_slowest(self):
        at = [age for age in polls(TYPICAL) if age <= 900]
        assert {round(later - earlier, 6) for earlier, later in pairwise(at)} == {5}

    def test_then_grows_without_a_jump_to_a_minute(self):
        pauses = [later - earlier for earlier, later in pairwise(polls(TYPICAL))]
        assert pauses == pytest.approx(sorted(pauses))
        assert max(later - earlier for earlier, later in pairwise(pauses)) < 6
        assert pauses[-1] == pytest.approx(60)

    @pytest.mark.parametrize("typical", RANGES)
    def test_a_straggler_is_noticed_with_a_tenth_of_its_age_as_delay_at_most(self, typical):
        assert all(later - earlier <= max(5.001, earlier / 10) for earlier, later in pairwise(polls(typical)))


@given(
    age=st.floats(-1e9, 1e9),
    fastest=st.floats(0.001, 1e6),
    spread=st.floats(1, 1000),
    interval=st.floats(0.001, 1e5),
)
def test_a_pause_is_never_nothing_and_never_endless(age, fastest, spread, interval):
    pause = seconds_to_poll(age, (fastest, fastest * spread), interval)
    assert 0 < pause <= max(60, interval, 0.8 * fastest)
