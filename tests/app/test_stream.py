"""Connections of the live page over real sockets: right answers, newest frame first, hostile clients alone."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import Message
from starlette.websockets import WebSocket
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from bundles import (
    CLASSES,
    CURL,
    SQUAT,
    CountingEngine,
    frames_of,
    still,
    swinging,
    workout_pictures,
    write_bundle,
)
from exerlitenet.app.limits import Limits
from exerlitenet.app.log.session_log import SessionLog
from exerlitenet.app.stream import Services, Stream
from exerlitenet.recognition.onnx_engine import OnnxEngine
from exerlitenet.recognition.recognizer import Recognizer
from live_server import LiveServer, begin, closed, frame_message, jpeg_of, play, running, stop, until

PICTURE = jpeg_of(still(SQUAT))
FAST = Limits(messages_per_s=1e6, bytes_per_s=1e9)
"""Tests send faster than any camera."""


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    return Recognizer.load(write_bundle(tmp_path_factory.mktemp("m") / "m"))


@pytest.fixture
def server(recognizer: Recognizer, tmp_path: Path) -> Iterator[LiveServer]:
    with running(recognizer, tmp_path / "log.db", limits=FAST) as it:
        yield it


def test_a_workout_is_shown_and_logged(server: LiveServer, recognizer: Recognizer) -> None:
    pictures = workout_pictures()
    with server.connect() as connection:
        hello = json.loads(connection.recv())
        assert (hello["classes"], hello["rate"], hello["send_rate"]) == (list(CLASSES), 7.5, 15.0)
        connection.send('{"type": "start"}')
        assert json.loads(connection.recv()) == {
            "type": "session",
            "session": None,
            "log": True,
            "trouble": None,
        }
        answers = play(connection, pictures)
        answers += stop(connection)
    states = [a for a in answers if a["type"] == "state"]
    assert [s["seq"] for s in states] == list(range(len(pictures)))
    assert list(dict.fromkeys(s["exercise"] for s in states)) == ["none", "squat", "biceps_curl"]
    assert list(dict.fromkeys(s["status"] for s in states))[:3] == ["warming", "watching", "exercising"]
    assert {s["dropped"] for s in states} == {0}
    assert states[-1]["received"] == len(pictures)
    ended = [a for a in answers if a["type"] == "set"]
    truth = recognizer.recognize_frames(frames_of(pictures, 15)).segments
    assert [(s["exercise"], s["repetitions"]) for s in ended] == [(s.exercise, s.repetitions) for s in truth]
    assert len(ended[0]["tempo_s"]) == ended[0]["repetitions"] - 1
    logged = server.log.sets()
    assert [(s.exercise, s.repetitions, s.finished) for s in logged] == [
        ("squat", 4, True),
        ("biceps_curl", 5, True),
    ]
    assert server.log.sessions()[0].ended_at is not None


def test_light_is_reported(server: LiveServer) -> None:
    with server.connect() as connection:
        begin(connection)
        dark, bright = (
            play(connection, [np.full((48, 64, 3), v, np.uint8)], start_s=v / 9)[-1] for v in (3, 250)
        )
    assert dark["brightness"] < 0.05
    assert bright["brightness"] > 0.9


def test_a_sample_is_not_logged(server: LiveServer) -> None:
    with server.connect() as connection:
        assert begin(connection, source="sample", log=False)["log"] is False
        play(connection, swinging(SQUAT, 3, 6))
        assert stop(connection)[0]["repetitions"] == 3
    assert server.log.sessions() == ()


def test_a_connection_that_is_lost_resumes_its_session(server: LiveServer) -> None:
    with server.connect() as connection:
        begin(connection)
        answers = play(connection, swinging(SQUAT, 4, 8))
        session = next(a["session"] for a in answers if a["type"] == "session")
        connection.socket.close()  # without a word
    before = until_logged(server, finished=True)
    assert before >= 3
    with server.connect() as connection:
        assert begin(connection, session=session)["session"] == session
        answers = play(connection, swinging(SQUAT, 4, 8), start_s=10.0)
        shown = [a["repetitions"] for a in answers if a["type"] == "state" and a["exercise"] == "squat"]
        assert min(shown) >= before
        stop(connection)
    assert [s.repetitions for s in server.log.sets(session)] == [before + 4]
    assert len(server.log.sessions()) == 1


def until_logged(server: LiveServer, *, finished: bool) -> int:
    """Repetitions of the only set, once it stands so."""
    while not any(s.finished == finished for s in server.log.sets()):
        time.sleep(0.01)
    [only] = server.log.sets()
    return only.repetitions


def test_a_new_start_begins_anew_on_the_same_connection(server: LiveServer) -> None:
    with server.connect() as connection:
        begin(connection)
        play(connection, swinging(SQUAT, 3, 6), start_s=100)
        connection.send('{"type": "start", "source": "file"}')
        answers = play(connection, swinging(CURL, 3, 6), start_s=0)
        answers += stop(connection)
    assert [a["exercise"] for a in answers if a["type"] == "set"] == ["biceps_curl"]
    assert [(s.source, len(s.sets)) for s in server.log.sessions()] == [("camera", 1), ("file", 1)]


def test_the_newest_frame_wins(recognizer: Recognizer, tmp_path: Path) -> None:
    busy, go = threading.Event(), threading.Event()

    def wait() -> None:
        busy.set()
        assert go.wait(60)

    assert isinstance(recognizer.engine, OnnxEngine)
    slow = Recognizer(CountingEngine(recognizer.engine, before=wait))
    with running(slow, tmp_path / "log.db", limits=FAST) as server, server.connect() as connection:
        begin(connection)
        connection.send(frame_message(0.0, 0, PICTURE))
        assert busy.wait(60)
        for k in range(1, 40):
            connection.send(frame_message(k / 15, k, PICTURE))
        connection.send('{"type": "alive"}')
        assert until(connection, "alive") == [{"type": "alive", "received": 40, "dropped": 38}]
        connection.send('{"type": "stop"}')
        go.set()
        answers = until(connection, "stopped")
    states = [a for a in answers if a["type"] == "state"]
    assert [s["seq"] for s in states] == [0, 39]
    assert answers[-1] == {"type": "stopped", "received": 40, "dropped": 38}


@pytest.mark.parametrize("leaves", [False, True], ids=["the client stays", "the client has left"])
def test_a_set_is_closed_though_the_server_does_not_wait_for_a_frame(
    recognizer: Recognizer, tmp_path: Path, leaves: bool
) -> None:
    holds, busy, go = threading.Event(), threading.Event(), threading.Event()

    def wait() -> None:
        if holds.is_set():
            busy.set()
            assert go.wait(60)

    assert isinstance(recognizer.engine, OnnxEngine)
    slow = Recognizer(CountingEngine(recognizer.engine, before=wait))
    with ExitStack() as client, running(slow, tmp_path / "log.db", limits=FAST, grace_s=0) as server:
        connection = client.enter_context(server.connect())
        begin(connection)
        pictures = swinging(SQUAT, 4, 8)
        play(connection, pictures)
        assert [s.finished for s in server.log.sets()] == [False]
        holds.set()
        connection.send(frame_message(len(pictures) / 15, 0, PICTURE))
        assert busy.wait(60)
        if leaves:
            client.close()
        # Leaving this block stops the server, which has given up on its connections by then.
        timer = threading.Timer(1.0, go.set)
        timer.start()
    timer.join()
    with SessionLog(tmp_path / "log.db") as log:
        assert [s.finished for s in log.sets()] == [True]
        assert log.sessions()[0].ended_at is not None


def test_a_client_that_breaks_the_protocol_while_its_frame_is_processed(
    recognizer: Recognizer, tmp_path: Path
) -> None:
    """The server leaves it before the stream knows, and refuses its answer; that is no defect of ours."""
    asked = iter(
        [
            {"type": "websocket.connect"},
            {"type": "websocket.receive", "text": '{"type": "start"}'},
        ]
    )
    sent: list[str] = []

    async def receive() -> Message:
        for message in asked:
            return message
        await asyncio.Event().wait()  # the news has not come
        raise AssertionError

    async def send(message: Message) -> None:
        if "session" in message.get("text", ""):
            raise RuntimeError("Unexpected ASGI message 'websocket.send', after sending 'websocket.close'.")
        sent.append(message["type"])

    async def serve() -> None:
        with ThreadPoolExecutor(1) as pool, SessionLog(tmp_path / "log.db") as log:
            await Stream(
                WebSocket({"type": "websocket"}, receive, send), Services(recognizer, log, FAST, pool)
            ).run()

    asyncio.run(serve())
    assert sent == ["websocket.accept", "websocket.send"]


def test_eight_streams_at_once(recognizer: Recognizer, tmp_path: Path) -> None:
    """Each gets its own answers, at the same pace."""
    begun = threading.Barrier(8, timeout=120)

    def one(server: LiveServer, number: int) -> tuple[str, int, int]:
        colour, count = ((SQUAT, 3), (CURL, 4))[number % 2]
        with server.connect() as connection:
            begin(connection)
            begun.wait()
            answers = play(connection, swinging(colour, count, 2.0 * count, 10), 10)
            begun.wait()  # none has left before all are done: they ran together
            ended = stop(connection)[0]
            return ended["exercise"], ended["repetitions"], answers[-1]["dropped"]

    with running(recognizer, tmp_path / "log.db", limits=FAST) as server:
        with ThreadPoolExecutor(8) as pool:
            results = list(pool.map(one, [server] * 8, range(8)))
        assert results == [("squat", 3, 0), ("biceps_curl", 4, 0)] * 4
        assert sorted(s.repetitions for s in server.log.sets()) == [3] * 4 + [4] * 4


def says(connection: ClientConnection, code: int, words: str) -> None:
    got, reason, said = closed(connection)
    assert got == code
    assert words in reason
    assert said[-1]["type"] == "error"
    assert words in said[-1]["reason"]


@pytest.mark.parametrize(
    ("messages", "code", "words"),
    [
        ([frame_message(0, 0, PICTURE)], 1007, '"start"'),
        (['{"type": "stop"}'], 1007, '"start"'),
        (["hello"], 1007, "JSON object"),
        (['{"type": "start"}', b"x"], 1007, "header"),
        (['{"type": "start"}', frame_message(0, 0, PICTURE[:300])], 1007, "decoded"),
        (['{"type": "start"}', frame_message(float("nan"), 0, PICTURE)], 1007, "time"),
        (['{"type": "start"}', frame_message(0, 0, b"GIF89a" + bytes(90))], 1003, "JPEG"),
        (['{"type": "start"}', frame_message(0, 0, PICTURE + bytes(1 << 20))], 1009, "bytes"),
        (['{"type": "start"}', "x" * 5000], 1009, "bytes"),
    ],
)
def test_wrong_messages_close_their_connection_alone(
    server: LiveServer, messages: list[str | bytes], code: int, words: str
) -> None:
    with server.connect() as other, server.connect() as connection:
        begin(other)
        json.loads(connection.recv())
        for message in messages:
            connection.send(message)
        says(connection, code, words)
        assert play(other, [still(SQUAT)])[-1]["type"] == "state"


def test_time_does_not_fall(server: LiveServer) -> None:
    with server.connect() as connection:
        begin(connection)
        play(connection, [still(SQUAT)], start_s=5)
        connection.send(frame_message(4.9, 1, PICTURE))
        says(connection, 1007, "fell from 5.000 to 4.900")


def test_a_message_beyond_all_limits_is_not_even_read(server: LiveServer) -> None:
    with server.connect() as connection:
        begin(connection)
        # Only its announcement is sent: a final binary frame, masked, of 8 MiB.
        connection.socket.sendall(struct.pack("!BBQ4s", 0x82, 0xFF, 8 << 20, b"mask"))
        assert closed(connection)[0] == 1009


def test_floods_are_cut_off(recognizer: Recognizer, tmp_path: Path) -> None:
    few, small = Limits(messages_per_s=2), Limits(bytes_per_s=20_000)
    with running(recognizer, tmp_path / "a.db", limits=few) as server, server.connect() as connection:
        begin(connection)
        with suppress(ConnectionClosed):  # it may be cut off before all are sent
            for _ in range(60):
                connection.send('{"type": "alive"}')
        says(connection, 1008, "messages")
    with running(recognizer, tmp_path / "b.db", limits=small) as server, server.connect() as connection:
        begin(connection)
        connection.send(frame_message(0, 0, PICTURE + bytes(50_000)))
        says(connection, 1008, "bytes")


def test_silence_ends_a_connection(recognizer: Recognizer, tmp_path: Path) -> None:
    hasty, silent = Limits(start_s=0.2), Limits(silence_s=0.2, start_s=60)
    with running(recognizer, tmp_path / "a.db", limits=hasty) as server, server.connect() as connection:
        json.loads(connection.recv())
        says(connection, 1008, '"start"')
    with running(recognizer, tmp_path / "b.db", limits=silent) as server, server.connect() as connection:
        # Not `begin`: where the machine is busy the silence may be over before the answer to "start" is there.
        connection.send('{"type": "start"}')
        says(connection, 1008, "nothing came")


def test_there_are_so_many_streams_and_no_more(recognizer: Recognizer, tmp_path: Path) -> None:
    two_only = Limits(streams=2)
    with running(recognizer, tmp_path / "log.db", limits=two_only) as server, server.connect() as one:
        begin(one)
        with server.connect() as two:
            begin(two)
            with server.connect() as three:
                code, reason, _ = closed(three)
                assert (code, reason.startswith("2 streams")) == (1013, True)
        until_free(server)


def until_free(server: LiveServer) -> None:
    """The place of a stream that has gone is free again, soon."""
    while True:
        with server.connect() as connection, suppress(ConnectionClosed):  # refused: not yet
            assert json.loads(connection.recv())["type"] == "hello"
            return


def test_someone_who_reads_nothing_is_left_behind(recognizer: Recognizer, tmp_path: Path) -> None:
    """Answers that nobody reads do not pile up: the connection ends, and its set is closed in the log."""
    limits = Limits(send_s=0.3, messages_per_s=1e6, bytes_per_s=1e9)
    with running(recognizer, tmp_path / "log.db", limits=limits, send_buffer=8192) as server:
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        deaf.connect(("127.0.0.1", server.port))
        with server.connect(sock=deaf, max_queue=1, close_timeout=0.1) as connection:
            begin(connection)
            jpegs = [jpeg_of(rgb) for rgb in swinging(SQUAT, 4, 8)]
            ticks = count()
            while not any(s.finished for s in server.log.sets()):
                with suppress(ConnectionClosed):
                    for jpeg in jpegs:
                        connection.send(frame_message(next(ticks) / 15, 0, jpeg))
                time.sleep(0.05)
            with server.connect() as other:
                begin(other)


MESSAGES = st.one_of(
    st.binary(max_size=80),
    st.text(max_size=40),
    st.sampled_from(
        ['{"type":"start"}', '{"type":"stop"}', '{"type":"alive"}', '{"type":"start","session":1}']
    ),
    st.builds(
        lambda t, n, cut: struct.pack("<dI", t, n) + PICTURE[:cut],
        st.floats(width=64),
        st.integers(0, 2**32 - 1),
        st.integers(0, len(PICTURE)),
    ),
    st.builds(lambda t: frame_message(t, 0, PICTURE), st.floats(0, 5)),
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(MESSAGES, max_size=6))
def test_any_messages_are_answered_or_end_with_a_reason(
    server: LiveServer, messages: list[str | bytes]
) -> None:
    with server.connect() as connection:
        assert json.loads(connection.recv())["type"] == "hello"
        with suppress(ConnectionClosed):
            for message in (*messages, "the end: no JSON"):
                connection.send(message)
        code, reason, said = closed(connection)
        assert code in (1003, 1007, 1008, 1009)
        assert reason
        assert said[-1]["type"] == "error"
    # And the server is as well as before.
    with server.connect() as connection:
        begin(connection, log=False)
