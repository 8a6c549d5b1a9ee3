"""What the trigger of the HTTP provider imports to decide whether a job has ended."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["has_ended"]


async def has_ended(response: Any) -> bool:
    """Return whether the job has ended."""
    return json.loads(response.content)["status"] in ("success", "fail")
