"""
Limits on what may be spent, checked after everything else and right before a request is sent. What is already paid for
is never affected: a retry re-attaches to a video whatever the limits are by then.

A limit per video compares one estimate with one number. A budget per DAG run has to hold over mapped tasks that ask at
the same moment, on several machines, with nothing between them but XCom, which has no transactions. So a task first
notes that it is *asking*, and reads what all the others have noted after that. Of two tasks that ask at the same
moment at least one sees the other; if both can't be had, who sees another one asking withdraws, and asks again after a
random pause.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from seedance_provider.api.pricing import Estimate, estimate, format_credits, is_amount
from seedance_provider.submission.plans import Action, Plan
from seedance_provider.submission.task_loops import xcoms_of_previous_iteration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from uuid import UUID

    from seedance_provider.api.video_request import VideoRequest

__all__ = ["BUDGET_KEY", "Limit", "Limits", "RunBudget", "Spending", "Unlimited"]

#: The XCom under which a task notes what it has reserved of the budget of its run.
BUDGET_KEY = "seedance_budget"

_ASKING, _GRANTED = "asking", "granted"
_ATTEMPTS = 20
#: Seconds that everybody who asks at the same moment adds to the longest pause, so that they spread.
_PAUSE_PER_ASKER = 0.5
#: After these seconds somebody who asks counts as dead, and has to ask again if it is not.
_STALE_AFTER = 60.0
_NOTHING_SPENT = "Nothing was submitted or charged."


class Spending(Protocol):
    """What :class:`~seedance_provider.submission.submitter.Submitter` asks before it pays, and tells afterwards."""

    def reserve(self, request: VideoRequest, earlier: float = 0.0) -> Plan | None:
        """Return what to do instead of paying, or ``None`` if the video may be paid for."""

    def note(self, credits_: float | None, earlier: float = 0.0) -> None:
        """Note what the video of this task costs: nothing if it failed, or was never made."""


class Unlimited:
    """No limit, and nobody to tell."""

    def reserve(self, request: VideoRequest, earlier: float = 0.0) -> Plan | None:  # noqa: ARG002
        """Return ``None``."""
        return None

    def note(self, credits_: float | None, earlier: float = 0.0) -> None:
        """Do nothing."""


@dataclass(frozen=True)
class Limit:
    """
    How much one video may cost.

    :param credits: at most.
    :param source: who says so, for a person.
    """

    credits: float
    source: str

    def exceeded_by(self, estimated: Estimate | None, model: str) -> str | None:
        """
        Return why a video may not be made, or ``None``.

        :param estimated: what it will cost; ``None`` if that is not known, which no limit allows.
        :param model: of the video.
        """
        if estimated is None:
            return f"The price of {model} is not known, so {self.source}={self.credits:g} can't be kept."
        if estimated.credits <= self.credits:
            return None
        unsure = (
            ""
            if estimated.is_exact
            else " That is for the longest reference video that the model takes: pass reference_video_seconds."
        )
        would_cost = f"The video would cost {format_credits(estimated.credits)}"
        return f"{would_cost}, and {self.source} allows {self.credits:g}.{unsure}"


class _TaskInstance(Protocol):
    """The part of Airflow's task instance that is used here."""

    id: UUID
    task: Any

    def xcom_push(self, key: str, value: Any) -> None: ...

    def xcom_pull(self, *, task_ids: Sequence[str], key: str) -> Any: ...


@dataclass(frozen=True)
class _Entry:
    """
    What one task instance has noted.

    :param holder: the task instance.
    :param state: whether the credits are granted, or only asked for.
    :param credits: for its video.
    :param earlier: for the videos that it has made before.
    :param before: what the iterations hold that came before its own, if it is in a task loop.
    :param at: when it was noted, in seconds since the epoch.
    """

    holder: str
    state: str
    credits: float
    earlier: float
    before: float
    at: float

    @classmethod
    def from_xcom(cls, value: Any) -> _Entry:
        """Read what any task, also of an older release, has noted; what can't be read is nothing."""
        noted = value if isinstance(value, Mapping) else {}
        at: Any = noted.get("at")
        return cls(
            holder=str(noted.get("holder")),
            state=str(noted.get("state")),
            credits=_amount(noted.get("credits")),
            earlier=_amount(noted.get("earlier")),
            before=_amount(noted.get("before")),
            at=at if is_amount(at) else 0.0,
        )

    @property
    def spent(self) -> float:
        """What is certainly gone, whatever becomes of the question."""
        return self.earlier + (self.credits if self.state == _GRANTED else 0.0)


def _entries(values: Iterable[Any]) -> list[_Entry]:
    return [_Entry.from_xcom(value) for value in values if value is not None]


def _amount(value: Any) -> float:
    """Read credits as far as they can be right: nobody gets any back."""
    return value if is_amount(value) else 0.0


@dataclass(frozen=True)
class RunBudget:
    """
    How much all videos of one DAG run may cost.

    :param credits: at most, reservations included.
    :param task_ids: the tasks of the DAG that make videos.
    :param ti: Airflow's task instance of this try.
    :param clock: seconds since the epoch.
    :param pause: waits for a number of seconds.
    """

    credits: float
    task_ids: Sequence[str]
    ti: _TaskInstance
    clock: Callable[[], float] = time.time
    pause: Callable[[float], None] = time.sleep

    def reserve(self, wanted: float, earlier: float = 0.0) -> Plan | None:
        """
        Reserve a part of the budget, or return what to do instead.

        :param wanted: credits.
        :param earlier: credits that earlier videos of this task instance have cost.
        """
        for _ in range(_ATTEMPTS):
            asked_at = self.clock()
            self._push(_ASKING, wanted, earlier)
            others = self._others()
            spent = earlier + self._before + sum(entry.spent for entry in others)
            if spent + wanted > self.credits:
                self.note(0, earlier)
                advice = "Raise the budget or ask for less, then clear the Airflow task."
                return Plan(Action.FAIL, self._used_up(spent, wanted), _NOTHING_SPENT, advice, reason="limit_exceeded")
            askers = [entry for entry in others if self._is_asking(entry)]
            asking = sum(entry.credits for entry in askers)
            if spent + asking + wanted <= self.credits and self.clock() - asked_at < _STALE_AFTER / 2:
                self._push(_GRANTED, wanted, earlier)
                return None
            self.note(0, earlier)
            self.pause(random.uniform(0, _PAUSE_PER_ASKER * (1 + len(askers))))  # noqa: S311 - not for secrets
        happened = "Too many tasks ask for the last part of the run's budget at the same moment."
        return Plan(Action.RETRY, happened, _NOTHING_SPENT, next_try="asks again", reason="limit_exceeded")

    def note(self, credits_: float, earlier: float = 0.0) -> None:
        """
        Note what this task holds of the budget.

        :param credits_: for its video.
        :param earlier: for those before it.
        """
        self._push(_GRANTED, credits_, earlier)

    def _push(self, state: str, credits_: float, earlier: float) -> None:
        entry = _Entry(self._holder, state, _amount(credits_), _amount(earlier), self._before, self.clock())
        self.ti.xcom_push(key=BUDGET_KEY, value=asdict(entry))

    def _others(self) -> list[_Entry]:
        entries = _entries(self.ti.xcom_pull(task_ids=self.task_ids, key=BUDGET_KEY) or [])
        return [entry for entry in entries if entry.holder != self._holder]

    @cached_property
    def _before(self) -> float:
        """What earlier iterations of a task loop hold. Airflow shows only the last of them, which knows the rest."""
        entries = _entries(xcoms_of_previous_iteration(self.ti, self.task_ids, BUDGET_KEY))
        return sum(entry.spent for entry in entries) + max((entry.before for entry in entries), default=0.0)

    def _is_asking(self, entry: _Entry) -> bool:
        return entry.state == _ASKING and self.clock() - entry.at < _STALE_AFTER

    @property
    def _holder(self) -> str:
        """Iterations of a loop have a task id and a map index in common."""
        return str(self.ti.id)

    def _used_up(self, spent: float, wanted: float) -> str:
        return (
            f"The budget of this DAG run (max_credits_per_run={self.credits:g}) is used up: its other videos hold "
            f"{spent:g} credits, and this one would cost {format_credits(wanted)}."
        )


@dataclass(frozen=True)
class Limits:
    """
    All limits of one task.

    :param per_video: how much one video may cost; all of them hold.
    :param run: the budget of the DAG run.
    """

    per_video: Sequence[Limit] = field(default_factory=tuple)
    run: RunBudget | None = None

    def reserve(self, request: VideoRequest, earlier: float = 0.0) -> Plan | None:
        """
        Check the limits, and reserve a part of the run's budget.

        :param request: what would be paid for.
        :param earlier: credits that earlier videos of this task instance have cost; failed ones are refunded.
        """
        estimated = estimate(request)
        limits = [*self.per_video]
        if self.run is not None:
            limits.append(Limit(self.run.credits, "max_credits_per_run"))
        problems = [limit.exceeded_by(estimated, request.model) for limit in limits]
        if said := " ".join(problem for problem in problems if problem):
            advice = "Raise the limit or ask for less, then clear the Airflow task."
            return Plan(Action.FAIL, said, _NOTHING_SPENT, advice, reason="limit_exceeded")
        if self.run is None or estimated is None:
            return None
        return self.run.reserve(estimated.credits, _amount(earlier))

    def note(self, credits_: float | None, earlier: float = 0.0) -> None:
        """
        Note what the video costs; what is not known, or can't be right, leaves the reservation as it is.

        :param credits_: as the API says it.
        :param earlier: credits that earlier videos of this task instance have cost.
        """
        if self.run is not None and credits_ is not None and is_amount(credits_):
            self.run.note(credits_, earlier)
