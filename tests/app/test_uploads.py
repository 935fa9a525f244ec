"""Files that are sent to be recognised."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from bundles import write_bundle, write_workout
from exerlitenet.app import uploads
from exerlitenet.app.limits import Limits
from exerlitenet.recognition.recognizer import Recognizer
from live_server import LiveServer, ask, running


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    return Recognizer.load(write_bundle(tmp_path_factory.mktemp("m") / "m"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where uploads lie meanwhile."""
    folder = tmp_path / "meanwhile"
    folder.mkdir()
    monkeypatch.setattr(uploads.tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def server(recognizer: Recognizer, folder: Path, tmp_path: Path) -> Iterator[LiveServer]:
    with running(recognizer, tmp_path / "log.db", limits=Limits(upload_bytes=500_000)) as it:
        yield it


def send(server: LiveServer, body: bytes, query: str = "") -> list[dict[str, object]]:
    answer = ask(server, f"/api/recognize{query}", "POST", body)
    assert answer.status == 200
    return [json.loads(line) for line in answer.body.splitlines()]


def test_a_file_is_recognised_with_progress_and_forgotten(
    server: LiveServer, recognizer: Recognizer, folder: Path, tmp_path: Path
) -> None:
    video = write_workout(tmp_path / "video.mp4")
    *progress, result = send(server, video.read_bytes(), "?name=../my%20video.mp4")
    assert {line["type"] for line in progress} == {"progress"}
    done = [line["done_s"] for line in progress]
    assert done == sorted(done)  # type: ignore[type-var]
    assert len(done) > 10
    assert result["type"] == "result"
    assert result["workout"] == recognizer.recognize(video).to_json() | {"video": "my video.mp4"}
    assert list(folder.iterdir()) == []


def test_what_is_no_video_is_said_in_its_own_name(server: LiveServer, folder: Path) -> None:
    [line] = send(server, b"no video at all" * 100, "?name=a.mp4")
    assert line["type"] == "error"
    assert str(line["reason"]).startswith("a.mp4: ")
    assert str(folder) not in str(line["reason"])
    assert list(folder.iterdir()) == []


def test_a_list_of_other_files_opens_none_of_them(server: LiveServer, folder: Path, tmp_path: Path) -> None:
    """FFmpeg reads playlists and scripts that name other files; a visitor must not reach them that way."""
    secret = write_workout(tmp_path / "secret.mp4")
    for text in (
        f"ffconcat version 1.0\nfile '{secret}'\n",
        f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://{secret}\n#EXT-X-ENDLIST\n",
    ):
        [line] = send(server, text.encode(), "?name=list.mp4")
        assert line["type"] == "error", text
    assert list(folder.iterdir()) == []


def test_there_is_a_limit_whether_it_is_declared_or_not(server: LiveServer, folder: Path) -> None:
    answer = ask(server, "/api/recognize", "POST", bytes(500_001))
    assert (answer.status, "500000 bytes" in answer.json()["error"]) == (413, True)
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(
            b"POST /api/recognize HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        chunk = b"186a0\r\n" + bytes(100_000) + b"\r\n"
        with suppress(ConnectionError):  # it may leave before it has read all
            connection.sendall(chunk * 8 + b"0\r\n\r\n")
        assert b" 413 " in connection.recv(100)
    assert list(folder.iterdir()) == []


def test_nothing_is_no_file(server: LiveServer, folder: Path) -> None:
    assert ask(server, "/api/recognize", "POST").status == 400
    assert ask(server, "/api/recognize").status == 405
    assert list(folder.iterdir()) == []


def test_who_leaves_in_the_middle_leaves_nothing(server: LiveServer, folder: Path) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(
            b"POST /api/recognize HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n" + bytes(99)
        )
        while not list(folder.iterdir()):
            time.sleep(0.01)
    while list(folder.iterdir()):
        time.sleep(0.01)
    # Its place is free again, too.
    for _ in range(Limits().uploads + 1):
        assert ask(server, "/api/recognize", "POST").status == 400


def test_so_many_at_once_and_no_more(recognizer: Recognizer, folder: Path, tmp_path: Path) -> None:
    one = Limits(uploads=1)
    with (
        running(recognizer, tmp_path / "log.db", limits=one) as server,
        socket.create_connection(("127.0.0.1", server.port)) as connection,
    ):
        connection.sendall(
            b"POST /api/recognize HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nx"
        )
        while not list(folder.iterdir()):
            time.sleep(0.01)
        assert ask(server, "/api/recognize", "POST", b"x").status == 503


def test_the_place_of_a_file_is_free_when_its_answer_ends(
    recognizer: Recognizer, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(ThreadPoolExecutor):
        """Its threads linger when their work is done, as they may where the machine is busy."""

        def submit(self, work: Callable[..., Any], /, *more: Any, **named: Any) -> Future[Any]:
            def lingering() -> Any:
                try:
                    return work(*more, **named)
                finally:
                    time.sleep(0.2)

            return super().submit(lingering)

    monkeypatch.setattr(uploads, "ThreadPoolExecutor", Slow)
    with running(recognizer, tmp_path / "log.db", limits=Limits(uploads=1)) as server:
        for _ in range(3):
            assert [line["type"] for line in send(server, b"no video at all")] == ["error"]
