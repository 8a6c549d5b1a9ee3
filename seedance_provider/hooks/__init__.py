"""
Connections. The default id is here so that a DAG file, which is parsed again and again, need not import the hook.
"""

from __future__ import annotations

__all__ = ["DEFAULT_CONN_ID"]

#: The connection of an operator that names no other.
DEFAULT_CONN_ID = "seedance_default"
