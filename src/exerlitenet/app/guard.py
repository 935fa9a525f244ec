"""Who may talk to the server: this machine's own pages, and whoever has the token.

A web page elsewhere can make a browser send requests to this machine. So the Host header must name this machine (a
name that an attacker points at 127.0.0.1 does not), a request that says where it comes from must come from our own
page, and beyond this machine a token is needed.
"""

from __future__ import annotations

import hmac
import ipaddress
import socket
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "exerlitenet_token"
OPEN_PATHS = ("/healthz",)
"""What needs no token: it says nothing about anybody."""

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), payment=(), usb=()",
}


@dataclass(frozen=True)
class Access:
    """host: the address that the server listens on. token: what visitors must show, None on loopback.

    secure: whether HTTPS is spoken.
    """

    host: str
    token: str | None = None
    secure: bool = False

    def knows_host(self, name: str) -> bool:
        """Whether a Host header's name is this machine's.

        Beyond loopback any literal address is: an attacker's page has a name, and cannot make it an address.
        """
        if name in LOOPBACK_NAMES:
            return True
        if is_loopback(self.host):
            return False
        with suppress(ValueError):
            ipaddress.ip_address(name)
            return True
        own = socket.gethostname().lower()
        return name in (self.host.lower(), own, f"{own}.local")

    def accepts(self, token: str | None) -> bool:
        """Whether a visitor's token is right; compared in constant time."""
        if self.token is None:
            return True
        return token is not None and hmac.compare_digest(token.encode(), self.token.encode())


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class Guard:
    """Middleware: lets right requests through, answers others, and adds the headers that keep a page to itself."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, self._with_headers(send))
        elif scope["type"] == "http":
            await refusal(scope, receive, self._with_headers(send))
        else:
            await send({"type": "websocket.close", "code": 1008})  # before it is accepted: status 403

    def _refusal(self, scope: Scope) -> Response | None:
        asked = HTTPConnection(scope)
        headers = asked.headers
        host = headers.get("host", "")
        if not self._access.knows_host(host_name(host)):
            return PlainTextResponse(
                "This server does not go by that name; open the address it printed.\n", 421
            )
        writes = scope["type"] == "websocket" or scope.get("method") not in ("GET", "HEAD", "OPTIONS")
        if not self._same_origin(headers, host, writes=writes):
            return PlainTextResponse("Requests from other sites are refused.\n", 403)
        if scope["path"] in OPEN_PATHS:
            return None
        shown = asked.query_params.get("token")
        if self._access.token is not None and self._access.accepts(shown) and scope["type"] == "http":
            return self._welcome(asked)
        if not self._access.accepts(shown or bearer(headers) or asked.cookies.get(COOKIE)):
            return PlainTextResponse(
                "A token is needed: open the whole address that `exerlitenet live` printed.\n", 401
            )
        return None

    def _same_origin(self, headers: Headers, host: str, *, writes: bool) -> bool:
        origin = headers.get("origin")
        if origin is None:
            # Browsers send an origin with everything that writes; where an old one does not, this header tells.
            return not writes or headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")
        return origin == f"{'https' if self._access.secure else 'http'}://{host}"

    def _welcome(self, asked: HTTPConnection) -> Response:
        """Moves the token from the address into a cookie, so that it is in no history and no picture."""
        rest = urlencode([(k, v) for k, v in asked.query_params.multi_items() if k != "token"])
        path = "/" + asked.scope["path"].lstrip("/\\")
        response = RedirectResponse(path + (f"?{rest}" if rest else ""), 303)
        token, secure = self._access.token or "", self._access.secure
        response.set_cookie(COOKIE, token, httponly=True, samesite="lax", secure=secure, path="/")
        return response

    def _with_headers(self, send: Send) -> Send:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-cache")
            await send(message)

        return sending


def host_name(host: str) -> str:
    """The name in a Host header, without port and brackets, in small letters."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def bearer(headers: Headers) -> str | None:
    """The token of an Authorization header."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token else None
