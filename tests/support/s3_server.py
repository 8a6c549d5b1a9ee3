"""A real S3 over HTTP on loopback, as far as files go, in a process of its own."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import requests

from tools.ports import free_ports
from tools.processes import ManagedProcess, inherited_environment, stop_all
from tools.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_REGION = "us-east-1"


@dataclass(frozen=True)
class S3Server:
    """
    Where it is, and what somebody with all rights finds there.

    :param endpoint: its address.
    """

    endpoint: str

    @property
    def connection(self) -> str:
        """The Airflow connection to it, as JSON."""
        extra = {"endpoint_url": self.endpoint, "region_name": _REGION}
        return json.dumps({"conn_type": "aws", "login": "testing", "password": "testing", "extra": extra})

    @property
    def client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=_REGION,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )

    def keys(self, bucket: str) -> list[str]:
        return sorted(entry["Key"] for entry in self.client.list_objects_v2(Bucket=bucket).get("Contents", []))

    def content(self, bucket: str, key: str) -> bytes:
        return self.client.get_object(Bucket=bucket, Key=key)["Body"].read()

    def unfinished(self, bucket: str) -> list[dict[str, Any]]:
        """The multipart uploads that were never completed. They are no objects, but are paid for."""
        return self.client.list_multipart_uploads(Bucket=bucket).get("Uploads", [])


@contextmanager
def s3_server(folder: Path) -> Iterator[S3Server]:
    """Serve on a free port until the test is over; the log is in the folder."""
    (port,) = free_ports(1)
    process = ManagedProcess(
        "S3",
        [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)],
        env=inherited_environment(),
        log=folder / "s3.log",
        cwd=folder,
    )
    try:
        server = S3Server(f"http://127.0.0.1:{port}")
        wait_until(lambda: _answers(server, process), timeout=60, what=f"S3 ({process.log})")
        yield server
    finally:
        stop_all([process])


def _answers(server: S3Server, process: ManagedProcess) -> bool:
    process.raise_if_ended()
    try:
        return requests.get(f"{server.endpoint}/moto-api/data.json", timeout=5).ok
    except requests.ConnectionError:
        return False
