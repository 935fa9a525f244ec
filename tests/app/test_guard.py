"""Who may talk to the server."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from bundles import write_bundle
from exerlitenet.app.guard import COOKIE, Access, host_name, is_loopback
from exerlitenet.recognition.recognizer import Recognizer
from live_server import LiveServer, ask, begin, running

TOKEN = "a token of the test"


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    return Recognizer.load(write_bundle(tmp_path_factory.mktemp("m") / "m"))


@pytest.fixture
def server(recognizer: Recognizer, tmp_path: Path) -> Iterator[LiveServer]:
    with running(recognizer, tmp_path / "log.db") as it:
        yield it


@pytest.fixture
def open_server(recognizer: Recognizer, tmp_path: Path) -> Iterator[LiveServer]:
    """As with --host 0.0.0.0 and a token."""
    with running(recognizer, tmp_path / "log.db", access=Access("0.0.0.0", TOKEN)) as it:
        yield it


def status_of_socket(server: LiveServer, **headers: str) -> int:
    """Status of a handshake; 101 when it was accepted."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with server.connect(additional_headers=given) as connection:
            begin(connection)
            return 101
    except InvalidStatus as error:
        return error.response.status_code


def test_the_page_keeps_to_itself(server: LiveServer) -> None:
    response = ask(server, "/")
    assert response.status == 200
    policy = response.getheader("Content-Security-Policy") or ""
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert response.getheader("X-Content-Type-Options") == "nosniff"
    assert response.getheader("Referrer-Policy") == "no-referrer"
    assert "camera=(self)" in (response.getheader("Permissions-Policy") or "")


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8000",
        "localhost.evil.example",
        "",
        "192.168.1.4",
        "127.0.0.1.evil.example",
    ],
)
def test_other_names_for_this_machine_are_refused(server: LiveServer, host: str) -> None:
    assert ask(server, "/", Host=host).status == 421
    assert ask(server, "/api/sessions", Host=host).status == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:99", "127.0.0.1", "[::1]:8000"])
def test_the_names_of_loopback_are_fine(server: LiveServer, host: str) -> None:
    assert ask(server, "/healthz", Host=host).status == 200


def test_requests_of_other_sites_are_refused(server: LiveServer) -> None:
    own = f"http://127.0.0.1:{server.port}"
    for origin in (
        "https://evil.example",
        "null",
        own.replace("http", "https"),
        f"{own}0",
        "http://localhost",
    ):
        assert ask(server, "/api/recognize", "POST", b"x", Origin=origin).status == 403
        assert ask(server, "/api/history", Origin=origin).status == 403
        assert status_of_socket(server, Origin=origin) == 403
    assert ask(server, "/api/recognize", "POST", b"x", Sec_Fetch_Site="cross-site").status == 403
    assert ask(server, "/api/history", Origin=own).status == 200
    assert status_of_socket(server, Origin=own) == 101
    assert status_of_socket(server) == 101


def test_without_the_token_nothing_is_reported(open_server: LiveServer) -> None:
    for path in (
        "/",
        "/static/live.js",
        "/history",
        "/api/sessions",
        "/sample.mp4",
        "/nothing",
        "/?token=wrong",
    ):
        assert ask(open_server, path).status == 401
    assert ask(open_server, "/api/recognize", "POST", b"x").status == 401
    assert status_of_socket(open_server) == 403
    assert ask(open_server, "/healthz").status == 200
    assert ask(open_server, "/", Authorization="Bearer wrong").status == 401
    assert ask(open_server, "/", Cookie=f"{COOKIE}=wrong").status == 401
    assert ask(open_server, "/", Cookie=f"{COOKIE}=ümlaut".encode().decode("latin-1")).status == 401


def test_the_token_moves_from_the_address_into_a_cookie(open_server: LiveServer) -> None:
    response = ask(open_server, "/history?days=7&token=a%20token+of+the%20test")
    assert (response.status, response.getheader("Location")) == (303, "/history?days=7")
    cookie = response.getheader("Set-Cookie") or ""
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    shown = cookie.partition(";")[0]
    assert ask(open_server, "/", Cookie=shown).status == 200
    assert status_of_socket(open_server, Cookie=shown) == 101
    assert ask(open_server, "/", Authorization=f"Bearer {TOKEN}").status == 200
    # An address that looks like one of another machine stays here.
    away = ask(open_server, "//evil.example/?token=a+token+of+the+test")
    assert (away.getheader("Location") or "").startswith("/evil.example")


def test_beyond_loopback_addresses_and_own_names_are_known() -> None:
    access = Access("0.0.0.0", TOKEN)
    assert access.knows_host("192.168.1.4")
    assert access.knows_host("fe80::1")
    assert access.knows_host(socket.gethostname().lower())
    assert not access.knows_host("evil.example")
    assert Access("box.home", TOKEN).knows_host("box.home")
    assert not Access("127.0.0.1").knows_host("192.168.1.4")


def test_what_loopback_is() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.8.8.8", "::1", "localhost", "LOCALHOST")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.1.4", "box.home", "")))


def test_names_in_host_headers() -> None:
    assert [host_name(h) for h in ("A.b:80", "[::1]:80", "[::1]", "x", "")] == ["a.b", "::1", "::1", "x", ""]
