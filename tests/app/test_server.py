"""What the application serves beside its streams."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundles import write_bundle
from exerlitenet.app.server import STATIC
from exerlitenet.app.serving import address_of, check_host, is_everywhere, listen, own_address
from exerlitenet.errors import InputError
from exerlitenet.recognition.recognizer import Recognizer
from live_server import LiveServer, ask, begin, running


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    return Recognizer.load(write_bundle(tmp_path_factory.mktemp("m") / "m"))


@pytest.fixture
def server(recognizer: Recognizer, tmp_path: Path) -> Iterator[LiveServer]:
    with running(recognizer, tmp_path / "log.db") as it:
        yield it


def test_a_sign_of_life(server: LiveServer) -> None:
    answer = ask(server, "/healthz").json()
    assert (answer["status"], answer["model"], answer["streams"]) == ("ok", "tiny", 0)
    with server.connect() as connection:
        begin(connection)
        assert ask(server, "/healthz").json()["streams"] == 1


@pytest.mark.parametrize("address", ["/", "/history"])
def test_the_page_and_what_it_needs_are_all_here(server: LiveServer, address: str) -> None:
    page = ask(server, address)
    assert page.status == 200
    assert str(page.getheader("content-security-policy")).startswith("default-src 'none'; script-src 'self'")
    text = page.body.decode()
    needed = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', text))
    assert needed
    while needed:
        path = needed.pop()
        answer = ask(server, path)
        assert answer.status == 200, path
        if path.endswith(".js"):
            needed |= {f"/static/{name}" for name in re.findall(r'from "\./([^"]+)"', answer.body.decode())}


def test_the_page_asks_no_other_host_and_runs_nothing_inline() -> None:
    """The content security policy would stop it; better it is not even tried."""
    for path in STATIC.iterdir():
        text = path.read_text("utf-8")
        addresses = [
            a for a in re.findall(r"(?:https?:)?//[\w-]+\.[^\s\"'`)]+", text) if "www.w3.org" not in a
        ]
        assert addresses == [], path.name
        assert "style=" not in text, path.name
        if path.suffix == ".html":
            assert not re.search(r"\son\w+=|<style|<script(?![^>]*\ssrc=)", text), path.name


def test_what_is_not_there(server: LiveServer) -> None:
    for path in ("/nothing", "/static/nothing.js", "/static/../server.py", "/static/%2e%2e/server.py"):
        assert ask(server, path).status == 404


def test_the_sample_is_made_once_and_can_be_read_in_parts(recognizer: Recognizer, tmp_path: Path) -> None:
    made = []

    def make() -> Path:
        made.append(1)
        path = tmp_path / "sample.mp4"
        path.write_bytes(bytes(range(200)))
        return path

    with running(recognizer, tmp_path / "log.db", sample=make) as server:
        assert ask(server, "/sample.mp4").body == bytes(range(200))
        part = ask(server, "/sample.mp4", Range="bytes=10-19")
        assert (part.status, part.body) == (206, bytes(range(10, 20)))
    assert made == [1]


def test_a_sample_that_cannot_be_made_is_said(recognizer: Recognizer, tmp_path: Path) -> None:
    def make() -> Path:
        raise InputError("no space")

    with running(recognizer, tmp_path / "log.db", sample=make) as server:
        answer = ask(server, "/sample.mp4")
    assert (answer.status, answer.json()) == (503, {"error": "no space"})


def test_the_history_is_there(server: LiveServer) -> None:
    assert ask(server, "/history").status == 200
    assert ask(server, "/api/sessions").json() == {"sessions": []}


def test_a_port_that_is_taken_is_said() -> None:
    with listen("127.0.0.1", 0) as first, pytest.raises(InputError, match="something listens there already"):
        listen("127.0.0.1", first.getsockname()[1])
    with pytest.raises(InputError, match="no address"):
        listen("no.such.host.invalid", 0)


def test_the_address_to_open() -> None:
    with listen("127.0.0.1", 0) as it:
        port = it.getsockname()[1]
        assert address_of(it, "127.0.0.1", secure=False, token=None) == f"http://127.0.0.1:{port}/"
        assert address_of(it, "::1", secure=True, token="a b") == f"https://[::1]:{port}/?token=a%20b"
        assert address_of(it, "0.0.0.0", secure=False, token=None) == f"http://{own_address()}:{port}/"
    assert [is_everywhere(h) for h in ("0.0.0.0", "::", "", "127.0.0.1", "box.home")] == [True] * 3 + [
        False
    ] * 2


def test_the_own_address_is_one_that_a_server_can_have() -> None:
    with socket.create_server((own_address(), 0)):
        pass


def test_other_devices_are_warned_about() -> None:
    assert check_host("127.0.0.1", secure=False) is None
    assert check_host("0.0.0.0", secure=True) is None
    assert "HTTPS" in (check_host("0.0.0.0", secure=False) or "")
