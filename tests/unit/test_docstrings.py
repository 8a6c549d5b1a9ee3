"""The docstrings of what a DAG uses leave no parameter out, and name none that is gone."""

from __future__ import annotations

import importlib
import inspect
import re

import pytest

from seedance_provider.api.models import MODELS
from seedance_provider.get_provider_info import get_provider_info
from seedance_provider.operators.seedance import CreateVideoOperator


def public_classes() -> list[type]:
    info = get_provider_info()
    modules = [
        name for kind in ("operators", "sensors", "hooks", "triggers") for name in info[kind][0]["python-modules"]
    ]
    modules += [transfer["python-module"] for transfer in info["transfers"]]
    named = [getattr(module, name) for module in map(importlib.import_module, modules) for name in module.__all__]
    return [found for found in named if isinstance(found, type)]


def parameters(found: type) -> list[str]:
    """Those of its own, in their order."""
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    _, *own = inspect.signature(found.__init__).parameters.values()
    return [parameter.name for parameter in own if parameter.kind not in several]


@pytest.mark.parametrize("found", public_classes(), ids=lambda found: found.__name__)
def test_every_parameter_is_described_in_its_order(found):
    assert re.findall(r":param (\w+):", found.__doc__) == parameters(found)


def test_every_model_is_named():
    (described,) = re.findall(r":param model:(.*?):param", CreateVideoOperator.__doc__, re.DOTALL)
    assert set(re.findall(r"``(seedance[\w.-]+)``", described)) == set(MODELS)
