"""When to look: pure functions, driven through whole waits."""

from __future__ import annotations

import math
from bisect import bisect_left
from statistics import fmean

import pytest

from seedance_provider.waiting.schedule import LONGEST_PAUSE, Durations, ExpectedSchedule, FixedSchedule

EVERY_FIVE = FixedSchedule(5)
#: The seconds after which a look every five seconds notices a video, on average.
HALF_OF_FIVE = 2.5
KINDS = [Durations(120, 0.35), Durations(120, 0.5), Durations(180, 0.4)]


def polls(schedule, until=4000):
    """The seconds at which a video is looked at that never ends."""
    at, passed = [], 0.0
    while passed < until:
        passed += schedule.pause(passed)
        at.append(passed)
    return at


def cost(schedule, durations, videos=2000):
    """The looks that a video takes, and the seconds until it is noticed, on average."""
    at = polls(schedule)
    ends = [durations.quantile((number + 0.5) / videos) for number in range(videos)]
    seen = [bisect_left(at, end) for end in ends]
    return fmean(index + 1 for index in seen), fmean(at[index] - end for index, end in zip(seen, ends, strict=True))


def sample(durations, count):
    """Videos as they come, evenly spread."""
    return [durations.quantile((number + 0.5) / count) for number in range(count)]


class TestDurations:
    def test_a_documented_range_holds_nine_videos_in_ten(self):
        typical = Durations.typical(60, 300)
        assert (typical.quantile(0.05), typical.quantile(0.95)) == pytest.approx((60, 300), rel=0.01)

    def test_a_narrow_range_is_not_believed_to_the_second(self):
        assert Durations.typical(100, 101).spread == 0.4

    def test_the_hazard_is_the_density_over_what_is_left(self):
        durations, step = Durations(120, 0.4), 0.001
        for seconds in (60, 120, 240, 480):
            left = [1 - share_before(durations, at) for at in (seconds, seconds + step)]
            assert durations.hazard(seconds) == pytest.approx((left[0] - left[1]) / step / left[0], rel=0.01)

    @pytest.mark.parametrize("seconds", [-5, 0])
    def test_nothing_is_ready_before_it_is_asked_for(self, seconds):
        assert Durations(120, 0.4).hazard(seconds) == 0

    @pytest.mark.parametrize("seconds", [1e-300, 1e-9, 1e4, 1e9, 1e300])
    def test_the_hazard_is_a_number_wherever_one_looks(self, seconds):
        assert 0 <= Durations(120, 0.1).hazard(seconds) < math.inf

    def test_nothing_seen_teaches_nothing(self):
        assert Durations(120, 0.4).learnt([]) == Durations(120, 0.4)

    @pytest.mark.parametrize("real", KINDS)
    def test_fifty_videos_teach_how_long_they_take(self, real):
        learnt = Durations.typical(60, 300).learnt(sample(real, 50))
        assert learnt.median == pytest.approx(real.median, rel=0.1)
        assert learnt.spread == pytest.approx(real.spread, rel=0.2)

    def test_one_surprise_is_not_the_rule(self):
        assert 60 < Durations.typical(60, 300).learnt([20]).median < 134

    def test_videos_that_always_take_the_same_do_not_make_it_blind(self):
        learnt = Durations(120, 0.4).learnt([120.0] * 1000)
        assert learnt.spread == 0.1
        assert ExpectedSchedule(learnt, 5).pause(300) <= LONGEST_PAUSE

    def test_what_took_no_time_is_no_error(self):
        assert Durations(120, 0.4).learnt([0.0, 0.0]).median > 0


def share_before(durations, seconds):
    return math.erfc(-math.log(seconds / durations.median) / durations.spread / math.sqrt(2)) / 2


class TestExpectedSchedule:
    @pytest.mark.parametrize("real", KINDS)
    def test_it_notices_as_soon_as_a_fixed_interval_with_fewer_looks(self, real):
        fixed_polls, _ = cost(EVERY_FIVE, real)
        found_polls, found_delay = cost(ExpectedSchedule(real, 5), real)
        assert found_delay <= HALF_OF_FIVE * 1.02
        assert found_polls <= fixed_polls * 0.75

    @pytest.mark.parametrize("real", KINDS)
    def test_it_learns_to(self, real):
        fixed_polls, _ = cost(EVERY_FIVE, real)
        learnt = Durations.typical(60, 300).learnt(sample(real, 50))
        found_polls, found_delay = cost(ExpectedSchedule(learnt, 5), real)
        assert found_delay <= HALF_OF_FIVE * 1.08
        assert found_polls <= fixed_polls * 0.75

    def test_it_looks_rarely_at_first_and_often_when_it_is_time(self):
        schedule = ExpectedSchedule(Durations(120, 0.3), 5)
        assert schedule.pause(0) > 40
        assert schedule.pause(120) < 6

    @pytest.mark.parametrize("elapsed", [-100.0, 0.0, 1.0, 3600.0, 1e9])
    @pytest.mark.parametrize("interval", [0.01, 5, 120])
    def test_no_pause_is_endless_or_nothing(self, elapsed, interval):
        pause = ExpectedSchedule(Durations(3600, 0.4), interval).pause(elapsed)
        assert 0 < pause <= max(LONGEST_PAUSE, interval)

    def test_more_haste_more_looks(self):
        real = Durations(120, 0.4)
        assert cost(ExpectedSchedule(real, 2), real)[0] > 2 * cost(ExpectedSchedule(real, 5), real)[0]


def test_a_fixed_schedule_is_fixed():
    assert [FixedSchedule(7).pause(elapsed) for elapsed in (0, 50, 5000)] == [7, 7, 7]
