"""A Sphinx extension for what autodoc writes of dataclasses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

__all__ = ["setup"]


def setup(app: Sphinx) -> dict[str, Any]:
    """
    Called by Sphinx.

    :param app: the build.
    """
    app.connect("autodoc-process-signature", _with_readable_factories)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def _with_readable_factories(
    app: Sphinx,  # noqa: ARG001 - all of these are Sphinx's
    what: str,  # noqa: ARG001
    name: str,  # noqa: ARG001
    obj: Any,  # noqa: ARG001
    options: Any,  # noqa: ARG001
    signature: str | None,
    returned: str | None,
) -> tuple[str | None, str | None]:
    """What a dataclass writes for a default that is made anew each time is no Python, and Sphinx can't read on."""
    return signature and signature.replace("<factory>", "..."), returned
