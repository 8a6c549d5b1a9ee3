"""Object stores in processes of their own, each with all that a test needs to look into it."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from tools.server_process import ServerProcess, find_program

if TYPE_CHECKING:
    from collections.abc import Sequence

REPOSITORY = Path(__file__).parents[2]
#: The key of the only account of every Azurite, which its documentation tells everybody.
_AZURITE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_AZURITE_ACCOUNT = "devstoreaccount1"


@dataclass(frozen=True)
class Bucket:
    """
    Where videos land, and what somebody with all rights finds there.

    :param uri: of it, as Airflow writes it, with a connection.
    :param fs: who looks.
    :param name: of it, for who looks.
    """

    uri: str
    fs: Any
    name: str

    def keys(self) -> list[str]:
        self.fs.invalidate_cache()
        return sorted(path.partition("/")[2] for path in self.fs.find(self.name))

    def content(self, key: str) -> bytes:
        return self.fs.cat_file(f"{self.name}/{key}")

    def put(self, key: str, content: bytes) -> None:
        self.fs.pipe_file(f"{self.name}/{key}", content)

    def media_type(self, key: str) -> str:
        """Which every store calls by another name."""
        self.fs.invalidate_cache()
        info = self.fs.info(f"{self.name}/{key}")
        settings = info.get("content_settings") or {}
        return info.get("ContentType") or info.get("contentType") or settings["content_type"]

    def changed(self, key: str) -> Any:
        self.fs.invalidate_cache()
        return self.fs.modified(f"{self.name}/{key}")


class AzureServer(ServerProcess):
    """Azurite, which Microsoft tests with: the blobs of Azure on a free port of the loopback address."""

    def __init__(self) -> None:
        super().__init__("azurite")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/{_AZURITE_ACCOUNT}"

    def connection_string(self, key: str = _AZURITE_KEY) -> str:
        account = f"DefaultEndpointsProtocol=http;AccountName={_AZURITE_ACCOUNT};AccountKey={key}"
        return f"{account};BlobEndpoint={self.url};"

    def answers(self) -> bool:
        return _answers(self.url)

    def _create(self) -> None:
        """It makes what it needs."""

    def _command(self) -> Sequence[str]:
        scripts = Path(sys.executable).parent
        azurite = find_program("azurite-blob", [REPOSITORY / ".azurite/node_modules/.bin"])
        settings = {"blobHost": "127.0.0.1", "blobPort": self.port, "location": self._folder}
        return [
            find_program("node", [scripts]),
            os.path.realpath(azurite),
            "--skipApiVersionCheck",
            "--disableTelemetry",
            *(part for name, value in settings.items() for part in (f"--{name}", str(value))),
        ]


class GcsServer(ServerProcess):
    """An emulator of Google Cloud Storage on a free port of the loopback address."""

    def __init__(self) -> None:
        super().__init__("gcs")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answers(self) -> bool:
        return _answers(f"{self.url}/storage/v1/b?project=1234")

    def _create(self) -> None:
        """It keeps everything in memory."""

    def _command(self) -> Sequence[str]:
        return [sys.executable, str(Path(__file__).with_name("conditional_gcs.py")), str(self.port)]


def _answers(url: str) -> bool:
    try:
        requests.get(url, timeout=5)
    except requests.ConnectionError:
        return False
    return True
