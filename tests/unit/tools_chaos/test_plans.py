"""What a chaos run does is decided by its seed."""

from __future__ import annotations

from itertools import islice

from tools.chaos.blows import CLEAR, HITS, plan
from tools.chaos.videos import videos


def test_the_same_seed_asks_for_the_same_videos_and_strikes_the_same_blows():
    assert videos(50, seed=1) == videos(50, seed=1) != videos(50, seed=2)
    assert len({video.prompt for video in videos(200, seed=1)}) == 200
    first, again, other = (list(islice(plan(seed), 50)) for seed in (1, 1, 2))
    assert first == again != other


def test_everything_is_hit_sooner_or_later():
    assert {blow.what for blow in islice(plan(1, {"database": 1}), 500)} == {*HITS, CLEAR, "database"}
