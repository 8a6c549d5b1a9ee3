"""A private S3: SeaweedFS, which stores for itself what it is sent over HTTP."""

from __future__ import annotations

import json
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import requests

from tools.ports import free_ports
from tools.server_process import ServerProcess, find_program

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["S3Server"]

_REGION = "us-east-1"
#: What the other parts of the store listen on.
_PORTS = (
    "master.port",
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "filer.port",
    "filer.port.grpc",
    "s3.port.grpc",
)
#: The files in which it keeps everything. Each bucket has some of its own, and they grow as needed.
_MOST_VOLUMES = 1000
_SERVER_ERROR = 500


class S3Server(ServerProcess):
    """An S3 of its own on a free port of the loopback address. It knows an account with all rights and a reader."""

    def __init__(self) -> None:
        super().__init__("s3")
        self._ports = dict(zip(_PORTS, free_ports(len(_PORTS)), strict=True))

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def connection(self) -> str:
        """The Airflow connection to it of who has all rights, as JSON."""
        return self._connection("owner")

    @property
    def readers_connection(self) -> str:
        """The Airflow connection to it of who may read and list, as JSON."""
        return self._connection("reader")

    @property
    def client(self) -> Any:
        """A new client of boto3, with all rights."""
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name=_REGION,
            aws_access_key_id="owner",
            aws_secret_access_key=self._password,
        )

    def keys(self, bucket: str) -> list[str]:
        """
        Return the names of the objects.

        :param bucket: where they are.
        """
        return sorted(entry["Key"] for entry in self.client.list_objects_v2(Bucket=bucket).get("Contents", []))

    def content(self, bucket: str, key: str) -> bytes:
        """
        Return what an object holds.

        :param bucket: where it is.
        :param key: its name.
        """
        content: bytes = self.client.get_object(Bucket=bucket, Key=key)["Body"].read()
        return content

    def unfinished(self, bucket: str) -> list[dict[str, Any]]:
        """
        Return the multipart uploads that were never completed. They are no objects, but are paid for.

        :param bucket: where they are.
        """
        uploads: list[dict[str, Any]] = self.client.list_multipart_uploads(Bucket=bucket).get("Uploads", [])
        return uploads

    def answers(self) -> bool:
        """Whether it has room for an object, and is asked for it."""
        room = f"http://127.0.0.1:{self._ports['master.port']}/dir/assign"
        try:
            return requests.get(room, timeout=5).ok and requests.get(self.url, timeout=5).status_code < _SERVER_ERROR
        except requests.RequestException:
            return False

    def _create(self) -> None:
        rights = {"owner": ["Admin"], "reader": ["Read", "List"]}
        accounts = [
            {"name": name, "credentials": [{"accessKey": name, "secretKey": self._password}], "actions": actions}
            for name, actions in rights.items()
        ]
        self._accounts.touch(mode=0o600)
        self._accounts.write_text(json.dumps({"identities": accounts}))

    def _command(self) -> Sequence[str]:
        settings = {
            "dir": self._folder,
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            **self._ports,
            "filer.localSocket": self._folder / "filer.sock",
            "s3.port": self.port,
            "s3.config": self._accounts,
            "s3.autoCreateBucket": "false",
            # Other services of S3's gateway.
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
            "volume.max": _MOST_VOLUMES,
            # It tells its makers nothing.
            "master.telemetry": "false",
        }
        program = find_program("weed", [Path(sysconfig.get_path("scripts"))])
        return [program, "server", "-filer", "-s3", *(f"-{name}={value}" for name, value in settings.items())]

    def _connection(self, account: str) -> str:
        extra = {"endpoint_url": self.url, "region_name": _REGION}
        return json.dumps({"conn_type": "aws", "login": account, "password": self._password, "extra": extra})

    @property
    def _accounts(self) -> Path:
        return self._folder / "accounts.json"
