"""
Lands videos on a real S3 server on loopback; run by ``test_s3.py`` in an environment that has the ``s3`` extra.

Prints a JSON object with what was found.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

os.environ["AIRFLOW_HOME"] = sys.argv[1]

from moto.server import ThreadedMotoServer

VIDEO = b"\x00\x00\x00\x18ftypisom" + os.urandom(70 * 1024 * 1024)


class Media(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(VIDEO)))
        self.end_headers()
        # A broken download: the other half never comes.
        self.wfile.write(VIDEO[: len(VIDEO) // 2] if self.path == "/broken.mp4" else VIDEO)

    def log_message(self, format: str, *args: object) -> None:
        pass


class MediaServer(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Nobody fetches a video that is there already to its end."""


def outcome(url: str, uri: str, **options: bool) -> dict[str, object]:
    from airflow.sdk import ObjectStoragePath

    from seedance_provider.landing import LandingError, land

    try:
        landed = land(url, ObjectStoragePath(uri), **options)
    except LandingError as error:
        return {"error": type(error).__name__}
    return {"uri": landed.uri, "was_there": landed.was_there}


def described(uri: str) -> dict[str, object]:
    """What a request gets to know of a file, whose content decides which video it is."""
    import logging

    from seedance_provider.api.errors import InvalidRequestError
    from seedance_provider.reference_files import ReferenceFiles

    files = ReferenceFiles(None, logging.getLogger(__name__))
    try:
        file = files.described({"first_frame": uri})["first_frame"]
    except InvalidRequestError as error:
        return {"error": str(error)}
    return {"source": file.source, "name": file.name, "size": file.size, "sha256": file.sha256}


def listed(uri: str) -> list[str]:
    from airflow.sdk import ObjectStoragePath

    return sorted(str(path) for path in ObjectStoragePath(uri).iterdir())


def main() -> None:
    s3 = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    s3.start()
    host, port = s3.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    credentials = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "us-east-1"}
    os.environ["AIRFLOW_CONN_S3"] = json.dumps(
        {
            "conn_type": "aws",
            "login": "testing",
            "password": "testing",
            "extra": {"endpoint_url": endpoint, "region_name": "us-east-1"},
        }
    )
    import boto3

    client = boto3.client("s3", endpoint_url=endpoint, **credentials)
    client.create_bucket(Bucket="videos")
    client.put_object(Bucket="videos", Key="taken.mp4", Body=b"precious")
    client.create_bucket(Bucket="pictures")
    client.put_object(Bucket="pictures", Key="2026/a.png", Body=b"a picture")
    media = MediaServer(("127.0.0.1", 0), Media)
    threading.Thread(target=media.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{media.server_port}"
    found = {
        "first": outcome(f"{url}/a.mp4", "s3://s3@videos/2026/a.mp4"),
        "again": outcome(f"{url}/a.mp4", "s3://s3@videos/2026/a.mp4"),
        "broken": outcome(f"{url}/broken.mp4", "s3://s3@videos/broken.mp4"),
        "taken": outcome(f"{url}/a.mp4", "s3://s3@videos/taken.mp4"),
        "file": described("s3://s3@pictures/2026/a.png"),
        "no_file": described("s3://s3@pictures/2026/b.png"),
        "no_storage": described("gs://pictures/2026/a.png"),
        "listed": listed("s3://s3@pictures/2026"),
        "whole": client.get_object(Bucket="videos", Key="2026/a.mp4")["Body"].read() == VIDEO,
        "untouched": client.get_object(Bucket="videos", Key="taken.mp4")["Body"].read() == b"precious",
        "keys": sorted(entry["Key"] for entry in client.list_objects_v2(Bucket="videos")["Contents"]),
    }
    media.shutdown()
    s3.stop()
    print(json.dumps(found))  # noqa: T201


main()
