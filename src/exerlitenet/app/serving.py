"""The application on a socket: where it listens, what address to open, and how it ends."""

from __future__ import annotations

import errno
import ipaddress
import socket
from pathlib import Path
from urllib.parse import quote

from starlette.types import ASGIApp

from exerlitenet.app.guard import is_loopback
from exerlitenet.app.limits import MEBIBYTE, Limits
from exerlitenet.errors import InputError

BACKLOG = 64
GRACE_S = 5
"""How long open connections get to end when the server is stopped."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens. port: 0 for any free one. Raises InputError when that is not possible."""
    try:
        [(family, kind, protocol, _, address), *_] = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (socket.gaierror, UnicodeError, OverflowError) as error:
        raise InputError(f"--host {host} --port {port}: no address to listen on ({error})") from error
    listener = socket.socket(family, kind, protocol)
    try:
        # A restart must not wait until the system has forgotten the connections of the server before it.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        why = "something listens there already" if error.errno == errno.EADDRINUSE else error.strerror
        raise InputError(f"{host}:{port}: {why}; choose another by --port") from error
    return listener


def address_of(listener: socket.socket, host: str, *, secure: bool, token: str | None) -> str:
    """What to open in a browser. host: as it was asked for; one that means "all" becomes an address of this machine."""
    port = listener.getsockname()[1]
    name = host
    if is_everywhere(host):
        name = own_address()
    elif ":" in host:
        name = f"[{host}]"
    query = f"?token={quote(token, safe='')}" if token is not None else ""
    return f"{'https' if secure else 'http'}://{name}:{port}/{query}"


def own_address() -> str:
    """This machine's address in its network, or its name where it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address for documentation; nothing is sent
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()


def is_everywhere(host: str) -> bool:
    """Whether a host means all addresses of this machine."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return host == ""


def check_host(host: str, *, secure: bool) -> str | None:
    """What to warn of before listening on `host`, None for nothing."""
    if is_loopback(host) or secure:
        return None
    return (
        "other devices get this page, but no browser there gives it the camera without HTTPS (--cert and --key); "
        "opening a video file works, and what is sent can be read on the way"
    )


def serve(
    app: ASGIApp, listener: socket.socket, limits: Limits, cert: Path | None = None, key: Path | None = None
) -> None:
    """Serves until it is stopped by a signal; connections that are open then get some seconds to end.

    cert, key: of HTTPS, both or none. Raises InputError when they cannot be used.
    """
    import ssl

    import uvicorn

    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        # Frames and commands are far smaller than this; a message beyond it never reaches the application.
        ws_max_size=limits.frame_bytes + MEBIBYTE,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=GRACE_S,
        ssl_certfile=cert,
        ssl_keyfile=key,
    )
    try:
        config.load()
    except (ssl.SSLError, OSError) as error:
        raise InputError(
            f"--cert {cert} --key {key}: cannot be used ({error}); both must be PEM files"
        ) from error
    uvicorn.Server(config).run(sockets=[listener])
