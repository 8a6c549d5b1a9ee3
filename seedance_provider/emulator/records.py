"""The ``recordInfo`` object: what the API says about a job at a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedance_provider.emulator.numbers import plain

if TYPE_CHECKING:
    from seedance_provider.emulator.jobs import Job
    from seedance_provider.emulator.settings import Settings

__all__ = ["record"]


def record(job: Job, now: int, root_url: str, settings: Settings) -> dict[str, Any]:
    """
    Return the documented object.

    :param job: what it is about.
    :param now: Unix milliseconds.
    :param root_url: where the client reached the emulator, for the link to the video.
    :param settings: which of the documented forms a failed task has.
    """
    status = job.status(now)
    failed = status == "fail"
    zeroed = failed and settings.failed_record == "quickstart"
    return {
        "taskId": job.task_id,
        "model": job.order.model,
        "status": status,
        # What an unfinished task says here is not documented; the newest pages call the amount reserved from the start.
        "creditsUsed": 0 if zeroed else plain(job.credits_reported(now)),
        "output": [_output(job, root_url, settings)] if status == "success" else None,
        "error": _error(job, settings) if failed else None,
        "createTime": job.created_at,
        "completeTime": job.ends_at if job.has_ended(now) and not zeroed else None,
    }


def _output(job: Job, root_url: str, settings: Settings) -> dict[str, Any]:
    output = {
        "url": f"{root_url}/media/{job.task_id}.{job.order.container}",
        "width": job.order.width,
        "height": job.order.height,
    }
    if settings.generation != "models":
        return output
    return output | {
        "mediaType": job.order.media_type,
        "seed": job.seed,
        "lastFrameImage": f"{root_url}/media/{job.task_id}-last.{job.order.last_frame_type}",
    }


def _error(job: Job, settings: Settings) -> str | dict[str, str | None] | None:
    if settings.error_shape == "string":
        return job.error_message
    return {"code": job.error_code, "message": job.error_message}
