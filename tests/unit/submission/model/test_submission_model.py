"""
Never paying twice, under random interleavings of everything that can happen.

The decision table in full, with the real :class:`Submitter`, :class:`SubmissionStore` and plans: hypothesis makes up
histories of tries, crashes, store errors, answers of the API and acts of a person, and after every step the promises
are checked. The same histories are made up in every run. For a longer hunt, with other ones each time::

    SUBMISSION_MODEL_EXAMPLES=5000 pytest tests/unit/submission/model -k never_pays_twice
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.unit.submission.model.broken_submitters import BROKEN_MACHINES, BROKEN_PLANS
from tests.unit.submission.model.machine import SubmissionMachine

_HUNT = os.environ.get("SUBMISSION_MODEL_EXAMPLES")
_BUDGET = settings(
    max_examples=int(_HUNT or 200),
    stateful_step_count=30,
    derandomize=_HUNT is None,
    database=None,
    deadline=None,
    print_blob=False,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
#: The first history that goes wrong will do.
_UNTIL_CAUGHT = settings(_BUDGET, max_examples=5000, derandomize=True, phases=[Phase.generate])


def test_never_pays_twice():
    run_state_machine_as_test(SubmissionMachine, settings=_BUDGET)


class TestTheModelItself:
    """A model that finds nothing proves nothing."""

    @pytest.mark.parametrize("machine", BROKEN_MACHINES.values(), ids=BROKEN_MACHINES)
    def test_catches_a_broken_part(self, machine):
        with pytest.raises(AssertionError):
            run_state_machine_as_test(machine, settings=_UNTIL_CAUGHT)

    @pytest.mark.parametrize(("owner", "name", "broken"), BROKEN_PLANS.values(), ids=BROKEN_PLANS)
    def test_catches_a_broken_plan(self, monkeypatch, owner, name, broken):
        monkeypatch.setattr(owner, name, broken)
        with pytest.raises(AssertionError):
            run_state_machine_as_test(SubmissionMachine, settings=_UNTIL_CAUGHT)
