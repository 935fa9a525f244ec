"""One connection of the page: frames and commands in, answers out, and never a queue of frames.

The newest frame wins: a frame that comes while another one is worked on waits, and is replaced by the next one. What
was replaced is counted. Recognition runs in threads that all connections share, one frame of each at a time.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from starlette.websockets import WebSocket, WebSocketDisconnect

from exerlitenet.app import protocol
from exerlitenet.app.limits import Allowance, Limits
from exerlitenet.app.log.session_log import SessionLog
from exerlitenet.app.pictures import brightness, decode_jpeg
from exerlitenet.app.protocol import (
    BAD_DATA,
    BROKEN,
    POLICY,
    Alive,
    PictureMessage,
    ProtocolError,
    Start,
    Stop,
)
from exerlitenet.app.recorder import Recorded, Recorder
from exerlitenet.recognition.recognizer import Recognizer
from exerlitenet.recognition.tracker import Tracker
from exerlitenet.results import Frame

MOST_COMMANDS = 8
CLOSING_S = 2.0
"""How long a client gets to take the reason why its connection ends."""

T = TypeVar("T")


@dataclass(frozen=True)
class Services:
    """What all streams share. log: None to keep nothing."""

    recognizer: Recognizer
    log: SessionLog | None
    limits: Limits
    pool: ThreadPoolExecutor


@dataclass(frozen=True)
class _Picture:
    message: PictureMessage
    came_s: float


class Stream:
    """One connection, from accepting it to its end."""

    def __init__(self, socket: WebSocket, services: Services) -> None:
        self._socket = socket
        self._services = services
        self._limits = services.limits
        self._waiting: deque[_Picture | Start | Stop] = deque()
        self._arrived = asyncio.Event()
        self._received = self._dropped = 0
        self._tracker: Tracker | None = None
        self._recorder: Recorder | None = None
        self._source_begun = False
        self._first_s: float | None = None
        self._last_s = 0.0
        self._session_sent: tuple[int | None, bool, str | None] | None = None
        self._job: asyncio.Future[Any] | None = None

    async def run(self) -> None:
        """Serves the connection until it ends; whatever happens, its sets are closed in the log."""
        await self._socket.accept()
        tasks = {asyncio.create_task(self._receive()), asyncio.create_task(self._work())}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            outcomes = await _undisturbed(self._end(tasks))
        for outcome in outcomes:
            if isinstance(outcome, ProtocolError):
                await self._refuse(outcome)
            elif isinstance(outcome, Exception) and not isinstance(outcome, WebSocketDisconnect):
                await self._refuse(ProtocolError(BROKEN, "something went wrong; the server says what"))
                raise outcome

    async def _end(self, tasks: Iterable[asyncio.Task[None]]) -> list[BaseException | None]:
        """Stops the tasks and closes what they worked on; returns what became of each."""
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        if self._job is not None:  # a thread cannot be cancelled; what it works on is closed after it
            await asyncio.gather(self._job, return_exceptions=True)
        await self._in_thread(self._close)
        return outcomes

    async def _receive(self) -> None:
        limits = self._limits
        messages, volume = Allowance(limits.messages_per_s), Allowance(limits.bytes_per_s)
        began_s = time.monotonic()
        await self._send(protocol.hello(self._services.recognizer.engine, limits))
        while True:
            wait_s = limits.silence_s
            if not self._source_begun:
                wait_s = max(0.0, limits.start_s - (time.monotonic() - began_s))
            try:
                # Not wait_for: before Python 3.12 it may swallow a cancellation.
                async with asyncio.timeout(wait_s):
                    message = await self._socket.receive()
            except TimeoutError as error:
                why = "nothing came for too long" if self._source_begun else 'no "start" came'
                raise ProtocolError(POLICY, f"{why}; connect again to continue") from error
            if message["type"] == "websocket.disconnect":
                return
            data, text = message.get("bytes"), message.get("text")
            size = len(data) if data is not None else len(text or "")
            now_s = time.monotonic()
            if not messages.take(1, now_s):
                raise ProtocolError(POLICY, f"more than {limits.messages_per_s:g} messages a second came")
            if not volume.take(size, now_s):
                raise ProtocolError(POLICY, f"more than {limits.bytes_per_s:.0f} bytes a second came")
            if data is not None:
                self._take_picture(protocol.parse_picture(data, limits), now_s)
                continue
            command = protocol.parse_command(text or "", limits)
            if isinstance(command, Alive):
                await self._send({"type": "alive", **self._counters})
            else:
                self._take_command(command)

    def _take_picture(self, message: PictureMessage, now_s: float) -> None:
        if not self._source_begun:
            raise ProtocolError(BAD_DATA, 'a stream begins with "start", before its first frame')
        self._received += 1
        picture = _Picture(message, now_s)
        if self._waiting and isinstance(self._waiting[-1], _Picture):
            self._waiting[-1] = picture
            self._dropped += 1
        else:
            self._waiting.append(picture)
        self._arrived.set()

    def _take_command(self, command: Start | Stop) -> None:
        if isinstance(command, Stop) and not self._source_begun:
            raise ProtocolError(BAD_DATA, 'there is nothing to stop before "start"')
        self._source_begun = True
        if sum(not isinstance(item, _Picture) for item in self._waiting) >= MOST_COMMANDS:
            raise ProtocolError(POLICY, "too many commands at once; wait for the answers")
        self._waiting.append(command)
        self._arrived.set()

    async def _work(self) -> None:
        while True:
            await self._arrived.wait()
            if not self._waiting:
                self._arrived.clear()
                continue
            item = self._waiting.popleft()
            if isinstance(item, _Picture):
                answers = await self._in_thread(partial(self._recognize, item))
            elif isinstance(item, Start):
                answers = await self._in_thread(partial(self._start, item))
            else:
                answers = [*await self._in_thread(self._close), {"type": "stopped", **self._counters}]
            for answer in answers:
                await self._send(answer)

    # In the shared threads, one at a time.

    def _start(self, command: Start) -> list[Mapping[str, Any]]:
        self._close()
        self._tracker = self._services.recognizer.tracker()
        log = self._services.log if command.log else None
        self._recorder = Recorder(log, self._services.recognizer.engine.name, command.source, command.session)
        self._first_s, self._last_s = None, 0.0
        self._session_sent = None
        return self._session_news()

    def _recognize(self, picture: _Picture) -> list[Mapping[str, Any]]:
        message = picture.message
        if self._tracker is None or self._recorder is None:
            raise ProtocolError(BAD_DATA, 'this stream was stopped; send "start" before its next frame')
        if self._first_s is None:
            self._first_s = message.time_s
        elif message.time_s < self._last_s:
            raise ProtocolError(
                BAD_DATA,
                f'the time of a frame fell from {self._last_s:.3f} to {message.time_s:.3f} s; "start" begins anew',
            )
        self._last_s = message.time_s
        rgb = decode_jpeg(message.jpeg, self._limits)
        state = self._tracker.push(Frame(message.time_s - self._first_s, rgb)).at(self._first_s)
        recorded = self._recorder.take(state)
        latency_s = time.monotonic() - picture.came_s
        return [
            *self._session_news(),
            *_sets(recorded),
            protocol.state(
                message.sequence, state, recorded.current, self._counters, latency_s, brightness(rgb)
            ),
        ]

    def _close(self) -> list[Mapping[str, Any]]:
        """Ends the running stream, if there is one; returns what to tell of it."""
        tracker, recorder = self._tracker, self._recorder
        self._tracker, self._recorder = None, None
        if tracker is None or recorder is None:
            return []
        recorded = recorder.take(tracker.finish().at(self._first_s or 0.0))
        recorder.end()
        return _sets(recorded)

    def _session_news(self) -> list[Mapping[str, Any]]:
        recorder = self._recorder
        assert recorder is not None  # only asked while a stream runs
        news = (recorder.session, recorder.keeps, recorder.trouble)
        if news == self._session_sent:
            return []
        self._session_sent = news
        return [protocol.session_of(recorder.session, keeps=recorder.keeps, trouble=recorder.trouble)]

    @property
    def _counters(self) -> dict[str, int]:
        return {"received": self._received, "dropped": self._dropped}

    async def _in_thread(self, work: Callable[[], T]) -> T:
        self._job = asyncio.get_running_loop().run_in_executor(self._services.pool, work)
        # Shielded: the thread continues when this task is cancelled, and `run` waits for it.
        result: T = await asyncio.shield(self._job)
        self._job = None
        return result

    async def _send(self, message: Mapping[str, Any]) -> None:
        text = json.dumps(message, separators=(",", ":"), allow_nan=False)
        try:
            async with asyncio.timeout(self._limits.send_s):
                await self._socket.send_text(text)
        except TimeoutError as error:
            raise ProtocolError(POLICY, "answers were not read for too long") from error
        except RuntimeError as error:
            # A client that breaks the protocol is left by the server itself, and `_receive` hears of it a moment later.
            raise WebSocketDisconnect(1006) from error

    async def _refuse(self, error: ProtocolError) -> None:
        """Ends the connection and says why, in a message too, since not every client sees a close reason."""
        text = json.dumps({"type": "error", "reason": str(error)})
        try:
            async with asyncio.timeout(CLOSING_S):
                await self._socket.send_text(text)
                await self._socket.close(error.code, error.reason)
        except (TimeoutError, WebSocketDisconnect, RuntimeError):
            pass  # it does not listen, or has gone


def _sets(recorded: Recorded) -> list[Mapping[str, Any]]:
    """What to tell of sets that are over."""
    return [{"type": "set", **protocol.set_message(item)} for item in recorded.ended]


async def _undisturbed(work: Coroutine[Any, Any, T]) -> T:
    """Does work to its end also where this task is cancelled meanwhile; the cancellation counts after it."""
    task = asyncio.create_task(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    return task.result()
