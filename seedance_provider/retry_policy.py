"""
When Airflow should try a task again after an error of the Seedance API, and how long it should wait before that.

Cheap to import in a DAG file: Airflow's side of it, which 3.3 introduced, is only imported when a policy is made.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.sdk.definitions.retry_policy import RetryPolicy

__all__ = ["seedance_retry_policy"]


def seedance_retry_policy(
    *,
    delay: float | timedelta = 30,
    slot_delay: float | timedelta = 60,
    longest_delay: float | timedelta = 600,
    longest_wait: float | timedelta = 3600,
) -> RetryPolicy:
    """
    Return a policy for the ``retry_policy`` of a task (Airflow 3.3 and newer)::

        CreateVideoOperator(task_id="create", prompt="A kite", retries=5, retry_policy=seedance_retry_policy())

    It knows the errors of this package, raised as they are, as by the hook in a task of your own, or as the cause of
    another error, as by the operators:

    - permanent ones, and those after which it is unknown whether a video was paid for, end the task at once;
    - transient ones are retried, after a pause that doubles with every try, or as long as the API asks for;
    - a video that could not be continued is tried again once, as the vendor says.

    Any other error has Airflow's own retries. ``retries`` stays the limit of all of them. Permanent errors of the
    operators end their task without this policy, too; it adds the pauses, and helps tasks of your own.

    :param delay: seconds, or a ``timedelta``, before the second try. Default 30.
    :param slot_delay: the same after too many videos were in progress, for tasks of your own: a slot is free when a
        video has ended, which takes minutes. (``CreateVideoOperator`` waits for one without a retry.) Default 60.
    :param longest_delay: seconds, or a ``timedelta``, beyond which the pause does not grow. Default 600.
    :param longest_wait: seconds, or a ``timedelta``, beyond which the API's wish is not heard. Default 3600.
    :raises RuntimeError: below Airflow 3.3, which has no retry policies.
    :raises ValueError: if one of them is negative.
    """
    try:
        from airflow.sdk.definitions.retry_policy import RetryPolicy  # noqa: F401
    except ImportError:
        raise RuntimeError(
            "seedance_retry_policy() needs Airflow 3.3 or newer, because retry policies do not exist before. Leave out "
            "retry_policy: permanent errors of the Seedance operators end their task without it, too."
        ) from None
    from seedance_provider.submission.retry_decisions import SeedanceRetryPolicy

    return SeedanceRetryPolicy(
        delay=_seconds("delay", delay),
        slot_delay=_seconds("slot_delay", slot_delay),
        longest_delay=_seconds("longest_delay", longest_delay),
        longest_wait=_seconds("longest_wait", longest_wait),
    )


def _seconds(name: str, value: float | timedelta) -> float:
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"{name} is {value!r}, and a number of seconds from 0 is needed.")
    return float(seconds)
