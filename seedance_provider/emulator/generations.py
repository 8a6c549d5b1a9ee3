"""
The three documented generations of the API, as data: which fields of ``inputs`` each knows, and how it spells them.

A field that a generation does not know is ignored without a word, as at the real API: the default is used, and charged.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["GENERATIONS", "ErrorShape", "FailedRecord", "Generation", "GenerationName"]

#: ``error`` of a failed task: a text, or an object with a code and a message.
ErrorShape = Literal["string", "object"]
#: Whether a failed task costs nothing and has no end, or names what was refunded, and when.
FailedRecord = Literal["quickstart", "models"]
#: Which generation of the API the emulator is.
GenerationName = Literal["quickstart", "docs", "models"]

_QUICKSTART_FIELDS = frozenset({"prompt", "duration", "resolution", "urls"})
_DOCS_FIELDS = frozenset({"prompt", "duration", "aspectRatio", "outputResolution", "upscaleResolution", "mode", "urls"})
_MODELS_FIELDS = frozenset(
    {
        "prompt",
        "duration",
        "aspectRatio",
        "outputResolution",
        "mode",
        "imageUrls",
        "videoUrls",
        "audioUrls",
        "generate_audio",
        "bitrate_mode",
        "seed",
        "output_format",
    }
)


@dataclass(frozen=True)
class Generation:
    """
    One generation of the API.

    :param name: what it is called here.
    :param fields: the fields of ``inputs`` that it knows.
    :param spelling: what a text must be to be a duration; ``None`` if a duration is a number.
    :param output_resolution: what it uses if none is sent.
    :param prompt_limit: the longest prompt, if it is less than what the model takes.
    :param has_sound: whether its videos have sound unless something else is asked for.
    :param error_shape: how it says why a task failed.
    :param failed_record: what else it says of a failed task.
    """

    name: GenerationName
    fields: frozenset[str]
    spelling: re.Pattern[str] | None
    output_resolution: str = "720p"
    prompt_limit: int | None = None
    has_sound: bool = False
    error_shape: ErrorShape = "string"
    failed_record: FailedRecord = "quickstart"

    def known(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields that it knows; the others are ignored."""
        return {name: value for name, value in inputs.items() if name in self.fields}


#: Which of them the real API still understands is not documented. Each is as strict here as its pages are, so that a
#: request in the wrong words shows.
GENERATIONS: Mapping[GenerationName, Generation] = {
    generation.name: generation
    for generation in (
        Generation("quickstart", _QUICKSTART_FIELDS, spelling=re.compile(r"([0-9]{1,9})s")),
        Generation(
            "docs",
            _DOCS_FIELDS,
            spelling=re.compile(r"([0-9]{1,9})"),
            output_resolution="1080p",
            prompt_limit=4_000,
            error_shape="object",
        ),
        Generation(
            "models",
            _MODELS_FIELDS,
            spelling=None,
            has_sound=True,
            error_shape="object",
            failed_record="models",
        ),
    )
}
