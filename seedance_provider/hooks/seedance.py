"""From an Airflow connection to the API."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.providers.common.compat.sdk import AirflowNotFoundException, BaseHook

from seedance_provider.api.errors import (
    ApiAccessDisabledError,
    AuthenticationError,
    ConnectionNotEstablishedError,
    SeedanceError,
    TaskAccessDeniedError,
    TaskNotFoundError,
    TransportError,
    UnexpectedResponseError,
)
from seedance_provider.hooks import DEFAULT_CONN_ID
from seedance_provider.hooks.connection_settings import ConnectionSettings, ConnectionSettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from seedance_provider.api.async_client import AsyncSeedanceClient
    from seedance_provider.api.client import SeedanceClient
    from seedance_provider.api.uploads import Upload

__all__ = ["SeedanceHook"]

_T = TypeVar("_T")

_PLAIN_HTTP = "If it speaks plain http, write http:// in front of the host."
_SAMPLE_TASK = "demo_task_t2v_success"
_DEMO_KEY_PREFIX = "zimg_demo_readonly_"


class SeedanceHook(BaseHook):
    """
    Access to one Seedance account.

    The key is the connection's password, the API's address its host (default ``https://kinovi.ai/api/v1``). If the
    *default* connection does not exist, the environment variable ``SEEDANCE_API_KEY`` is used; any other missing
    connection, and an empty key, are errors.

    Using the hook costs nothing by itself; only ``create_task`` of its client does.

    :param seedance_conn_id: the Airflow connection. Default ``seedance_default``.
    """

    conn_name_attr = "seedance_conn_id"
    default_conn_name = DEFAULT_CONN_ID
    conn_type = "seedance"
    hook_name = "Seedance"

    def __init__(self, seedance_conn_id: str = DEFAULT_CONN_ID) -> None:
        super().__init__()
        self.seedance_conn_id = seedance_conn_id

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Return how Airflow 3.1 shows the standard fields; later versions read the provider info themselves."""
        return {name.replace("-", "_"): shown for name, shown in _form()["ui-field-behaviour"].items()}

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Return the fields of the options for Airflow 3.1, which makes them of WTForms."""
        return {name: _widget(**field) for name, field in _form()["conn-fields"].items()}

    def get_settings(self) -> ConnectionSettings:
        """
        Return the account's key, address and options.

        :raises ConnectionSettingsError: if the connection can't work as it is.
        :raises AirflowNotFoundException: if there is no such connection, nor a stand-in for the default one.
        """
        from airflow.sdk.log import mask_secret

        try:
            return _read(ConnectionSettings.from_connection, self.get_connection(self.seedance_conn_id))
        except AirflowNotFoundException:
            settings = self._stand_in()
            mask_secret(settings.api_key)
            return settings

    async def aget_settings(self) -> ConnectionSettings:
        """Return the same as :meth:`get_settings`, for event loops."""
        from airflow.providers.common.compat.connection import get_async_connection
        from airflow.sdk.log import mask_secret

        try:
            return _read(
                ConnectionSettings.from_connection, await get_async_connection(self.seedance_conn_id, hook=self)
            )
        except AirflowNotFoundException:
            settings = self._stand_in()
            # In a thread: on the loop it could block on the pipe to Airflow.
            await asyncio.to_thread(mask_secret, settings.api_key)
            return settings

    def get_conn(self) -> SeedanceClient:
        """Return a client for tasks. Close it, or use it as a context manager."""
        from seedance_provider.api.client import SeedanceClient

        return SeedanceClient(self.get_settings().protocol())

    async def aget_conn(self) -> AsyncSeedanceClient:
        """Return a client for triggers, which can only read. Close it, or use it as a context manager."""
        from seedance_provider.api.async_client import AsyncSeedanceClient

        return AsyncSeedanceClient((await self.aget_settings()).protocol())

    def upload(self, source: Any, source_conn_id: str | None = None) -> Upload:
        """
        Hand a file to the API, for at most 24 hours, and return the URL by which a video can refer to it.

        It costs nothing, and can be repeated; each time there is another URL.

        :param source: an ``ObjectStoragePath``, or a URL or path of which one can be made.
        :param source_conn_id: the Airflow connection of the storage. Default: that of the URL, or none.
        :raises InvalidRequestError: if there is no such file, or one that the API doesn't take; nothing was sent.
        :raises FileUnavailableError: if it can't be read at the moment.
        :raises SeedanceError: whose ``on_read`` tells whether doing it again can help.
        """
        from seedance_provider.stored_file import StoredFile

        stored = StoredFile.of(source, source_conn_id)
        with stored.opened() as file, self.get_conn() as client:
            return client.upload(file, stored.name, stored.size())

    def test_connection(self) -> tuple[bool, str]:
        """
        Try the connection without spending anything, by reading one of the vendor's sample tasks.

        :return: whether it works, and what was found, for a person.
        """
        from seedance_provider.api.client import SeedanceClient

        try:
            settings = self.get_settings()
            with SeedanceClient(settings.protocol()) as client:
                client.get_task(_SAMPLE_TASK)
        except (TaskAccessDeniedError, TaskNotFoundError):
            # The key was accepted, only the sample task is not shown to it.
            return True, _accepted(settings)
        except ConnectionSettingsError as error:
            # The Test button tries a copy of the connection, under a name that nobody has given it.
            return False, str(error).replace(f"Connection {self.seedance_conn_id!r}", "The connection")
        except SeedanceError as error:
            return False, _explain(error)
        except AirflowNotFoundException as error:
            return False, str(error)
        return True, _accepted(settings)

    def _stand_in(self) -> ConnectionSettings:
        """What is used instead of a connection that does not exist."""
        is_default = self.seedance_conn_id == self.default_conn_name
        settings = _read(ConnectionSettings.from_environment, os.environ) if is_default else None
        if settings is None:
            stand_in = ", or set SEEDANCE_API_KEY" if is_default else ""
            raise AirflowNotFoundException(
                f"There is no connection {self.seedance_conn_id!r}, or it can't be read. Nothing was sent. Create it"
                f"{stand_in}."
            )
        return settings


def _read(reader: Callable[[Any], _T], source: Any) -> _T:
    """Read what holds the key. An error leaves no traceback in which somebody could look at it."""
    try:
        return reader(source)
    except ConnectionSettingsError as error:
        # Services that collect errors show the local variables, and Airflow's connection shows its password.
        del source
        raise error.with_traceback(None) from None


def _form() -> dict[str, Any]:
    """The connection's form, as the provider info describes it."""
    from seedance_provider.get_provider_info import get_provider_info

    form: dict[str, Any] = get_provider_info()["connection-types"][0]
    return form


def _widget(label: str, description: str, schema: dict[str, Any]) -> Any:
    """One field of the form; WTForms is there whenever Airflow asks for it."""
    from wtforms import IntegerField, StringField  # type: ignore[import-untyped]
    from wtforms.validators import Optional, any_of  # type: ignore[import-untyped]

    kind = IntegerField if "number" in schema["type"] else StringField
    choice = [any_of(schema["enum"])] if "enum" in schema else []
    return kind(label, validators=[Optional(), *choice], description=description, default=schema["default"])


def _accepted(settings: ConnectionSettings) -> str:
    if settings.api_key.startswith(_DEMO_KEY_PREFIX):
        return (
            f"{settings.base_url} accepts the vendor's demo key. It is read-only: it shows the sample tasks, and can't "
            "create videos. Use the key of your own account instead."
        )
    return f"{settings.base_url} accepts the key. Nothing was spent."


def _explain(error: SeedanceError) -> str:
    match error:
        case AuthenticationError():
            return f"The API rejects the key: {error}"
        case ApiAccessDisabledError():
            return f"The key is known, but its account has no access to the API: {error}"
        case ConnectionNotEstablishedError():
            return f"The host is unreachable. {error}"
        case TransportError():
            return f"The host was reached but gave no answer. {error} {_PLAIN_HTTP}"
        case UnexpectedResponseError() if error.looks_like_html or error.status == 404:
            return f"The address answers, but not like the API: {error}"
        case _:
            return str(error)
