"""The emulator can be whatever the provider can write to."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from seedance_provider.api.models import MODELS
from seedance_provider.api.wire_formats import WIRE_FORMATS
from seedance_provider.emulator.generations import GENERATIONS, GenerationName


def test_there_is_a_generation_for_every_wire_format():
    assert GENERATIONS.keys() == WIRE_FORMATS.keys() - {"auto"}


def test_the_command_line_offers_all_of_them():
    assert set(get_args(GenerationName)) == GENERATIONS.keys()


def test_every_model_is_documented_for_a_generation():
    for model in MODELS.values():
        assert model.wire_formats
        assert model.wire_formats <= GENERATIONS.keys()


@pytest.mark.parametrize("guide", ["connection.md", "models.md", "emulator.md"])
def test_the_guides_name_all_of_them(guide):
    text = (Path(__file__).parents[2] / "docs" / guide).read_text()
    assert [name for name in WIRE_FORMATS.keys() - {"auto"} if f"`{name}`" not in text] == []
