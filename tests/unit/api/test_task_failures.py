"""Every text with which a video task is known to fail, and what it means for a retry."""

from __future__ import annotations

import pytest

from seedance_provider.api.task_failures import FAILURES, UNLISTED, classify_failure

PERMANENT = [
    ("Your input text violates platform rules. Please modify and try again.", "text_moderation"),
    ("Your uploaded image violates platform rules. Please modify and try again.", "image_moderation"),
    (
        "Your uploaded image may contain sensitive content. Please use a different image.",
        "image_moderation",
    ),
    (
        "Your uploaded video may contain sensitive content. Please use a different video.",
        "video_moderation",
    ),
    ("Face detected in uploaded media. Please adjust your media and try again.", "face_detected"),
    ("The generated video did not pass review. Credits will not be deducted.", "output_review"),
    (
        "The generated video did not pass review. Please modify your prompt or inputs and try again.",
        "output_review",
    ),
    (
        "The generated audio did not pass review. Please modify your prompt or inputs and try again.",
        "output_review",
    ),
    (
        "The generated video may violate platform or copyright rules. "
        "Please modify your prompt or inputs and try again.",
        "output_review",
    ),
    (
        "The generated audio violates platform rules. Please adjust your prompt or images and try again.",
        "output_review",
    ),
    (
        "The generated content violates platform rules. Please adjust your prompt or images and try again.",
        "output_review",
    ),
    ("Content violates platform rules. Please modify and try again.", "content_moderation"),
    (
        "Your content could not be processed. Please try different images or adjust your prompt.",
        "content_rejected",
    ),
    ("Invalid prompt content", "invalid_prompt"),
]

TRANSIENT = [
    ("Video generation failed. Please try again.", "server_error"),
    ("Generation failed. Please try again.", "server_error"),
    ("Server error. Please try again later.", "server_error"),
    ("Generation timed out. Please try again.", "server_timeout"),
    ("Service temporarily unavailable. Please try again later.", "unavailable"),
]

NOT_CLEAR_ENOUGH_TO_PAY_AGAIN = [
    "Task execution failed",
    "Reference image 1 failed review. Please replace it.",
    "Reference video 1 failed review. Please replace it.",
    "Audio cannot be the only reference input. Please also provide an image or video reference.",
    "Reference video total duration exceeds the limit. "
    "Please use videos with a combined duration of 15 seconds or less.",
    "The parameter `content` specified in the request is not valid: the parameter video total duration",
    "Failed to download your reference video. Please replace it or try again.",
    "Request parameters are invalid for video extension. Use adaptive aspect ratio.",
    "Request parameters are invalid for video editing. Use adaptive aspect ratio and automatic duration, "
    "and ensure the reference video is 4\N{EN DASH}30 seconds.",
    "A text that nobody has written yet",
    "",
]


class TestClassifyFailure:
    @pytest.mark.parametrize(("text", "reason"), PERMANENT)
    def test_a_documented_refusal_is_permanent(self, text, reason):
        failure = classify_failure(text)
        assert (failure.reason, failure.retryable) == (reason, False)

    @pytest.mark.parametrize(("text", "reason"), TRANSIENT)
    def test_a_documented_fault_of_the_service_can_be_tried_again(self, text, reason):
        failure = classify_failure(text)
        assert (failure.reason, failure.retryable) == (reason, True)

    @pytest.mark.parametrize("text", NOT_CLEAR_ENOUGH_TO_PAY_AGAIN)
    def test_any_other_text_is_unlisted(self, text):
        assert classify_failure(text) is UNLISTED

    @pytest.mark.parametrize(
        "text",
        [
            "FACE DETECTED IN UPLOADED MEDIA",
            "face detected in uploaded media: a.png",
            "  Face detected in uploaded media...\n",
        ],
    )
    def test_case_surrounding_space_and_the_end_of_the_text_do_not_matter(self, text):
        assert classify_failure(text).reason == "face_detected"

    def test_only_the_beginning_of_the_text_counts(self):
        assert classify_failure("We are sorry: Server error") is UNLISTED

    @pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.prefix)
    def test_no_entry_is_hidden_by_an_earlier_one(self, failure):
        assert classify_failure(failure.prefix) is failure


class TestFailures:
    def test_an_unlisted_text_is_not_tried_again_on_its_own(self):
        assert UNLISTED.reason == "unlisted"
        assert not UNLISTED.retryable

    @pytest.mark.parametrize("failure", [*FAILURES, UNLISTED], ids=lambda failure: failure.prefix or "unlisted")
    def test_every_entry_advises_a_person(self, failure):
        assert failure.advice.endswith(".")
