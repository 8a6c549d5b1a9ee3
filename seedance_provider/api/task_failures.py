"""
Why a video task can fail, as data: how to recognise the reason, whether trying again can help, what to do.

The API tells reasons apart by free text only: one and the same code stands for permanent and for transient
failures, and the ends of the texts vary, so the beginning decides. Source: the table of common task errors in the
vendor's quickstart, and the error texts in the vendor's model pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seedance_provider.api.errors import VideoTaskFailedError

if TYPE_CHECKING:
    from seedance_provider.api.video_task import VideoTask

__all__ = ["FAILURES", "UNLISTED", "Failure", "classify_failure", "failure_of"]


@dataclass(frozen=True)
class Failure:
    """
    One reason for a failed video task.

    :param reason: short name, for logs, metrics and conditions.
    :param prefix: the beginning of the API's text, compared without regard to case.
    :param retryable: whether submitting the same request again can succeed.
    :param advice: what a person can do.
    """

    reason: str
    prefix: str
    retryable: bool
    advice: str


def _permanent(reason: str, prefix: str, advice: str) -> Failure:
    return Failure(reason, prefix, retryable=False, advice=advice)


def _transient(reason: str, prefix: str) -> Failure:
    return Failure(reason, prefix, retryable=True, advice="A failure of the service: try again.")


FAILURES: tuple[Failure, ...] = (
    _permanent("text_moderation", "Your input text violates platform rules", "Revise the prompt."),
    _permanent("image_moderation", "Your uploaded image violates platform rules", "Use a different image."),
    _permanent("image_moderation", "Your uploaded image may contain sensitive", "Use a different image."),
    _permanent("video_moderation", "Your uploaded video may contain sensitive", "Use a different video."),
    _permanent("face_detected", "Face detected in uploaded media", "Use an image without human faces."),
    _permanent("output_review", "The generated video did not pass review", "Adjust the prompt or the images."),
    _permanent("output_review", "The generated audio did not pass review", "Adjust the prompt or the images."),
    _permanent("output_review", "The generated video may violate", "Adjust the prompt or the images."),
    _permanent("output_review", "The generated audio violates", "Adjust the prompt or the images."),
    _permanent("output_review", "The generated content violates", "Adjust the prompt or the images."),
    _permanent("content_moderation", "Content violates platform rules", "Revise the prompt and the images."),
    _permanent("content_rejected", "Your content could not be processed", "Use other images or another prompt."),
    _permanent("invalid_prompt", "Invalid prompt content", "Revise the prompt."),
    _transient("server_error", "Video generation failed"),
    _transient("server_error", "Generation failed"),
    _transient("server_error", "Server error"),
    _transient("server_timeout", "Generation timed out"),
    _transient("unavailable", "Service temporarily unavailable"),
)

#: A text that no page documents. A retry might be pointless, and it is unknown whether such a job is refunded,
#: so a person decides.
UNLISTED = _permanent(
    "unlisted", "", "This text is not documented. If it reads like a passing fault, clear the Airflow task."
)


def classify_failure(text: str) -> Failure:
    """Return the failure that a text of the API stands for; :data:`UNLISTED` if it is not documented."""
    folded = text.strip().casefold()
    return next((known for known in FAILURES if folded.startswith(known.prefix.casefold())), UNLISTED)


def failure_of(task: VideoTask) -> VideoTaskFailedError:
    """
    Return the error that a failed video task stands for, to be raised or shown.

    :param task: a video task with status ``fail``.
    """
    text = task.error_message or "no reason given"
    failure = classify_failure(text)
    return VideoTaskFailedError(
        f"Video task {task.task_id} failed ({failure.reason}): {text} {failure.advice} "
        "The vendor refunds failed video tasks.",
        task_id=task.task_id,
        reason=failure.reason,
        retryable=failure.retryable,
    )
