"""What a chaos run does is decided by its seed."""

from __future__ import annotations

from itertools import islice

from tools.chaos.blows import CLEAR, HITS, plan
from tools.chaos.videos import WAYS, videos


def test_the_same_seed_strikes_the_same_blows():
    assert list(islice(plan(1), 50)) == list(islice(plan(1), 50))
    assert list(islice(plan(1), 50)) != list(islice(plan(2), 50))


def test_everything_is_hit_sooner_or_later():
    assert {blow.what for blow in islice(plan(1, {"database": 1}), 500)} == {*HITS, CLEAR, "database"}


def test_the_same_seed_asks_for_the_same_videos():
    assert videos(50, seed=1) == videos(50, seed=1)
    assert videos(50, seed=1) != videos(50, seed=2)


def test_every_video_has_a_prompt_and_a_place_of_its_own():
    made = videos(200, seed=1)
    assert len({video.prompt for video in made}) == 200
    for way in WAYS:
        indices = [video.map_index for video in made if video.way == way]
        assert indices == list(range(len(indices)))
        assert indices
