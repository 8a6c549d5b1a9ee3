"""
What a task shows of itself while it runs and after it has failed, as XComs: the links of the task and the Videos page
read them.

Nothing of this may change how a task ends: what can't be shown is left out, with a warning.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from seedance_provider.api.errors import SeedanceError

__all__ = ["report_failure", "show_submitted", "show_waiting_for_api"]


def show_submitted(
    context: Context,
    log: Any,
    video_task_id: str,
    *,
    model: str | None,
    submitted_at: float | None,
    record_url: str,
    typical_seconds: Sequence[float],
    further: Mapping[str, Any] | None = None,
) -> None:
    """
    Show which video task is being waited for, under the key ``submitted``.

    :param context: of the Airflow task.
    :param log: hears if that fails.
    :param video_task_id: the video task.
    :param model: that makes it, if it is known.
    :param submitted_at: when it was asked for, in seconds since the epoch, if it is known.
    :param record_url: where the API has its record.
    :param typical_seconds: from the fastest to the slowest of such videos.
    :param further: what else is known, such as the prompt.
    """
    moment = None if submitted_at is None else datetime.fromtimestamp(submitted_at, UTC).isoformat(timespec="seconds")
    value = {
        "video_task_id": video_task_id,
        "model": model,
        "submitted_at": moment,
        "typical_seconds": list(typical_seconds),
        "record_url": record_url,
        **(further or {}),
    }
    _show(context, log, "submitted", value)


def show_waiting_for_api(context: Context, log: Any, since: float | None) -> None:
    """
    Show that the API does not answer, under the key ``unreachable_since``. It counts until there is a video task.

    :param context: of the Airflow task.
    :param log: hears if that fails.
    :param since: when the outage began, in seconds since the epoch; ``None`` if it is over.
    """
    moment = None if since is None else datetime.fromtimestamp(since, UTC).isoformat(timespec="seconds")
    _show(context, log, "unreachable_since", moment)


def report_failure(
    context: Context,
    log: Any,
    story: tuple[str, str, str],
    error: SeedanceError | None,
    *,
    reason: str,
    video_task_id: str | None,
    retryable: bool,
) -> None:
    """
    Tell why the task fails: in its log, in lines that fit on a screen, and under the key ``failure``, for a branch
    after it and for the Videos page. The exception then needs to say only what happened.

    :param context: of the Airflow task.
    :param log: of the Airflow task.
    :param story: what happened, what became of the money, and what to do.
    :param error: what led to it, if it was one of the API's. What it says of itself counts first.
    :param reason: short name of the reason.
    :param video_task_id: the video task, if there is one.
    :param retryable: whether another try can help.
    """
    happened, money, advice = story
    shown = {
        "video_task_id": video_task_id,
        "reason": reason,
        "message": happened,
        "advice": advice,
        "retryable": retryable,
    }
    if error is not None:
        shown |= {name: value for name, value in error.summary().items() if value not in (None, "")}
    for line in (happened, money, f"{advice} More: docs/errors.md ({shown['reason']}).".lstrip()):
        if line:
            log.error(line)
    _show(context, log, "failure", shown)


def _show(context: Context, log: Any, key: str, value: Any) -> None:
    try:
        context["ti"].xcom_push(key=key, value=value)
    except Exception as error:
        log.warning("The XCom %r could not be written, so the Airflow UI shows less: %s", key, error)
