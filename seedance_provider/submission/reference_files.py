"""
Files that stand where a URL is expected.

What an earlier try has found out about a file is kept in the task state store, under the name that it has in the DAG:
its content's SHA-256, by which the video is known, and where it was uploaded to. So a retry re-attaches to its video
although the file is gone meanwhile, and a file is uploaded once in the 24 hours for which the vendor keeps it, and
only when a video is about to be paid for.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from seedance_provider.api.coercion import MOST_ITEMS, listed, plain
from seedance_provider.api.errors import FileUnavailableError, InvalidRequestError
from seedance_provider.api.media_file import CHUNK_BYTES, MediaFile
from seedance_provider.api.media_probe import UNREADABLE, can_measure
from seedance_provider.api.uploads import file_problem
from seedance_provider.storage.references import check_path, names_a_file, reading_reference
from seedance_provider.storage.stored_file import StoredFile
from seedance_provider.submission.task_state import TaskState

if TYPE_CHECKING:
    from seedance_provider.api.uploads import Upload
    from seedance_provider.api.video_request import VideoRequest

__all__ = ["ReferenceFiles", "UploadClient"]

_KEY = "seedance_files"
#: The vendor fetches a file when it begins with the video, so an upload that is about to expire is of no use.
_MARGIN = timedelta(hours=2)


class UploadClient(Protocol):
    """The part of :class:`~seedance_provider.api.client.SeedanceClient` that is used here."""

    def upload(self, file: BinaryIO, file_name: str, size: int) -> Upload: ...


@dataclass(frozen=True)
class _KeptFile:
    """
    What is known of a file.

    :param file: its description, with the URL if it was uploaded.
    :param version: of the stored file that was described.
    :param expires_at: when the vendor deletes the upload, as ISO 8601.
    """

    file: MediaFile
    version: str
    expires_at: str | None = None

    def is_uploaded(self, now: datetime) -> bool:
        """Whether the API still has it, and will for long enough."""
        if self.file.url is None or self.expires_at is None:
            return False
        return datetime.fromisoformat(self.expires_at) - _MARGIN > now

    @classmethod
    def from_json(cls, value: Any) -> _KeptFile | None:
        """Read what ``asdict`` wrote. Anything else is forgotten: the file is read again then."""
        try:
            return cls(MediaFile(**value["file"]), value["version"], value["expires_at"])
        except (KeyError, TypeError):
            return None


class ReferenceFiles:
    """
    The files of one task instance, over all its tries.

    :param task_state_store: Airflow's, or ``None`` below Airflow 3.3, where each try reads and uploads again.
    :param log: where to tell the story.
    """

    def __init__(self, task_state_store: Any, log: Any) -> None:
        self._state = TaskState(task_state_store, _KEY)
        self._log = log
        self._kept: dict[str, _KeptFile] | None = None

    def described(self, **media: Any) -> dict[str, Any]:
        """
        Return the same inputs, in which each file is described by its content. Nothing is uploaded.

        :param media: what stands where a URL is expected, or several, by the name of the parameter.
        :raises InvalidRequestError: naming every parameter with a file that is not there, or not of use.
        :raises FileUnavailableError: if a file can't be read at the moment.
        :raises SubmissionStoreError: if the store fails.
        """
        found, problems = dict[str, Any](), list[str]()
        for name, value in media.items():
            try:
                items = listed(value)
                if not isinstance(items, list):
                    found[name] = self._described(value)
                else:
                    # The request refuses more, so no file of them is read.
                    found[name] = [self._described(item) for item in items] if len(items) <= MOST_ITEMS else items
            except InvalidRequestError as error:
                problems.append(f"{name}: {error}")
        if problems:
            raise InvalidRequestError(" ".join(problems))
        return found

    def uploaded(self, client: UploadClient, request: VideoRequest) -> VideoRequest:
        """
        Return the request with the URLs of its files, which are uploaded unless an earlier try did. It costs nothing.

        :param client: of the account that pays.
        :param request: with files.
        :raises SeedanceError: whose ``read_verdict`` tells whether doing it again can help.
        :raises SubmissionStoreError: if the store fails.
        """
        urls = {file.sha256: self._url(client, file) for file in request.files}
        return request.uploaded(urls) if urls else request

    def _described(self, value: Any) -> Any:
        value = plain(value)
        return self._file(value) if value is not None and names_a_file(value) else value

    def _file(self, source: Any) -> MediaFile:
        check_path(source)
        with reading_reference():
            stored = StoredFile.at(source)
        kept = self._known().get(str(stored))
        try:
            with reading_reference():
                version = stored.version()
                if kept is None or kept.version != version:
                    kept = self._read(stored, version, kept)
        except (InvalidRequestError, FileUnavailableError) as error:
            if kept is None:
                raise
            self._log.warning("%s What an earlier try of this task has read is used.", error)
        return replace(kept.file, url=None)

    def _read(self, stored: StoredFile, version: str, kept: _KeptFile | None) -> _KeptFile:
        # Before a large file is read that can't be used anyway.
        if problem := file_problem(stored.name, stored.existing_size()):
            raise InvalidRequestError(f"The file {stored} can't be used: {problem}. Nothing was sent or charged.")
        with stored.opened() as content:
            file = MediaFile.read(str(stored), stored.name, content)
        if file.kind not in ("image", UNREADABLE) and file.seconds is None:
            self._log.warning(
                "The length of %s is not known, because %s. It is not checked, and if it sets the price, the estimate "
                "is for the longest video that the model takes. %s reference_video_seconds.",
                stored,
                "it can't be measured" if can_measure() else "PyAV is not installed",
                "Pass" if can_measure() else "Install the extra 'media' of this package where the task runs, or pass",
            )
        same = kept is not None and kept.file.sha256 == file.sha256
        found = replace(kept, version=version) if kept is not None and same else _KeptFile(file, version)
        self._keep(str(stored), found)
        return found

    def _url(self, client: UploadClient, file: MediaFile) -> str:
        kept = self._known()[file.source]
        if kept.file.url is not None and kept.is_uploaded(datetime.now(UTC)):
            self._log.info("%s was uploaded before, the API keeps it until %s.", file.source, kept.expires_at)
            return kept.file.url
        upload = self._upload(client, file)
        self._log.info(
            "Uploaded %s (%s bytes), which costs nothing. The API keeps it until %s.",
            file.source,
            f"{upload.size:,}",
            upload.expires_at,
        )
        uploaded = replace(file, url=upload.url)
        self._keep(file.source, replace(kept, file=uploaded, expires_at=upload.expires_at.isoformat()))
        return upload.url

    def _upload(self, client: UploadClient, file: MediaFile) -> Upload:
        with reading_reference(), StoredFile.at(file.source).opened() as content:
            sent = _Hashed(content)
            upload = client.upload(sent, file.name, file.size)  # type: ignore[arg-type]  # it only reads
        if sent.sha256 != file.sha256:
            raise FileUnavailableError(
                f"The file {file.source} changed while it was read. No video was requested and nothing was charged."
            )
        return upload

    def _known(self) -> dict[str, _KeptFile]:
        if self._kept is None:
            kept = self._state.read()
            read = {source: _KeptFile.from_json(value) for source, value in (kept or {}).items()}
            self._kept = {source: value for source, value in read.items() if value is not None}
        return self._kept

    def _keep(self, source: str, kept: _KeptFile) -> None:
        known = self._known() | {source: kept}
        self._state.write({source: asdict(value) for source, value in known.items()})
        self._kept = known


class _Hashed:
    """A file that notes what is read of it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def read(self, size: int = CHUNK_BYTES) -> bytes:
        read = self._file.read(size)
        self._digest.update(read)
        return read
