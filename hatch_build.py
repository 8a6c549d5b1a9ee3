"""What the package says of itself: the README, without what leads nowhere from the page of a package index."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_ELSEWHERE = r"\((?!https?://)[^)]*\)"
_PICTURE = re.compile(rf"!\[[^\]]*\]{_ELSEWHERE}\n*")
_LINK = re.compile(rf"\[([^\]]+)\]{_ELSEWHERE}")


class DescriptionHook(MetadataHookInterface):
    """Makes the description. Pictures of the repository are left out, and links into it become their texts."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add it to the metadata."""
        readme = Path(self.root, "README.md").read_text(encoding="utf-8")
        text = _LINK.sub(r"\1", _PICTURE.sub("", readme))
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
