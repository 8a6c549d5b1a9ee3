"""Markers in prompts."""

from pathlib import Path

import pytest

from seedance_provider.emulator.failures import FAILURES, UnknownMarkerError, read_markers
from seedance_provider.emulator.faults import FAULTS


def test_a_prompt_without_markers_asks_for_nothing():
    markers = read_markers("A cat [on a mat] [failure]")
    assert markers.failure_after(0) is None
    assert (markers.generating_status, markers.never_ends) == ("generating", False)


@pytest.mark.parametrize("name", FAILURES)
def test_every_failure_has_a_marker(name):
    assert read_markers(f"A cat [fail:{name}] on a mat").failure_after(1000) is FAILURES[name]


def test_the_texts_of_the_quickstart():
    texts = [failure.message for failure in FAILURES.values()]
    for beginning in (
        "Your input text violates platform rules",
        "Your uploaded image violates platform rules",
        "Face detected in uploaded media",
        "The generated video did not pass review",
        "Video generation failed. Please try again.",
    ):
        assert any(text.startswith(beginning) for text in texts)


def test_only_the_first_submissions_fail():
    markers = read_markers("[fail:server_error:2]")
    assert [markers.failure_after(earlier) is not None for earlier in range(4)] == [True, True, False, False]


def test_statuses():
    assert read_markers("[status:queued]").generating_status == "queued"
    assert read_markers("[status:never_ends]").never_ends


@pytest.mark.parametrize("prompt", ["[fail:typo]", "[status:typo]", "[fail:server_error] [fail:typo]"])
def test_a_spelling_mistake_is_an_error(prompt):
    with pytest.raises(UnknownMarkerError, match=r"'typo'\. Known: "):
        read_markers(prompt)


def test_the_guide_lists_every_fault():
    guide = (Path(__file__).parents[2] / "docs" / "emulator.md").read_text()
    full = {name for name in FAULTS if not name.endswith("_after") or name == "cut_json_after"}
    assert [name for name in full if f"`{name}`" not in guide] == []


def test_the_guide_lists_every_failure():
    guide = (Path(__file__).parents[2] / "docs" / "emulator.md").read_text()
    assert [name for name in FAILURES if f"| `{name}` |" not in guide] == []
