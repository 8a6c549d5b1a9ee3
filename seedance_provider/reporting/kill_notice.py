"""What a person who ends a task has to hear: where the money is, and what becomes of the video."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CLEARING", "NOTHING_SUBMITTED", "KillNotice", "goes_on", "no_record_advice", "on_its_way", "wait_is_over"]

NOTHING_SUBMITTED = "Nothing was submitted or charged by this try."
#: Airflow 3.4 forgets what a task has paid for when a person clears it, unless that person says otherwise.
CLEARING = "clearing the Airflow task (from Airflow 3.4 on: keeping its task state)"


@dataclass
class KillNotice:
    """
    What Airflow's ``on_kill`` says and leaves behind.

    :param message: what it means for money and video if the task is ended now.
    :param termination_requested: whether Airflow has told the task to end. That does not interrupt it; the process
        is killed later.
    :param video_task_id: the video task, from the moment at which its id is known.
    """

    message: str = NOTHING_SUBMITTED
    termination_requested: bool = False
    video_task_id: str | None = None


def on_its_way(credits_at_stake: float | None) -> str:
    """Return what it means to end a task before its request was answered."""
    from seedance_provider.api.pricing import format_credits

    # Airflow refuses the state store to a try that was cleared, and the task can't know how it is being ended.
    return (
        f"A request for {format_credits(credits_at_stake)} is on its way to the API, which can't cancel it. If the "
        "task was cleared, Airflow takes no record of the answer: the next try reports an unknown outcome, says what "
        "to check, and pays nothing. Otherwise the id is recorded, if the answer comes before the process is killed."
    )


def goes_on(video_task_id: str, credits_at_stake: float | None = None, *, recorded: bool = True) -> str:
    """
    Return what it means to end a task while its video is being made.

    :param video_task_id: the video task.
    :param credits_at_stake: what it is expected to cost, if that is known.
    :param recorded: whether the next try will know of it.
    """
    # A DAG file imports this module, and not the prices.
    from seedance_provider.api.pricing import format_credits

    cost = "its credits" if credits_at_stake is None else format_credits(credits_at_stake)
    after = f"Nothing is lost: {CLEARING} re-attaches to it." if recorded else no_record_advice(video_task_id)
    at_stake = (
        f"Video task {video_task_id} continues at the API, which can't cancel it; {cost} are spent unless it fails."
    )
    return f"{at_stake} {after}"


def no_record_advice(video_task_id: str) -> str:
    """
    Return what to do about a video of which no later try will know.

    :param video_task_id: the video task.
    """
    return (
        "This Airflow keeps no record of it, so a retry or a clear pays for another video. Fetch this one with "
        f"VideoSensor(video_task_id={video_task_id!r})."
    )


def wait_is_over(*, recorded: bool = True) -> str:
    """
    Return what it means to end a task after its wait.

    :param recorded: whether the next try will know of its video.
    """
    if recorded:
        return f"The wait for the video is over. Its record is kept, and {CLEARING} reads it first."
    return "The wait for the video is over. This Airflow keeps no record of it, so a clear pays for another video."
