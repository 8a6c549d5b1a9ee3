"""
Why a video task can fail, as data: how to recognise the reason, which error it is, what to do.

The API tells reasons apart by free text: most codes stand for both permanent and transient failures, and the ends of
the texts vary, so the beginning decides. Source: the table of common task errors in the vendor's quickstart, the error
texts in the vendor's model pages, and those in a public client of the service.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seedance_provider.api.errors import (
    ExtensionFailedError,
    GenerationFailedError,
    InputModerationError,
    InvalidVideoInputError,
    OutputModerationError,
    ReferenceMediaError,
    UnexplainedFailureError,
    VideoTaskFailedError,
)

if TYPE_CHECKING:
    from seedance_provider.api.video_task import VideoTask

__all__ = ["FAILURES", "REFUNDED", "UNLISTED", "UNLISTED_BY_CODE", "Failure", "classify_failure", "failure_of"]


@dataclass(frozen=True)
class Failure:
    """
    One reason for a failed video task.

    :param reason: short name, for logs, metrics and conditions.
    :param prefix: the beginning of the API's text, compared without regard to case; ``#`` is any number.
    :param error_class: what it becomes; it says whether submitting the same request again can succeed.
    :param advice: what a person can do.
    :param is_listed: whether the text is documented.
    """

    reason: str
    prefix: str
    error_class: type[VideoTaskFailedError]
    advice: str
    is_listed: bool = True


#: The vendor's quickstart and model pages say so.
REFUNDED = "The vendor refunds failed video tasks."

_PASSES = "A failure of the service: submit again."
_ADJUST = "Adjust the prompt or the images."
_ADJUST_SOUND = "Adjust the prompt or the references, or make the video without sound (generate_audio=False)."
_REHOST = "It was refused, or the vendor could not fetch it. Put it where anybody can fetch it, or use another one."
_SHORTEN = "Use shorter reference videos."

#: Every text that is known of; for a failure the first one that fits counts.
#:
#: :meta hide-value:
FAILURES: tuple[Failure, ...] = (
    Failure("text_moderation", "Your input text violates platform rules", InputModerationError, "Revise the prompt."),
    Failure(
        "image_moderation",
        "Your uploaded image violates platform rules",
        InputModerationError,
        "Use a different image.",
    ),
    Failure(
        "image_moderation", "Your uploaded image may contain sensitive", InputModerationError, "Use a different image."
    ),
    Failure(
        "video_moderation", "Your uploaded video may contain sensitive", InputModerationError, "Use a different video."
    ),
    Failure("face_detected", "Face detected in uploaded media", InputModerationError, "Use media without human faces."),
    Failure(
        "content_moderation",
        "Content violates platform rules",
        InputModerationError,
        "Revise the prompt and the images.",
    ),
    Failure(
        "content_rejected",
        "Your content could not be processed",
        InputModerationError,
        "Use other images or another prompt.",
    ),
    Failure("output_review", "The generated video did not pass review", OutputModerationError, _ADJUST),
    Failure("output_review", "The generated audio did not pass review", OutputModerationError, _ADJUST_SOUND),
    Failure("output_review", "The generated video may violate", OutputModerationError, _ADJUST),
    Failure("output_review", "The generated audio violates", OutputModerationError, _ADJUST_SOUND),
    Failure("output_review", "The generated content violates", OutputModerationError, _ADJUST),
    Failure("reference_review", "Reference image # failed review", ReferenceMediaError, _REHOST),
    Failure("reference_review", "Reference video # failed review", ReferenceMediaError, _REHOST),
    Failure("reference_review", "Reference audio # failed review", ReferenceMediaError, _REHOST),
    Failure(
        "reference_download",
        "Failed to download your reference video",
        ReferenceMediaError,
        "Check that anybody can fetch the reference video, then clear the Airflow task.",
    ),
    Failure("reference_length", "Reference video total duration exceeds the limit", ReferenceMediaError, _SHORTEN),
    Failure(
        "reference_length",
        "The parameter `content` specified in the request is not valid",
        ReferenceMediaError,
        "Check the references: mostly the reference videos are too long together.",
    ),
    Failure(
        "audio_only",
        "Audio cannot be the only reference input",
        InvalidVideoInputError,
        "Add a reference image or a reference video.",
    ),
    Failure("invalid_prompt", "Invalid prompt content", InvalidVideoInputError, "Revise the prompt."),
    Failure(
        "invalid_edit",
        "Request parameters are invalid for video editing",
        InvalidVideoInputError,
        "Use a source video of 4 to 30 seconds, and neither aspect ratio nor duration.",
    ),
    Failure(
        "invalid_extension",
        "Request parameters are invalid for video extension",
        ExtensionFailedError,
        "The vendor says to try once more. If it fails again, leave out the aspect ratio.",
    ),
    Failure("server_error", "Video generation failed", GenerationFailedError, _PASSES),
    Failure("server_error", "Generation failed", GenerationFailedError, _PASSES),
    Failure("server_error", "Server error", GenerationFailedError, _PASSES),
    Failure("server_timeout", "Generation timed out", GenerationFailedError, _PASSES),
    Failure("unavailable", "Service temporarily unavailable", GenerationFailedError, _PASSES),
    Failure(
        "unexplained",
        "Task execution failed",
        UnexplainedFailureError,
        "The API gives no reason. Look at the inputs; if they are right, clear the Airflow task.",
    ),
)


def _unlisted(reason: str, error_class: type[VideoTaskFailedError], advice: str) -> Failure:
    return Failure(reason, "", error_class, f"This text is not documented. {advice}", is_listed=False)


#: The codes that stand for one thing only, for texts that no page documents. None of them makes a retry sensible.
#:
#: :meta hide-value:
UNLISTED_BY_CODE: dict[str, Failure] = {
    "2038": _unlisted("text_moderation", InputModerationError, "Its code says: revise the prompt."),
    "asset_review_failed": _unlisted("reference_review", ReferenceMediaError, _REHOST),
    "InvalidParameter": _unlisted("invalid_parameter", InvalidVideoInputError, "Its code says: change the inputs."),
}

#: Any other text. A retry might be pointless, and it is unknown whether such a job is refunded, so a person decides.
#:
#: :meta hide-value:
UNLISTED = _unlisted("unlisted", UnexplainedFailureError, "If it reads like a transient error, clear the Airflow task.")

_NUMBER = re.compile(r"\d+")


def classify_failure(text: str, code: str | None = None) -> Failure:
    """
    Return the failure that a text of the API stands for; :data:`UNLISTED` if nothing tells.

    :param text: the API's text, which decides if it is documented.
    :param code: the API's code, if it sends one.
    """
    folded = _NUMBER.sub("#", text.strip().casefold())
    known = next((known for known in FAILURES if folded.startswith(known.prefix.casefold())), None)
    return known or UNLISTED_BY_CODE.get(code or "", UNLISTED)


def failure_of(task: VideoTask) -> VideoTaskFailedError:
    """
    Return the error that a failed video task stands for, to be raised or shown.

    :param task: a video task with status ``fail``.
    """
    text = task.error_message or "no reason given"
    failure = classify_failure(text, task.error_code)
    code = "" if task.error_code is None else f", code {task.error_code}"
    said = text if text.endswith((".", "!", "?")) else f"{text}."
    happened = f"Video task {task.video_task_id} failed ({failure.reason}{code}): {said}"
    return failure.error_class(
        f"{happened} {failure.advice} {REFUNDED}",
        happened=happened,
        video_task_id=task.video_task_id,
        reason=failure.reason,
        advice=failure.advice,
        is_listed=failure.is_listed,
        api_message=text,
        api_code=task.error_code,
    )
