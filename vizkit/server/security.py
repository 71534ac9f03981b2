"""Who may ask: hosts, origins, the token; and what a browser may do with the answers."""

from __future__ import annotations

import hmac
import ipaddress
import re
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Guard", "is_loopback"]

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_POLICY = "default-src 'none'; frame-ancestors 'none'"
_PORT = re.compile(r":\d+$")
_TOKEN_HEADER = "x-visualdl-instance-id"  # noqa: S105 its name


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a host of that name or address."""
    host = host.strip("[]")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Guard:
    """Refuses what must not be answered, and adds the headers of security to all that is.

    Args:
        app: what answers.
        hosts: names besides loopback's and addresses that the server is asked for by.
        token: what a client must show; None: nothing.
        open_paths: beginnings of the paths that need no token: the page's own files.
        addresses: whether any address is taken as a host. A page elsewhere cannot make a browser send one
            (DNS rebinding), but a server for this machine alone has no use for them.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Iterable[str] = (),
        token: str | None = None,
        open_paths: tuple[str, ...] = (),
        addresses: bool = False,
    ) -> None:
        self._app = app
        self._hosts = {host.lower().strip("[]") for host in hosts}
        self._token = token.encode() if token else None
        self._open = open_paths
        self._addresses = addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers, or lets the application answer."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        cookie: str | None = None

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Content-Security-Policy", _POLICY)
                if cookie:
                    headers.append("Set-Cookie", cookie)
            await send(message)

        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if refusal is None and self._token is not None:
            shown = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])[-1]
            if shown and self._fits(shown):
                cookie = (
                    f"{_cookie_name(headers)}={shown}; Path=/; HttpOnly; SameSite=Strict"
                    if re.fullmatch(r"[\w.~-]+", shown)
                    else None
                )
            elif not scope["path"].startswith(self._open) and not self._shown(headers):
                refusal = PlainTextResponse(
                    "This server needs its token: open the address that it printed at its start "
                    "(it ends with ?token=...).\n",
                    401,
                    {"WWW-Authenticate": "Bearer"},
                )
        await (refusal or self._app)(scope, receive, send_guarded)

    def _refusal(self, scope: Scope, headers: Headers) -> PlainTextResponse | None:
        host = headers.get("host", "")
        if not self._known(host):
            return PlainTextResponse(
                f"This server is not known as {host[:200]!a}: start it with --allow-host and that name.\n",
                403,
            )
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2].lower() != host.lower():
            return PlainTextResponse("Requests from other sites are refused.\n", 403)
        if scope["method"] not in ("GET", "HEAD"):
            return PlainTextResponse("Nothing can be written.\n", 405, {"Allow": "GET, HEAD"})
        return None

    def _known(self, host: str) -> bool:
        name = _PORT.sub("", host).lower().strip("[]")
        if is_loopback(name) or name in self._hosts:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return self._addresses

    def _fits(self, shown: str) -> bool:
        return self._token is not None and hmac.compare_digest(shown.encode("utf-8", "replace"), self._token)

    def _shown(self, headers: Headers) -> bool:
        shown = [headers.get(_TOKEN_HEADER, "")]
        kind, _, value = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            shown.append(value.strip())
        try:
            cookies = SimpleCookie(headers.get("cookie", ""))
        except CookieError:
            cookies = SimpleCookie()
        if _cookie_name(headers) in cookies:
            shown.append(cookies[_cookie_name(headers)].value)
        return any(self._fits(one) for one in shown)


def _cookie_name(headers: Headers) -> str:
    """Of each port its own: browsers give a host's cookies to all of its ports."""
    port = headers.get("host", "").rpartition(":")[2]
    return f"vizkit_token_{port}" if port.isdigit() else "vizkit_token"
