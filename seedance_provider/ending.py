"""What a person who ends a task has to hear: where the money is, and what becomes of the video."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["NOTHING_SUBMITTED", "WAIT_IS_OVER", "Ending", "goes_on", "on_its_way"]

NOTHING_SUBMITTED = "Nothing was submitted or charged by this try."
#: Airflow 3.4 forgets what a task has paid for when a person clears it, unless that person says otherwise.
_CLEARING = "clearing the Airflow task (from Airflow 3.4 on: keeping its task state)"
WAIT_IS_OVER = f"The wait for the video is over. Its record is kept, and {_CLEARING} looks at it first."


@dataclass
class Ending:
    """
    What Airflow's ``on_kill`` says and leaves behind.

    :param fate: what it means for money and video if the task is ended now.
    :param is_told: whether Airflow has told the task to end. That does not interrupt it; the process is killed later.
    """

    fate: str = NOTHING_SUBMITTED
    is_told: bool = False


def on_its_way(credits_at_stake: float | None) -> str:
    """Return what it means to end a task before its request was answered."""
    from seedance_provider.api.pricing import in_words

    return (
        f"A request for {in_words(credits_at_stake)} is on its way to the API, which can't cancel it. If the answer "
        f"comes in time, its id is recorded, and {_CLEARING} re-attaches to the video; if not, the next "
        "try says what to check, and pays nothing."
    )


def goes_on(video_task_id: str, credits_at_stake: float | None = None) -> str:
    """
    Return what it means to end a task while its video is being made.

    :param video_task_id: the video task.
    :param credits_at_stake: what it is expected to cost, if that is known.
    """
    # A DAG file imports this module, and not the prices.
    from seedance_provider.api.pricing import in_words

    cost = "its credits" if credits_at_stake is None else in_words(credits_at_stake)
    return (
        f"Video task {video_task_id} goes on at the API, which can't cancel it; {cost} are spent unless it fails. "
        f"Nothing is lost: {_CLEARING} re-attaches to it."
    )
