"""Messages of the live page: what is taken, and that anything else is a reason to close, never a crash."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exerlitenet.app.limits import Limits
from exerlitenet.app.protocol import (
    HEADER,
    JPEG_START,
    Alive,
    PictureMessage,
    ProtocolError,
    Start,
    Stop,
    parse_command,
    parse_picture,
    set_message,
    state,
)
from exerlitenet.recognition.tracker import TrackerState
from exerlitenet.results import Prediction, Segment

LIMITS = Limits()


def test_a_frame_is_time_number_and_picture() -> None:
    message = parse_picture(HEADER.pack(1.25, 7) + JPEG_START + b"rest", LIMITS)
    assert message == PictureMessage(1.25, 7, JPEG_START + b"rest")


def test_the_header_is_as_documented() -> None:
    assert HEADER.size == 12
    assert HEADER.pack(1.0, 2) == b"\x00\x00\x00\x00\x00\x00\xf0\x3f\x02\x00\x00\x00"


@pytest.mark.parametrize(
    ("message", "code", "words"),
    [
        (b"", 1007, "header"),
        (HEADER.pack(0, 0), 1007, "header"),
        (HEADER.pack(0, 0) + b"\x89PNG rest", 1003, "JPEG"),
        (HEADER.pack(math.nan, 0) + JPEG_START, 1007, "time"),
        (HEADER.pack(math.inf, 0) + JPEG_START, 1007, "time"),
        (HEADER.pack(-0.1, 0) + JPEG_START, 1007, "time"),
        (HEADER.pack(1e9, 0) + JPEG_START, 1007, "time"),
        (HEADER.pack(0, 0) + JPEG_START + bytes(LIMITS.frame_bytes), 1009, "bytes"),
    ],
)
def test_what_is_no_frame(message: bytes, code: int, words: str) -> None:
    with pytest.raises(ProtocolError, match=words) as caught:
        parse_picture(message, LIMITS)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ('{"type": "start"}', Start("camera", None, True)),
        ('{"type": "start", "source": "file", "session": 4, "log": false}', Start("file", 4, False)),
        ('{"type": "stop"}', Stop()),
        ('{"type": "alive", "more": 1}', Alive()),
    ],
)
def test_commands(text: str, command: object) -> None:
    assert parse_command(text, LIMITS) == command


@pytest.mark.parametrize(
    "message",
    [
        None,
        [],
        "start",
        {},
        {"type": "go"},
        {"type": None},
        {"type": "start", "source": "screen"},
        {"type": "start", "source": ["camera"]},
        {"type": "start", "session": -1},
        {"type": "start", "session": True},
        {"type": "start", "session": 2**63},
        {"type": "start", "session": "1"},
        {"type": "start", "log": 1},
    ],
)
def test_what_is_no_command(message: Any) -> None:
    with pytest.raises(ProtocolError) as caught:
        parse_command(json.dumps(message), LIMITS)
    assert caught.value.code == 1007


def test_text_has_a_limit_and_depth_is_no_crash() -> None:
    with pytest.raises(ProtocolError, match="bytes"):
        parse_command('{"type": "alive", "x": "' + "x" * LIMITS.text_bytes + '"}', LIMITS)
    with pytest.raises(ProtocolError):
        parse_command("[" * 100_000, Limits(text_bytes=200_000))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_frame_or_a_reason(message: bytes) -> None:
    with suppress(ProtocolError):
        assert parse_picture(message, LIMITS).jpeg == message[HEADER.size :]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
STARTS = st.fixed_dictionaries(
    {"type": st.just("start")}, optional={"source": JSON, "session": JSON, "log": JSON}
)


@given(st.text(max_size=200) | (JSON | STARTS).map(json.dumps))
def test_any_text_is_a_command_or_a_reason(text: str) -> None:
    with suppress(ProtocolError):
        assert isinstance(parse_command(text, LIMITS), Start | Stop | Alive)


def test_a_reason_fits_a_close_frame() -> None:
    assert ProtocolError(1007, "ü" * 200).reason == "ü" * 61


def test_a_set_tells_its_tempo() -> None:
    message = set_message(Segment(1.0, 9.0, "squat", 0.8, 3, (2.0, 4.5, 6.0)))
    assert (message["repetitions"], message["tempo_s"]) == (3, [2.5, 1.5])
    assert set_message(Segment(1.0, 9.0, "squat", 0.8))["repetitions"] is None


def test_a_state_is_plain_json() -> None:
    running = Segment(1.0, 9.0, "squat", 0.81234, 1, (2.0,))
    prediction = Prediction(9.0, {"squat": 0.91234, "none": 0.08766}, "squat", 0.5)
    message = state(
        3, TrackerState(9.0, prediction, running), running, {"received": 10, "dropped": 2}, 0.0123, 0.4
    )
    assert json.loads(json.dumps(message, allow_nan=False)) == message
    assert (message["exercise"], message["repetitions"], message["dropped"], message["latency_ms"]) == (
        "squat",
        1,
        2,
        12.3,
    )
