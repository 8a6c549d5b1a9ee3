"""
Serves the Videos page, and the videos that have landed.

The page itself knows nothing: it asks Airflow's public REST API, in the viewer's own session, so it shows what the
viewer may see there. What tasks have pushed it asks here, since the REST API does not read through an XCom backend.
That and a video are for users who may read the XComs of the DAG. All routes want a logged-in user.
"""

from __future__ import annotations

import json
from collections.abc import Iterator  # noqa: TC003  # beside what FastAPI reads
from contextlib import ExitStack
from html import escape
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.common.db.common import SessionDep  # noqa: TC002  # FastAPI reads it
from airflow.api_fastapi.core_api.security import get_user, requires_access_dag
from airflow.configuration import conf
from fastapi import Depends, FastAPI, Header, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse, StreamingResponse

from seedance_provider.plugins.byte_range import ByteRange, UnsatisfiableRangeError, requested_range
from seedance_provider.plugins.pushed_value import Key, UnreadableXComError, pushed_value
from seedance_provider.plugins.stored_video import NotShownError, StoredVideo

__all__ = ["application"]

_PAGE = Path(__file__).with_name("videos_page")
_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript"}
_NO_SNIFFING = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
#: The page runs nothing but its own files, whatever a prompt says. Videos come from wherever the vendor keeps them.
_PAGE_HEADERS = {
    **_NO_SNIFFING,
    "Cache-Control": "private, no-cache",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "media-src 'self' https: http:; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
    ),
}

#: What every database can look up: PostgreSQL has no text with a zero byte, and integers of 32 bits.
_Name = Annotated[str, Query(min_length=1, pattern=r"^[^\x00]*$")]
_MapIndex = Annotated[int, Query(ge=-1, lt=2**31)]

application = FastAPI(
    title="Seedance videos", docs_url=None, redoc_url=None, openapi_url=None, dependencies=[Depends(get_user)]
)


@application.get("/videos/")
def page() -> Response:
    """Return the page, which has to know the operators of the user's own."""
    # Airflow 3.1 splits the fallback, too.
    names = conf.getlist("seedance", "video_operators", fallback="")
    html = (_PAGE / "index.html").read_text().replace("{{ own_operators }}", escape(",".join(names)))
    return HTMLResponse(html, headers=_PAGE_HEADERS)


@application.get("/videos/{name}")
def file_of_page(name: str) -> Response:
    """Return one of the files that the page is made of."""
    path = _PAGE / name
    # One of those that are there, so that no name leads elsewhere.
    if path.suffix not in _MEDIA_TYPES or path not in _PAGE.iterdir():
        raise HTTPException(404, "There is no such file.")
    # No FileResponse, which also answers to Range: older releases of Starlette take long to read that.
    return Response(path.read_bytes(), headers=_PAGE_HEADERS, media_type=_MEDIA_TYPES[path.suffix])


@application.get("/pushed", dependencies=[Depends(requires_access_dag("GET", DagAccessEntity.XCOM))])
def pushed(
    dag_id: _Name, run_id: _Name, task_id: _Name, key: Key, session: SessionDep, map_index: _MapIndex = -1
) -> Response:
    """Return what a task instance has pushed, or why that can't be read here."""
    try:
        value = pushed_value(session, key, dag_id=dag_id, run_id=run_id, task_id=task_id, map_index=map_index)
        content = json.dumps({"value": value}, default=str, allow_nan=False)
    except UnreadableXComError as error:
        content = json.dumps({"problem": str(error)})
    except (TypeError, ValueError, RecursionError):
        content = json.dumps({"problem": f"The XCom {key!r} has a value that is no JSON."})
    return Response(content, headers={**_NO_SNIFFING, "Cache-Control": "no-store"}, media_type="application/json")


@application.api_route(
    "/stored",
    methods=["GET", "HEAD"],
    dependencies=[Depends(requires_access_dag("GET", DagAccessEntity.XCOM))],
)
def stored_video(
    request: Request,
    dag_id: _Name,
    run_id: _Name,
    task_id: _Name,
    session: SessionDep,
    map_index: _MapIndex = -1,
    range_: Annotated[str | None, Header(alias="Range")] = None,
) -> Response:
    """Return a video that a task instance has landed, or a part of it."""
    is_get = request.method == "GET"
    with ExitStack() as closing:
        try:
            landed = pushed_value(session, "landed", dag_id=dag_id, run_id=run_id, task_id=task_id, map_index=map_index)
            video = closing.enter_context(StoredVideo.recorded(landed))
            # Only of GET, says RFC 9110.
            asked = requested_range(range_ if is_get else None, video.size)
        except (NotShownError, UnreadableXComError) as error:
            raise HTTPException(404, str(error)) from error
        except UnsatisfiableRangeError as error:
            raise HTTPException(416, "The video has no such part.", {"Content-Range": str(error)}) from error
        part = asked or ByteRange.whole(video.size)
        headers = {
            **_NO_SNIFFING,
            "Accept-Ranges": "bytes",
            "Cache-Control": "private, no-cache",
            "Content-Disposition": f"inline; filename*=UTF-8''{quote(video.name, safe='')}",
            "Content-Length": str(part.length),
        }
        if asked is not None:
            headers["Content-Range"] = str(part)
        if is_get:
            # It is still to be read.
            closing.pop_all()
        return StreamingResponse(
            _sent(video, part) if is_get else (), 206 if asked else 200, headers, media_type=video.media_type
        )


def _sent(video: StoredVideo, part: ByteRange) -> Iterator[bytes]:
    with video:
        yield from video.pieces(part)
