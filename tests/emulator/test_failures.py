"""Markers in prompts."""

from pathlib import Path

import pytest

from seedance_provider.emulator.failures import FAILURES, UnknownMarkerError, read_markers
from seedance_provider.emulator.faults import FAULTS


def test_a_prompt_without_markers_asks_for_nothing():
    markers = read_markers("A cat [on a mat] [failure]")
    assert markers.failure_after(0) is None
    assert (markers.generating_status, markers.never_ends) == ("generating", False)


@pytest.mark.parametrize("prompt", ["[fail:typo]", "[status:typo]", "[fail:server_error] [fail:typo]"])
def test_a_spelling_mistake_is_an_error(prompt):
    with pytest.raises(UnknownMarkerError, match=r"'typo'\. Known: "):
        read_markers(prompt)


def test_the_guide_lists_every_fault():
    guide = (Path(__file__).parents[2] / "docs" / "emulator.md").read_text()
    full = {name for name in FAULTS if not name.endswith("_after") or name == "cut_json_after"}
    assert [name for name in full if f"`{name}`" not in guide] == []
    assert [name for name in FAILURES if f"| `{name}` |" not in guide] == []
