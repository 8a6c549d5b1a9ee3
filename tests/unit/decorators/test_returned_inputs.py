"""What a function has returned, and when it is called again."""

from __future__ import annotations

import math
from decimal import Decimal
from pathlib import Path

import pytest
from airflow.sdk import ObjectStoragePath

from seedance_provider.decorators.returned_inputs import InvalidInputsError, ReturnedInputs, inputs_of
from seedance_provider.submission.task_state import SubmissionStoreError
from tests.support.task_context import StateStore
from tests.support.user_values import Address, Format, Numpy, Rows


class TestInputsOf:
    @pytest.mark.parametrize(
        ("returned", "inputs"),
        [
            ("A kite", {"prompt": "A kite"}),
            ({"prompt": "A kite", "duration": 8}, {"prompt": "A kite", "duration": 8}),
            ({"reference_images": ("https://a/b.png",)}, {"reference_images": ["https://a/b.png"]}),
            ({"reference_images": Rows(["a", "b"])}, {"reference_images": ["a", "b"]}),
            (
                {"reference_videos": iter(["a"]), "reference_audios": {"b"}},
                {"reference_videos": ["a"], "reference_audios": ["b"]},
            ),
            ({"duration": Decimal(5), "seed": Numpy(7)}, {"duration": 5, "seed": 7}),
            (
                {"generate_audio": Numpy(False), "output_format": Format.MP4},
                {"generate_audio": False, "output_format": "mp4"},
            ),
            ({"reference_video_seconds": Decimal("4.5")}, {"reference_video_seconds": 4.5}),
            ({"first_frame": Address.PICTURE}, {"first_frame": Address.PICTURE.value}),
            ({"extra_inputs": {"future": [Decimal(5)]}}, {"extra_inputs": {"future": [5]}}),
        ],
    )
    def test_a_prompt_or_the_parameters_of_the_operator(self, returned, inputs):
        assert inputs_of(returned) == inputs

    @pytest.mark.parametrize(
        ("returned", "said"),
        [
            (None, "The function returned None, and a prompt or a dict of inputs is needed"),
            (["A kite"], "The function returned ['A kite'], and a prompt"),
            ({}, "The function returned {}, and a prompt"),
            ({"promt": "A kite"}, "'promt' (did you mean 'prompt'?)"),
            ({"seedance_conn_id": "other"}, "'seedance_conn_id'"),
            ({"retries": 3}, "and the inputs that there are: prompt, model, "),
            ({7: "A kite"}, "7, and the inputs that there are"),
            ({"reference_images": {"a", "b"}}, "(a set has no order: return a list)"),
            ({"duration": Decimal("NaN")}, "Decimal is not JSON serializable"),
            ({"prompt": b"A kite"}, "bytes is not JSON serializable"),
            pytest.param(10**5000, "returned a int, and a prompt", id="int"),
            ({"prompt": object}, "returned prompt=<class 'object'>, which JSON can't write"),
            ({"prompt": "A kite", "duration": math.nan}, "duration=nan, which JSON can't write"),
            ("A\x00kite", r"'A\x00kite', and text without U+0000 is needed"),
            ({"prompt": "A kite", "extra_inputs": {"a": [{"b\x00": 1}]}}, r"'b\x00', and text without U+0000"),
            ({"first_frame": "\ud800"}, r"'\ud800', and text that UTF-8 can write is needed"),
        ],
    )
    def test_anything_else_is_refused(self, returned, said):
        with pytest.raises(InvalidInputsError, match="Nothing was submitted or charged") as caught:
            inputs_of(returned)
        assert said in str(caught.value)


class TestReturnedInputs:
    def test_the_function_is_called_once_for_all_tries_and_again_after_a_clear(self):
        store, prompts = StateStore(), iter(["A kite", "A boat"])
        assert ReturnedInputs(store, 3).get(lambda: next(prompts)) == ({"prompt": "A kite"}, False)
        assert ReturnedInputs(store, 3).get(lambda: next(prompts)) == ({"prompt": "A kite"}, True)
        assert ReturnedInputs(store, 4).get(lambda: next(prompts)) == ({"prompt": "A boat"}, False)
        assert ReturnedInputs(store, 4).get(lambda: pytest.fail("called")) == ({"prompt": "A boat"}, True)

    def test_a_rescue_and_its_retries_ask_for_the_same_video(self):
        store = StateStore()
        ReturnedInputs(store, 3).get(lambda: "A kite")
        for is_rescue in (True, False):
            again = ReturnedInputs(store, 4).get(lambda: pytest.fail("called"), is_rescue=is_rescue)
            assert again == ({"prompt": "A kite"}, True)

    def test_what_is_kept_can_be_shown_without_calling_anything(self):
        store = StateStore()
        assert ReturnedInputs(store, 3).kept() == ReturnedInputs(None, 3).kept() == {}
        ReturnedInputs(store, 3).get(lambda: "A kite")
        assert ReturnedInputs(store, 4).kept() == {"prompt": "A kite"}

    @pytest.mark.parametrize("returned", [None, "A\x00kite", "\ud800"])
    def test_what_is_refused_is_not_kept(self, returned):
        store = StateStore()
        with pytest.raises(InvalidInputsError):
            ReturnedInputs(store, 3).get(lambda: returned)
        assert store.writes == []

    @pytest.mark.parametrize("call", ["get", "set"])
    def test_a_store_that_is_down_is_an_error(self, call):
        store = StateStore()
        store.fail = call
        with pytest.raises(SubmissionStoreError, match="ConnectionError"):
            ReturnedInputs(store, 3).get(lambda: "A kite")

    def test_without_a_store_each_try_calls_it(self):
        prompts = iter(["A kite", "A boat"])
        for prompt in ("A kite", "A boat"):
            assert ReturnedInputs(None, 3).get(lambda: next(prompts)) == ({"prompt": prompt}, False)


@pytest.mark.parametrize("path", [Path("/data/a.png"), ObjectStoragePath("file:///data/a.png")])
def test_a_file_is_kept_by_its_name(path):
    kept = inputs_of({"prompt": "A kite", "first_frame": path, "reference_images": [path]})
    assert kept["first_frame"] == str(path)
    assert kept["reference_images"] == [str(path)]
