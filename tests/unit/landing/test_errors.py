"""What can go wrong while a video lands, there and in the storage."""

from __future__ import annotations

import pickle
import re

import pytest

from seedance_provider.landing import errors as landing_errors
from seedance_provider.storage import errors as storage_errors

MODULES = [landing_errors, storage_errors]


def classes(module):
    return [getattr(module, name) for name in module.__all__]


@pytest.mark.parametrize("error_class", [found for module in MODULES for found in classes(module)])
def test_survives_pickling(error_class):
    copy = pickle.loads(pickle.dumps(error_class("Nothing landed.")))  # noqa: S301 - our own
    assert type(copy) is error_class
    assert str(copy) == "Nothing landed."


@pytest.mark.parametrize("errors", MODULES)
def test_the_tree_in_the_documentation_is_the_tree(errors):
    drawn, above = {}, {}
    for branch, name in re.findall(r"^    (\W*)(\w+Error)\b", errors.__doc__, re.MULTILINE):
        depth = len(branch) // 4
        above[depth] = name
        drawn[name] = above.get(depth - 1, "Exception")
    assert drawn == {error_class.__name__: error_class.__base__.__name__ for error_class in classes(errors)}
