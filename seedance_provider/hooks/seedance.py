"""From an Airflow connection to the API."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any, TypeVar

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
from seedance_provider.hooks.connection_settings import API_KEY_VARIABLE, ConnectionSettings, ConnectionSettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from seedance_provider.api.async_client import AsyncSeedanceClient
    from seedance_provider.api.client import SeedanceClient
    from seedance_provider.api.uploads import Upload

__all__ = ["SeedanceHook"]

_T = TypeVar("_T")

_PLAIN_HTTP = "If it speaks plain http, write http:// in front of the host."
#: Where Airflow's own classes of these names look a connection up, an answer is certain.
_ENVIRONMENT, _DATABASE = "EnvironmentVariablesBackend", "MetastoreBackend"
_DEMO_KEY_PREFIX = "zimg_demo_readonly_"


class SeedanceHook(BaseHook):
    """
    Access to one Seedance account.

    The key is the connection's password, the API's address its host (default ``https://kinovi.ai/api/v1``). If the
    *default* connection certainly does not exist, the environment variable ``SEEDANCE_API_KEY`` is used; any other
    missing connection, an empty key, and an ``AIRFLOW_CONN_...`` variable that can't be read, are errors.

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

        self._check_variable()
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

        # Without the check of the variable: reading it tells Airflow the password to be masked, which in a thread can
        # come between the triggerer's own messages, and ends the triggerer of Airflow 3.1. A trigger pays for nothing.
        try:
            return _read(
                ConnectionSettings.from_connection, await get_async_connection(self.seedance_conn_id, hook=self)
            )
        except AirflowNotFoundException:
            # In threads: on the loop these could block on the pipe to Airflow.
            settings = await asyncio.to_thread(self._stand_in)
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

    def _stand_in(self) -> ConnectionSettings:
        """What is used instead of a connection that does not exist."""
        is_default = self.seedance_conn_id == self.default_conn_name
        settings = _read(ConnectionSettings.from_environment, os.environ) if is_default else None
        missing = f"There is no connection {self.seedance_conn_id!r}, or it can't be read. Nothing was sent."
        if settings is None:
            raise AirflowNotFoundException(f"{missing} Create it.")
        if self._variable in os.environ:
            raise ConnectionSettingsError(
                f"The environment variable {self._variable} is set, but holds no connection, so {API_KEY_VARIABLE} is "
                "not used. Nothing was sent. Put the connection into the variable, or unset it."
            )
        if doubt := _doubt(self.seedance_conn_id):
            raise AirflowNotFoundException(
                f"{missing} {API_KEY_VARIABLE} is not used in its place, because {doubt}. Put the key into the "
                f"connection, for example in the environment variable {self._variable}."
            )
        return settings

    @property
    def _variable(self) -> str:
        return f"AIRFLOW_CONN_{self.seedance_conn_id.upper()}"


def _backends() -> list[Any]:
    """The places where Airflow looks a connection up in this process, in its order."""
    from airflow.sdk.execution_time.supervisor import ensure_secrets_backend_loaded

    return list(ensure_secrets_backend_loaded())


def _is_readable(conn_id: str) -> bool:
    """Whether Airflow can read the environment variable of a connection. If it can't, it says so nowhere."""
    backends = [backend for backend in _backends() if type(backend).__name__ == _ENVIRONMENT]
    try:
        for backend in backends:
            backend.get_connection(conn_id=conn_id).get_uri()
    except Exception:
        # What it says may quote the variable.
        return False
    return True


def _doubt(conn_id: str) -> str | None:
    """
    Return why a connection that Airflow does not find may exist all the same, or ``None`` if it certainly doesn't.

    Whatever fails while a connection is looked up, Airflow goes on as if there were none, and so does its API server:
    when its database or its secrets back end is down, or when it can't decrypt the password, it answers 404 as well.
    Some secrets back ends do the same by themselves.
    """
    try:
        for backend in _backends():
            name = type(backend).__name__
            if name == _DATABASE and backend.get_connection(conn_id=conn_id) is not None:
                return "Airflow's database has the connection"
            if name not in (_ENVIRONMENT, _DATABASE):
                return f"{name} may have the connection: Airflow says the same if it can't be read or asked"
    except Exception as error:
        return f"it is not certain that there is none: {type(error).__name__}"
    return None


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
