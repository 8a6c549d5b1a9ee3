"""The error tree: its shape, its verdicts, and that errors survive the way between Airflow's processes."""

from __future__ import annotations

import importlib
import json
import pickle
import pkgutil
import re
import warnings

import pytest

import seedance_provider
from seedance_provider.api import errors
from seedance_provider.api.errors import (
    BadRequestError,
    ConnectionLostError,
    ExtensionFailedError,
    GenerationFailedError,
    InputModerationError,
    InsufficientCreditsError,
    SeedanceError,
    TaskNotFoundError,
    TransportError,
    Verdict,
    VideoTaskFailedError,
)

ERROR_CLASSES = {
    error_class
    for error_class in vars(errors).values()
    if isinstance(error_class, type) and issubclass(error_class, SeedanceError)
}


def with_subclasses(error_class):
    """A class and everything that is derived from it, wherever in the package it is defined."""
    return {error_class}.union(*map(with_subclasses, error_class.__subclasses__()))


def every_error_class():
    with warnings.catch_warnings():
        # The modules of Airflow's API server warn of each other.
        warnings.simplefilter("ignore")
        for module in pkgutil.walk_packages(seedance_provider.__path__, "seedance_provider."):
            # The policy has no error of its own, and can't be imported below Airflow 3.3.
            if not module.name.endswith(("__main__", "retry_decisions")):
                importlib.import_module(module.name)
    in_package = {
        known for known in with_subclasses(SeedanceError) if known.__module__.startswith("seedance_provider.")
    }
    return sorted(in_package, key=lambda known: known.__name__)


#: What attributes can hold, by their names; whatever else a class declares gets a text.
VALUES = {"status": 429, "retry_after": 2.5, "is_listed": False, "was_reading": True, "looks_like_html": True}


def example_of(error_class):
    """One with every attribute that it declares, and that its instances can have."""
    declared = {
        name: VALUES.get(name, f"the {name}")
        for base in error_class.__mro__
        for name, annotation in getattr(base, "__annotations__", {}).items()
        if "ClassVar" not in annotation
    }
    return error_class("It broke.", **declared)


#: What may be done after each class of error, when creating and when reading.
VERDICTS = {
    "SeedanceError": (Verdict.PERMANENT, Verdict.PERMANENT),
    "InvalidRequestError": (Verdict.PERMANENT, Verdict.PERMANENT),
    "FileUnavailableError": (Verdict.TRANSIENT, Verdict.TRANSIENT),
    "ConnectionNotEstablishedError": (Verdict.TRANSIENT, Verdict.TRANSIENT),
    "ConnectionLostError": (Verdict.UNKNOWN_OUTCOME, Verdict.TRANSIENT),
    "ApiError": (Verdict.PERMANENT, Verdict.PERMANENT),
    "BadRequestError": (Verdict.PERMANENT, Verdict.PERMANENT),
    "AuthenticationError": (Verdict.PERMANENT, Verdict.PERMANENT),
    "InsufficientCreditsError": (Verdict.PERMANENT, Verdict.PERMANENT),
    "ForbiddenError": (Verdict.PERMANENT, Verdict.PERMANENT),
    "ApiAccessDisabledError": (Verdict.PERMANENT, Verdict.PERMANENT),
    "TaskAccessDeniedError": (Verdict.PERMANENT, Verdict.PERMANENT),
    "TaskNotFoundError": (Verdict.PERMANENT, Verdict.PERMANENT),
    "RateLimitedError": (Verdict.TRANSIENT, Verdict.TRANSIENT),
    "ConcurrencyLimitError": (Verdict.WAIT_FOR_SLOT, Verdict.TRANSIENT),
    "InternalServerError": (Verdict.TRANSIENT, Verdict.TRANSIENT),
    "UnexpectedResponseError": (Verdict.UNKNOWN_OUTCOME, Verdict.TRANSIENT),
    "UndocumentedRefusalError": (Verdict.PERMANENT, Verdict.TRANSIENT),
    "VideoTaskFailedError": (Verdict.PERMANENT, Verdict.PERMANENT),
    # The failed one is refunded, so another one may be asked for; looking at it again shows the same.
    "GenerationFailedError": (Verdict.TRANSIENT, Verdict.PERMANENT),
    "ExtensionFailedError": (Verdict.TRANSIENT, Verdict.PERMANENT),
    "ModerationError": (Verdict.PERMANENT, Verdict.PERMANENT),
    "InputModerationError": (Verdict.PERMANENT, Verdict.PERMANENT),
    "OutputModerationError": (Verdict.PERMANENT, Verdict.PERMANENT),
    "ReferenceMediaError": (Verdict.PERMANENT, Verdict.PERMANENT),
    "InvalidVideoInputError": (Verdict.PERMANENT, Verdict.PERMANENT),
    "UnexplainedFailureError": (Verdict.PERMANENT, Verdict.PERMANENT),
}


def drawn_parents():
    """The tree in the module's docstring, as a mapping of class name to parent name."""
    line_of_ancestor, parents = {}, {}
    for branch, name in re.findall(r"^    ((?:[│├└─ ]{4})*)([A-Z]\w+)", errors.__doc__, re.MULTILINE):
        depth = len(branch) // 4
        parents[name] = line_of_ancestor.get(depth - 1)
        line_of_ancestor[depth] = name
    return parents


class TestErrorTree:
    def test_the_drawing_in_the_docstring_is_the_tree(self):
        real = {
            error_class.__name__: next((b.__name__ for b in error_class.__bases__ if b in ERROR_CLASSES), None)
            for error_class in ERROR_CLASSES
        }
        assert drawn_parents() == real


class TestVerdicts:
    @pytest.mark.parametrize("name", sorted(known.__name__ for known in ERROR_CLASSES - {TransportError}))
    def test_every_class_says_what_may_be_done(self, name):
        error_class = getattr(errors, name)
        assert (error_class.create_verdict, error_class.read_verdict) == VERDICTS[name]

    def test_the_verdict_is_the_stricter_one_unless_it_was_a_look(self):
        order, look = ConnectionLostError("reset"), ConnectionLostError("reset", was_reading=True)
        assert (order.verdict, order.retryable) == (Verdict.UNKNOWN_OUTCOME, False)
        assert (look.verdict, look.retryable) == (Verdict.TRANSIENT, True)

    def test_a_failed_video_task_may_be_submitted_again_if_the_service_failed(self):
        retryable = {error_class for error_class in with_subclasses(VideoTaskFailedError) if error_class().retryable}
        assert retryable == {GenerationFailedError, ExtensionFailedError}
        assert (GenerationFailedError.resubmissions, ExtensionFailedError.resubmissions) == (None, 1)


class TestSummary:
    """What a branch after a failed task can go by."""

    @pytest.mark.parametrize("error_class", every_error_class())
    def test_every_error_has_one_that_is_plain_json_and_advises_only_what_is_safe(self, error_class):
        summary = example_of(error_class).summary()
        assert json.loads(json.dumps(summary)) == summary
        assert list(summary) == ["video_task_id", "reason", "message", "advice", "retryable"]
        assert (summary["reason"], summary["advice"]) == ("the reason", "the advice")
        bare = error_class("It broke.")
        assert (bare.summary()["video_task_id"], bare.summary()["message"]) == (None, "It broke.")
        assert re.fullmatch("[a-z_]+", bare.summary()["reason"])
        is_safe = bare.create_verdict in (Verdict.TRANSIENT, Verdict.WAIT_FOR_SLOT)
        assert bare.retryable is bare.summary()["retryable"] is is_safe

    def test_the_text_is_the_apis_own_if_there_is_one(self):
        error = InputModerationError("It broke. Revise it.", video_task_id="task_a", api_message="It broke.")
        assert (error.summary()["video_task_id"], error.summary()["message"]) == ("task_a", "It broke.")

    def test_the_text_of_a_refusal_has_its_figures(self):
        error = InsufficientCreditsError("Insufficient credits", status=402, required=200, available=20)
        assert error.summary()["message"] == "HTTP 402: Insufficient credits (200 needed, 20 available)"

    def test_a_failed_video_is_asked_for_anew_wherever_the_failure_was_read(self):
        assert GenerationFailedError("It broke.", was_reading=True).retryable is True
        assert InputModerationError("No.", was_reading=True).retryable is False


class TestPickling:
    @pytest.mark.parametrize("error_class", every_error_class())
    def test_every_error_survives_with_its_message_and_attributes(self, error_class):
        error = example_of(error_class)
        assert {"reason", "advice", "is_listed", "was_reading"} <= vars(error).keys()
        copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
        assert type(copy) is type(error)
        assert str(copy) == str(error)
        assert copy.args == error.args
        assert vars(copy) == vars(error)
        assert (copy.reason, copy.advice, copy.verdict) == (error.reason, error.advice, error.verdict)


class TestMessages:
    def test_the_message_is_available_without_the_status(self):
        error = TaskNotFoundError("Task not found", status=404)
        assert (error.message, str(error)) == ("Task not found", "HTTP 404: Task not found")

    def test_a_text_that_is_documented_nowhere_is_reported_as_such(self):
        error = BadRequestError("No cats on Sundays.", status=400, is_listed=False)
        assert str(error) == "HTTP 400: No cats on Sundays (undocumented error)"
