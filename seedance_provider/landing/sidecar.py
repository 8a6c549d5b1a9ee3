"""The file beside a video that says what it is and how it was made, for readers without access to Airflow."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedance_provider.landing.errors import DestinationTakenError
from seedance_provider.landing.part_file import PartFile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedance_provider.landing.landed_video import LandedVideo
    from seedance_provider.storage.stored_file import StoredFile

__all__ = ["ENDING", "sidecar_of", "write_sidecar"]

#: Of its name, in place of the ending of the video's.
ENDING = ".json"
_SCHEMA_VERSION = 1
_MEDIA_TYPE = "application/json"
#: By these a file is known to be about the same video.
_SAME = ("uri", "video_task_id", "size")
#: More than one of these can have.
_MAX_BYTES = 1024 * 1024


def sidecar_of(landed: LandedVideo, run: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return what the file says.

    :param landed: the video.
    :param run: which Airflow task has landed it.
    """
    return {"schema_version": _SCHEMA_VERSION, **landed.description(), "airflow": dict(run)}


def write_sidecar(content: Mapping[str, Any], destination: StoredFile, *, overwrite: bool) -> None:
    """
    Write the file, in one step; does nothing if there is one about the same video.

    :param content: see :func:`sidecar_of`.
    :param destination: the object to make.
    :param overwrite: whether to replace another object of that name.
    :raises DestinationTakenError: if there is another object of that name.
    :raises StorageError: if the storage fails.
    """
    if _is_there(content, destination, overwrite=overwrite):
        return
    folder = destination.local_path.parent if destination.is_local else Path(tempfile.gettempdir())
    try:
        with destination.asking(), PartFile(folder) as part:
            part.file.write(json.dumps(content, ensure_ascii=False, indent=2).encode())
            destination.publish(part, _MEDIA_TYPE, replace=overwrite)
    except FileExistsError:
        # Another task has written one since.
        _is_there(content, destination, overwrite=False)


def _is_there(content: Mapping[str, Any], destination: StoredFile, *, overwrite: bool) -> bool:
    size = destination.size()
    if size is None:
        return False
    if size <= _MAX_BYTES and _is_about_the_same(destination.piece(0, size), content):
        return True
    if overwrite:
        return False
    raise DestinationTakenError(
        f"{destination} exists, and it does not describe this video, so what does was not written. The video itself "
        f"has landed: {content['uri']}. Choose another destination, or set overwrite=True or sidecar=False."
    )


def _is_about_the_same(written: bytes, content: Mapping[str, Any]) -> bool:
    try:
        known = json.loads(written)
        return all(known[name] == content[name] for name in _SAME)
    except (ValueError, TypeError, KeyError):
        return False
