"""`POST /api/recognize`: a video's bytes in, lines of progress and at last what was recognised out.

The file is in a temporary folder while it is worked on, and is deleted whatever happens.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePath
from typing import IO, Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from exerlitenet.app.limits import Limits
from exerlitenet.errors import InputError
from exerlitenet.recognition.recognizer import Recognizer

LONGEST_NAME = 200
PROGRESS_S = 0.5
"""Seconds of video between two lines of progress, at least."""


class Uploads:
    """Takes files one after another, as many at once as the limits say."""

    def __init__(self, recognizer: Recognizer, limits: Limits) -> None:
        self._recognizer = recognizer
        self._limits = limits
        self._running = 0
        self._closing = threading.Event()
        self._pool = ThreadPoolExecutor(limits.uploads, "upload")

    async def endpoint(self, request: Request) -> Response:
        """The body is the file itself; `?name=` is what results call it."""
        limits = self._limits
        if self._running >= limits.uploads:
            return refusal(503, f"{limits.uploads} files are being worked on; try again when one is done")
        declared = request.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > limits.upload_bytes:
            return too_large(limits)
        name = PurePath(request.query_params.get("name", "upload")[:LONGEST_NAME]).name or "upload"
        self._running += 1
        path: Path | None = None
        try:
            with tempfile.NamedTemporaryFile(prefix="exerlitenet-", delete=False) as file:
                path = Path(file.name)
                received = await self._store(request, file)
        except BaseException as error:
            self._forget(path)
            if isinstance(error, ClientDisconnect):
                return Response(status_code=400)
            raise
        if not received:
            self._forget(path)
            return (
                too_large(limits)
                if received is None
                else refusal(400, "the request had no body; send the file")
            )
        return StreamingResponse(self._lines(path, name), media_type="application/x-ndjson")

    def close(self) -> None:
        """Stops what is being worked on."""
        self._closing.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    async def _store(self, request: Request, file: IO[bytes]) -> int | None:
        """Bytes written, None when there were too many."""
        written = 0
        async for chunk in request.stream():
            written += len(chunk)
            if written > self._limits.upload_bytes:
                return None
            await asyncio.to_thread(file.write, chunk)
        return written

    def _lines(self, path: Path, name: str) -> AsyncIterator[str]:
        """Starts the work at once, so that it is also its end that deletes the file if nobody reads the lines."""
        loop = asyncio.get_running_loop()
        lines: asyncio.Queue[str | None] = asyncio.Queue()
        gone = threading.Event()

        def send(line: dict[str, Any]) -> None:
            text = json.dumps(line, allow_nan=False) + "\n"
            loop.call_soon_threadsafe(lines.put_nowait, text)

        sent_s = 0.0

        def on_progress(done_s: float, total_s: float | None) -> None:
            nonlocal sent_s
            if gone.is_set() or self._closing.is_set():
                raise InterruptedError("nobody waits for this any more")
            if done_s - sent_s >= PROGRESS_S:
                sent_s = done_s
                send({"type": "progress", "done_s": round(done_s, 2), "total_s": total_s})

        def work() -> None:
            try:
                workout = self._recognizer.recognize(path, on_progress=on_progress)
                send({"type": "result", "workout": workout.to_json() | {"video": name}})
            except InterruptedError:
                pass
            except InputError as error:
                send({"type": "error", "reason": str(error).replace(str(path), name)})
            except BaseException:
                send({"type": "error", "reason": "something went wrong here; the server's log says what"})
                raise
            finally:
                path.unlink(missing_ok=True)

        job = loop.run_in_executor(self._pool, work)

        def done(job: asyncio.Future[None]) -> None:
            # The answer ends when the place is free, so that who sends one file after another needs one place only.
            self._forget(path)
            lines.put_nowait(None)
            if not job.cancelled() and (error := job.exception()) is not None:
                loop.call_exception_handler({"message": "an upload failed", "exception": error})

        job.add_done_callback(done)

        async def sent() -> AsyncIterator[str]:
            try:
                while (line := await lines.get()) is not None:
                    yield line
            finally:
                gone.set()

        return sent()

    def _forget(self, path: Path | None) -> None:
        self._running -= 1
        if path is not None:
            path.unlink(missing_ok=True)


def refusal(status: int, reason: str) -> Response:
    """An error as JSON."""
    return JSONResponse({"error": reason}, status)


def too_large(limits: Limits) -> Response:
    """The file is over the limit."""
    return refusal(413, f"a file may have {limits.upload_bytes} bytes; cut the video into parts")
