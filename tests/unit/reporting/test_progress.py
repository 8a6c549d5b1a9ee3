"""What a task shows of itself, as XComs."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from seedance_provider.api.errors import (
    GenerationFailedError,
    InsufficientCreditsError,
    InvalidRequestError,
    SeedanceError,
)
from seedance_provider.reporting.progress import report_failure, show_submitted, show_waiting_for_api
from tests.support.task_context import context

LOG = logging.getLogger(__name__)
RECORD_URL = "https://api.example/api/v1/jobs/recordInfo?taskId=task_a"


def submitted(one_try: dict, **facts) -> None:
    known = {"model": "seedance-20", "submitted_at": 1_700_000_000.9, "typical_seconds": (60, 300)}
    show_submitted(one_try, LOG, "task_a", **known | {"record_url": RECORD_URL} | facts)


def failed(one_try: dict, error: Exception | None = None, **facts) -> None:
    known = {"reason": "timed_out", "video_task_id": None, "retryable": True}
    report_failure(one_try, LOG, ("It took too long.", "It is paid for.", "Clear it."), error, **known | facts)


class TestFailure:
    @pytest.mark.parametrize(
        "error",
        [
            InvalidRequestError("The duration is 3."),
            InsufficientCreditsError("Insufficient credits", status=402, reason="r", advice="a"),
            GenerationFailedError(
                "It failed.", video_task_id="task_a", api_message="It failed.", reason="r", advice="a"
            ),
        ],
    )
    def test_is_what_the_error_says_of_itself(self, error):
        one_try = context()
        failed(one_try, error, retryable=not error.retryable)
        assert one_try["ti"].xcoms == {"failure": error.summary()}

    def test_fills_in_what_the_error_does_not_say(self):
        one_try = context()
        failed(one_try, SeedanceError("Odd"), video_task_id="task_a")
        shown = one_try["ti"].xcoms["failure"]
        assert (shown["video_task_id"], shown["advice"], shown["message"]) == ("task_a", "Clear it.", "Odd")
        assert shown["reason"]


def test_an_outage_is_shown_by_the_moment_at_which_it_began():
    one_try = context()
    show_waiting_for_api(one_try, LOG, 1_700_000_000.9)
    assert one_try["ti"].xcoms == {"unreachable_since": "2023-11-14T22:13:20+00:00"}
    show_waiting_for_api(one_try, LOG, None)
    assert one_try["ti"].xcoms == {"unreachable_since": None}


NO_XCOMS = SimpleNamespace(xcom_push=Mock(side_effect=ConnectionError("the metadata database is down")))


class TestWhatCanNotBeShown:
    @pytest.mark.parametrize(
        ("one_try", "why"),
        [({"ti": NO_XCOMS}, "the metadata database is down"), ({}, "'ti'"), (context(), "not JSON serializable")],
    )
    def test_is_left_out_with_a_warning(self, caplog, one_try, why):
        submitted(one_try, further={"inputs": {"seed": object()}})
        (warning,) = caplog.records
        assert (warning.levelname, "'submitted' could not be written" in warning.message) == ("WARNING", True)
        assert why in warning.message

    def test_but_whoever_ends_the_task_is_heard(self):
        ended = SimpleNamespace(xcom_push=Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            submitted({"ti": ended})
