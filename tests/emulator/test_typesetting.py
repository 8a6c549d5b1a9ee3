"""Words are fitted into boxes."""

import pytest

from seedance_provider.emulator.typesetting import fit, font, shorten

BOX = (600, 200)


def widest(block):
    return max(font(block.font_size).getlength(line) for line in block.lines)


@pytest.mark.parametrize("text", ["word " * 40, "x" * 60, "a " + "y" * 90 + " b", "two\nlines  and\tspaces " * 5])
def test_all_of_it_fits(text):
    block = fit(text, BOX, largest=60, smallest=10)
    assert block.height <= BOX[1]
    assert widest(block) <= BOX[0]
    assert "".join(block.lines).replace(" ", "") == "".join(text.split())


@pytest.mark.parametrize("text", ["word " * 2000, "x" * 10_000])
def test_too_much_is_cut_off(text):
    block = fit(text, BOX, largest=60, smallest=18)
    assert block.font_size == 18
    assert block.height <= BOX[1]
    assert block.lines[-1].endswith("...")


def test_little_is_left_as_it_is():
    block = fit("A cat", BOX, largest=60, smallest=18)
    assert (block.lines, block.font_size) == (("A cat",), 60)
    assert fit("", BOX, largest=60, smallest=18).lines == ()
    assert shorten("short", font(20), 500) == "short"
    assert font(20).getlength(shorten("long " * 100, font(20), 500)) <= 500
