"""The history page and what it asks for: figures, sessions, corrections, export."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any, cast

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from exerlitenet.app.log.database import LogUnusable
from exerlitenet.app.log.export import labels_csv, sessions_json, sets_csv
from exerlitenet.app.log.figures import MOST_DAYS, counts, history, totals, with_tempo
from exerlitenet.app.log.records import NotInLog, Session, Set
from exerlitenet.app.log.session_log import SessionLog
from exerlitenet.errors import InputError

STATIC = Path(__file__).parent / "static"
LARGEST_BODY = 4096
"""Bytes; a correction is far smaller."""
_EXPORTS: dict[str, tuple[Callable[[tuple[Session, ...]], str], str, str]] = {
    "csv": (sets_csv, "text/csv; charset=utf-8", "exerlitenet-sets.csv"),
    "json": (sessions_json, "application/json", "exerlitenet-log.json"),
    "labels": (labels_csv, "text/csv; charset=utf-8", "exerlitenet-labels.csv"),
}

Endpoint = Callable[[Request], Awaitable[Response]]


def history_routes(log: SessionLog) -> list[Route]:
    """The routes of the history: the page at /history, and JSON under /api.

    GET /api/history?days=90; GET /api/sessions and /api/sessions/{id}; PATCH /api/sets/{id} with any of
    exercise, repetitions and note (null: as the model said); DELETE /api/sets/{id}; POST /api/sets/{id}/restore
    and /api/sets/{id}/undo, which answer with the set as it is then; GET /api/export?format=csv|json|labels.
    A request that makes no sense is answered with 400, and one for what is not there with 404, as
    {"error": one line}. Who may ask is for the application around them to decide.
    """

    def figures(request: Request) -> Response:
        days = _days(request.query_params.get("days", "90"))
        # The server is the user's own computer: its day is theirs.
        return JSONResponse(history(log.sets(deleted=True), days=days, today=datetime.now().date()))

    def sessions(request: Request) -> Response:
        return JSONResponse({"sessions": [_summary(one) for one in reversed(log.sessions())]})

    def session(request: Request) -> Response:
        one = log.session(request.path_params["id"])
        return JSONResponse({**one.to_json(), "sets": [with_tempo(s) for s in one.sets]})

    async def correct(request: Request) -> Response:
        said = await _said(request)
        return JSONResponse(
            with_tempo(await run_in_threadpool(log.correct, request.path_params["id"], **said))
        )

    def with_set(change: Callable[[int], Set]) -> Endpoint:
        return _explained(lambda request: JSONResponse(with_tempo(change(request.path_params["id"]))))

    def export(request: Request) -> Response:
        wanted = request.query_params.get("format", "csv")
        if wanted not in _EXPORTS:
            raise InputError(f"expected format={'|'.join(_EXPORTS)}, got {wanted[:40]!r}")
        write, kind, name = _EXPORTS[wanted]
        content = write(log.sessions()).encode("utf-8", "backslashreplace")
        disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(content, media_type=kind, headers=disposition)

    def page(request: Request) -> Response:
        return FileResponse(STATIC / "history.html")

    return [
        Route("/history", page, methods=["GET"]),
        Route("/api/history", _explained(figures), methods=["GET"]),
        Route("/api/sessions", _explained(sessions), methods=["GET"]),
        Route("/api/sessions/{id:int}", _explained(session), methods=["GET"]),
        Route("/api/sets/{id:int}", _explained(correct), methods=["PATCH"]),
        Route("/api/sets/{id:int}", with_set(log.delete), methods=["DELETE"]),
        Route("/api/sets/{id:int}/restore", with_set(log.restore), methods=["POST"]),
        Route("/api/sets/{id:int}/undo", with_set(log.undo), methods=["POST"]),
        Route("/api/export", _explained(export), methods=["GET"]),
    ]


def _explained(endpoint: Callable[[Request], Response] | Endpoint) -> Endpoint:
    """The endpoint, with bad input as a status and one line."""

    async def answer(request: Request) -> Response:
        try:
            if iscoroutinefunction(endpoint):
                response: Response = await endpoint(request)
                return response
            return await run_in_threadpool(cast(Callable[[Request], Response], endpoint), request)
        except InputError as error:
            status = 404 if isinstance(error, NotInLog) else 503 if isinstance(error, LogUnusable) else 400
            return JSONResponse({"error": str(error)}, status)

    return answer


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MOST_DAYS):
        raise InputError(f"expected days=1 to {MOST_DAYS}, got {text[:40]!r}")
    return int(text)


def _summary(session: Session) -> dict[str, Any]:
    """A session without its sets: what a list shows."""
    facts = session.to_json()
    last_seen = session.last_seen_at.isoformat(timespec="milliseconds")
    return {**facts, "last_seen_at": last_seen, **totals([one for one in session.sets if counts(one)])}


async def _said(request: Request) -> dict[str, Any]:
    """The fields of a correction. Raises InputError when the body is none."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise InputError(f"expected a correction of at most {LARGEST_BODY} bytes, got more")
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InputError("expected a correction as JSON, got something else") from error
    kinds: dict[str, Any] = {"exercise": str | None, "repetitions": int | None, "note": str}
    if not isinstance(said, dict) or not said or not said.keys() <= kinds.keys():
        raise InputError(f"expected an object with some of {', '.join(kinds)}, got {str(said)[:80]}")
    for name, value in said.items():
        if not isinstance(value, kinds[name]) or isinstance(value, bool):
            raise InputError(f"expected {name} as {'a whole number' if name == 'repetitions' else 'text'}")
    return said
