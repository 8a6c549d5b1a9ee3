"""
Faults on demand: rules that spoil some answers, so that a client can show what it does then.

A rule belongs to a place (``createTask``, ``recordInfo``, ``media``, ``uploads`` where a place for a file is asked for,
or ``put`` where its bytes go), and strikes with a probability, or a number of times, or both, and can be about some
prompts only. Whether it strikes depends on its seed and on how many of its requests it has seen, and on nothing else.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from seedance_provider.emulator.refusals import REFUSALS

__all__ = ["FAULTS", "PLACES", "Fault", "InvalidRuleError", "Rule", "read_rule"]

#: Where answers can be spoiled.
PLACES = ("createTask", "recordInfo", "media", "uploads", "put")

_API = ("createTask", "recordInfo", "uploads")
#: A storage answers without a body, so a spoiled one would be no fault.
_ALSO_STORAGE = (*_API, "put")
_SECONDS = 2.0


@dataclass(frozen=True)
class Fault:
    """
    A kind of fault.

    :param places: where it makes sense.
    :param handles: whether the request is handled before its answer is spoiled: a video is accepted then.
    """

    places: tuple[str, ...]
    handles: bool


_BEFORE_AND_AFTER = {
    **dict.fromkeys(("reset", "timeout", "bad_gateway", "unavailable", "gateway_timeout"), _ALSO_STORAGE),
    **dict.fromkeys(("html_page", "empty", "broken_json"), _API),
}

#: Every kind of fault, by its name; the guide says what each does.
#:
#: :meta hide-value:
FAULTS: Mapping[str, Fault] = {
    "connection_refused": Fault(PLACES, handles=True),
    **{f"{name}_before": Fault(places, handles=False) for name, places in _BEFORE_AND_AFTER.items()},
    **{f"{name}_after": Fault(places, handles=True) for name, places in _BEFORE_AND_AFTER.items()},
    "cut_json_after": Fault(_API, handles=True),
    "slow": Fault(PLACES, handles=True),
    **{name: Fault(_API, handles=False) for name in REFUSALS},
    "concurrency_limit": Fault(("createTask",), handles=False),
    "never_ends": Fault(("createTask",), handles=True),
    "unknown_status": Fault(("recordInfo",), handles=True),
    "vanish": Fault(("recordInfo",), handles=False),
    "media_cut": Fault(("media",), handles=True),
    "media_wrong_length": Fault(("media",), handles=True),
    "media_stalled": Fault(("media",), handles=True),
    "media_changed": Fault(("media",), handles=True),
    "media_endless": Fault(("media",), handles=True),
    "media_wrong_type": Fault(("media",), handles=False),
    "media_expired": Fault(("media",), handles=False),
    "media_error": Fault(("media",), handles=False),
    "put_refused": Fault(("put",), handles=False),
}


class InvalidRuleError(ValueError):
    """A rule that can't be meant, with a text that says why."""


@dataclass(frozen=True)
class Rule:
    """
    One fault at one place.

    :param fault: a key of :data:`FAULTS`.
    :param on: one of :data:`PLACES`.
    :param probability: of striking a request, 0 to 1.
    :param count: how often it strikes at most; ``None`` is no limit.
    :param seconds: how long a slow answer is kept back, a silent connection kept open, or a refusing server away.
    :param prompt: the requests that it is about, by a part of their prompt; ``None`` is all of them.
    :param seed: the same seed strikes the same requests.
    :param seen: how many requests it has been asked about.
    :param struck: how many of them it has struck.
    """

    fault: str
    on: str
    probability: float = 1.0
    count: int | None = None
    seconds: float = _SECONDS
    prompt: str | None = None
    seed: int = 0
    seen: int = 0
    struck: int = 0

    def is_about(self, prompt: str | None) -> bool:
        """Whether a request is one of its own."""
        return self.prompt is None or self.prompt in (prompt or "")

    def strikes(self) -> bool:
        """Whether it strikes the next request."""
        if self.count is not None and self.struck >= self.count:
            return False
        chance = random.Random(f"{self.seed}/{self.on}/{self.fault}/{self.seen}")  # noqa: S311 - not for secrets
        return chance.random() < self.probability

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def read_rule(given: object, seed: int) -> Rule:
    """
    Return the rule that somebody asks for.

    :param given: an object with ``fault``, ``on`` and, if need be, ``probability``, ``count``, ``seconds`` and
        ``prompt``.
    :param seed: of its decisions.
    :raises InvalidRuleError: if it is anything else.
    """
    if not isinstance(given, Mapping):
        raise InvalidRuleError(f"a fault is an object, not {given!r}")
    if unknown := given.keys() - {"fault", "on", "probability", "count", "seconds", "prompt"}:
        raise InvalidRuleError(f"unknown: {', '.join(sorted(map(str, unknown)))}")
    name = given.get("fault")
    fault = FAULTS.get(name) if isinstance(name, str) else None
    if fault is None:
        raise InvalidRuleError(f"fault is one of {', '.join(FAULTS)}; not {name!r}")
    if given.get("on") not in fault.places:
        raise InvalidRuleError(f"on is one of {', '.join(fault.places)} for {name}; not {given.get('on')!r}")
    rule = Rule(**given, seed=seed)
    _check_number("probability", rule.probability, 0, 1)
    _check_number("seconds", rule.seconds, 0, 86400)
    if rule.count is not None and (not isinstance(rule.count, int) or isinstance(rule.count, bool) or rule.count < 0):
        raise InvalidRuleError(f"count is a whole number, not {rule.count!r}")
    if rule.prompt is not None and not isinstance(rule.prompt, str):
        raise InvalidRuleError(f"prompt is a text, not {rule.prompt!r}")
    return rule


def _check_number(name: str, value: object, least: float, most: float) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
        raise InvalidRuleError(f"{name} is a number from {least} to {most}, not {value!r}")
