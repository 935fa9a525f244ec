"""The application behind `exerlitenet live`: the page, its stream, the history, uploads, and a sign of life."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from exerlitenet._version import __version__
from exerlitenet.app.guard import Access, Guard
from exerlitenet.app.history import history_routes
from exerlitenet.app.limits import Limits
from exerlitenet.app.log.session_log import SessionLog
from exerlitenet.app.protocol import BUSY
from exerlitenet.app.stream import Services, Stream
from exerlitenet.app.uploads import Uploads
from exerlitenet.errors import InputError
from exerlitenet.recognition.recognizer import Recognizer

STATIC = Path(__file__).parent / "static"


def create_app(
    recognizer: Recognizer,
    log: SessionLog,
    *,
    access: Access | None = None,
    limits: Limits | None = None,
    sample: Callable[[], Path] | None = None,
) -> Starlette:
    """The whole application; recogniser and log are shared by all its connections, and stay the caller's.

    access: who may talk to it; by default this machine only. sample: makes the sample clip and says where it
    is; it is called at the first request for it, in a thread.
    """
    access, limits = access or Access("127.0.0.1"), limits or Limits()
    pool = ThreadPoolExecutor(max(2, os.cpu_count() or 1), "recognition")
    live = _Live(Services(recognizer, log, limits, pool))
    uploads = Uploads(recognizer, limits)
    clip = _Clip(sample)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        await live.ended()  # they need the pool to the last
        uploads.close()
        pool.shutdown(wait=True, cancel_futures=True)

    async def health(request: Request) -> Response:
        return JSONResponse(
            {"status": "ok", "version": __version__, "model": recognizer.engine.name, "streams": live.running}
        )

    async def page(request: Request) -> Response:
        return FileResponse(STATIC / "index.html", media_type="text/html")

    routes = [
        Route("/", page),
        Route("/healthz", health),
        Route("/sample.mp4", clip.endpoint),
        Route("/api/recognize", uploads.endpoint, methods=["POST"]),
        WebSocketRoute("/ws", live.endpoint),
        *history_routes(log),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    return Starlette(routes=routes, middleware=[Middleware(Guard, access=access)], lifespan=lifespan)


class _Live:
    """The streams that run."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._streams: set[asyncio.Task[Any]] = set()

    @property
    def running(self) -> int:
        return len(self._streams)

    async def ended(self) -> None:
        """Waits until all have closed their sets. The server has asked them to end, or cancelled them."""
        while self._streams:
            await asyncio.wait(self._streams)

    async def endpoint(self, socket: WebSocket) -> None:
        most = self._services.limits.streams
        if self.running >= most:
            await socket.accept()
            await socket.close(BUSY, f"{most} streams are running; close one of them first")
            return
        task = asyncio.current_task()
        assert task is not None
        self._streams.add(task)
        try:
            await Stream(socket, self._services).run()
        finally:
            self._streams.discard(task)


class _Clip:
    """The sample clip, made once."""

    def __init__(self, make: Callable[[], Path] | None) -> None:
        self._make = make
        self._lock = asyncio.Lock()
        self._path: Path | None = None

    async def endpoint(self, request: Request) -> Response:
        if self._make is None:
            return JSONResponse({"error": "this server has no sample clip"}, 404)
        async with self._lock:
            if self._path is None or not self._path.is_file():
                try:
                    self._path = await asyncio.to_thread(self._make)
                except InputError as error:
                    return JSONResponse({"error": str(error)}, 503)
        return FileResponse(self._path, media_type="video/mp4")
