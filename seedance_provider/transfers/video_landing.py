"""
One try of a task that lands a video.

What the operator does when it runs is here, apart from what it declares, because a DAG file is parsed again and again
and should import the latter only.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException, AirflowNotFoundException

from seedance_provider.api.client import SeedanceClient
from seedance_provider.api.errors import SeedanceError
from seedance_provider.hooks.connection_settings import ConnectionSettingsError
from seedance_provider.hooks.seedance import SeedanceHook
from seedance_provider.landing.download import DownloadLimits
from seedance_provider.landing.errors import MediaRefusedError, NoLastFrameError, PermanentLandingError
from seedance_provider.landing.known_video import KnownVideo
from seedance_provider.landing.landed_video import LandedVideo, media_of
from seedance_provider.landing.landing import Landed, Landing
from seedance_provider.landing.media_check import check_picture, check_video
from seedance_provider.landing.names import destination_of, last_frame_ending
from seedance_provider.landing.record import LandingRecord, LandingRecords
from seedance_provider.landing.sidecar import ENDING, sidecar_of, write_sidecar
from seedance_provider.network.addresses import AddressRule
from seedance_provider.network.guarded_session import guarded_session
from seedance_provider.reporting.metrics import VideoMetrics
from seedance_provider.storage.errors import PermanentStorageError, StorageError
from seedance_provider.storage.stored_file import StoredFile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow.sdk import Context

    from seedance_provider.hooks.connection_settings import ConnectionSettings
    from seedance_provider.landing.media_check import MediaFacts
    from seedance_provider.transfers.video_to_object_storage import VideoToObjectStorageOperator

__all__ = ["VideoLanding"]


@dataclass(frozen=True)
class _File:
    """One file to fetch."""

    #: What a video task calls its address.
    attribute: str
    url: str
    destination: StoredFile
    check: Callable[[str, int], MediaFacts]


@dataclass(frozen=True)
class _Files:
    """What is to be there in the end."""

    video: _File
    last_frame: _File | None
    sidecar: StoredFile | None

    @property
    def last_frame_object(self) -> StoredFile | None:
        return None if self.last_frame is None else self.last_frame.destination

    def objects(self) -> list[StoredFile]:
        wanted = (self.video.destination, self.last_frame_object, self.sidecar)
        return [item for item in wanted if item is not None]


class VideoLanding:
    """
    One try.

    :param operator: what to land, and where.
    :param context: of the task.
    """

    def __init__(self, operator: VideoToObjectStorageOperator, context: Context) -> None:
        self._operator = operator
        self._context = context
        self._log = operator.log

    def run(self) -> LandedVideo:
        """
        Land the video, unless an earlier try did, and return what has landed.

        :raises AirflowFailException: if a retry can't help.
        :raises LandingError: if it can.
        :raises StorageError: if it can, and the storage failed.
        """
        try:
            return self._run()
        except PermanentLandingError as error:
            raise AirflowFailException(str(error)) from error
        except PermanentStorageError as error:
            kept = "Then clear this task. The video is not lost: the vendor keeps it for 14 days."
            raise AirflowFailException(f"{error} {kept}") from error
        except StorageError as error:
            raise type(error)(
                f"{error} Nothing half-written is under its name; the next try lands the video."
            ) from error

    def _run(self) -> LandedVideo:
        video = KnownVideo.of(self._operator.video)
        files = self._files(video)
        records = LandingRecords(self._context.get("task_state_store"), self._log)
        record = records.load()
        if record is not None and record.is_still_true(video.identity, files.objects()):
            self._log.info("%s is there, as this task has landed it. Nothing to do.", files.video.destination)
            return _landed(video, files, record.size, record.media, was_there=True)
        landed = self._land(video, files)
        self._tell_mismatches(landed)
        versions = {str(item): item.version() for item in files.objects()}
        records.save(LandingRecord(video.identity, versions, landed.size, landed.media))
        return landed

    def _tell_mismatches(self, landed: LandedVideo) -> None:
        """It is paid for, so it lands. The task that made it has counted all that can be seen without the file."""
        for mismatch in landed.mismatches:
            self._log.warning("The video is not what was asked for. %s", mismatch)
        model = landed.video.facts["model"]
        metrics = VideoMetrics(str(model), self._operator.seedance_conn_id)
        metrics.mismatched(mismatch for mismatch in landed.mismatches if mismatch.startswith("duration:"))

    def _files(self, video: KnownVideo) -> _Files:
        destination = destination_of(self._operator.destination, video)
        target = StoredFile.at(destination, self._operator.destination_conn_id)
        return _Files(
            _File("video_url", video.url, target, check_video),
            self._last_frame(video, target) if self._operator.last_frame else None,
            target.beside(ENDING, instead=True) if self._operator.sidecar else None,
        )

    def _last_frame(self, video: KnownVideo, target: StoredFile) -> _File:
        if video.last_frame_url is None:
            raise NoLastFrameError(
                "last_frame is set, but the API has sent none with this video: only its newest generation does. "
                "Nothing landed. Set last_frame=False and clear this task; the vendor keeps the video for 14 days."
            )
        beside = target.beside(last_frame_ending(video.last_frame_url), instead=True)
        return _File("last_frame_url", video.last_frame_url, beside, check_picture)

    def _land(self, video: KnownVideo, files: _Files) -> LandedVideo:
        settings = self._settings()
        rule = AddressRule.beside(settings.base_url) if settings else AddressRule()
        limits = DownloadLimits(self._operator.max_bytes, self._operator.timeout)
        with guarded_session(rule) as session:
            landing = Landing(session, self._log, limits, self._operator.overwrite)
            try:
                found = self._fetch(landing, files.video, settings, video.video_task_id)
            except MediaRefusedError as error:
                raise video.explained(error, datetime.now(UTC)) from error
            landed = _landed(video, files, found.size, media_of(found.facts), was_there=found.was_there)
            if files.last_frame is not None:
                self._fetch_last_frame(landing, files.last_frame, settings, landed)
        if files.sidecar is not None:
            write_sidecar(sidecar_of(landed, self._run_ids()), files.sidecar, overwrite=self._operator.overwrite)
        return landed

    def _fetch_last_frame(
        self, landing: Landing, last_frame: _File, settings: ConnectionSettings | None, landed: LandedVideo
    ) -> None:
        try:
            self._fetch(landing, last_frame, settings, landed.video.video_task_id)
        except MediaRefusedError as error:
            raise MediaRefusedError(
                f"{error} The last frame did not land; the video itself did: {landed.uri}. The vendor may keep a last "
                "frame for 24 hours only: if it is gone, set last_frame=False and clear this task."
            ) from error

    def _fetch(
        self, landing: Landing, file: _File, settings: ConnectionSettings | None, video_task_id: str | None
    ) -> Landed:
        renew = partial(self._renewed, settings, video_task_id, file.attribute) if settings and video_task_id else None
        began = time.monotonic()
        landed = landing.land(file.url, file.destination, file.check, renew)
        what = "was there already" if landed.was_there else f"landed after {time.monotonic() - began:.1f} s"
        self._log.info("%s %s (%s bytes).", file.destination, what, f"{landed.size:,}")
        return landed

    def _renewed(self, settings: ConnectionSettings, video_task_id: str, attribute: str) -> str | None:
        """Ask the API where the file is now; free of charge."""
        try:
            with SeedanceClient(settings.protocol()) as client:
                url: str | None = getattr(client.get_task(video_task_id), attribute)
        except SeedanceError as error:
            self._log.warning("The API can't say whether video task %s has another address: %s", video_task_id, error)
            return None
        return url

    def _settings(self) -> ConnectionSettings | None:
        """Without a connection there is nobody to ask for another address, and only public ones are fetched from."""
        try:
            return SeedanceHook(self._operator.seedance_conn_id).get_settings()
        except AirflowNotFoundException:
            return None
        except ConnectionSettingsError as error:
            self._log.warning("The video lands without help from the API, because its connection can't work: %s", error)
            return None

    def _run_ids(self) -> dict[str, Any]:
        ti = self._context["ti"]
        return {name: getattr(ti, name, None) for name in ("dag_id", "run_id", "task_id", "map_index", "try_number")}


def _landed(video: KnownVideo, files: _Files, size: int, media: Mapping[str, Any], *, was_there: bool) -> LandedVideo:
    last_frame, sidecar = (None if item is None else item.uri for item in (files.last_frame_object, files.sidecar))
    target = files.video.destination
    return LandedVideo(video, str(target), target.uri, size, media, last_frame, sidecar, was_there)
