"""The messages between the page and the server; docs/live.md describes them for whoever writes another client."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from exerlitenet._version import __version__
from exerlitenet.app.limits import Limits
from exerlitenet.recognition.engine import Engine
from exerlitenet.recognition.tracker import TrackerState
from exerlitenet.results import Segment

HEADER = struct.Struct("<dI")
"""Before the JPEG of a frame: capture time in seconds (float64) and sequence number (uint32), little-endian."""

JPEG_START = b"\xff\xd8\xff"
LATEST_S = 1e7
SOURCES = ("camera", "file", "sample")

# Close codes of RFC 6455, section 7.4.1.
UNSUPPORTED, BAD_DATA, POLICY, TOO_BIG, BROKEN, BUSY = 1003, 1007, 1008, 1009, 1011, 1013

Source = Literal["camera", "file", "sample"]


class ProtocolError(Exception):
    """What a client did that ends its connection. code: the close code; the message is its reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code

    @property
    def reason(self) -> str:
        """At most 123 bytes, as a close frame holds."""
        return str(self).encode()[:123].decode(errors="ignore")


@dataclass(frozen=True)
class PictureMessage:
    """time_s: when it was captured, on the client's clock. sequence: the client's number of it. jpeg: encoded."""

    time_s: float
    sequence: int
    jpeg: bytes


@dataclass(frozen=True)
class Start:
    """A stream begins anew. session: of the log, to resume after a lost connection. log: whether to keep sets."""

    source: Source
    session: int | None
    log: bool


@dataclass(frozen=True)
class Stop:
    """The stream has ended; the server answers with its sets."""


@dataclass(frozen=True)
class Alive:
    """Nothing to say, but still there; answered at once."""


Command = Start | Stop | Alive


def parse_picture(message: bytes, limits: Limits) -> PictureMessage:
    """Raises ProtocolError for what is no frame."""
    if len(message) > limits.frame_bytes + HEADER.size:
        raise ProtocolError(
            TOO_BIG,
            f"a frame may have {limits.frame_bytes} bytes, this one has {len(message)}; send it smaller",
        )
    if len(message) <= HEADER.size:
        raise ProtocolError(
            BAD_DATA, f"a frame is {HEADER.size} bytes of header and a JPEG, got {len(message)}"
        )
    time_s, sequence = HEADER.unpack_from(message)
    if not (math.isfinite(time_s) and 0 <= time_s <= LATEST_S):
        raise ProtocolError(BAD_DATA, f"a frame's time must be 0 to {LATEST_S:g} seconds, got {time_s:g}")
    jpeg = message[HEADER.size :]
    if not jpeg.startswith(JPEG_START):
        raise ProtocolError(UNSUPPORTED, "a frame must be a JPEG picture after its header")
    return PictureMessage(time_s, sequence, jpeg)


def parse_command(text: str, limits: Limits) -> Command:
    """Raises ProtocolError for what is no command."""
    if len(text.encode(errors="replace")) > limits.text_bytes:
        raise ProtocolError(TOO_BIG, f"a text message may have {limits.text_bytes} bytes")
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(BAD_DATA, "a text message must be a JSON object") from error
    if not isinstance(message, dict):
        raise ProtocolError(BAD_DATA, "a text message must be a JSON object")
    kind = message.get("type")
    if kind == "start":
        return _start(message)
    if kind == "stop":
        return Stop()
    if kind == "alive":
        return Alive()
    raise ProtocolError(BAD_DATA, f'"type" must be "start", "stop" or "alive", got {_shown(kind)}')


def _start(message: Mapping[str, Any]) -> Start:
    source, session, log = message.get("source", "camera"), message.get("session"), message.get("log", True)
    if source not in SOURCES:
        raise ProtocolError(BAD_DATA, f'"source" must be one of {", ".join(SOURCES)}, got {_shown(source)}')
    if session is not None and (type(session) is not int or not 0 <= session < 2**63):
        raise ProtocolError(
            BAD_DATA, f'"session" must be a number that the server gave, got {_shown(session)}'
        )
    if not isinstance(log, bool):
        raise ProtocolError(BAD_DATA, f'"log" must be true or false, got {_shown(log)}')
    return Start(source, session, log)


def _shown(value: object) -> str:
    return repr(value)[:40]


def hello(engine: Engine, limits: Limits) -> dict[str, Any]:
    """The server's first message. short_side: of the pictures that it wants; send_rate: how many a second."""
    spec = engine.spec
    return {
        "type": "hello",
        "version": __version__,
        "model": engine.name,
        "classes": list(engine.classes),
        "short_side": spec.source_short_side,
        "rate": spec.rate,
        "send_rate": min(2 * spec.rate, 30.0),
        "window_s": round(spec.window_s, 3),
        "frame_bytes": limits.frame_bytes,
    }


def session_of(session: int | None, *, keeps: bool, trouble: str | None = None) -> dict[str, Any]:
    """Answers "start", and comes again when the log's session has begun, with its first set, or the log fails.

    session: of the log. keeps: whether sets are written to it. trouble: why not, though they should be.
    """
    return {"type": "session", "session": session, "log": keeps, "trouble": trouble}


def state(
    sequence: int,
    at: TrackerState,
    now: Segment | None,
    counters: Mapping[str, int],
    latency_s: float,
    brightness: float,
) -> dict[str, Any]:
    """Answers every frame that was worked on. now: the running set, with what was resumed.

    counters: frames of the connection that were "received", and "dropped" for newer ones.
    """
    prediction = at.prediction
    return {
        "type": "state",
        "seq": sequence,
        "time_s": round(at.time_s, 3),
        "status": at.status,
        "exercise": at.exercise,
        "confidence": round(now.confidence, 3) if now else 0.0,
        "repetitions": now.repetitions if now else 0,
        "probabilities": {name: round(float(p), 3) for name, p in prediction.probabilities.items()}
        if prediction
        else {},
        "phase": _rounded(prediction.phase if prediction else None),
        "phase_time_s": _rounded(prediction.phase_time_s if prediction else None),
        "brightness": round(brightness, 3),
        "person": at.person,
        **counters,
        "latency_ms": round(1000 * latency_s, 1),
        "set": None if now is None else set_message(now),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def set_message(item: Segment) -> dict[str, Any]:
    """A set, running or ended. repetitions: None from a model that does not count.

    tempo_s: seconds from each repetition's peak to the next one's.
    """
    times = item.repetition_times_s
    return {
        "exercise": item.exercise,
        "start_s": round(item.start_s, 3),
        "end_s": round(item.end_s, 3),
        "confidence": round(item.confidence, 3),
        "repetitions": item.repetitions,
        "repetition_times_s": [round(t, 3) for t in times],
        "tempo_s": [round(b - a, 3) for a, b in pairwise(times)],
    }
