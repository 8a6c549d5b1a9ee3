"""Every text with which a video task is known to fail, and what it means for a retry."""

from __future__ import annotations

import pytest

from seedance_provider.api.errors import (
    ExtensionFailedError,
    GenerationFailedError,
    InputModerationError,
    InvalidVideoInputError,
    ReferenceMediaError,
    UnexplainedFailureError,
)
from seedance_provider.api.task_failures import FAILURES, UNLISTED, UNLISTED_BY_CODE, classify_failure, failure_of
from seedance_provider.api.video_task import VideoTask

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

#: Documented, but not clear enough to pay again without a person.
FOR_A_PERSON = [
    ("Task execution failed", "unexplained", UnexplainedFailureError),
    ("Reference image 1 failed review. Please replace it.", "reference_review", ReferenceMediaError),
    ("Reference video 2 failed review. Please replace it.", "reference_review", ReferenceMediaError),
    ("Reference audio 10 failed review. Please replace it.", "reference_review", ReferenceMediaError),
    (
        "Audio cannot be the only reference input. Please also provide an image or video reference.",
        "audio_only",
        InvalidVideoInputError,
    ),
    (
        "Reference video total duration exceeds the limit. "
        "Please use videos with a combined duration of 15 seconds or less.",
        "reference_length",
        ReferenceMediaError,
    ),
    (
        "The parameter `content` specified in the request is not valid: the parameter video total duration",
        "reference_length",
        ReferenceMediaError,
    ),
    (
        "Failed to download your reference video. Please replace it or try again.",
        "reference_download",
        ReferenceMediaError,
    ),
    (
        "Request parameters are invalid for video editing. Use adaptive aspect ratio and automatic duration, "
        "and ensure the reference video is 4\N{EN DASH}30 seconds.",
        "invalid_edit",
        InvalidVideoInputError,
    ),
]

UNLISTED_TEXTS = ["A text that nobody has written yet", "Reference image failed", ""]


class TestClassifyFailure:
    @pytest.mark.parametrize(("text", "reason"), PERMANENT)
    def test_a_documented_refusal_is_permanent(self, text, reason):
        failure = classify_failure(text)
        assert (failure.reason, failure.error_class().retryable) == (reason, False)

    @pytest.mark.parametrize(("text", "reason"), TRANSIENT)
    def test_a_documented_fault_of_the_service_can_be_tried_again(self, text, reason):
        failure = classify_failure(text)
        assert (failure.reason, failure.error_class) == (reason, GenerationFailedError)

    @pytest.mark.parametrize(("text", "reason", "error_class"), FOR_A_PERSON)
    def test_what_a_person_has_to_look_at_is_permanent(self, text, reason, error_class):
        failure = classify_failure(text)
        assert (failure.reason, failure.error_class, failure.is_listed) == (reason, error_class, True)
        assert not failure.error_class().retryable

    def test_an_extension_is_tried_once_more(self):
        failure = classify_failure("Request parameters are invalid for video extension. Use adaptive aspect ratio.")
        assert failure.error_class is ExtensionFailedError
        assert (failure.error_class().retryable, failure.error_class.resubmissions) == (True, 1)

    @pytest.mark.parametrize("text", UNLISTED_TEXTS)
    @pytest.mark.parametrize("code", [None, "", "500", "1001", "4011"])
    def test_any_other_text_is_unlisted(self, text, code):
        assert classify_failure(text, code) is UNLISTED

    @pytest.mark.parametrize(("code", "failure"), UNLISTED_BY_CODE.items())
    def test_a_code_with_one_meaning_explains_an_unlisted_text(self, code, failure):
        assert classify_failure("A text that nobody has written yet", code) is failure
        assert not failure.error_class().retryable
        assert not failure.is_listed

    @pytest.mark.parametrize("code", [None, "500", "1001", "2038", "InvalidParameter", "asset_review_failed"])
    @pytest.mark.parametrize(
        "known", [known for known in FAILURES if "#" not in known.prefix], ids=lambda known: known.prefix
    )
    def test_a_documented_text_decides_whatever_the_code(self, known, code):
        assert classify_failure(f"{known.prefix}, as it happens.", code) is known

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
        assert UNLISTED.error_class is UnexplainedFailureError
        assert not UNLISTED.error_class().retryable

    @pytest.mark.parametrize(
        "failure", [*FAILURES, *UNLISTED_BY_CODE.values(), UNLISTED], ids=lambda failure: failure.prefix or "unlisted"
    )
    def test_every_entry_advises_a_person(self, failure):
        assert failure.advice.endswith(".")


def in_envelope(record):
    return {"code": 200, "message": "success", "data": record}


def flat(record):
    return record


class TestFailureOf:
    @pytest.mark.parametrize("wrapped", [flat, in_envelope])
    @pytest.mark.parametrize("status", ["status", "state"])
    @pytest.mark.parametrize("shape", ["text", "object"])
    @pytest.mark.parametrize("known", FAILURES, ids=lambda known: known.prefix)
    def test_every_failure_is_known_in_the_shapes_of_all_generations(self, known, shape, status, wrapped):
        text = f"{known.prefix.replace('#', '3')}. Please see."
        error = text if shape == "text" else {"code": "1001", "message": text}
        record = wrapped({"taskId": "task_a", status: "fail", "error": error})
        failure = failure_of(VideoTask.from_record(record, video_task_id="task_a"))

        assert type(failure) is known.error_class
        assert (failure.reason, failure.advice, failure.is_listed) == (known.reason, known.advice, True)
        assert (failure.video_task_id, failure.api_message) == ("task_a", text)
        assert failure.api_code == (None if shape == "text" else "1001")
        for said in ("task_a", known.reason, text, known.advice, "refunds"):
            assert said in str(failure)

    def test_an_unlisted_text_is_shown_and_reported(self):
        failure = failure_of(VideoTask("task_a", error_code="4011", error_message="Mercury is in retrograde"))
        assert (type(failure), failure.reason, failure.is_listed) == (UnexplainedFailureError, "unlisted", False)
        assert str(failure) == (
            "Video task task_a failed (unlisted, code 4011): Mercury is in retrograde. This text is not documented. "
            "If it reads like a transient error, clear the Airflow task. The vendor refunds failed video tasks."
        )

    def test_no_text_at_all(self):
        assert str(failure_of(VideoTask("task_a"))).startswith(
            "Video task task_a failed (unlisted): no reason given. This text is not documented. "
        )

    def test_the_code_explains_an_unlisted_text(self):
        failure = failure_of(VideoTask("task_a", error_code="2038", error_message="Mercury is in retrograde"))
        assert (type(failure), failure.reason) == (InputModerationError, "text_moderation")

    @pytest.mark.parametrize("end", [".", "!", "?"])
    def test_a_text_that_is_a_sentence_stays_as_it_is(self, end):
        assert f": Server error{end} {FAILURES[-3].advice}" in str(
            failure_of(VideoTask("task_a", error_message=f"Server error{end}"))
        )
