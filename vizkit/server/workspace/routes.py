"""Routes and documents of VizKit's own pages."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import NamedTuple, ParamSpec, Protocol, TypeVar

from jinja2 import Environment, PackageLoader
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from vizkit._language import language, speaking, tr, trn
from vizkit.errors import VizKitError
from vizkit.media.palette import SHADES, color
from vizkit.runs import Runs
from vizkit.runs.formatting import clean
from vizkit.server.http import Answer, no_file, preferred_language, redirect, respond
from vizkit.server.live_runs import LiveRuns
from vizkit.server.security import WORKSPACE_POLICY
from vizkit.server.workspace.address import ROWS, Address
from vizkit.server.workspace.api.endpoints import api_routes
from vizkit.server.workspace.api.state import WorkspaceState
from vizkit.server.workspace.current_runs import CurrentRuns
from vizkit.server.workspace.importance_cache import ImportanceCache
from vizkit.server.workspace.runs_table import hparam_key, runs_page
from vizkit.server.workspace.saved_views import SavedViews
from vizkit.server.workspace.views import (
    compare_page,
    groups_page,
    problems_page,
    run_page,
)

__all__ = ["workspace_routes"]

_PATH = "/vizkit"
_STATIC = files("vizkit.server.workspace") / "static"
_HEADERS = (("Content-Security-Policy", WORKSPACE_POLICY), ("Vary", "Accept-Encoding, Accept-Language"))
_FILES = {
    "page.css": "text/css; charset=utf-8",
    "page.js": "application/javascript",
}
_BUILT = {
    ".css": "text/css; charset=utf-8",
    ".js": "application/javascript",
    ".txt": "text/plain; charset=utf-8",
}  # of the built front end, by ending
_BUILT_NAME = re.compile(r"built/\w+(-[A-Z0-9]{8})?(\.\w+)")  # with the digest of a part that is loaded later
_FOR_GOOD = "private, max-age=31536000, immutable"
_TEMPLATES = {
    "": "workspace.html",
    "table": "runs.html",
    "run": "run.html",
    "compare": "compare.html",
    "groups": "groups.html",
    "problems": "problems.html",
}  # by view

_VISUALDL_PAGES = {  # kind of record -> path of VisualDL's page
    "image": "sample/image",
    "audio": "sample/audio",
    "text": "sample/text",
    "histogram": "histogram",
    "pr_curve": "pr-curve",
    "roc_curve": "roc-curve",
    "embeddings": "high-dimensional",
}
_P = ParamSpec("_P")
_R = TypeVar("_R")

_COLOR = ".c{} {{ --line: color-mix(in oklab, {}, white var(--run-mix)); }}\n"


class _RunOnThread(Protocol):
    """A function that calls another one on a thread."""

    async def __call__(self, function: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R: ...


def workspace_routes(
    live: LiveRuns,
    run_on_thread: _RunOnThread,
    *,
    language: str | None = None,
    visualdl: str = "/app",
    edit: bool = False,
) -> list[BaseRoute]:
    """The routes below ``/vizkit/``.

    Args:
        live: the runs.
        run_on_thread: calls a function on another thread.
        language: language of the pages, ``en`` or ``zh``; by default the browser's.
        visualdl: path of VisualDL's page.
        edit: let the page change remarks and saved views.
    """
    current = CurrentRuns(live)
    pages = _Pages(live, current, visualdl, edit)
    state = WorkspaceState(live, current, SavedViews(live.logdir), edit)

    async def answer(http: Request) -> Response:
        if live.note_request() and http.path_params.get("view"):  # else the document asks for what it shows
            await run_on_thread(live.refresh)
        address = Address.read(http.query_params.multi_items())
        shown = address.lang or language or preferred_language(http.headers.get("accept-language", ""))
        made = await run_on_thread(pages.answer, http.path_params.get("view", ""), address, shown)
        return respond(http, made)

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

    return [
        Route(_PATH, slash),
        *api_routes(state, f"{_PATH}/api"),
        Route(f"{_PATH}/static/{{name:path}}", static),
        Route(f"{_PATH}/", answer),
        Route(f"{_PATH}/{{view}}", answer),
    ]


class _Pages:
    """The documents of all views."""

    def __init__(self, live: LiveRuns, current: CurrentRuns, visualdl: str, edit: bool) -> None:
        self._live = live
        self._runs = current
        self._importance = ImportanceCache()
        self._templates = Environment(
            loader=PackageLoader("vizkit.server.workspace"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(
            t=tr,
            tn=trn,
            visualdl=visualdl,
            edit=edit,
            visualdl_pages=_VISUALDL_PAGES,
            page_sizes=ROWS,
            safe_svg=Markup,
            group_key=hparam_key,
            join_filters=_join_filters,
        )
        self._templates.filters["clean"] = clean

    def answer(self, view: str, address: Address, shown: str) -> Answer:
        """Render the document of a view in a language."""
        with speaking(shown):
            return self._answer(view, address)

    def _answer(self, view: str, address: Address) -> Answer:
        context: dict[str, object] = {
            "language": language(),
            "address": address,
            "logdir": self._live.logdir,
            "view": view,
        }
        status = 200
        try:
            if view not in _TEMPLATES:
                raise VizKitError("there is no view {view!r}", view=view)
            if not view:  # it asks for what it shows
                return self._document("workspace.html", {**context, "words": _words()})
            with self._live.lock:
                runs = self._runs.get()
                context["data"] = self._data(view, runs, address)
                context["troubled"] = sum(bool(run.problems) for run in runs) + len(self._live.refused)
            template = _TEMPLATES[view]
        except (VizKitError, KeyError, OSError) as error:  # a run was deleted just now
            context["message"] = str(error) if isinstance(error, VizKitError) else type(error).__name__
            template, status = "error.html", 404
        return self._document(template, context, status)

    def _document(self, template: str, context: dict[str, object], status: int = 200) -> Answer:
        document = self._templates.get_template(template).render(context)
        body = document.encode("utf-8", "replace")
        return Answer.of(body, "text/html; charset=utf-8", status=status, headers=_HEADERS)

    def _data(self, view: str, runs: Runs, address: Address) -> NamedTuple:
        x_label = tr("Step") if address.x == "step" else tr("Time since start")
        pages: dict[str, Callable[[], NamedTuple]] = {
            "table": lambda: runs_page(runs, address),
            "run": lambda: run_page(runs, address, x_label),
            "compare": lambda: compare_page(runs, address, x_label),
            "groups": lambda: groups_page(runs, address, x_label, self._importance),
            "problems": lambda: problems_page(runs, list(self._live.refused.items())),
        }
        return pages[view]()


def _join_filters(first: str, second: str) -> str:
    return f"({first}) and {second}" if first else second


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


def _media_type(name: str) -> str | None:
    """The media type of a static file; None if it is none of them."""
    built = _BUILT_NAME.fullmatch(name)
    return _BUILT.get(built[2]) if built else _FILES.get(name)


@cache
def _static_file(name: str, media_type: str) -> Answer:
    """A static file; the colours of runs are added to the style sheet."""
    content = (_STATIC / name).read_text("utf-8")
    if name == "page.css":
        content += "".join(_COLOR.format(index, color(index)) for index in range(SHADES))
    return Answer.of(content.encode(), media_type, level=6)
