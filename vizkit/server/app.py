"""The web application: routes of VisualDL's page, its API and VizKit's pages, behind the access guard."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from vizkit.server.http import redirect, respond
from vizkit.server.public_path import PublicPath
from vizkit.server.security import AccessGuard
from vizkit.server.visualdl.api.dispatch import API
from vizkit.server.visualdl.page import VisualDLPage

if TYPE_CHECKING:
    from vizkit.server.workspace.routes import Workspace

__all__ = ["App", "build_app"]

_PAGE = "/app"  # of VisualDL


class App(NamedTuple):
    """The application.

    Attributes:
        asgi: answers requests.
        prepare: imports the workspace, and makes what its page asks for first, ahead of its first request.
    """

    asgi: ASGIApp
    prepare: Callable[[], None]


def build_app(
    api: API,
    *,
    token: str | None = None,
    hosts: Sequence[str] = (),
    addresses: bool = False,
    language: str | None = None,
    public_path: str = "",
    edit: bool = False,
) -> App:
    """Build the application that serves the runs of an API.

    Args:
        api: VisualDL's API over the runs.
        token: the token that clients must send, None: none is needed.
        hosts: host names that are accepted besides those of loopback.
        addresses: accept any IP address as a host.
        language: language of the pages, ``en`` or ``zh``; by default the browser's.
        public_path: path that a proxy puts before the server's own.
        edit: let the workspace change remarks and saved views.
    """
    page = VisualDLPage(_PAGE, token=token is not None, language=language)

    async def root(http: Request) -> Response:
        return redirect(http, "/vizkit/")

    async def icon(http: Request) -> Response:
        answer = page.icon()
        return respond(http, answer, "public, max-age=86400") if answer else Response(status_code=404)

    async def alive(http: Request) -> Response:
        return Response(status_code=204)

    workspace = _LazyWorkspace(api, language, _PAGE, edit)
    routes: list[BaseRoute] = [
        Route(f"{_PAGE}/api/{{path:path}}", api.answer),
        Route("/vizkit{path:path}", workspace),
        Route("/", root),
        Route("/favicon.ico", icon),
        Route("/alive", alive),
        Route(_PAGE, page.answer),
        Route(f"{_PAGE}/{{path:path}}", page.answer),
    ]
    app = Starlette(routes=routes)
    app.router.redirect_slashes = False
    folders = (page.assets, f"{_PAGE}/__snowpack__", f"{_PAGE}/_dist_")
    files = (*(f"{folder}/" for folder in folders), "/favicon.ico", "/alive")
    framed = ("/", _PAGE, f"{_PAGE}/index", "/vizkit/")
    guard = AccessGuard(
        app,
        hosts=hosts,
        token=token,
        open_paths=files,
        writable_paths=("/vizkit/api/remarks", "/vizkit/api/views") if edit else (),
        framed_paths=framed,
        addresses=addresses,
    )
    return App(PublicPath(guard, public_path), workspace.prepare)


class _LazyWorkspace:
    """VizKit's workspace, imported at its first request: VisualDL's page is served sooner."""

    def __init__(self, api: API, language: str | None, visualdl: str, edit: bool) -> None:
        self._api, self._language, self._visualdl, self._edit = api, language, visualdl, edit

        self._lock = Lock()
        self._made: tuple[Router, Workspace] | None = None

    def prepare(self) -> None:
        self._workspace()[1].prepare()

    def _workspace(self) -> tuple[Router, Workspace]:
        with self._lock:  # a request comes while it is prepared
            if self._made is None:
                from vizkit.server.workspace.routes import workspace

                runs = self._api.runs
                made = workspace(runs, language=self._language, visualdl=self._visualdl, edit=self._edit)
                self._made = Router(made.routes), made
            return self._made

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        made = self._made
        if made is None:
            made = await asyncio.to_thread(self._workspace)
        await made[0](scope, receive, send)
