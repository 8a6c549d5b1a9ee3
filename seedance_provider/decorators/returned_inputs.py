"""
What the function of ``@task.seedance_video`` has returned, kept for as long as the video is the same.

A function can return something else each time: it asks a language model, or reads the clock. Other inputs are
another video, which is paid for, so an automatic retry must not call it again. It is called again when a person clears
the task, unless there is a video whose result Airflow never got: that one is rescued first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from seedance_provider.api.coercion import listed, written
from seedance_provider.api.errors import InvalidRequestError
from seedance_provider.api.request_checks import shown
from seedance_provider.api.text_checks import storage_problem, texts_in
from seedance_provider.api.video_request import VideoRequest
from seedance_provider.submission.task_state import TaskState

__all__ = ["InvalidInputsError", "ReturnedInputs", "inputs_of"]

_KEY = "seedance_inputs"
_NAMES = tuple(field.name for field in fields(VideoRequest))


class InvalidInputsError(InvalidRequestError):
    """The function has returned something that no video can be made of. Nothing was submitted."""


def inputs_of(returned: Any) -> dict[str, Any]:
    """
    Return the inputs of a video that a function has returned: a prompt, or a mapping of the operator's parameters.

    :param returned: by the function.
    :raises InvalidInputsError: naming what is wrong, and the nearest names for what has none.
    """
    inputs = {"prompt": returned} if isinstance(returned, str) else returned
    if not isinstance(inputs, Mapping) or not inputs:
        raise InvalidInputsError(
            f"The function returned {shown(returned)}, and a prompt or a dict of inputs is needed. "
            "Nothing was submitted or charged."
        )
    if unknown := [name for name in inputs if name not in _NAMES]:
        raise InvalidInputsError(
            f"The function returned {', '.join(map(_described, unknown))}, and the inputs that there are: "
            f"{', '.join(_NAMES)}. Nothing was submitted or charged."
        )
    kept = {
        str(name): _as_json(name, listed(value) if name.startswith("reference_") else value)
        for name, value in inputs.items()
    }
    for text in texts_in(kept):
        # Airflow would refuse to keep them, which looks like a store that is down and is worth a retry.
        if problem := storage_problem(text):
            raise InvalidInputsError(
                f"The function returned {shown(text)}, and {problem}. Nothing was submitted or charged."
            )
    return kept


class ReturnedInputs:
    """
    Where a task instance keeps what its function has returned.

    :param task_state_store: Airflow's, or ``None`` below Airflow 3.3, where each try calls the function.
    :param max_tries: Airflow's, of this try; it changes only when a person clears the task.
    """

    def __init__(self, task_state_store: Any, max_tries: int) -> None:
        self._state = TaskState(task_state_store, _KEY)
        self._max_tries = max_tries

    def get(self, function: Callable[[], Any], *, is_rescue: bool = False) -> tuple[dict[str, Any], bool]:
        """
        Return the inputs, and whether they were kept from an earlier try.

        :param function: called if there are none for this clear of the task.
        :param is_rescue: whether there is a video to be rescued, so that a clear asks for the same one again.
        :raises InvalidInputsError: if it returns something else.
        :raises SubmissionStoreError: if the store fails. Nothing was submitted yet, and the next try reads it again.
        :raises SubmissionRecordError: if what was kept is gone: other inputs would be another video.
        """
        kept = self._load()
        if kept is not None and kept.get("max_tries") == self._max_tries:
            return dict(kept["inputs"]), True
        if kept is not None and is_rescue:
            # From here on these are the inputs of this clear, also when the rescued video has been delivered.
            self._save(kept["inputs"])
            return dict(kept["inputs"]), True
        inputs = inputs_of(function())
        self._save(inputs)
        return inputs, False

    def kept(self) -> dict[str, Any]:
        """
        Return the inputs that are kept; none if there are none.

        :raises SubmissionStoreError: if the store fails.
        :raises SubmissionRecordError: if they are gone.
        """
        kept = self._load()
        return {} if kept is None else dict(kept["inputs"])

    def _load(self) -> Mapping[str, Any] | None:
        kept = self._state.read()
        return kept if isinstance(kept, Mapping) else None

    def _save(self, inputs: Mapping[str, Any]) -> None:
        self._state.write({"max_tries": self._max_tries, "inputs": inputs})


def _as_json(name: str, value: Any) -> Any:
    try:
        return json.loads(json.dumps(value, allow_nan=False, default=_written))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInputsError(
            f"The function returned {name}={shown(value)}, which JSON can't write ({error}), so a retry could not use "
            "it again. Nothing was submitted or charged."
        ) from None


def _written(value: Any) -> Any:
    """Keep a file by its name, and a number of another library as one of Python's."""
    from seedance_provider.storage.references import names_a_file

    if names_a_file(value):
        return str(value)
    if isinstance(value, set | frozenset):
        raise TypeError("a set has no order: return a list")
    return written(value)


def _described(name: Any) -> str:
    # Imported only for a mistake.
    from difflib import get_close_matches

    near = get_close_matches(name, _NAMES, n=1) if isinstance(name, str) else []
    return f"{name!r} (did you mean {near[0]!r}?)" if near else shown(name)
