"""What the API does to its callers during a chaos run, and which of it leaves nobody knowing whether it accepted."""

from __future__ import annotations

from typing import Any

__all__ = ["FAULTS", "leaves_unknown"]

#: How often, by the place and the name of the fault.
_PROBABILITIES: dict[str, dict[str, float]] = {
    "createTask": {
        # Nobody can know whether these were accepted. Each costs a video: its task asks a person and ends.
        "reset_before": 0.01,
        "reset_after": 0.01,
        "timeout_after": 0.01,
        "bad_gateway_before": 0.005,
        "bad_gateway_after": 0.01,
        "unavailable_after": 0.005,
        "gateway_timeout_after": 0.005,
        "html_page_after": 0.005,
        "empty_after": 0.005,
        "broken_json_after": 0.005,
        "cut_json_after": 0.005,
        # These were certainly not accepted, or are answered in the end.
        "internal_error": 0.04,
        "rate_limited": 0.04,
        "slow": 0.04,
        "connection_refused": 0.01,
    },
    "recordInfo": {
        "reset_before": 0.01,
        "timeout_before": 0.01,
        "internal_error": 0.02,
        "bad_gateway_before": 0.01,
        "html_page_before": 0.01,
        "empty_before": 0.01,
        "broken_json_before": 0.01,
        "cut_json_after": 0.01,
        "rate_limited": 0.02,
        "unknown_status": 0.02,
        "slow": 0.02,
    },
    "media": {
        "media_cut": 0.03,
        "media_wrong_length": 0.03,
        "media_expired": 0.02,
        "media_error": 0.02,
        "slow": 0.02,
    },
}
#: How long an answer is kept back, in seconds.
_SECONDS = 2

#: As the emulator wants them.
FAULTS: list[dict[str, Any]] = [
    {"on": on, "fault": fault, "probability": probability, "seconds": _SECONDS}
    for on, probabilities in _PROBABILITIES.items()
    for fault, probability in probabilities.items()
]

#: The answer is lost, or nobody can read it.
_LOST = frozenset(
    {
        "reset",
        "timeout",
        "bad_gateway",
        "unavailable",
        "gateway_timeout",
        "html_page",
        "empty",
        "broken_json",
        "cut_json",
    }
)


def leaves_unknown(fault: dict[str, Any]) -> bool:
    """
    Whether the caller can't know if it has paid.

    :param fault: one that was injected, as the emulator lists it.
    """
    kind = fault["fault"].removesuffix("_before").removesuffix("_after")
    return fault["on"] == "createTask" and kind in _LOST
