"""Routes and documents of VizKit's own pages."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import NamedTuple
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from vizkit._language import LANGUAGES, language, speaking, tr
from vizkit.errors import VizKitError
from vizkit.reading.column_cache import cache_directory
from vizkit.runs.formatting import clean
from vizkit.runs.saved_views import SavedViews
from vizkit.server.http import Answer, no_file, preferred_language, redirect, respond
from vizkit.server.live_runs import LiveRuns
from vizkit.server.security import WORKSPACE_POLICY
from vizkit.server.workspace.api.endpoints import api_routes
from vizkit.server.workspace.api.kept_records import KeptRecords
from vizkit.server.workspace.api.runs_answer import prepare_records
from vizkit.server.workspace.api.state import WorkspaceState
from vizkit.server.workspace.current_runs import CurrentRuns
from vizkit.server.workspace.earlier_addresses import EARLIER_VIEWS, query_of_earlier

__all__ = ["Workspace", "workspace"]

_PATH = "/vizkit"
_STATIC = files("vizkit.server.workspace") / "static"
_HEADERS = (("Content-Security-Policy", WORKSPACE_POLICY), ("Vary", "Accept-Encoding, Accept-Language"))
_BUILT = {
    ".css": "text/css; charset=utf-8",
    ".js": "application/javascript",
    ".txt": "text/plain; charset=utf-8",
}  # of the built front end, by ending
_BUILT_NAME = re.compile(r"built/\w+(-[A-Z0-9]{8})?(\.\w+)")  # with the digest of a part that is loaded later
_FOR_GOOD = "private, max-age=31536000, immutable"


class Workspace(NamedTuple):
    """The workspace of some runs.

    Attributes:
        routes: those below ``/vizkit/``.
        prepare: makes what every page asks for first, ahead of the first one.
    """

    routes: list[BaseRoute]
    prepare: Callable[[], None]


def workspace(
    live: LiveRuns, *, language: str | None = None, visualdl: str = "/app", edit: bool = False
) -> Workspace:
    """The workspace.

    Args:
        live: the runs.
        language: language of the pages, ``en`` or ``zh``; by default the browser's.
        visualdl: path of VisualDL's page.
        edit: let the page change remarks and saved views.
    """
    current = CurrentRuns(live)
    pages = _Pages(live.logdir, visualdl, edit)
    kept = KeptRecords(cache_directory(), live.logdir)
    state = WorkspaceState(live, current, SavedViews(live.logdir), edit, kept=kept)

    async def answer(http: Request) -> Response:
        given = http.query_params.multi_items()
        view = http.path_params.get("view", "")
        if view in EARLIER_VIEWS:
            query = urlencode(query_of_earlier(view, given))
            return RedirectResponse(f"./?{query}", 302)
        asked = dict(given).get("lang", "")
        accepted = preferred_language(http.headers.get("accept-language", ""))
        with speaking(asked if asked in LANGUAGES else language or accepted):
            return respond(http, pages.document(view))

    async def static(http: Request) -> Response:
        name = http.path_params["name"]
        media = _media_type(name)
        if media is None or not (_STATIC / name).is_file():
            return no_file(http)
        named = _BUILT_NAME.fullmatch(name)
        return respond(
            http, _static_file(name, media), _FOR_GOOD if named and named[1] else "private, no-cache"
        )

    async def slash(http: Request) -> Response:
        return redirect(http, f"{_PATH}/")

    def prepare() -> None:
        pages.document("")
        for file in (_STATIC / "built").iterdir():
            name = f"built/{file.name}"
            if media := _media_type(name):
                _static_file(name, media)
        prepare_records(state, lambda: live.stopped)

    routes = [
        Route(_PATH, slash),
        *api_routes(state, f"{_PATH}/api"),
        Route(f"{_PATH}/static/{{name:path}}", static),
        Route(f"{_PATH}/", answer),
        Route(f"{_PATH}/{{view}}", answer),
    ]
    return Workspace(routes, prepare)


class _Pages:
    """The documents: the workspace, which asks for what it shows, and that of an error."""

    def __init__(self, logdir: str, visualdl: str, edit: bool) -> None:
        self._templates = Environment(
            loader=PackageLoader("vizkit.server.workspace"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(t=tr, visualdl=visualdl, logdir=logdir, edit=edit)
        self._templates.filters["clean"] = clean

    def document(self, view: str) -> Answer:
        """The document of a view in the language of the moment; a view that is none has that of an error."""
        try:
            if view:
                raise VizKitError("there is no view {view!r}", view=view)
            return self._rendered("workspace.html", 200, words=_words(), parts=_parts())
        except VizKitError as error:
            return self._rendered("error.html", 404, message=str(error))

    def _rendered(self, template: str, status: int, **values: object) -> Answer:
        text = self._templates.get_template(template).render(values, language=language())
        body = text.encode("utf-8", "replace")
        return Answer.of(body, "text/html; charset=utf-8", status=status, headers=_HEADERS)


def _words() -> dict[str, str]:
    """The texts of the front end in the language of the moment; none in English, as it has them."""
    texts = _front_end_texts()
    return {} if language() == "en" else {text: tr(text) for text in texts}


@cache
def _front_end_texts() -> tuple[str, ...]:
    try:
        return tuple(json.loads((_STATIC / "built/words.json").read_bytes()))
    except FileNotFoundError:  # in a checkout alone
        raise VizKitError("the workspace is not built: run python hatch_build.py") from None


@cache
def _parts() -> tuple[str, ...]:
    """Names of the scripts that the front end imports: its page loads them along with it."""
    script = (_STATIC / "built/workspace.js").read_text("utf-8")
    return tuple(dict.fromkeys(re.findall(r'(?:from|import) ?"\./(chunk-[A-Z0-9]{8}\.js)"', script)))


def _media_type(name: str) -> str | None:
    """The media type of a static file; None if it is none of them."""
    built = _BUILT_NAME.fullmatch(name)
    return _BUILT.get(built[2]) if built else None


@cache
def _static_file(name: str, media_type: str) -> Answer:
    return Answer.of((_STATIC / name).read_bytes(), media_type, level=6)
