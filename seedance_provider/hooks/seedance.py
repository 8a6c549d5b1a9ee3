"""From an Airflow connection to the API."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowNotFoundException, BaseHook

from seedance_provider.api import SAMPLE_TASK
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
    from airflow.sdk import Connection

    from seedance_provider.api.async_client import AsyncSeedanceClient
    from seedance_provider.api.client import SeedanceClient
    from seedance_provider.api.uploads import Upload

__all__ = ["SeedanceHook"]

_PLAIN_HTTP = "If it speaks plain http, write http:// in front of the host."
_DEMO_KEY_PREFIX = "zimg_demo_readonly_"


class SeedanceHook(BaseHook):
    """
    Access to one Seedance account.

    The key is the connection's password, the API's address its host (default ``https://kinovi.ai/api/v1``). A missing
    connection, an empty key, and an ``AIRFLOW_CONN_...`` variable that can't be read are errors: nothing else is used
    in their place.

    Using the hook costs nothing; only ``create_task`` of its client does.

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
        :raises AirflowNotFoundException: if there is no such connection.
        """
        self._check_variable()
        try:
            return _read(self.get_connection(self.seedance_conn_id))
        except AirflowNotFoundException:
            raise self._not_found() from None

    async def aget_settings(self) -> ConnectionSettings:
        """Return the same as :meth:`get_settings`, for event loops."""
        from airflow.providers.common.compat.connection import get_async_connection

        # Without the check of the variable: reading it tells Airflow the password to be masked, which in a thread can
        # come between the triggerer's own messages, and ends the triggerer of Airflow 3.1. A trigger pays for nothing.
        try:
            return _read(await get_async_connection(self.seedance_conn_id, hook=self))
        except AirflowNotFoundException:
            raise self._not_found() from None

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
        Upload a file to the API, for at most 24 hours, and return the URL by which a video can refer to it.

        It costs nothing, and can be repeated; each time there is another URL.

        :param source: an ``ObjectStoragePath``, or a URL or path of which one can be made.
        :param source_conn_id: the Airflow connection of the storage. Default: that of the URL, or none.
        :raises InvalidRequestError: if there is no such file, or one that the API doesn't take; nothing was sent.
        :raises FileUnavailableError: if it can't be read at the moment.
        :raises SeedanceError: whose ``read_verdict`` tells whether doing it again can help.
        """
        from seedance_provider.storage.references import check_path, reading_reference
        from seedance_provider.storage.stored_file import StoredFile

        check_path(source)
        with reading_reference():
            stored = StoredFile.at(source, source_conn_id)
            size = stored.existing_size()
            with stored.opened() as file, self.get_conn() as client:
                return client.upload(file, stored.name, size)

    def test_connection(self) -> tuple[bool, str]:
        """
        Try the connection without spending anything, by reading one of the vendor's sample tasks.

        :return: whether it works, and what was found, for a person.
        """
        from seedance_provider.api.client import SeedanceClient

        try:
            settings = self.get_settings()
            with SeedanceClient(settings.protocol()) as client:
                client.get_task(SAMPLE_TASK)
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

    def _check_variable(self) -> None:
        """Refuse what Airflow passes over: it would look elsewhere, and find what somebody else has to pay for."""
        if os.environ.get(self._variable) and not _is_readable(self.seedance_conn_id):
            raise ConnectionSettingsError(
                f"The environment variable {self._variable} can't be read as a connection, and nothing else is used in "
                "its place. Nothing was sent. Fix the variable: it is a URI, or JSON with the fields of a connection."
            )

    def _not_found(self) -> AirflowNotFoundException:
        # Airflow says the same of a secrets back end that is down, and of a password that it can't decrypt.
        return AirflowNotFoundException(
            f"There is no connection {self.seedance_conn_id!r}, or Airflow can't read it. Nothing was sent. Create it, "
            f"in the UI or as the environment variable {self._variable}."
        )

    @property
    def _variable(self) -> str:
        return f"AIRFLOW_CONN_{self.seedance_conn_id.upper()}"


def _is_readable(conn_id: str) -> bool:
    """Whether Airflow can read the environment variable of a connection. If it can't, it says so nowhere."""
    from airflow.sdk.execution_time.supervisor import ensure_secrets_backend_loaded

    try:
        for backend in ensure_secrets_backend_loaded():
            if type(backend).__name__ == "EnvironmentVariablesBackend":
                backend.get_connection(conn_id=conn_id).get_uri()
    except Exception:
        # What it says may quote the variable.
        return False
    return True


def _read(connection: Connection) -> ConnectionSettings:
    """Read what holds the key. An error leaves no traceback that could show it."""
    try:
        return ConnectionSettings.from_connection(connection)
    except BaseException as error:
        # Services that collect errors show the local variables, and Airflow's connection shows its password.
        del connection
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
