"""What docs/connection.md says is to be stored, and under which name, makes the connection."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from airflow.providers.amazon.aws.secrets.secrets_manager import SecretsManagerBackend
from airflow.sdk import Connection
from airflow.secrets.local_filesystem import LocalFilesystemBackend
from botocore.stub import Stubber

from seedance_provider.hooks.connection_settings import ConnectionSettings

GUIDE = (Path(__file__).parents[3] / "docs" / "connection.md").read_text()
EXPORTS = re.findall(r"^export AIRFLOW_CONN_SEEDANCE_DEFAULT='(.*)'$", GUIDE, re.MULTILINE)
STORED = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL)]
SECRET, FILE = STORED


def settings_of(value: str) -> ConnectionSettings:
    read = Connection.from_json if value.startswith("{") else Connection.from_uri
    return ConnectionSettings.from_connection(read(value, conn_id="seedance_default"))


@pytest.mark.parametrize("value", [json.dumps(SECRET), EXPORTS[-1]], ids=["json", "uri"])
def test_aws_secrets_manager_holds_it_under_the_name_in_the_guide(value):
    backend = SecretsManagerBackend(region_name="eu-west-1", aws_access_key_id="id", aws_secret_access_key="secret")
    with Stubber(backend.client) as aws:
        name = "airflow/connections/seedance_default"
        assert f"the secret `{name}`" in GUIDE
        aws.add_response("get_secret_value", {"SecretString": value}, {"SecretId": name})
        stored = backend.get_conn_value("seedance_default")
    assert (settings_of(stored).api_key, settings_of(stored).max_credits) == ("my-key", 300)


def test_a_local_file_holds_it_as_in_the_guide(tmp_path):
    file = tmp_path / "connections.json"
    file.write_text(json.dumps(FILE))
    connection = LocalFilesystemBackend(connections_file_path=str(file)).get_connection("seedance_default")
    assert ConnectionSettings.from_connection(connection).api_key == "my-key"


@pytest.mark.parametrize("extra", [{"max_credits": 300}, '{"max_credits": 300}'], ids=["object", "text"])
def test_the_fields_of_vault_make_the_connection(extra):
    # Its back end hands them to Airflow as JSON.
    settings = settings_of(json.dumps(SECRET | {"extra": extra}))
    assert (settings.api_key, settings.max_credits) == ("my-key", 300)


def test_no_guide_has_an_option_too_short_to_be_masked():
    """Airflow masks all texts in extra, and warns in every log of one that is shorter than five characters."""
    folder = Path(__file__).parents[3] / "docs"
    found = [
        (path, value)
        for path in folder.glob("*.md")
        for value in re.findall(r"AIRFLOW_CONN_\w+='(\{.*\})'$", path.read_text(), re.MULTILINE)
    ]
    assert found
    for path, value in found:
        options = json.loads(value).get("extra", {})
        assert not any(isinstance(said, str) and len(said) < 5 for said in options.values()), path
        settings_of(value)
