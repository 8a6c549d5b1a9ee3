"""An account whose API does not answer: who may ask, and when."""

from __future__ import annotations

import pytest

from seedance_provider.api.errors import (
    AuthenticationError,
    ConcurrencyLimitError,
    ConnectionLostError,
    ConnectionNotEstablishedError,
    InternalServerError,
    RateLimitedError,
    TaskNotFoundError,
    UnexpectedResponseError,
)
from seedance_provider.triggers.outage import Outage, is_outage

REFUSED = ConnectionNotEstablishedError("refused")


@pytest.mark.parametrize(
    ("error", "concerns_everybody"),
    [
        (REFUSED, True),
        (ConnectionLostError("reset"), True),
        (InternalServerError("Oops", status=500), True),
        (RateLimitedError("Too many requests", status=429), True),
        (UnexpectedResponseError("a page", status=502, looks_like_html=True), True),
        (UnexpectedResponseError("a page", status=200, looks_like_html=True), True),
        (TaskNotFoundError("Task not found", status=404), False),
        (AuthenticationError("Invalid API Key", status=401), False),
        (ConcurrencyLimitError("Concurrency limit reached (3).", status=429), False),
        (UnexpectedResponseError("another id", status=200, looks_like_html=False), False),
    ],
)
def test_an_outage_is_what_concerns_more_than_one_video_or_one_key(error, concerns_everybody):
    assert is_outage(error) is concerns_everybody


class TestOutage:
    def test_a_healthy_api_may_be_asked_by_everybody(self):
        outage = Outage()
        assert [outage.error_for(now) for now in (0, 0, 0)] == [None] * 3

    def test_one_asks_while_it_is_away_and_all_others_get_its_error(self):
        outage = Outage()
        outage.failed(REFUSED, 0)
        assert [outage.error_for(4.9) for _ in range(3)] == [REFUSED] * 3
        assert [outage.error_for(5.0) for _ in range(3)] == [None, REFUSED, REFUSED]

    def test_the_pauses_between_probes_grow(self):
        outage, now, pauses = Outage(), 0.0, []
        outage.failed(REFUSED, now)
        for _ in range(5):
            began = now
            while outage.error_for(now) is not None:
                now += 0.5
            pauses.append(now - began)
            outage.failed(REFUSED, now)
        assert pauses == [5, 10, 15, 15, 15]

    def test_requests_that_were_on_their_way_together_count_once(self):
        outage = Outage()
        for _ in range(30):
            outage.failed(REFUSED, 0.5)
        assert outage.error_for(5.5) is None

    def test_a_probe_that_never_ends_is_followed_by_another_one(self):
        outage = Outage()
        outage.failed(REFUSED, 0)
        assert outage.error_for(5) is None
        assert outage.error_for(39) is REFUSED
        assert outage.error_for(41) is None

    def test_the_api_says_when_to_ask_again_within_reason(self):
        outage = Outage()
        outage.failed(RateLimitedError("Too many requests", status=429, retry_after=90), 0)
        assert (outage.error_for(89) is None, outage.error_for(90) is None) == (False, True)
        outage.failed(RateLimitedError("Too many requests", status=429, retry_after=1e9), 100)
        assert outage.error_for(400) is None

    @pytest.mark.parametrize("how", ["an answer", "an error of one video"])
    def test_everybody_follows_when_it_answers(self, how):
        outage = Outage()
        outage.failed(REFUSED, 0)
        outage.error_for(5)
        if how == "an answer":
            outage.answered()
        else:
            outage.failed(TaskNotFoundError("Task not found", status=404), 6)
        assert [outage.error_for(6) for _ in range(3)] == [None] * 3
