"""What runs the blocks of the documents notices when something is wrong with them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from botocore.exceptions import ParamValidationError

from seedance_provider.api.errors import SeedanceError

in_terminals = pytest.mark.xdist_group("terminals")
in_airflow = pytest.mark.xdist_group("airflow")

ONE_ACCOUNT = 'export AIRFLOW_CONN_SEEDANCE_DEFAULT=\'{"conn_type": "seedance", "password": "my-key"}\''
ANOTHER = "export AIRFLOW_CONN_SEEDANCE_DEFAULT='seedance://:another-key@kinovi.ai/api%2Fv1'"

NOTICED = (AssertionError, SeedanceError, ParamValidationError)


def block(text, before="", page="CHANGELOG.md"):
    return SimpleNamespace(page=page, line=1, text=text, before=before)


@in_terminals
def test_commands_are_run_and_see_what_was_set_before(run_bash):
    run_bash(block("export SEEDANCE_API_KEY=another-key"))
    run_bash(block("echo $SEEDANCE_API_KEY | grep another-key"))
    run_bash(block("make demo LIVE=1\npip install --constraint constraints.txt '.[s3]' pytest"))


@in_terminals
@pytest.mark.parametrize(
    ("typed", "noticed"),
    [
        ("docker run something", "docker: command not found"),
        ("false\ntrue", "This failed"),
        ("curl -s http://127.0.0.1:1/", "Failed to connect"),
        ("make nothing-of-that-name", "No rule to make target"),
        ("make clean", "does not know make clean"),
        ("pip install '.[nothing-of-that-name]'", "nothing-of-that-name"),
        ("pip install -c no-such-file.txt .", "no-such-file"),
        ("pip uninstall airflow-provider-seedance", "pip uninstall is not known"),
        ("git push", "does not know git push"),
        ("export NOTHING_OF_THAT_NAME=1", "is not known here"),
        ("export AIRFLOW__CORE__NOTHING_OF_THAT_NAME=1", "AIRFLOW__CORE__NOTHING_OF_THAT_NAME"),
        ('export AIRFLOW_CONN_SEEDANCE_DEFAULT=\'{"conn_type": "seedance"}\'', "API key"),
        (f"{ONE_ACCOUNT}\n{ANOTHER}", "said in two ways that differ"),
    ],
)
def test_a_command_that_is_unknown_or_fails_is_noticed(run_bash, typed, noticed):
    with pytest.raises(NOTICED, match=noticed):
        run_bash(block(typed))


@in_airflow
@pytest.mark.parametrize(
    ("text", "before"),
    [
        ('{"task_id": "a"}', "A task returns a small dict:"),
        ('{"a": 1}', "This is nobody knows what:"),
        ('{"Rules": [{"ID": 1}]}', "Give the bucket a lifecycle rule:"),
        ('{"conn_type": "seedance", "password": "my-key", "extra": {"max_credit": 1}}', ""),
    ],
)
def test_json_that_shows_something_else_is_noticed(run_json, text, before):
    with pytest.raises(NOTICED):
        run_json(block(text, before))
