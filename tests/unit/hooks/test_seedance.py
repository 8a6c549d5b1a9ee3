"""SeedanceHook: where the key comes from, and what the Test button says."""

from __future__ import annotations

import json
import traceback

import pytest
from airflow.providers.common.compat.sdk import AirflowNotFoundException
from airflow.sdk import Connection
from airflow.sdk.execution_time import supervisor
from airflow.secrets import BaseSecretsBackend
from airflow.secrets.environment_variables import EnvironmentVariablesBackend
from werkzeug.datastructures import MultiDict
from wtforms import Form

from seedance_provider.get_provider_info import get_provider_info
from seedance_provider.hooks.connection_settings import ConnectionSettingsError
from seedance_provider.hooks.seedance import SeedanceHook
from tests.support.scripted_api import Answer, record

DEMO_KEY = "zimg_demo_readonly_0123456789"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_SEEDANCE_DEFAULT", raising=False)


def connect(monkeypatch, conn_id: str = "seedance_default", **fields) -> None:
    monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps({"conn_type": "seedance"} | fields))


class TestCredentials:
    @pytest.mark.parametrize("conn_id", ["seedance_default", "team_a"])
    async def test_a_missing_connection_is_an_error_whatever_the_environment_holds(self, monkeypatch, conn_id):
        monkeypatch.setenv("SEEDANCE_API_KEY", "of-somebody")
        with pytest.raises(AirflowNotFoundException, match=conn_id):
            SeedanceHook(conn_id).get_settings()
        with pytest.raises(AirflowNotFoundException, match=conn_id):
            await SeedanceHook(conn_id).aget_settings()

    async def test_triggers_get_the_same(self, monkeypatch):
        connect(monkeypatch, password="a-key", host="http://127.0.0.1:1/api/v1")
        assert await SeedanceHook().aget_settings() == SeedanceHook().get_settings()

    async def test_triggers_get_a_client_that_can_look(self, api, monkeypatch):
        connect(monkeypatch, password="a-key", host=api.base_url)
        api.readings.append(Answer(body=record()))
        async with await SeedanceHook().aget_conn() as client:
            assert (await client.get_task("task_a")).video_url == "https://media.example/a.mp4"
        assert api.read[0].headers["Authorization"] == "Bearer a-key"

    def test_airflow_finds_the_hook_by_the_connection_type(self, monkeypatch):
        hook = Connection(conn_id="seedance_default", conn_type="seedance", password="k").get_hook()
        assert isinstance(hook, SeedanceHook)
        assert hook.seedance_conn_id == "seedance_default"


#: Each of them Airflow passes over without a word.
BROKEN = [
    '{"conn_type": "seedance", "password": "s3cret-key",}',
    '{"conn_type": "seedance", "passwrd": "s3cret-key"}',
    '{"conn_type": "seedance", "password": "s3cret-key", "port": "s3cret-key"}',
    "seedance://:s3cret-key@a://b://c",
    "seedance://:s3cret-key@[::1",
    "seedance://:s3cret-key@127.0.0.1:99999/api",
    "{",
    " ",
]


class FoundElsewhere(BaseSecretsBackend):
    """A secrets back end that has the connection, and stands behind the environment variables as the database does."""

    def get_connection(self, conn_id, team_name=None):
        return Connection(conn_id=conn_id, conn_type="seedance", password="another-account")


class TestNoOtherAccountPays:
    @pytest.fixture(autouse=True)
    def _elsewhere(self, monkeypatch):
        """Let Airflow find a connection behind the environment variables."""
        search_path = [EnvironmentVariablesBackend(), FoundElsewhere()]
        monkeypatch.setattr(supervisor, "ensure_secrets_backend_loaded", lambda: search_path)

    @pytest.mark.parametrize("value", BROKEN)
    @pytest.mark.parametrize("conn_id", ["seedance_default", "team_a"])
    def test_when_the_variable_of_the_connection_can_not_be_read(self, monkeypatch, value, conn_id):
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", value)
        with pytest.raises(ConnectionSettingsError, match="AIRFLOW_CONN_") as caught:
            SeedanceHook(conn_id).get_settings()
        assert "s3cret" not in "".join(traceback.format_exception(caught.value))

    def test_but_that_of_the_connection_if_its_variable_is_empty(self, monkeypatch):
        monkeypatch.setenv("AIRFLOW_CONN_SEEDANCE_DEFAULT", "")
        assert SeedanceHook().get_settings().api_key == "another-account"


class TestFormOfAirflow31:
    """Later versions read the provider info themselves."""

    def test_shows_the_standard_fields_as_later_versions_do(self):
        from airflow.providers_manager import ProvidersManager

        assert SeedanceHook.get_ui_field_behaviour() == ProvidersManager().field_behaviours["seedance"]

    def test_has_the_same_fields(self):
        form = filled_in()
        described = {field.name: (field.label.text, field.description, field.data) for field in form}
        assert described == {
            name: (field["label"], field["description"], field["schema"]["default"])
            for name, field in get_provider_info()["connection-types"][0]["conn-fields"].items()
        }

    @pytest.mark.parametrize(
        ("fields", "good"),
        [
            ({}, True),
            (dict.fromkeys(["wire_format", "max_credits", "max_polls_per_second", "typical_seconds"], ""), True),
            ({"wire_format": "docs", "max_credits": "500", "typical_seconds": "60-300"}, True),
            ({"wire_format": "newest"}, False),
            ({"max_credits": "many"}, False),
        ],
    )
    def test_takes_what_the_hook_takes(self, fields, good):
        assert filled_in(**fields).validate() is good


def filled_in(**fields):
    """The form as WTForms makes it, with what its browser sends."""
    form = type("_Form", (Form,), SeedanceHook.get_connection_form_widgets())
    return form(MultiDict(fields) if fields else None)


class TestTestConnection:
    @pytest.mark.parametrize(
        ("answer", "works", "said"),
        [
            (Answer(body=record(video_task_id="demo_task_t2v_success")), True, "accepts the key"),
            (Answer(403, {"message": "Access denied"}), True, "accepts the key"),
            (Answer(404, {"message": "Task not found"}), True, "accepts the key"),
            (Answer(401, {"message": "Invalid API Key"}), False, "rejects the key: HTTP 401: Invalid API Key"),
            (Answer(401, {"message": "API Key has expired"}), False, "API Key has expired"),
            (Answer(403, {"message": "API access not enabled for this account"}), False, "no access to the API"),
            (Answer(404, b"<html>Not found</html>", "text/html"), False, "full base URL"),
            (Answer(200, b"<!doctype html><p>Welcome", "text/html"), False, "full base URL"),
            (Answer(500, {"message": "Internal error"}), False, "HTTP 500: Internal error"),
            (Answer(hang_up=True), False, "gave no answer"),
        ],
    )
    def test_tells_what_was_found(self, api, monkeypatch, answer, works, said):
        connect(monkeypatch, password="sk-secret", host=api.base_url)
        api.readings.append(answer)
        worked, message = SeedanceHook().test_connection()
        assert worked is works
        assert said in message
        assert "sk-secret" not in message
        asked = [(asked.method, asked.query) for asked in api.asked]
        assert asked == [("GET", {"taskId": ["demo_task_t2v_success"]})], "it would cost something"

    def test_tells_the_demo_key_apart(self, api, monkeypatch):
        connect(monkeypatch, password=DEMO_KEY, host=api.base_url)
        api.readings.append(Answer(body=record(video_task_id="demo_task_t2v_success")))
        worked, message = SeedanceHook().test_connection()
        assert worked
        assert "read-only" in message
        assert DEMO_KEY not in message

    @pytest.mark.parametrize(
        ("conn_id", "fields", "said"),
        [
            ("seedance_default", {"password": "sk-secret"}, "unreachable"),
            # Without a name: the Test button tries a copy of the connection, and names that itself.
            ("seedance_default", {}, "The connection has no API key."),
            ("team_a", {"password": "sk-secret"}, "team_a"),
        ],
        ids=["an unreachable host", "half filled", "missing"],
    )
    def test_tells_why_the_api_was_not_asked(self, monkeypatch, conn_id, fields, said):
        connect(monkeypatch, host="http://127.0.0.1:9/api/v1", **fields)
        worked, message = SeedanceHook(conn_id).test_connection()
        assert not worked
        assert said in message
