"""The emulator as a web application: handlers only carry values between HTTP and the service."""

from __future__ import annotations

import asyncio
import logging
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web

from seedance_provider.emulator.callbacks import Callbacks, callback_body
from seedance_provider.emulator.fault_store import FaultStore
from seedance_provider.emulator.faults import InvalidRuleError, read_rule
from seedance_provider.emulator.injection import inject_faults
from seedance_provider.emulator.listener import Listener
from seedance_provider.emulator.media import MediaFolder
from seedance_provider.emulator.refusals import RefusedError
from seedance_provider.emulator.resources import CALLBACKS, FAULTS, LISTENER, MEDIA, SERVICE, STORE, UPLOADS
from seedance_provider.emulator.service import Clock, Service
from seedance_provider.emulator.store import Store
from seedance_provider.emulator.uploads import Uploads

if TYPE_CHECKING:
    from seedance_provider.emulator.jobs import Job
    from seedance_provider.emulator.settings import Settings

__all__ = ["API_PATH", "create_app"]

API_PATH = "/api/v1"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

#: The vendor names no limit; this one spares the memory of the machine.
_LARGEST_UPLOAD = 512 * 1024 * 1024

_LOG = logging.getLogger(__name__)

_HTML_PAGE = """<!DOCTYPE html>
<html lang="en">
<head><title>{status} {reason}</title></head>
<body>
<h1>{status} {reason}</h1>
<p>This is the Seedance emulator. Its API is at <code>{api}</code>.</p>
</body>
</html>
"""


def create_app(settings: Settings, clock: Clock = time.time) -> web.Application:
    """
    Return the application.

    :param settings: how the emulator behaves.
    :param clock: returns Unix seconds; tests bring their own, so that nobody has to wait.
    """
    # Faults come first: they spoil what would be answered, a refusal as well.
    app = web.Application(
        client_max_size=_LARGEST_UPLOAD, middlewares=[inject_faults, _answer_web_errors, _answer_refusals]
    )
    app[LISTENER] = Listener(settings.host, settings.port)
    app.cleanup_ctx.append(_resources(settings, clock))
    app.add_routes(
        [
            web.post(f"{API_PATH}/jobs/createTask", _create_task, name="createTask"),
            web.get(f"{API_PATH}/jobs/recordInfo", _record_info, name="recordInfo"),
            web.get(r"/media/{task_id:\w+}.{container:mp4|mov}", _media, name="media"),
            web.get(r"/media/{task_id:\w+}-last.{format:png|jpg}", _last_frame, name="lastFrame"),
            web.post(f"{API_PATH}/uploads", _ask_for_upload, name="uploads"),
            web.get(f"{API_PATH}/uploads", _confirm_upload),
            web.put("/{path:uploads/.+}", _put_file, name="put"),
            web.get("/{path:uploads/.+}", _uploaded_file),
            web.get("/emulator/ledger", _ledger),
            web.get("/emulator/faults", _faults),
            web.post("/emulator/faults", _replace_faults),
            web.delete("/emulator/faults", _end_faults),
            web.post("/emulator/keys", _rotate_key),
            web.get("/emulator/health", _health),
        ]
    )
    return app


def _resources(settings: Settings, clock: Clock) -> Callable[[web.Application], AsyncIterator[None]]:
    async def open_and_close(app: web.Application) -> AsyncIterator[None]:
        with tempfile.TemporaryDirectory(prefix="seedance-emulator-") as temporary:
            state_file = settings.state_file or Path(temporary, "state.sqlite")
            store = Store(state_file)
            media = MediaFolder(settings.media_dir or state_file.parent / "media")
            faults = FaultStore(state_file)
            faults.start_with(settings.faults)
            service = Service(settings, store, clock)
            callbacks = Callbacks(store, _callback_body(app, settings), service.now)
            app[SERVICE], app[STORE], app[MEDIA], app[FAULTS] = service, store, media, faults
            app[CALLBACKS] = callbacks
            app[UPLOADS] = Uploads(store, media.folder / "uploads", service.now)
            calling = asyncio.create_task(callbacks.run())
            yield
            calling.cancel()
            with suppress(asyncio.CancelledError):
                await calling
            media.close()
            faults.close()
            store.close()

    return open_and_close


def _callback_body(app: web.Application, settings: Settings) -> Callable[[Job], dict[str, Any]]:
    def body(job: Job) -> dict[str, Any]:
        root_url = f"http://{settings.host}:{app[LISTENER].port}"
        return callback_body(app[SERVICE].record(job, root_url), settings.generation)

    return body


@web.middleware
async def _answer_refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every error of the API is a JSON object with a message."""
    try:
        return await handler(request)
    except RefusedError as refusal:
        return web.json_response(refusal.body, status=refusal.status)
    except web.HTTPException:
        raise
    except Exception:
        _LOG.exception("The emulator failed to answer %s %s", request.method, request.path)
        return web.json_response({"message": "Internal server error"}, status=500)


@web.middleware
async def _answer_web_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Outside the API is a web site: a wrong base URL gets a page, as it would at the real host."""
    try:
        return await handler(request)
    except web.HTTPError as error:
        page = _HTML_PAGE.format(status=error.status, reason=error.reason, api=API_PATH)
        return web.Response(text=page, status=error.status, content_type="text/html")


async def _create_task(request: web.Request) -> web.Response:
    body = await request.read()
    job = request.app[SERVICE].create_task(_authorization(request), request.content_type, body)
    request.app[CALLBACKS].expect(job)
    return web.json_response({"taskId": job.task_id})


async def _record_info(request: web.Request) -> web.Response:
    root_url = str(request.url.origin())  # From the Host header, so that a mapped port or a container name works.
    answer = request.app[SERVICE].record_info(_authorization(request), request.query.get("taskId"), root_url)
    return web.json_response(answer)


async def _media(request: web.Request) -> web.StreamResponse:
    job = request.app[SERVICE].finished_video(request.match_info["task_id"])
    if job is None or job.order.container != request.match_info["container"]:
        raise web.HTTPNotFound
    path = await request.app[MEDIA].video(job)
    return web.FileResponse(path, headers={"Content-Type": job.order.media_type})


async def _last_frame(request: web.Request) -> web.StreamResponse:
    job = request.app[SERVICE].last_frame(request.match_info["task_id"])
    if job is None or job.order.last_frame_type != request.match_info["format"]:
        raise web.HTTPNotFound
    return web.FileResponse(await request.app[MEDIA].last_frame(job))


async def _ask_for_upload(request: web.Request) -> web.Response:
    request.app[SERVICE].check_key(_authorization(request))
    body = await request.read()
    return web.json_response(request.app[UPLOADS].ask(request.content_type, body, str(request.url.origin())))


async def _confirm_upload(request: web.Request) -> web.Response:
    request.app[SERVICE].check_key(_authorization(request))
    return web.json_response(request.app[UPLOADS].confirm(request.query.get("path")))


async def _put_file(request: web.Request) -> web.Response:
    path = request.match_info["path"]
    request.app[UPLOADS].put(path, request.content_type, _authorization(request), await request.read())
    return web.Response()


async def _uploaded_file(request: web.Request) -> web.StreamResponse:
    found = request.app[UPLOADS].find(request.match_info["path"])
    if found is None:
        raise web.HTTPNotFound
    return web.FileResponse(request.app[UPLOADS].file(found.path), headers={"Content-Type": found.content_type})


async def _ledger(request: web.Request) -> web.Response:
    return web.json_response(request.app[SERVICE].ledger())


async def _faults(request: web.Request) -> web.Response:
    faults = request.app[FAULTS]
    return web.json_response({"faults": [rule.to_json() for rule in faults.rules()], "injected": faults.injected()})


async def _replace_faults(request: web.Request) -> web.Response:
    wanted = await _json_object(request)
    seed = wanted.get("seed", 0)
    if not isinstance(seed, int) or isinstance(seed, bool) or not isinstance(wanted.get("faults"), list):
        raise RefusedError(400, 'What is needed is {"seed": 1, "faults": [{"fault": ..., "on": ...}]}')
    try:
        rules = [read_rule(fault, seed) for fault in wanted["faults"]]
    except InvalidRuleError as error:
        raise RefusedError(400, str(error)) from error
    request.app[FAULTS].replace_rules(rules)
    return await _faults(request)


async def _end_faults(request: web.Request) -> web.Response:
    request.app[FAULTS].replace_rules([])
    return await _faults(request)


async def _rotate_key(request: web.Request) -> web.Response:
    wanted = await _json_object(request)
    old, new = wanted.get("old"), wanted.get("new")
    if not (isinstance(old, str) and isinstance(new, str) and new):
        raise RefusedError(400, 'What is needed is {"old": "...", "new": "..."}')
    request.app[SERVICE].rotate_key(old, new)
    return web.json_response({"status": "ok"})


async def _json_object(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise RefusedError(400, "A JSON object is needed")
    return body


async def _health(_: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


def _authorization(request: web.Request) -> str | None:
    return request.headers.get("Authorization")
