"""The routes of VizKit's own page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from vizkit.errors import VizKitError
from vizkit.media.palette import COLORS
from vizkit.runs import Runs
from vizkit.runs.tables import clean
from vizkit.server.answers import Answer
from vizkit.server.live_runs import Followed
from vizkit.server.responses import no_file, redirect, respond
from vizkit.server.visualdl.page import FRAMES, preferred_language
from vizkit.server.workspace.address import ROWS, Address
from vizkit.server.workspace.current_runs import CurrentRuns
from vizkit.server.workspace.runs_table import hparam_key, table
from vizkit.server.workspace.views import difference, grouped, importances, problems, run_view
from vizkit.server.workspace.words import speaker

__all__ = ["page_routes"]

PATH = "/vizkit"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    f"form-action 'self'; base-uri 'none'; {FRAMES}"
)
_HEADERS = (("Content-Security-Policy", _POLICY), ("Vary", "Accept-Encoding, Accept-Language"))
_FILES = {"page.css": "text/css; charset=utf-8", "page.js": "application/javascript"}
_VIEWS = {"": "runs.html", "run": "run.html", "compare": "compare.html", "groups": "groups.html"}
_VIEWS["problems"] = "problems.html"

_VISUALDL = {  # kind of record -> where VisualDL's page shows it
    "image": "sample/image",
    "audio": "sample/audio",
    "text": "sample/text",
    "histogram": "histogram",
    "pr_curve": "pr-curve",
    "roc_curve": "roc-curve",
    "embeddings": "high-dimensional",
}
_COLOR = ".c{} {{ --line: color-mix(in oklab, {}, white var(--run-mix)); }}\n"


def page_routes(
    log: Followed,
    run: Callable[..., Awaitable[Any]],
    *,
    language: str | None = None,
    visualdl: str = "/app",
) -> list[BaseRoute]:
    """The routes below ``/vizkit/``.

    Args:
        log: the runs.
        run: calls a function on another thread.
        language: of the page, ``en`` or ``zh``; as the browser asks for by default.
        visualdl: where VisualDL's page is.
    """
    pages = _Pages(log, visualdl)

    async def answer(http: Request) -> Response:
        if log.stale():
            await run(log.look)
        address = Address.read(http.query_params.multi_items())
        shown = address.lang or language or preferred_language(http.headers.get("accept-language", ""))
        made = await run(pages.answer, http.path_params.get("view", ""), address, shown)
        return respond(http, made)

    async def static(http: Request) -> Response:
        answer = _file(http.path_params["name"])
        return respond(http, answer) if answer else no_file()

    async def slash(http: Request) -> Response:
        return redirect(http, f"{PATH}/")

    return [
        Route(PATH, slash),
        Route(f"{PATH}/static/{{name}}", static),
        Route(f"{PATH}/", answer),
        Route(f"{PATH}/{{view}}", answer),
    ]


class _Pages:
    """Makes the documents; what is computed of a run is kept until it changes."""

    def __init__(self, log: Followed, visualdl: str) -> None:
        self._log = log
        self._runs = CurrentRuns(log)
        self._importances = lru_cache(maxsize=8)(importances)  # runs that change are others
        self._templates = Environment(
            loader=PackageLoader("vizkit.server.workspace"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(
            visualdl=visualdl,
            visualdl_pages=_VISUALDL,
            page_sizes=ROWS,
            safe_svg=Markup,
            group_key=hparam_key,
            join_filters=_both,
        )
        self._templates.filters["clean"] = clean

    def answer(self, view: str, address: Address, language: str) -> Answer:
        """The document of a view."""
        say = speaker(language)
        known: dict[str, Any] = {
            "t": say,
            "language": language,
            "address": address,
            "logdir": self._log.logdir,
            "view": view,
        }
        status = 200
        try:
            if view not in _VIEWS:
                raise VizKitError(f"there is no view {view!r}")
            with self._log.lock:
                known["data"], known["troubled"] = self._data(view, address, say)
            template = _VIEWS[view]
        except (VizKitError, KeyError, OSError) as error:  # a run went between two looks
            known["message"] = str(error) if isinstance(error, VizKitError) else type(error).__name__
            template, status = "error.html", 404
        document = self._templates.get_template(template).render(known)
        body = document.encode("utf-8", "replace")
        return Answer.of(body, "text/html; charset=utf-8", status=status, headers=_HEADERS)

    def _data(self, view: str, address: Address, say: Callable[[str], str]) -> tuple[Any, int]:
        runs = self._runs.get()
        x_label = say("Step") if address.x == "step" else say("Time since start")
        views: Mapping[str, Callable[[], Any]] = {
            "": lambda: table(runs, address),
            "run": lambda: run_view(runs, address, x_label),
            "compare": lambda: difference(runs, address, x_label),
            "groups": lambda: grouped(runs, address, x_label, self._importances),
            "problems": lambda: problems(runs, list(self._log.refused.items())),
        }
        return views[view](), self._troubled(runs)

    def _troubled(self, runs: Runs) -> int:
        return sum(bool(run.problems) for run in runs) + len(self._log.refused)


def _both(first: str, second: str) -> str:
    return f"({first}) and {second}" if first else second


@lru_cache
def _file(name: str) -> Answer | None:
    """A static file; the colours of runs are added to the style."""
    if name not in _FILES:
        return None
    content = (files("vizkit.server.workspace") / "static" / name).read_text("utf-8")
    if name.endswith(".css"):
        content += "".join(_COLOR.format(index, color) for index, color in enumerate(COLORS))
    return Answer.of(content.encode(), _FILES[name], level=6)
