"""
A local API that says of every job that it is still running, to the provider and to its peers in their own words.

``python -m benchmarks.local_api FILE`` writes into the file whom to trust for its certificate, and prints addresses:
``base_url``, over TLS, and ``polls_url``, without, because that is asked for by who measures.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from pathlib import Path

import trustme
from aiohttp import web

#: Answers how many polls there were so far.
_POLLS_PATH = "/polls"

_SEEDANCE = {
    "model": "seedance-20",
    "status": "generating",
    "creditsUsed": 200,
    "output": None,
    "error": None,
    "createTime": 1735599634000,
    "completeTime": None,
}
_OPENAI = {
    "object": "batch",
    "endpoint": "/v1/responses",
    "input_file_id": "file-a",
    "completion_window": "24h",
    "status": "in_progress",
    "created_at": 1735599634,
}
_ANTHROPIC = {
    "type": "message_batch",
    "processing_status": "in_progress",
    "request_counts": {"processing": 100, "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0},
    "created_at": "2024-12-30T23:00:34Z",
    "expires_at": "2024-12-31T23:00:34Z",
    "archived_at": None,
    "cancel_initiated_at": None,
    "ended_at": None,
    "results_url": None,
}
#: 3 is "running".
_DBT_CLOUD = {"status": {"code": 200, "is_success": True}, "data": {"account_id": 1, "job_id": 1, "status": 3}}


class LocalApi:
    """Answers, and counts."""

    def __init__(self) -> None:
        self._polls = 0

    def app(self) -> web.Application:
        """Return the application."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/api/v1/jobs/recordInfo", self._seedance),
                web.get("/v1/batches/{id}", self._openai),
                web.get("/v1/messages/batches/{id}", self._anthropic),
                web.get("/api/v2/accounts/{account}/runs/{id}/", self._dbt_cloud),
                web.get(_POLLS_PATH, self._count),
            ]
        )
        return app

    async def _seedance(self, request: web.Request) -> web.Response:
        return self._answer(_SEEDANCE | {"taskId": request.query["taskId"]})

    async def _openai(self, request: web.Request) -> web.Response:
        return self._answer(_OPENAI | {"id": request.match_info["id"]})

    async def _anthropic(self, request: web.Request) -> web.Response:
        return self._answer(_ANTHROPIC | {"id": request.match_info["id"]})

    async def _dbt_cloud(self, _: web.Request) -> web.Response:
        return self._answer(_DBT_CLOUD)

    def _answer(self, body: object) -> web.Response:
        self._polls += 1
        return web.json_response(body)

    async def _count(self, _: web.Request) -> web.Response:
        return web.json_response(self._polls)


async def _serve(certificate: Path) -> None:
    runner = web.AppRunner(LocalApi().app(), access_log=None)
    await runner.setup()
    for tls in (_tls(certificate), None):
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=4096, ssl_context=tls).start()
    (secure, *_), (plain, *_) = ((port, host) for host, port, *_ in runner.addresses)
    addresses = {"base_url": f"https://127.0.0.1:{secure}", "polls_url": f"http://127.0.0.1:{plain}{_POLLS_PATH}"}
    sys.stdout.write(f"{json.dumps(addresses)}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


def _tls(certificate: Path) -> ssl.SSLContext:
    """With a certificate for this address, whose authority is written into the file."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(certificate)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
