"""What was accepted and what it cost: the referee of every test that says "paid once"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedance_provider.emulator.numbers import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seedance_provider.emulator.auth import Account
    from seedance_provider.emulator.jobs import Job

__all__ = ["ledger"]


def ledger(jobs: Sequence[Job], accounts: Sequence[Account], now: int) -> dict[str, Any]:
    """
    Return every accepted submission in order, and the credits of every account.

    :param jobs: all jobs, in the order of acceptance.
    :param accounts: all accounts that can ask for something.
    :param now: Unix milliseconds.
    """
    return {
        "submissionCount": len(jobs),
        "submissions": [_submission(job, now) for job in jobs],
        "credits": {account.name: _credits(account, jobs, now) for account in accounts},
    }


def _submission(job: Job, now: int) -> dict[str, Any]:
    order = job.order
    return {
        "taskId": job.task_id,
        "account": job.account,
        "model": order.model,
        "prompt": order.prompt,
        "duration": order.seconds,
        "width": order.width,
        "height": order.height,
        # What it shows and where that came from: a link in a field that is ignored is not here.
        "references": [list(reference) for reference in order.references],
        "credits": plain(order.credits),
        "creditsCharged": plain(job.credits_charged(now)),
        "status": job.status(now),
        "createTime": job.created_at,
        # Known beforehand here: whether two were in progress at a time can be told without watching.
        "completeTime": job.ends_at,
    }


def _credits(account: Account, jobs: Sequence[Job], now: int) -> dict[str, float]:
    charged = sum(job.credits_charged(now) for job in jobs if job.account == account.name)
    return {
        "granted": plain(account.credits),
        "charged": plain(charged),
        "available": plain(account.credits - charged),
    }
