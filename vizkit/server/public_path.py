"""The path that a proxy puts before the server's own: of JupyterHub, nginx and the like."""

from __future__ import annotations

import re
from urllib.parse import unquote

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from vizkit.errors import DataError

__all__ = ["PublicPath", "checked_public_path", "public_path_of"]

_KEY = "vizkit.public_path"
_PATH = re.compile(r"(/[\w.~@%+-]+){1,30}", re.ASCII)  # never //, which would be another host
_LONGEST = 500  # characters
_OWN = ("/app", "/vizkit", "/alive", "/favicon.ico")


def checked_public_path(text: str) -> str:
    """A public path without its last slash; empty for none.

    Raises:
        DataError: it is no such path, or one of the server's own.
    """
    path = text.rstrip("/")
    if path and not _is_path(path):
        raise DataError(
            "public_path must be a path such as '/proxy/8040', and none of {own}, got {path!r}",
            own=", ".join(_OWN),
            path=text[:100],
        )
    return path


def _is_path(path: str) -> bool:
    own = any(path == one or path.startswith(f"{one}/") for one in _OWN)
    dots = {".", ".."} & set(path.split("/"))
    return not own and not dots and len(path) <= _LONGEST and _PATH.fullmatch(path) is not None


def public_path_of(scope: Scope) -> str:
    """The path before the server's own in the browser's address; empty if there is none, or none is known."""
    path: str = scope.get(_KEY, "")
    return path


class PublicPath:
    """Middleware that takes the public path off, where a proxy passes it on, and keeps it for answers.

    Args:
        app: the application behind it.
        path: the public path; by default what a proxy names as ``X-Forwarded-Prefix``, which no page
            elsewhere can have a browser send.
    """

    def __init__(self, app: ASGIApp, path: str = "") -> None:
        self._app = app
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with the server's own path."""
        if scope["type"] == "http" and (prefix := self._path or _named(scope)):
            path = scope["path"]
            passed_on = unquote(prefix)
            if path == passed_on or path.startswith(f"{passed_on}/"):
                path = path[len(passed_on) :] or "/"
            scope = {**scope, "path": path, _KEY: prefix}
        await self._app(scope, receive, send)


def _named(scope: Scope) -> str:
    path = Headers(scope=scope).get("x-forwarded-prefix", "").rstrip("/")
    return path if path and _is_path(path) else ""
