"""A server of the live page in a thread, and a client that speaks its protocol, for tests."""

from __future__ import annotations

import http.client
import io
import json
import socket
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn
from numpy.typing import NDArray
from PIL import Image
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from exerlitenet.app.guard import Access
from exerlitenet.app.limits import MEBIBYTE, Limits
from exerlitenet.app.log.session_log import SessionLog
from exerlitenet.app.protocol import HEADER
from exerlitenet.app.server import create_app
from exerlitenet.recognition.recognizer import Recognizer

Rgb = NDArray[np.uint8]


class LiveServer:
    """Where a server listens, and what it writes to."""

    def __init__(self, port: int, log: SessionLog) -> None:
        self.port = port
        self.log = log
        self.address = f"http://127.0.0.1:{port}"

    def connect(self, **more: Any) -> ClientConnection:
        # However slow the machine is, a test must not end because the client lost patience.
        patient = {"open_timeout": 120, "ping_interval": None, "compression": None, "max_size": None}
        return connect(f"ws://127.0.0.1:{self.port}/ws", **{**patient, **more})


@contextmanager
def running(
    recognizer: Recognizer,
    database: Path,
    *,
    access: Access | None = None,
    limits: Limits | None = None,
    port: int = 0,
    send_buffer: int | None = None,
    grace_s: int = 3,
    **more: Any,
) -> Iterator[LiveServer]:
    """A server on loopback for the time of the block. send_buffer: bytes that the system keeps for a reader.

    grace_s: how long its connections get to end.
    """
    limits = limits or Limits()
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if send_buffer is not None:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    listener.bind(("127.0.0.1", port))
    with SessionLog(database) as log:
        app = create_app(recognizer, log, access=access, limits=limits, **more)
        config = uvicorn.Config(
            app,
            log_level="critical",
            proxy_headers=False,
            ws_max_size=limits.frame_bytes + MEBIBYTE,
            timeout_graceful_shutdown=grace_s,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive(), "the server ended before it began"
            time.sleep(0.01)
        try:
            yield LiveServer(listener.getsockname()[1], log)
        finally:
            server.should_exit = True
            thread.join()
            listener.close()


@dataclass(frozen=True)
class Answer:
    """Of an HTTP request."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def getheader(self, name: str) -> str | None:
        return self.headers.get(name)

    def json(self) -> Any:
        return json.loads(self.body)


def ask(server: LiveServer, path: str, method: str = "GET", body: bytes = b"", **headers: str) -> Answer:
    """One request; names of headers have _ for -."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    answer = Answer(response.status, response.headers, response.read())
    connection.close()
    return answer


def jpeg_of(rgb: Rgb, quality: int = 92) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=quality, subsampling=0)
    return buffer.getvalue()


def frame_message(time_s: float, sequence: int, jpeg: bytes) -> bytes:
    return HEADER.pack(time_s, sequence) + jpeg


def begin(socket: ClientConnection, **start: Any) -> dict[str, Any]:
    """Reads "hello", sends "start", and returns the answer to it."""
    assert json.loads(socket.recv())["type"] == "hello"
    socket.send(json.dumps({"type": "start", **start}))
    answer: dict[str, Any] = json.loads(socket.recv())
    assert answer["type"] == "session"
    return answer


def play(
    socket: ClientConnection, pictures: Iterable[Rgb], fps: float = 15, start_s: float = 0.0
) -> list[dict[str, Any]]:
    """Sends each picture when the one before was answered, so that none is dropped. Returns all answers."""
    answers: list[dict[str, Any]] = []
    for index, rgb in enumerate(pictures):
        socket.send(frame_message(start_s + index / fps, index, jpeg_of(rgb)))
        answers += until(socket, "state")
    return answers


def until(socket: ClientConnection, kind: str) -> list[dict[str, Any]]:
    """Answers up to the next one of a type."""
    answers: list[dict[str, Any]] = []
    while not answers or answers[-1]["type"] != kind:
        answers.append(json.loads(socket.recv(timeout=60)))
    return answers


def stop(socket: ClientConnection) -> list[dict[str, Any]]:
    """Sends "stop". Returns the answers to it."""
    socket.send(json.dumps({"type": "stop"}))
    return until(socket, "stopped")


def closed(socket: ClientConnection) -> tuple[int, str, list[dict[str, Any]]]:
    """Waits for the server to close: code, reason, and what it said before."""
    said: list[dict[str, Any]] = []
    with suppress(ConnectionClosed):
        while True:
            said.append(json.loads(socket.recv(timeout=60)))
    assert socket.close_code is not None
    return socket.close_code, socket.close_reason or "", said
