"""Every text with which a video task is known to fail, and what it means for a retry."""

from __future__ import annotations

import pytest

from seedance_provider.api.errors import (
    ExtensionFailedError,
    GenerationFailedError,
    InputModerationError,
    InvalidVideoInputError,
    OutputModerationError,
    ReferenceMediaError,
    UnexplainedFailureError,
)
from seedance_provider.api.task_failures import FAILURES, UNLISTED, UNLISTED_BY_CODE, classify_failure, failure_of
from seedance_provider.api.video_task import VideoTask

#: The documented texts, or as much of each as makes it different.
DOCUMENTED = [
    ("Your input text violates platform rules. Please modify", "text_moderation", InputModerationError),
    ("Your uploaded image violates platform rules. Please modify", "image_moderation", InputModerationError),
    ("Your uploaded image may contain sensitive content.", "image_moderation", InputModerationError),
    ("Your uploaded video may contain sensitive content.", "video_moderation", InputModerationError),
    ("Face detected in uploaded media. Please adjust your media", "face_detected", InputModerationError),
    ("The generated video did not pass review. Credits will not be", "output_review", OutputModerationError),
    ("The generated video did not pass review. Please modify", "output_review", OutputModerationError),
    ("The generated audio did not pass review. Please modify", "output_review", OutputModerationError),
    ("The generated video may violate platform or copyright rules.", "output_review", OutputModerationError),
    ("The generated audio violates platform rules. Please adjust", "output_review", OutputModerationError),
    ("The generated content violates platform rules. Please adjust", "output_review", OutputModerationError),
    ("Content violates platform rules. Please modify", "content_moderation", InputModerationError),
    ("Your content could not be processed. Please try different", "content_rejected", InputModerationError),
    ("Invalid prompt content", "invalid_prompt", InvalidVideoInputError),
    # The service failed.
    ("Video generation failed. Please try again.", "server_error", GenerationFailedError),
    ("Generation failed. Please try again.", "server_error", GenerationFailedError),
    ("Server error. Please try again later.", "server_error", GenerationFailedError),
    ("Generation timed out. Please try again.", "server_timeout", GenerationFailedError),
    ("Service temporarily unavailable. Please try", "unavailable", GenerationFailedError),
    ("Request parameters are invalid for video extension. Use", "invalid_extension", ExtensionFailedError),
    # Not clear enough to pay again without a person.
    ("Task execution failed", "unexplained", UnexplainedFailureError),
    ("Reference image 1 failed review. Please replace it.", "reference_review", ReferenceMediaError),
    ("Reference video 2 failed review. Please replace it.", "reference_review", ReferenceMediaError),
    ("Reference audio 10 failed review. Please replace it.", "reference_review", ReferenceMediaError),
    ("Audio cannot be the only reference input. Please also", "audio_only", InvalidVideoInputError),
    ("Reference video total duration exceeds the limit. Please", "reference_length", ReferenceMediaError),
    ("The parameter `content` specified in the request is not valid: the", "reference_length", ReferenceMediaError),
    ("Failed to download your reference video. Please replace", "reference_download", ReferenceMediaError),
    ("Request parameters are invalid for video editing. Use", "invalid_edit", InvalidVideoInputError),
]


class TestClassifyFailure:
    @pytest.mark.parametrize(("text", "reason", "error_class"), DOCUMENTED)
    def test_a_documented_text_has_its_reason_and_class(self, text, reason, error_class):
        failure = classify_failure(text)
        assert (failure.reason, failure.error_class, failure.is_listed) == (reason, error_class, True)

    @pytest.mark.parametrize("text", ["Nobody has written it yet", "Reference image failed", "Sorry: Server error", ""])
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

    @pytest.mark.parametrize("text", ["FACE DETECTED IN UPLOADED MEDIA", "  Face detected in uploaded media: a.png\n"])
    def test_case_surrounding_space_and_the_end_of_the_text_do_not_matter(self, text):
        assert classify_failure(text).reason == "face_detected"

    @pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.prefix)
    def test_no_entry_is_hidden_by_an_earlier_one(self, failure):
        assert classify_failure(failure.prefix) is failure


def test_an_unlisted_text_is_not_tried_again_on_its_own():
    assert UNLISTED.reason == "unlisted"
    assert UNLISTED.error_class is UnexplainedFailureError
    assert not UNLISTED.error_class().retryable


@pytest.mark.parametrize(
    "failure", [*FAILURES, *UNLISTED_BY_CODE.values(), UNLISTED], ids=lambda failure: failure.prefix or "unlisted"
)
def test_every_entry_advises_a_person(failure):
    assert failure.advice.endswith(".")


class TestFailureOf:
    @pytest.mark.parametrize("is_enveloped", [False, True])
    @pytest.mark.parametrize("status", ["status", "state"])
    @pytest.mark.parametrize("shape", ["text", "object"])
    @pytest.mark.parametrize("known", FAILURES, ids=lambda known: known.prefix)
    def test_every_failure_is_known_in_the_shapes_of_all_generations(self, known, shape, status, is_enveloped):
        text = f"{known.prefix.replace('#', '3')}. Please see."
        error = text if shape == "text" else {"code": "1001", "message": text}
        record = {"taskId": "task_a", status: "fail", "error": error}
        answer = {"code": 200, "message": "success", "data": record} if is_enveloped else record
        failure = failure_of(VideoTask.from_record(answer, video_task_id="task_a"))

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
