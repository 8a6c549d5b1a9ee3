"""Texts that nobody has meant, and those that only look like it."""

from __future__ import annotations

import time
from collections import OrderedDict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import PurePosixPath

import pytest
from airflow.sdk.execution_time.lazy_sequence import LazyXComSequence
from jinja2 import DebugUndefined, Environment

from seedance_provider.api.text_checks import leftover, probable_leftover, storage_problem, texts_in

NAN = float("nan")
SHOWN_BY_PYTHON = [
    {"a": 1}, {"a": {"b": [1.5, -2, NAN]}}, ["A kite"], ["it's a kite"], ["A kite", None], [], {}, (), set(), {1, 2},
    ("A kite", 4), ("A kite",), [[]], [1, 2], b"A kite", b"it's", OrderedDict(a=1), {"a": 1}.keys(),
    [datetime(2026, 1, 1, tzinfo=UTC)], [Decimal("1.5")], {PurePosixPath("/a.png")}, object(),
    LazyXComSequence(xcom_arg=None, ti=None), [{"a": LazyXComSequence(xcom_arg=None, ti=None)}],
    ["line\nbreak", "\\", "\N{CHERRY BLOSSOM}"],
]  # fmt: skip


class TestLeftover:
    @pytest.mark.parametrize("word", ["None", "nan", "null", "undefined", "NaT", "<NA>", "[object Object]"])
    def test_a_missing_value_is_one(self, word):
        for text in (word, word.lower(), word.upper(), f" {word}\n"):
            assert leftover(text) is not None
        assert leftover(word, may_be_a_choice=True) is not None
        assert leftover("none", may_be_a_choice=True) is None

    @pytest.mark.parametrize("value", SHOWN_BY_PYTHON, ids=lambda value: type(value).__name__)
    def test_what_python_shows_is_one(self, value):
        assert leftover(str(value)) is not None
        assert leftover(f" {value}\n") is not None

    @pytest.mark.parametrize("value", [datetime(2026, 1, 1, tzinfo=UTC), Decimal("1.5"), PurePosixPath("/a.png")])
    def test_a_value_that_has_a_text_of_its_own_is_none_but_what_python_shows_is(self, value):
        assert leftover(str(value)) is None
        assert leftover(repr(value)) is not None

    def test_an_object_in_the_middle_of_a_text_is_one(self):
        assert leftover(f"A kite over {object()} at dawn") is not None
        assert leftover(f"Kites: {LazyXComSequence(xcom_arg=None, ti=None)}") is not None

    def test_a_template_that_was_not_rendered_is_one(self):
        undefined = Environment(undefined=DebugUndefined, autoescape=True).from_string("A {{ kite }}").render()
        for text in ("{{ params.prompt }}", "A kite in {{ds", "ds }} at dawn", "{% if x %}A kite", undefined):
            assert leftover(text) is not None

    @pytest.mark.parametrize("text", ["\u200b", " \ufeff\u2060", "\x00", "\x1b\x07", "\u3164", "\u2800", "\u0301"])
    def test_nothing_to_be_seen_is_one(self, text):
        assert leftover(text) is not None

    @pytest.mark.parametrize(
        "text",
        [
            "A nan bread on a plate", "None of the people move", "Null Island, an undefined shape in the fog", "nano",
            '{"scene": "A kite", "camera": {"angle":"low", "moves":{"x":1}}}', '["A kite", "A boat"]',
            '[{"shot": 1, "text": "A kite"}, {"shot": 2, "text": null}]', "[Shot 1] A kite. [Shot 2]", "[pause]",
            'A kite. Settings: {"camera": {"angle": {"x": 1}}}', "{kite|boat}", "(A kite, slowly)", "(2026)",
            "Paris(2026)", "kite()", "'A kite'", "it's (the 'big' one)", "A kite < 3 m at 0x speed",
            "凧", "طائرة ورقية", "👩‍👩‍👧", "\U0001fae9", "7", "", " ",
        ],
    )  # fmt: skip
    def test_what_may_be_meant_is_none(self, text):
        assert leftover(text) is None

    @pytest.mark.parametrize(
        "text",
        [
            "(" * 30_000, "[" * 15_000 + "]" * 15_000, "[" + "-" * 30_000 + "]", "['" + "\\" * 30_000 + "]",
            "['" * 15_000, "<" * 30_000, "<a at " * 5_000, "<x at 0x" * 4_000, "a." * 15_000 + "(", "{'" * 15_000,
            '{"a":' * 6_000 + "1" + "}" * 6_000, "b'" * 15_000, "\u200b" * 30_000, "LazyXComSequence(" * 2_000,
            "[" + "'a'," * 7_000 + "x]", "[1" * 9_000 + "]" * 9_000, "None" * 7_500, "['a" * 10_000,
            "['" + "a" * 30_000, "[" + "1" * 30_000 + "]", "{" * 15_000 + "x" + "}" * 15_000,
        ],
        ids=lambda text: text[:9],
    )  # fmt: skip
    def test_no_text_takes_long(self, text):
        started = time.process_time()
        leftover(text)
        probable_leftover(text)
        assert time.process_time() - started < 1


class TestProbableLeftover:
    @pytest.mark.parametrize(
        ("text", "part"),
        [
            ("None flies a kite", "None"),
            ("A kite over None.", "None"),
            ("https://media.example/None/a.png", "None"),
            ("Sold on NaT", "NaT"),
            ("A kite in <NA>", "<NA>"),
            ("A kite by [object Object]", "[object Object]"),
            (f"Kites in {['red', 'blue']}", "['red', '"),
            (f"Kites in {['red']}", "['red']"),
            (f"Kites: { {'colour': 'red'} }", "{'colour': "),
        ],
    )
    def test_a_slip_is_shown(self, text, part):
        assert probable_leftover(text) == part

    @pytest.mark.parametrize(
        "text",
        [
            "A nan bread", "none of them", "None of the people move", "Nonesuch Park, NonePlus", "typing.None",
            "a null pointer, undefined", "it's (the 'big' one)", '{"scene": "A kite"}',
        ],
    )  # fmt: skip
    def test_ordinary_language_is_none(self, text):
        assert probable_leftover(text) is None


@pytest.mark.parametrize(
    ("text", "is_storable"), [("A kite", True), ("\x1b\N{CHERRY BLOSSOM}", True), ("a\x00", False), ("\udfff", False)]
)
def test_what_can_be_stored(text, is_storable):
    assert (storage_problem(text) is None) is is_storable


def test_texts_are_found_however_deep():
    nested = {"a": ["b", {"c": ("d", 1, None)}]}
    for _ in range(10_000):
        nested = [nested]
    assert sorted(texts_in(nested)) == ["a", "b", "c", "d"]
