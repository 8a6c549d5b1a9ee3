"""
A local server of one file, as fast as the machine sends it, that can send a part of it too.

``python -m benchmarks.file_server FILE`` prints its address.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from aiohttp import web


async def _serve(path: Path) -> None:
    async def answer(_: web.Request) -> web.FileResponse:
        return web.FileResponse(path)

    app = web.Application()
    app.add_routes([web.get("/video.mp4", answer)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sys.stdout.write(f"http://127.0.0.1:{runner.addresses[0][1]}/video.mp4\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
