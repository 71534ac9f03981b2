"""Access control (hosts, origins, the token) and security headers, with every content security policy."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vizkit._language import tr
from vizkit.server.http import refusal
from vizkit.server.public_path import public_path_of

__all__ = ["WORKER_POLICY", "WORKSPACE_POLICY", "AccessGuard", "is_loopback", "visualdl_policy"]

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_PORT = re.compile(r":\d+$")
_MAX_HOST = 300  # characters; a name has fewer
_TOKEN_HEADER = "x-visualdl-instance-id"  # noqa: S105 its name

# -- content security policies ------------------------------------------------------------------------

_DEFAULT_POLICY = "default-src 'none'; frame-ancestors 'none'"
_FRAMES = "frame-ancestors 'self' http://localhost:* http://127.0.0.1:* vscode-webview:"  # notebooks

WORKSPACE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
    f"connect-src 'self'; form-action 'self'; base-uri 'none'; {_FRAMES}"
)
"""The policy of VizKit's own pages."""

WORKER_POLICY = "default-src 'self'; script-src 'self' 'unsafe-eval'"
"""The policy of VisualDL's scripts, which counts where one is a worker: it compiles WebAssembly."""


def visualdl_policy(inline_scripts: Iterable[str]) -> str:
    """The policy of a document of VisualDL's page: all from this server, and its own inline scripts."""
    hashes = (
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in inline_scripts
    )
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes)
    return (
        "default-src 'self'; "
        # The page of embeddings compiles its shaders' code; the worker runs WebAssembly.
        f"script-src 'self' 'unsafe-eval' {allowed}; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' blob:; "
        "font-src 'self' data:; worker-src 'self' blob:; connect-src 'self' blob: data:; "
        f"object-src 'none'; base-uri 'self'; form-action 'self'; {_FRAMES}"
    )


# -- access -------------------------------------------------------------------------------------------


def is_loopback(host: str) -> bool:
    """Return True if only this machine can reach a host of that name or address."""
    host = host.strip("[]")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class AccessGuard:
    """Middleware that refuses forbidden requests, and adds security headers to every response.

    Args:
        app: the application behind it.
        hosts: host names that are accepted besides those of loopback.
        token: the token that clients must send; None: none is needed.
        open_paths: path prefixes that need no token: the page's own files.
        writable_paths: paths that take JSON from the page's own scripts.
        framed_paths: pages that notebooks, which are other sites, show in a frame.
        addresses: accept any IP address as a host. A page elsewhere cannot make a browser send one
            (DNS rebinding), but a server for this machine alone has no use for them.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Iterable[str] = (),
        token: str | None = None,
        open_paths: tuple[str, ...] = (),
        writable_paths: tuple[str, ...] = (),
        framed_paths: tuple[str, ...] = (),
        addresses: bool = False,
    ) -> None:
        self._app = app
        self._hosts = {host.lower().strip("[]") for host in hosts}
        self._token = token.encode() if token else None
        self._open_paths = open_paths
        self._writable_paths = writable_paths
        self._framed_paths = framed_paths
        self._addresses = addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse the request, or pass it on to the application."""
        if scope["type"] != "http":
            return
        cookie: str | None = None

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Content-Security-Policy", _DEFAULT_POLICY)
                if cookie:
                    headers.append("Set-Cookie", cookie)
            await send(message)

        headers = Headers(scope=scope)
        refused = self._refusal(scope, headers)
        if refused is None and self._token is not None:
            token = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])[-1]
            if token and self._is_token(token):
                path = f"{public_path_of(scope)}/"
                cookie = (
                    f"{_cookie_name(headers)}={token}; Path={path}; HttpOnly; SameSite=Strict"
                    if re.fullmatch(r"[\w.~-]+", token)
                    else None
                )
            elif not scope["path"].startswith(self._open_paths) and not self._has_token(headers):
                refused = refusal(
                    headers,
                    401,
                    tr(
                        "This server needs its token: open the address that it printed at its start "
                        "(it ends with ?token=...)."
                    ),
                    {"WWW-Authenticate": "Bearer"},
                )
        await (refused or self._app)(scope, receive, send_guarded)

    def _refusal(self, scope: Scope, headers: Headers) -> PlainTextResponse | None:
        host = headers.get("host", "")
        if not self._is_known(host):
            return refusal(
                headers,
                403,
                tr(
                    "This server is not known as {host}: start it with --allow-host and that name.",
                    host=ascii(host[:200]),
                ),
            )
        origin = headers.get("origin")
        foreign = origin is not None and origin.partition("://")[2].lower() != host.lower()
        if foreign or not self._comes_from_here(scope, headers):
            return refusal(headers, 403, tr("Requests from other sites are refused."))
        return None if scope["method"] in ("GET", "HEAD") else self._refusal_of_write(scope, headers)

    def _refusal_of_write(self, scope: Scope, headers: Headers) -> PlainTextResponse | None:
        if scope["method"] != "POST" or scope["path"] not in self._writable_paths:
            return refusal(headers, 405, tr("Nothing can be written here."), {"Allow": "GET, HEAD"})
        if headers.get("sec-fetch-site", "same-origin") != "same-origin":  # a link is no edit
            return refusal(headers, 403, tr("Requests from other sites are refused."))
        # No form of another site can send this type, and a script only if this server allowed it.
        if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return refusal(headers, 415, tr("Changes are sent as application/json."))
        return None

    def _comes_from_here(self, scope: Scope, headers: Headers) -> bool:
        """False if a browser says that a page of another site asks, but for links and a notebook's frame."""
        if headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
            return True
        if headers.get("sec-fetch-mode") != "navigate":
            return False
        if headers.get("sec-fetch-dest") == "document":  # a link, which costs a click
            return True
        return scope["path"] in self._framed_paths

    def _is_known(self, host: str) -> bool:
        name = _PORT.sub("", host[:_MAX_HOST]).lower().strip("[]")
        if is_loopback(name) or name in self._hosts:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return self._addresses

    def _is_token(self, text: str) -> bool:
        return self._token is not None and hmac.compare_digest(text.encode("utf-8", "replace"), self._token)

    def _has_token(self, headers: Headers) -> bool:
        candidates = [headers.get(_TOKEN_HEADER, "")]
        scheme, _, credentials = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            candidates.append(credentials.strip())
        wanted = _cookie_name(headers)
        for part in headers.get("cookie", "").split(";"):
            name, _, value = part.partition("=")
            if name.strip() == wanted:
                candidates.append(value.strip())
        return any(map(self._is_token, candidates))


def _cookie_name(headers: Headers) -> str:
    """A cookie name for each port: browsers send a host's cookies to all of its ports."""
    port = headers.get("host", "").rpartition(":")[2]
    return f"vizkit_token_{port}" if port.isdigit() else "vizkit_token"
