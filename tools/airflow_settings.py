"""The configuration of a local Airflow: small, quiet and quick to react."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.ports import free_ports

if TYPE_CHECKING:
    from pathlib import Path

    from tools.airflow_layout import Options

__all__ = ["AirflowSettings", "as_environment"]

# Defaults are made for installations that run for months: many of them let a person wait for seconds.
_QUICK: Options = {
    "scheduler": {
        "scheduler_heartbeat_sec": 1,
        "job_heartbeat_sec": 2,
        "scheduler_idle_sleep_time": 0.2,
        "trigger_timeout_check_interval": 2,
        # A worker that was killed is only noticed by the heartbeats that its task no longer sends.
        "task_instance_heartbeat_timeout": 20,
        "task_instance_heartbeat_timeout_detection_interval": 2,
        # And only by the scheduler that has queued it, or has adopted the tasks of one that was killed: Airflow looks
        # for those every five minutes.
        "scheduler_health_check_threshold": 20,
        "orphaned_tasks_check_interval": 5,
    },
    "dag_processor": {"refresh_interval": 1, "bundle_refresh_check_interval": 1},
    "triggerer": {
        "job_heartbeat_sec": 1,
        # Only after this time does another triggerer take over what a killed one was waiting for.
        "triggerer_health_check_threshold": 10,
    },
    "workers": {"min_heartbeat_interval": 2},
    "api": {"auto_refresh_interval": 1},
}


@dataclass(frozen=True)
class AirflowSettings:
    """
    Where one local Airflow lives and how it is configured.

    :param home: its AIRFLOW_HOME, with the database and the logs.
    :param dags_folder: the folder with its DAG files.
    :param api_port: port of the UI, of the public API, and of the API that tasks use.
    :param worker_log_port: port of the server for the logs of running tasks.
    :param trigger_log_port: port of the server for the logs of deferred tasks.
    :param url_path: below which the UI is reached: empty, or with a slash at its beginning only.
    """

    home: Path
    dags_folder: Path
    api_port: int
    worker_log_port: int
    trigger_log_port: int
    url_path: str = ""

    @classmethod
    def on_free_ports(cls, home: Path, dags_folder: Path, url_path: str = "") -> AirflowSettings:
        """Return settings with ports that nobody uses."""
        api_port, worker_log_port, trigger_log_port = free_ports(3)
        return cls(home.absolute(), dags_folder.absolute(), api_port, worker_log_port, trigger_log_port, url_path)

    @property
    def base_url(self) -> str:
        """The address of the UI."""
        return f"http://127.0.0.1:{self.api_port}{self.url_path}"

    def environment(self) -> dict[str, str]:
        """Return everything as environment variables, with new secrets at each call."""
        environment = {"AIRFLOW_HOME": str(self.home)}
        for options in (self._core(), self._servers(), _secrets(), _QUICK):
            environment |= as_environment(options)
        return environment

    def _core(self) -> Options:
        return {
            "core": {
                "dags_folder": self.dags_folder,
                "executor": "LocalExecutor",
                "parallelism": 4,
                # Python 3.14 would start the workers in another way, with other parents.
                "mp_start_method": "fork",
                "load_examples": False,
                "simple_auth_manager_all_admins": True,
                "min_serialized_dag_update_interval": 1,
            },
            "database": {"sql_alchemy_conn": f"sqlite:///{self.home / 'airflow.db'}"},
            "usage_data_collection": {"enabled": False},
        }

    def _servers(self) -> Options:
        return {
            "core": {"execution_api_server_url": f"{self.base_url}/execution/"},
            "api": {"host": "127.0.0.1", "port": self.api_port, "base_url": self.base_url, "workers": 1},
            "logging": {
                "worker_log_server_port": self.worker_log_port,
                "trigger_log_server_port": self.trigger_log_port,
                "colored_console_log": False,
            },
        }


def as_environment(options: Options) -> dict[str, str]:
    """
    Return settings as the environment variables that Airflow reads them from.

    :param options: by section and name.
    """
    return {
        f"AIRFLOW__{section}__{option}".upper(): str(value)
        for section, values in options.items()
        for option, value in values.items()
    }


def _secrets() -> Options:
    return {
        "core": {"fernet_key": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()},
        "api": {"secret_key": secrets.token_urlsafe(32)},
        "api_auth": {"jwt_secret": secrets.token_urlsafe(64)},
    }
