"""Polling video tasks from a worker, while a person may fix the connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from airflow.providers.common.compat.sdk import AirflowNotFoundException

from seedance_provider.api.errors import AuthenticationError, ForbiddenError, SeedanceError, TransportError

if TYPE_CHECKING:
    from types import TracebackType

    from seedance_provider.api.client import SeedanceClient
    from seedance_provider.api.video_task import VideoTask
    from seedance_provider.hooks.seedance import SeedanceHook

__all__ = ["KEY_REFUSALS", "ConnectionReader", "look_up_error"]

#: After these the connection may hold another key by now.
KEY_REFUSALS = (AuthenticationError, ForbiddenError)


def look_up_error(error: Exception) -> SeedanceError:
    """
    Return what it means for a wait that the connection could not be read.

    It is read through Airflow, whose errors may be transient: Airflow reports a secrets back end that is down as a
    connection that does not exist. Only an invalid connection is permanent.

    :param error: what reading it raised.
    """
    if isinstance(error, SeedanceError):
        return error
    if isinstance(error, AirflowNotFoundException):
        return TransportError(str(error), was_reading=True)
    said = f"the connection could not be looked up: {type(error).__name__}: {error}"
    return TransportError(said, was_reading=True)


class ConnectionReader:
    """
    Reads video tasks from a worker. After the key was refused, the next poll reads the connection again.

    :param hook: the connection.
    :param client: one that is open already, for the first poll.
    """

    def __init__(self, hook: SeedanceHook, client: SeedanceClient | None = None) -> None:
        self._hook = hook
        self._client = client

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def get_task(self, video_task_id: str) -> VideoTask:
        """
        Return a video task. It costs nothing.

        :param video_task_id: the video task.
        :raises SeedanceError: whose ``read_verdict`` tells whether asking again can help.
        """
        client = self._opened()
        try:
            return client.get_task(video_task_id)
        except KEY_REFUSALS:
            self.close()
            raise

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _opened(self) -> SeedanceClient:
        if self._client is None:
            try:
                self._client = self._hook.get_conn()
            except Exception as error:
                raise look_up_error(error) from error
        return self._client
