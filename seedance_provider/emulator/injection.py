"""Carrying out faults: the middleware that spoils answers, or gives one without asking anybody."""

from __future__ import annotations

import asyncio
import json
import socket
import sqlite3
import struct
import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from seedance_provider.emulator import faults
from seedance_provider.emulator.refusals import REFUSALS
from seedance_provider.emulator.resources import FAULTS, LISTENER, MEDIA, STORE
from seedance_provider.emulator.spoiled_files import SpoiledFile

__all__ = ["inject_faults"]

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_STATUSES = {"bad_gateway": 502, "unavailable": 503, "gateway_timeout": 504, "html_page": 200}
_GATEWAY_PAGE = "<html><head><title>{status}</title></head><body><center><h1>{status}</h1></center></body></html>"


@web.middleware
async def inject_faults(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Ask the rules about every request to the API and for media; ``/emulator/`` is never spoiled."""
    place = request.match_info.route.name
    if place not in faults.PLACES:
        return await handler(request)
    body = await request.read() if place == "createTask" else b""
    try:
        rule = request.app[FAULTS].strike(place, lambda: _prompt_of(request, body))
    except sqlite3.Error:  # a full disk, before anything was accepted
        return web.json_response({"message": "Internal server error"}, status=500)
    if rule is None:
        return await handler(request)
    return await _Injection(request, rule).answer(handler)


class _Injection:
    """One fault that is being injected."""

    def __init__(self, request: web.Request, rule: faults.Rule) -> None:
        self._request = request
        self._rule = rule

    async def answer(self, handler: Handler) -> web.StreamResponse:
        time_of_fault = time.time()
        task_id = _asked_for(self._request)
        if self._rule.fault == "vanish" and task_id is not None:
            self._request.app[STORE].hide(task_id)
        handled = await handler(self._request) if faults.FAULTS[self._rule.fault].handles else None
        if self._rule.on == "createTask" and handled is not None and handled.status == 200:
            task_id = json.loads(_body(handled))["taskId"]
        is_accepted = self._rule.on == "createTask" and task_id is not None
        # Noted before the client can know, so that a client that saw a fault finds it here.
        self._request.app[FAULTS].note(
            self._rule,
            time_of_fault,
            prompt=_prompt_of(self._request, await self._request.read()),
            task_id=task_id,
            accepted=is_accepted,
        )
        if self._rule.fault == "never_ends" and task_id is not None:
            self._request.app[STORE].never_end(task_id)
        return await (self._spoiled(handled) if handled is not None else self._instead())

    async def _instead(self) -> web.StreamResponse:
        """Answer without having handled the request."""
        name = "task_not_found" if self._rule.fault == "vanish" else self._rule.fault
        if name in REFUSALS:
            refusal = REFUSALS[name]()
            # No page documents the header; any proxy may send it.
            headers = {"Retry-After": "1"} if name == "rate_limited" else {}
            return web.json_response(refusal.body, status=refusal.status, headers=headers)
        match name:
            case "media_expired" | "put_refused":
                # What the real one answers isn't documented; object stores refuse an expired link with 403.
                return web.Response(text=_GATEWAY_PAGE.format(status="403 Forbidden"), status=403)
            case "media_error":
                return web.Response(text=_GATEWAY_PAGE.format(status="500 Error"), status=500)
            case "media_wrong_type":
                return web.Response(text=_GATEWAY_PAGE.format(status="This link has expired"), content_type="text/html")
        return await self._broken(b'{"taskId": "task_')

    async def _spoiled(self, handled: web.StreamResponse) -> web.StreamResponse:
        """Answer otherwise than the handled request should be."""
        match self._rule.fault:
            case "connection_refused":
                await self._request.app[LISTENER].refuse_for(self._rule.seconds)
                handled.force_close()
                return handled
            case "slow":
                await asyncio.sleep(self._rule.seconds)
                return handled
            case "never_ends":
                return handled
            case "unknown_status":
                return _with_unknown_status(handled)
            case "media_cut" | "media_wrong_length" | "media_stalled" | "media_changed" | "media_endless":
                return await self._spoiled_file(handled)
            case "cut_json_after":
                body = _body(handled)
                return web.Response(body=body[: len(body) // 2], content_type="application/json")
        return await self._broken(_body(handled))

    async def _broken(self, body: bytes) -> web.StreamResponse:
        """Answer in one of the ways that are the same before and after the request was handled."""
        name = self._rule.fault.removesuffix("_before").removesuffix("_after")
        match name:
            case "reset":
                return self._hang_up(with_reset=True)
            case "timeout":
                await asyncio.sleep(self._rule.seconds)
                return self._hang_up(with_reset=False)
            case "empty":
                return web.Response(body=b"", content_type="application/json")
            case "broken_json":
                return web.Response(body=body.replace(b'"', b"'"), content_type="application/json")
        status = _STATUSES[name]
        page = _GATEWAY_PAGE.format(status=web.Response(status=status).reason)
        return web.Response(text=page, status=status, content_type="text/html")

    def _hang_up(self, *, with_reset: bool) -> web.Response:
        transport = self._request.transport
        if transport is not None:
            if with_reset:
                # To end a connection that is not to linger, the system resets it.
                opened: socket.socket = transport.get_extra_info("socket")
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        return web.Response()  # goes nowhere

    async def _spoiled_file(self, handled: web.StreamResponse) -> web.StreamResponse:
        job = self._request.app[STORE].get(self._request.match_info["task_id"])
        if job is None or handled.status != 200:
            return handled
        path = await self._request.app[MEDIA].video(job)
        file = SpoiledFile(self._request, path, job.order.media_type)
        match self._rule.fault:
            case "media_endless":
                return await file.without_end()
            case "media_changed":
                part = await file.first_half_of_another()
            case _:
                part = await file.first_half()
        if self._rule.fault == "media_cut":
            self._hang_up(with_reset=True)
        if self._rule.fault == "media_stalled":
            await file.silence(self._rule.seconds)
        return part


def _asked_for(request: web.Request) -> str | None:
    if request.match_info.route.name == "recordInfo":
        return request.query.get("taskId")
    return request.match_info.get("task_id")


def _prompt_of(request: web.Request, body: bytes) -> str | None:
    """Return the prompt of the video that a request is about, or that it asks for with this body."""
    task_id = _asked_for(request)
    if task_id is not None:
        job = request.app[STORE].get(task_id)
        return None if job is None else job.order.prompt
    try:
        prompt = json.loads(body)["inputs"]["prompt"]
    except (ValueError, TypeError, KeyError):
        return None
    return prompt if isinstance(prompt, str) else None


def _body(answer: web.StreamResponse) -> bytes:
    body = answer.body if isinstance(answer, web.Response) else None
    return body if isinstance(body, bytes) else b""


def _with_unknown_status(answer: web.StreamResponse) -> web.StreamResponse:
    if answer.status != 200:
        return answer
    record = json.loads(_body(answer))
    # Whatever it has to show is not shown: a client that does not know the word can't believe the rest.
    return web.json_response(record | {"status": "reviewing", "output": None, "completeTime": None})
