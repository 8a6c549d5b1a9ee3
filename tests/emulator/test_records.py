"""The recordInfo object, to the letter."""

import json

import pytest

from seedance_provider.emulator.jobs import Job
from seedance_provider.emulator.order import VideoOrder
from seedance_provider.emulator.records import record
from seedance_provider.emulator.settings import Settings

CREATED, ENDED = 1_735_599_634_000, 1_735_599_754_000
TEXT = "Your input text violates platform rules. Please modify and try again."


FAILED_AS_IN_THE_QUICKSTART = {"error": TEXT, "creditsUsed": 0, "completeTime": None}


def job(error=None, cost=200.0):
    order = VideoOrder("seedance-20", "A cat", 5, 1280, 720, cost)
    return Job("task_1", "a", order, CREATED, CREATED + 1000, ENDED, 7, "generating", error and "2038", error)


def at(now, subject, **settings):
    return record(subject, now, "http://host:1", Settings(**settings))


@pytest.mark.parametrize(("now", "status"), [(CREATED, "waiting"), (CREATED + 1000, "generating")])
def test_unfinished(now, status):
    assert at(now, job()) == {
        "taskId": "task_1",
        "model": "seedance-20",
        "status": status,
        "creditsUsed": 200,
        "output": None,
        "error": None,
        "createTime": CREATED,
        "completeTime": None,
    }


def test_success():
    assert at(ENDED, job()) == {
        "taskId": "task_1",
        "model": "seedance-20",
        "status": "success",
        "creditsUsed": 200,
        "output": [
            {
                "url": "http://host:1/media/task_1.mp4",
                "width": 1280,
                "height": 720,
                "mediaType": "video/mp4",
                "lastFrameImage": "http://host:1/media/task_1-last.png",
                "seed": 7,
            }
        ],
        "error": None,
        "createTime": CREATED,
        "completeTime": ENDED,
    }


@pytest.mark.parametrize(
    ("settings", "fields"),
    [
        ({"generation": "quickstart"}, FAILED_AS_IN_THE_QUICKSTART),
        ({"error_shape": "string", "failed_record": "quickstart"}, FAILED_AS_IN_THE_QUICKSTART),
        ({}, {"error": {"code": "2038", "message": TEXT}, "creditsUsed": 200, "completeTime": ENDED}),
    ],
)
def test_fail(settings, fields):
    plain = {"taskId": "task_1", "model": "seedance-20", "status": "fail", "output": None, "createTime": CREATED}
    assert at(ENDED, job(TEXT), **settings) == plain | fields
    # A job that will fail does not tell.
    assert at(ENDED - 1, job(TEXT), **settings) == at(ENDED - 1, job(), **settings)


@pytest.mark.parametrize(("cost", "written"), [(200.0, "200"), (37.5, "37.5")])
def test_credits_are_written_as_json_numbers(cost, written):
    assert f'"creditsUsed": {written},' in json.dumps(at(CREATED, job(cost=cost)))
