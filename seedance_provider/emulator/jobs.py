"""
One submitted video: its whole future is decided and stored when it is accepted.

Where it stands, what it holds of the account's credits and of its slots are then pure functions of the stored row and
of the time, so that there is nothing to run, to wake up or to repair after the emulator was killed.
"""

from __future__ import annotations

import random
import re
import secrets
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seedance_provider.emulator.failures import FAILURES, Failure, Markers, read_markers
from seedance_provider.emulator.refusals import concurrency_limit_reached, insufficient_credits

if TYPE_CHECKING:
    from seedance_provider.emulator.auth import Account
    from seedance_provider.emulator.order import VideoOrder
    from seedance_provider.emulator.settings import Settings

__all__ = ["SETTLEMENT_MS", "Job", "Standing", "check_standing", "is_task_id", "new_task_id", "schedule"]

#: How long after success the credits of a video settle, if they do. "A few seconds", says the documentation.
SETTLEMENT_MS = 3_000

_ALPHABET = string.ascii_lowercase + string.digits

#: ``task_`` and 24 characters, as in the vendor's newer examples, or one of the sample tasks.
_TASK_ID = re.compile(r"task_[a-z0-9]{24}|demo_task_[a-z0-9_]+")


@dataclass(frozen=True)
class Standing:
    """
    What an account holds at a moment, as far as one order is concerned.

    :param reserved: credits of all tasks that did not fail: a failed one gives its credits back.
    :param in_progress: tasks that have not ended.
    :param same_prompt: tasks of this account with the order's prompt, whatever became of them.
    :param submissions: tasks of all accounts.
    """

    reserved: float
    in_progress: int
    same_prompt: int
    submissions: int


@dataclass(frozen=True)
class Job:
    """
    One submitted video; times are Unix milliseconds.

    :param task_id: id at the API.
    :param account: name of the account that pays.
    :param order: what to make.
    :param created_at: when it was accepted.
    :param starts_at: when it stops waiting and starts generating.
    :param ends_at: when it succeeds or fails; ``None`` is never.
    :param seed: reported in the output.
    :param generating_status: what it reports while it is generating.
    :param error_code: the API's code, if it fails.
    :param error_message: the API's text, if it fails.
    """

    task_id: str
    account: str
    order: VideoOrder
    created_at: int
    starts_at: int
    ends_at: int | None
    seed: int
    generating_status: str = "generating"
    error_code: str | None = None
    error_message: str | None = None

    def has_ended(self, now: int) -> bool:
        """Whether it has succeeded or failed by now."""
        return self.ends_at is not None and self.ends_at <= now

    def status(self, now: int) -> str:
        """Return the API's word for where it stands."""
        if self.has_ended(now):
            return "success" if self.error_message is None else "fail"
        return "waiting" if now < self.starts_at else self.generating_status

    def credits_charged(self, now: int) -> float:
        """Return what it costs the account: all of it from the beginning, and nothing once it has failed."""
        if self.status(now) == "fail":
            return 0
        return self.credits_reported(now)

    def credits_reported(self, now: int) -> float:
        """Return what it says that it costs: what was reserved, until it has settled."""
        settled = self.order.settled_credits
        if settled is None or self.error_message is not None or self.ends_at is None:
            return self.order.credits
        return settled if now >= self.ends_at + SETTLEMENT_MS else self.order.credits


def check_standing(order: VideoOrder, account: Account, standing: Standing, limit: int) -> None:
    """
    Refuse an order that the account can't pay, or that is one too many.

    :param order: a valid order.
    :param account: who asks.
    :param standing: what the account holds at this moment.
    :param limit: how many tasks of an account can be unfinished at a time.
    :raises RefusedError: 402 or 429; nothing is charged.
    """
    available = account.credits - standing.reserved
    if order.credits > available:
        raise insufficient_credits(order.credits, available)
    if standing.in_progress >= limit:
        raise concurrency_limit_reached(limit, standing.in_progress)


def schedule(order: VideoOrder, account: Account, standing: Standing, settings: Settings, now: int) -> Job:
    """
    Decide the future of an accepted order.

    :param order: what to make.
    :param account: who pays.
    :param standing: what the account holds before this order.
    :param settings: how long things take.
    :param now: Unix milliseconds.
    """
    markers = read_markers(order.prompt)
    failure = _failure(order, markers, standing.same_prompt)
    waiting, generating = _durations(settings, standing.submissions)
    return Job(
        task_id=new_task_id(),
        account=account.name,
        order=order,
        created_at=now,
        starts_at=now + waiting,
        ends_at=None if markers.never_ends else now + waiting + generating,
        seed=secrets.randbelow(2**32) if order.seed is None else order.seed,
        generating_status=markers.generating_status,
        error_code=failure.code if failure else None,
        error_message=failure.message if failure else None,
    )


def new_task_id() -> str:
    """Return an id that no task had before."""
    return "task_" + "".join(secrets.choice(_ALPHABET) for _ in range(24))


def is_task_id(text: str) -> bool:
    """Whether a text has the form of a task id, whether or not there is such a task."""
    return _TASK_ID.fullmatch(text) is not None


def _failure(order: VideoOrder, markers: Markers, earlier: int) -> Failure | None:
    return FAILURES[order.doom] if order.doom else markers.failure_after(earlier)


def _durations(settings: Settings, submissions: int) -> tuple[int, int]:
    """Waiting and generating time in milliseconds; the same for the n-th submission of every run with a seed."""
    chance = random.Random(f"{settings.jitter_seed}/{submissions}")  # noqa: S311 - not for secrets
    waiting = settings.waiting_seconds + chance.uniform(-settings.jitter, settings.jitter)
    generating = settings.generation_seconds + chance.uniform(-settings.jitter, settings.jitter)
    return max(0, round(waiting * 1000)), max(0, round(generating * 1000))
