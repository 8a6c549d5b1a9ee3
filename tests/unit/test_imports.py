"""A DAG file is parsed again and again: what it imports must be light. Modules are counted, not seconds."""

from __future__ import annotations

import functools
import os
import subprocess
import sys

import pytest

OPERATORS = [
    "seedance_provider.operators.seedance",
    "seedance_provider.sensors.seedance",
    "seedance_provider.transfers.video_to_object_storage",
    "seedance_provider.transfers.upload_reference",
    "seedance_provider.decorators.seedance",
]


AIRFLOW = "import airflow.sdk; from airflow.sdk import BaseOperator, DAG"


@functools.cache
def modules_added_by(name: str, before: str = AIRFLOW) -> set[str]:
    """What an import adds to a fresh process."""
    program = f"import sys; {before}; had = set(sys.modules); import {name}; print(*sorted(set(sys.modules) - had))"
    # As a DAG processor would: not in the mode that lets unit tests run operators by hand.
    environment = {name: value for name, value in os.environ.items() if name != "AIRFLOW__CORE__UNIT_TEST_MODE"}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120, env=environment)
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_brings_little_beyond_the_providers_own_modules(name):
    added = modules_added_by(name)
    assert {module.split(".")[0] for module in added} <= {"seedance_provider", "airflow"}
    foreign = {module for module in added if not module.startswith("seedance_provider")}
    assert foreign <= {
        "airflow.providers.common.compat.sdk",
        "airflow.providers.common.compat._compat_utils",
        "airflow.providers.common.compat.version_compat",
        "airflow.sdk.bases.decorator",
        "airflow.sdk.bases.operatorlink",
        "airflow.sdk.bases.sensor",
        "airflow.sdk.bases.xcom",
    }
    assert len(added) <= 20


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_imports_no_http_library(name):
    assert modules_added_by(name, before="pass").isdisjoint({"aiohttp", "av", "PIL"})
    assert modules_added_by(name).isdisjoint({"requests", "urllib3", "aiohttp"})


def test_to_declare_a_task_imports_nothing_of_what_it_does():
    program = "seedance_provider.operators.seedance as made; made.CreateVideoOperator(task_id='a', prompt='b')"
    added = {name for name in modules_added_by(program) if name.startswith("seedance_provider.")}
    assert added == {
        "seedance_provider.api",
        "seedance_provider.choices",
        "seedance_provider.ending",
        "seedance_provider.hooks",
        "seedance_provider.links",
        "seedance_provider.links.seedance",
        "seedance_provider.operators",
        "seedance_provider.operators.seedance",
        "seedance_provider.poll_settings",
    }


def test_the_retry_policy_imports_nothing_until_it_is_asked_for():
    assert modules_added_by("seedance_provider.retry_policy") <= {"seedance_provider", "seedance_provider.retry_policy"}


def test_the_provider_info_imports_nothing():
    assert modules_added_by("seedance_provider.get_provider_info", before="import typing") == {
        "__future__",
        "seedance_provider",
        "seedance_provider.get_provider_info",
    }
