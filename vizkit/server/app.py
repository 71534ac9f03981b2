"""The web application: VisualDL's page, its API, and what else is mounted beside them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from vizkit.server.responses import redirect, respond
from vizkit.server.security import Guard
from vizkit.server.visualdl.api.dispatch import API
from vizkit.server.visualdl.page import VisualDLPage

__all__ = ["build_app"]


def build_app(
    api: API,
    *,
    token: str | None = None,
    hosts: Sequence[str] = (),
    addresses: bool = False,
    language: str | None = None,
    public_path: str = "/app",
) -> ASGIApp:
    """The application that serves a followed log.

    Args:
        api: the runs, and what answers from them.
        token: what clients must show, None: nothing.
        hosts: names that it is asked for by, besides loopback's.
        addresses: whether it may be asked for by any address.
        language: of the page, ``en`` or ``zh``; as the browser asks for by default.
        public_path: where VisualDL's page is.
    """
    page = VisualDLPage(public_path, token=token is not None, language=language)

    async def root(http: Request) -> Response:
        return redirect(http, f"{public_path}/index")

    async def icon(http: Request) -> Response:
        answer = page.icon()
        return respond(http, answer, "public, max-age=86400") if answer else Response(status_code=404)

    async def alive(http: Request) -> Response:
        return Response(status_code=204)

    routes: list[BaseRoute] = [
        Route(f"{public_path}/api/{{path:path}}", api.answer),
        Route("/vizkit{path:path}", _OwnPages(api, language, public_path)),
        Route("/", root),
        Route("/favicon.ico", icon),
        Route("/alive", alive),
        Route(public_path, page.answer),
        Route(f"{public_path}/{{path:path}}", page.answer),
    ]
    app = Starlette(routes=routes)
    app.router.redirect_slashes = False
    folders = (page.assets, f"{public_path}/__snowpack__", f"{public_path}/_dist_")
    files = (*(f"{folder}/" for folder in folders), "/favicon.ico", "/alive")
    return Guard(app, hosts=hosts, token=token, open_paths=files, addresses=addresses)


class _OwnPages:
    """VizKit's own pages, imported when they are first asked for: VisualDL's page is there sooner."""

    def __init__(self, api: API, language: str | None, visualdl: str) -> None:
        self._api, self._language, self._visualdl = api, language, visualdl

    @cached_property
    def _router(self) -> Router:
        from vizkit.server.workspace.routes import page_routes

        api = self._api
        return Router(page_routes(api.log, api.run, language=self._language, visualdl=self._visualdl))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._router(scope, receive, send)
