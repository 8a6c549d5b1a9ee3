"""The five sample tasks of the vendor's quickstart, which cost nothing to read."""

from __future__ import annotations

from seedance_provider.emulator.failures import FAILURES
from seedance_provider.emulator.jobs import Job
from seedance_provider.emulator.order import VideoOrder

__all__ = ["SAMPLES"]

# The times of the quickstart's example answers.
_CREATED_AT, _ENDED_AT = 1_735_599_634_000, 1_735_599_754_000
_TEXT = "A serene Japanese garden with cherry blossoms swaying in the wind"
_FRAME = ("First frame", "https://example.com/garden.png")


def _sample(name: str, *, failure: str | None = None, references: tuple[tuple[str, str], ...] = ()) -> Job:
    return Job(
        task_id=f"demo_task_{name}",
        account="samples",
        order=VideoOrder("seedance-20", _TEXT, 5, 1280, 720, credits=200, references=references),
        created_at=_CREATED_AT,
        starts_at=_CREATED_AT,
        ends_at=_ENDED_AT,
        seed=20_241_230,
        error_code=FAILURES[failure].code if failure else None,
        error_message=FAILURES[failure].message if failure else None,
    )


#: What the texts of the failed ones are at the real API is not documented, except by their names.
SAMPLES: dict[str, Job] = {
    job.task_id: job
    for job in (
        _sample("t2v_success"),
        _sample("i2v_success", references=(_FRAME,)),
        _sample("fail_text_moderation", failure="text_moderation"),
        _sample("fail_face_detected", failure="face_detected", references=(_FRAME,)),
        _sample("fail_server_error", failure="server_error"),
    )
}
