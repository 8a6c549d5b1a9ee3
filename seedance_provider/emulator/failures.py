"""
Failures on demand: a marker in the prompt, such as ``[fail:face_detected]``, decides how a task ends.

``[fail:NAME]``
    the task fails when its generation ends.
``[fail:NAME:2]``
    only the first two submissions of this very prompt by this account fail, so that a retry succeeds.
``[status:queued]``
    the task reports a status that isn't documented while it is generating.
``[status:never_ends]``
    the task is generating forever.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["FAILURES", "STATUSES", "Failure", "Markers", "UnknownMarkerError", "read_markers"]

#: The documentation gives some texts without their code. The newest pages use this code for permanent and for
#: transient failures alike, so it tells a client nothing that it could wrongly rely on.
_CODE_NOT_DOCUMENTED = "1001"


@dataclass(frozen=True)
class Failure:
    """
    A way to fail.

    :param marker: its name in a prompt.
    :param message: the API's text.
    :param code: the API's code, sent where ``error`` is an object.
    """

    marker: str
    message: str
    code: str = _CODE_NOT_DOCUMENTED


#: Every text that the vendor's pages or a public client of the service show, and one that nobody does. (Code 4011 is
#: named without a text.)
FAILURES: dict[str, Failure] = {
    failure.marker: failure
    for failure in (
        # The five of the quickstart.
        Failure("text_moderation", "Your input text violates platform rules. Please modify and try again.", "2038"),
        Failure("image_moderation", "Your uploaded image violates platform rules. Please modify and try again."),
        Failure("face_detected", "Face detected in uploaded media. Please adjust your media and try again."),
        Failure("output_review", "The generated video did not pass review. Credits will not be deducted."),
        Failure("server_error", "Video generation failed. Please try again."),
        # Generic ones.
        Failure("content_moderation", "Content violates platform rules. Please modify and try again."),
        Failure(
            "output_audio",
            "The generated audio violates platform rules. Please adjust your prompt or images and try again.",
        ),
        Failure(
            "output_content",
            "The generated content violates platform rules. Please adjust your prompt or images and try again.",
        ),
        Failure("timeout", "Generation timed out. Please try again."),
        Failure("server_busy", "Server error. Please try again later."),
        Failure(
            "not_processed",
            "Your content could not be processed. Please try different images or adjust your prompt.",
        ),
        Failure("task_execution", "Task execution failed"),
        Failure("invalid_prompt", "Invalid prompt content"),
        # References.
        Failure("reference_image_review", "Reference image 1 failed review. Please replace it.", "asset_review_failed"),
        Failure("reference_video_review", "Reference video 1 failed review. Please replace it.", "asset_review_failed"),
        Failure("reference_audio_review", "Reference audio 1 failed review. Please replace it.", "asset_review_failed"),
        Failure(
            "audio_only",
            "Audio cannot be the only reference input. Please also provide an image or video reference.",
            "InvalidParameter",
        ),
        Failure(
            "reference_video_length",
            "Reference video total duration exceeds the limit. "
            "Please use videos with a combined duration of 15 seconds or less.",
            "InvalidParameter",
        ),
        Failure(  # The documentation breaks this text off here.
            "content_parameter",
            "The parameter `content` specified in the request is not valid: the parameter video total duration",
            "InvalidParameter",
        ),
        Failure(
            "reference_download",
            "Failed to download your reference video. Please replace it or try again.",
            "500",
        ),
        # The newest pages.
        Failure(
            "reference_download_newer",
            "Failed to download your reference video. Please replace it or try again.",
            "1001",
        ),
        Failure("backend_error", "Generation failed. Please try again.", "500"),
        Failure(
            "sensitive_image",
            "Your uploaded image may contain sensitive content. Please use a different image.",
            "1001",
        ),
        Failure(
            "sensitive_video",
            "Your uploaded video may contain sensitive content. Please use a different video.",
            "1001",
        ),
        Failure(
            "output_video_review",
            "The generated video did not pass review. Please modify your prompt or inputs and try again.",
            "1001",
        ),
        Failure(
            "output_audio_review",
            "The generated audio did not pass review. Please modify your prompt or inputs and try again.",
            "1001",
        ),
        Failure(
            "output_copyright",
            "The generated video may violate platform or copyright rules. "
            "Please modify your prompt or inputs and try again.",
            "1001",
        ),
        Failure("unavailable", "Service temporarily unavailable. Please try again later.", "1001"),
        Failure(
            "extension_parameters",
            "Request parameters are invalid for video extension. Use adaptive aspect ratio.",
            "1001",
        ),
        Failure(
            "editing_parameters",
            "Request parameters are invalid for video editing. Use adaptive aspect ratio and automatic duration, "
            "and ensure the reference video is 4\N{EN DASH}30 seconds.",
            "1001",
        ),
        # Made up: what a client does with the text of tomorrow.
        Failure("unlisted", "The emulator has thought of something new.", "4011"),
    )
}

#: What ``[status:...]`` understands.
STATUSES = ("queued", "never_ends")

#: What somebody may have meant as a marker; it has to be one, to the letter.
_MEANT = re.compile(r"\[\s*(?:fail|status)\s*:[^\]]*\]", re.IGNORECASE)
_MARKER = re.compile(r"\[(?P<kind>fail|status):(?P<name>[a-z0-9_]+)(?::(?P<times>[0-9]{1,6}))?\]")


class UnknownMarkerError(ValueError):
    """A marker that means nothing: a spelling mistake, which would otherwise show as an unexpected success."""


@dataclass(frozen=True)
class Markers:
    """
    What the markers of a prompt ask for.

    :param failure: how the task ends, if not well.
    :param failing_submissions: how many submissions of this prompt fail; ``None`` is all of them.
    :param generating_status: what the task reports while it is generating.
    :param never_ends: whether it stays so forever.
    """

    failure: Failure | None = None
    failing_submissions: int | None = None
    generating_status: str = "generating"
    never_ends: bool = False

    def failure_after(self, earlier_submissions: int) -> Failure | None:
        """
        Return how a submission ends, if not well.

        :param earlier_submissions: how often this account submitted this prompt before.
        """
        if self.failing_submissions is not None and earlier_submissions >= self.failing_submissions:
            return None
        return self.failure


def read_markers(prompt: str) -> Markers:
    """
    Find the markers in a prompt; of several of a kind the last one counts.

    :raises UnknownMarkerError: if one of them means nothing.
    """
    failure, times, status = None, None, None
    for meant in _MEANT.finditer(prompt):
        marker = _MARKER.fullmatch(meant.group())
        if marker is None:
            raise UnknownMarkerError(f"Emulator: {meant.group()!r} is not a marker, which look like [fail:timeout]")
        if marker["kind"] == "fail":
            failure = _known_failure(marker["name"])
            times = None if marker["times"] is None else int(marker["times"])
        else:
            status = _known_status(marker["name"])
    generating = status if status == "queued" else "generating"
    return Markers(failure, times, generating, never_ends=status == "never_ends")


def _known_failure(name: str) -> Failure:
    try:
        return FAILURES[name]
    except KeyError:
        raise UnknownMarkerError(f"Emulator: no failure {name!r}. Known: {', '.join(FAILURES)}") from None


def _known_status(name: str) -> str:
    if name not in STATUSES:
        raise UnknownMarkerError(f"Emulator: no status {name!r}. Known: {', '.join(STATUSES)}")
    return name
